from __future__ import annotations

from pathlib import Path

import pytest

from hocket.audio.stage import renders
from hocket.config.audio import RenderConfig
from hocket.errors import InputError
from hocket.evaluation.promotion import audio_flags
from hocket.exhibits import Exhibit, Item, write_exhibits
from hocket.midi import write_midi
from making import make_config, make_piece


def test_every_midi_file_gets_a_wav_and_a_picture(tmp_path: Path) -> None:
    cfg = make_config(tmp_path, render=RenderConfig())
    for name in ("composer/a", "composer/b", "tune_lm/a"):
        path = tmp_path / "out" / "generation" / f"{name}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(make_piece(12, len(name)), path)
    (tmp_path / "out" / "generation" / "renders").mkdir()
    out = tmp_path / "renders"
    report = renders(cfg, out)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert files == [f"{name}.{kind}" for name in ("composer/a", "composer/b", "tune_lm/a") for kind in ("png", "wav")]
    assert report.counts["wav"] == 3
    assert {check.name for check in report.checks if check.passed} == {
        "no_silent_wav",
        "no_clipped_wav",
        "right_length",
    }
    assert sorted(report.pictures) == ["composer/a.png", "composer/b.png", "tune_lm/a.png"]
    assert report.metrics["tune_lm/a"]["peak_dbfs"] <= -0.99


def test_nothing_generated_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run a generation stage first"):
        renders(make_config(tmp_path, render=RenderConfig()), tmp_path / "renders")


def test_exhibits_are_rendered_where_they_ask_for_it(tmp_path: Path) -> None:
    cfg = make_config(tmp_path, render=RenderConfig(), processes=1)
    folder = tmp_path / "out" / "generation" / "vae"
    for name in ("loud", "quiet"):
        write_midi(make_piece(8, len(name)), folder / "strip" / f"{name}.mid")
    loud = Item("loud", midi="strip/loud.mid", render=True)
    shown = [loud, Item("again", midi="strip/loud.mid", render=True), Item("quiet", midi="strip/quiet.mid")]
    write_exhibits([Exhibit("strip", "Strip", items=shown)], folder)
    elsewhere = tmp_path / "out" / "evaluation" / "vae"  # is there or not, as the order of steps will have it
    write_midi(make_piece(8, 1), elsewhere / "strip" / "loud.mid")
    write_exhibits([Exhibit("strip", "Strip", items=[loud])], elsewhere)
    report = renders(cfg, tmp_path / "renders")
    assert list(report.metrics) == ["exhibits/generation_vae/strip/loud"]
    assert (tmp_path / "renders" / "exhibits" / "generation_vae" / "strip" / "loud.wav").is_file()


def test_a_model_that_plays_nothing_does_not_stop_the_others(tmp_path: Path) -> None:
    cfg = make_config(tmp_path, render=RenderConfig(), processes=1)
    for name, piece in (("dumb", make_piece(0)), ("composer", make_piece(8))):
        write_midi(piece, tmp_path / "out" / "generation" / name / "a.mid")
    out = tmp_path / "out" / "generation" / "renders"
    report = renders(cfg, out)
    assert report.counts["wav"] == report.counts["without_notes"] == 1
    assert [check.name for check in report.checks if not check.passed] == ["no_silent_wav"]
    assert not any(check.blocking for check in report.checks if not check.passed)
    assert list(report.pictures) == ["composer/a.png"]
    report.write(out)
    assert {name for name, flags in audio_flags(tmp_path / "out").items() if flags} == {"dumb"}
