from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hocket.config import Config
from hocket.config.tunes import TuneLmConfig, TunesConfig
from hocket.errors import InputError
from hocket.evaluation.leaderboard import read_rows
from hocket.evaluation.likelihoods import run, share
from hocket.models.tune_lm import TuneLm
from hocket.training import melody_lstm
from hocket.training.fit import Fitted, save
from hocket.training.tune_lm import fit_floors
from hocket.views.abc_text import parse_tune
from hocket.views.tunes import TUNES_SCHEMA, Vocabulary, read_tunes
from making_tunes import melodies_config, store_melodies, store_tunes

HEADER = "X:1\nL:1/4\nM:4/4\nK:C\n"


def test_only_tunes_that_both_views_hold_whole_are_shared() -> None:
    texts = ["CDEF|GABc|]\n", "[CE]DEF|]\n", "C2D/8E/8F/8G/8A/8B/8c/8d/8|]\n", "|:CDEF:|\n"]
    shared = share([parse_tune(HEADER + text) for text in texts], grid=4)
    # two voices and thirty-seconds are left out; the repeat is played out
    assert [tune.body.strip() for tune in shared.tunes] == [texts[0].strip(), texts[3].strip()]
    assert shared.notes.tolist() == [8, 8]
    assert shared.sixteenths.tolist() == [32, 32]
    assert shared.seconds == pytest.approx([4.0, 4.0])  # 120 quarters a minute


def test_no_tune_left_is_said() -> None:
    with pytest.raises(InputError, match="no held-out tune"):
        share([parse_tune(HEADER + "[CE][DF]|]\n")], grid=4)


def _simple_tests(path: Path) -> None:
    """Puts tunes in eighths in the place of the held-out ones, whose tuplets no view of melodies takes."""
    rows = pq.read_table(path).to_pylist()
    rng = np.random.default_rng(1)
    for row in rows:
        if row["split"] == "test":
            bars = ["".join(rng.choice(list("ABcdef"), 6)) for _ in range(4)]
            row["text"] = f"X:{row['id']}\nL:1/8\nM:6/8\nK:D\n|: {' | '.join(bars)} :|\n"
    pq.write_table(pa.Table.from_pylist(rows, TUNES_SCHEMA), path)


@pytest.fixture(scope="module")
def cfg(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Models that were hardly trained, in the folders of their stages."""
    folder = tmp_path_factory.mktemp("likelihood")
    cfg = melodies_config(folder)
    out = Path(cfg.out)
    store_melodies(out / "views" / "melodies")
    melody_lstm.run(cfg, out / "models" / "melody_lstm")
    store_tunes(out / "views" / "tunes")
    _simple_tests(out / "views" / "tunes" / "tunes.parquet")
    train = read_tunes(out / "views" / "tunes", "train")
    vocabulary = Vocabulary.fit(train, TunesConfig())
    model = TuneLmConfig(embedding=8, hidden=8, layers=1)
    for name in ("tune_lm", "tune_transformer"):
        target = out / "models" / name
        known = {"config": asdict(model), "vocabulary": vocabulary.digest}
        save(target, TuneLm(model, len(vocabulary)), known, Fitted(0, []))
        vocabulary.save(target / "vocabulary.json")
        fit_floors(train, target)
    return replace(cfg, model=None)


def test_all_models_stand_on_one_board_in_all_units(cfg: Config, tmp_path: Path) -> None:
    report = run(cfg, tmp_path)
    rows = {row.model: row for row in read_rows(tmp_path / "board.json")}
    assert {name for name, row in rows.items() if row.role == "model"} == {"tune lm", "tune transformer", "melody lstm"}
    assert {row.pieces for row in rows.values()} == {report.counts["tunes"]}
    ratios = [row.metrics["bits_per_note"].value / row.metrics["nats_per_16th"].value for row in rows.values()]
    assert ratios == pytest.approx([ratios[0]] * len(rows), rel=1e-4)  # one extent for all, whatever their tokens
    assert all(row.metrics["bits_per_second"].low <= row.metrics["bits_per_second"].high for row in rows.values())
    assert np.isfinite([row.metrics["bits_per_note"].value for row in rows.values()]).all()
    assert rows["tune lm"].metrics["bits_per_note"].value > 1 / math.log(2)  # untrained: far from sure
