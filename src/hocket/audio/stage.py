"""Stage ``generation_renders``: every generated MIDI file becomes a WAV to hear and a piano roll to look at.

Renders of generation NAME lie in NAME/; those of its exhibits in exhibits/generation_NAME/. Exhibits of other areas are
not looked at: whether they are there already is a matter of the order of steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from hocket.audio.checks import RenderResult, check_renders
from hocket.audio.effects import pedalboard_installed
from hocket.audio.pictures import piano_roll
from hocket.audio.render import render
from hocket.config import Config
from hocket.config.audio import RenderConfig
from hocket.errors import InputError
from hocket.exhibits import FILE_NAME as EXHIBITS_FILE
from hocket.exhibits import read_exhibits
from hocket.midi import read_midi
from hocket.report import Report, stage_folder

STAGE = "generation_renders"
EXHIBITS = "exhibits"
LEVELS = ("duration_s", "rms_dbfs", "peak_dbfs", "loudness_lufs")


_NOTHING = RenderResult(0.0, 0.0, 0.0, -math.inf, -math.inf, -math.inf, effects=False)


@dataclass(frozen=True)
class _Task:
    """One MIDI file, and where its WAV and PNG go (the same path without suffix)."""

    midi: Path
    target: Path
    title: str
    config: RenderConfig


def renders(cfg: Config, out: Path) -> Report:
    """Renders out/generation/<generator>/*.mid, and the exhibits that ask for it, to a .wav and a .png each.

    A file without notes gets neither and counts as silent: a model that plays nothing must not stop the others.

    Raises:
        InputError: nothing has been generated yet, or a file is no music.
    """
    config: RenderConfig = cfg.render
    tasks = [
        _Task(midi, out / generator / midi.stem, f"{generator}: {midi.stem}", config)
        for generator in generators(Path(cfg.out))
        for midi in sorted(stage_folder(cfg.out, f"generation_{generator}").glob("*.mid"))
    ]
    tasks += {task.target: task for task in _exhibited(Path(cfg.out), out, config)}.values()
    if not tasks:
        raise InputError(f"{Path(cfg.out, 'generation')}: holds no MIDI files; run a generation stage first")
    results = _run_all(tasks, cfg.processes)
    names = [task.target.relative_to(out).as_posix() for task in tasks]
    return _report(dict(zip(names, results, strict=True)), tasks, config)


def generators(out: Path) -> list[str]:
    """Names of the stages that have written into out/generation, sorted; this stage's own folder is none of them."""
    own = STAGE.split("_", 1)[1]
    folders = (path.name for path in (out / "generation").glob("*") if path.is_dir())
    return sorted(name for name in folders if name != own and not name.startswith("."))


def _exhibited(base: Path, out: Path, config: RenderConfig) -> Iterator[_Task]:
    """The MIDI files of exhibits that are to be rendered."""
    for path in sorted(base.glob(f"generation/*/{EXHIBITS_FILE}")):
        if path.parent.name.startswith("."):
            continue
        stage = f"generation_{path.parent.name}"
        folder = stage_folder(base, stage)
        for item in (item for exhibit in read_exhibits(folder) for item in exhibit.items if item.render):
            yield _Task(folder / item.midi, exhibit_render(out, stage, item.midi), f"{stage}: {item.title}", config)


def exhibit_render(renders_folder: Path, stage: str, midi: str) -> Path:
    """Where the render of an exhibit lies, without suffix.

    Args:
        renders_folder: output folder of this stage.
        stage: whose exhibit it is, for example ``generation_tune_lm``.
        midi: path of its MIDI file below the folder of that stage.
    """
    return renders_folder / EXHIBITS / stage / Path(midi).with_suffix("")


def _run_all(tasks: list[_Task], processes: int) -> list[RenderResult]:
    if min(processes, len(tasks)) == 1:
        return [_render_one(task) for task in tasks]
    with ProcessPoolExecutor(min(processes, len(tasks))) as pool:
        return list(pool.map(_render_one, tasks))


def _render_one(task: _Task) -> RenderResult:
    piece = read_midi(task.midi, all_controls=True)
    if not len(piece.notes):
        return _NOTHING
    piano_roll(replace(piece, title=piece.title or task.title), task.target.with_name(task.target.name + ".png"))
    return render(piece, task.target.with_name(task.target.name + ".wav"), task.config)


def _report(results: dict[str, RenderResult], tasks: list[_Task], config: RenderConfig) -> Report:
    minutes = sum(result.duration_s for result in results.values()) / 60
    sounding = [name for name, result in results.items() if result.duration_s > 0]
    titles = dict(zip(results, (task.title for task in tasks), strict=True))
    wet = "with effects" if config.effects and pedalboard_installed() else "dry (no effects chain, or no pedalboard)"
    return Report(
        summary=f"{len(sounding)} WAV files, {minutes:.1f} minutes, {wet}",
        counts={
            "wav": len(sounding),
            "png": len(sounding),
            "without_notes": len(results) - len(sounding),
            "effects": len(config.effects) * pedalboard_installed(),
        },
        metrics={
            name: {level: round(getattr(result, level), 3) for level in LEVELS} for name, result in results.items()
        },
        checks=check_renders(results),
        pictures={f"{name}.png": f"Piano roll of {titles[name]}" for name in sounding},
    )
