"""Stage ``generation_renders``: every generated MIDI file becomes a WAV to hear and a piano roll to look at."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from hocket.audio.checks import RenderResult, check_renders
from hocket.audio.pictures import piano_roll
from hocket.audio.render import pedalboard_installed, render
from hocket.config import Config
from hocket.config.audio import RenderConfig
from hocket.errors import InputError
from hocket.midi import read_midi
from hocket.report import Report, stage_folder

STAGE = "generation_renders"
LEVELS = ("duration_s", "rms_dbfs", "peak_dbfs", "loudness_lufs")


@dataclass(frozen=True)
class _Task:
    """One MIDI file, and where its WAV and PNG go (the same path without suffix)."""

    midi: Path
    target: Path
    title: str
    config: RenderConfig


def renders(cfg: Config, out: Path) -> Report:
    """Renders out/generation/<generator>/*.mid to <generator>/<stem>.wav and .png.

    Raises:
        InputError: nothing has been generated yet, or a file is no music.
    """
    config: RenderConfig = cfg.render
    tasks = [
        _Task(midi, out / generator / midi.stem, f"{generator}: {midi.stem}", config)
        for generator in generators(Path(cfg.out))
        for midi in sorted(stage_folder(cfg.out, f"generation_{generator}").glob("*.mid"))
    ]
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


def _run_all(tasks: list[_Task], processes: int) -> list[RenderResult]:
    if min(processes, len(tasks)) == 1:
        return [_render_one(task) for task in tasks]
    with ProcessPoolExecutor(min(processes, len(tasks))) as pool:
        return list(pool.map(_render_one, tasks))


def _render_one(task: _Task) -> RenderResult:
    piece = read_midi(task.midi, all_controls=True)
    piano_roll(replace(piece, title=piece.title or task.title), task.target.with_name(task.target.name + ".png"))
    return render(piece, task.target.with_name(task.target.name + ".wav"), task.config)


def _report(results: dict[str, RenderResult], tasks: list[_Task], config: RenderConfig) -> Report:
    minutes = sum(result.duration_s for result in results.values()) / 60
    wet = "with effects" if config.effects and pedalboard_installed() else "dry (no effects chain, or no pedalboard)"
    return Report(
        summary=f"{len(results)} WAV files, {minutes:.1f} minutes, {wet}",
        counts={"wav": len(results), "png": len(results), "effects": len(config.effects) * pedalboard_installed()},
        metrics={
            name: {level: round(getattr(result, level), 3) for level in LEVELS} for name, result in results.items()
        },
        checks=check_renders(results),
        pictures={f"{name}.png": f"Piano roll of {task.title}" for name, task in zip(results, tasks, strict=True)},
    )
