from __future__ import annotations

from pathlib import Path

import pytest

from hocket.audio.stage import renders
from hocket.config.audio import RenderConfig
from hocket.errors import InputError
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
