from __future__ import annotations

from pathlib import Path

import pytest

from hocket.errors import InputError
from hocket.views.abc_text import parse_tune, transpose
from hocket.views.runs import KnownRuns
from hocket.views.tune_notes import readable, table_of
from making_tunes import tune_text


def test_a_run_is_known_in_every_key_and_another_tune_is_not(tmp_path: Path) -> None:
    tunes = [parse_tune(tune_text(seed)) for seed in (1, 2)]
    known = KnownRuns.of(table_of(tunes[:1]), 24)
    known.save(tmp_path / "runs.npz")
    loaded = KnownRuns.load(tmp_path / "runs.npz")
    asked = table_of([tunes[0], transpose(tunes[0], 3), tunes[1]])
    assert loaded.shared(asked).tolist() == [True, True, False]
    assert loaded.share(asked)[:2].tolist() == [1, 1]


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train the model again"):
        KnownRuns.load(tmp_path / "runs.npz")


def test_what_cannot_be_read_is_left_out() -> None:
    good, bad = parse_tune(tune_text(1)), parse_tune("X:1\nL:1/8\nM:6/8\nK:D\n")
    assert not readable(bad.header + bad.body)
    assert len(table_of([good, bad, good])) == 2
