from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.errors import InputError
from hocket.evaluation.leaderboard import (
    FILE_NAME,
    BoardRow,
    leaders,
    markdown,
    plain,
    ranked,
    read_rows,
    run,
    standings,
    write_rows,
)
from hocket.evaluation.regression import Interval
from making import make_config

NAN = float("nan")


def row(model: str, r2: float, setting: str = "performance", role: str = "model", **changes: object) -> BoardRow:
    metrics = {"velocity_r2": Interval(r2, r2 - 0.1, r2 + 0.1), "velocity_kl": Interval(0.5, NAN, NAN)}
    values = {"origin": "recorded", "quotable": True, "pieces": 3, "notes": 99, **changes}
    return BoardRow("velocity", model, setting, role, metrics, **values)  # type: ignore[arg-type]


def test_rows_survive_the_file(tmp_path: Path) -> None:
    write_rows([row("a", 0.25, note="uses past targets")], tmp_path)
    back = read_rows(tmp_path / FILE_NAME)
    assert [plain(item) for item in back] == [plain(row("a", 0.25, note="uses past targets"))]


def test_settings_are_ranked_apart_and_a_missing_number_comes_last() -> None:
    rows = [
        row("seer", 0.9, "one_step_ahead"),
        row("x", NAN),
        row("low", 0.1),
        row("high", 0.3),
        row("page", 0.2, "score_only"),
    ]
    assert [item.model for item in ranked(rows)] == ["page", "high", "low", "x", "seer"]


def test_floors_lead_no_board() -> None:
    rows = ranked([row("floor", 0.5, role="floor"), row("model", 0.4)])
    assert leaders(rows)["velocity"]["performance"]["model"] == "model"


def test_markdown_says_origin_and_whether_it_may_be_quoted() -> None:
    text = markdown("Title", [row("a", 0.25, origin="rendered", quotable=False)])
    assert "| performance | a | model | rendered | no | 0.250 [0.150, 0.350] |" in text


@pytest.mark.parametrize("changes", [{"board": "tempo"}, {"role": "winner"}])
def test_a_row_of_no_board_or_role_is_refused(changes: dict[str, str]) -> None:
    values = {"board": "velocity", "model": "a", "setting": "x", "role": "model", "metrics": {}, "origin": "recorded"}
    with pytest.raises(ValueError, match="is not among"):
        BoardRow(**{**values, "quotable": True, **changes})  # type: ignore[arg-type]


def test_the_stage_gathers_every_evaluation(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    for name, model in (("forest", "a"), ("performer", "b")):
        (tmp_path / "out" / "evaluation" / name).mkdir(parents=True)
        write_rows([row(model, 0.2)], tmp_path / "out" / "evaluation" / name)
    report = run(config, tmp_path)
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    assert [item["model"] for item in content["rows"]] == ["a", "b"]
    assert content["rows"][0]["metrics"]["velocity_r2"] == {"value": 0.2, "low": 0.1, "high": 0.3}
    assert report.counts == {"rows": 2, "boards": 1}


def test_without_an_evaluation_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run an evaluation first"):
        run(make_config(tmp_path), tmp_path)
    (tmp_path / "out" / "evaluation" / "forest").mkdir(parents=True)
    (tmp_path / "out" / "evaluation" / "forest" / FILE_NAME).write_text("{}")
    (tmp_path / "out" / "evaluation" / "forest" / FILE_NAME).write_text('[{"board": "velocity"}]')
    with pytest.raises(InputError, match="not rows of a leaderboard"):
        run(make_config(tmp_path), tmp_path)


def test_models_share_a_rank_where_their_intervals_meet() -> None:
    rows = [
        row("best", 0.9),
        row("near", 0.75),
        row("far", 0.5),
        row("floor", 0.4, role="floor"),
        row("alone", 0.1, "other"),
    ]
    # intervals are 0.1 to each side: 0.80..1.00 meets 0.65..0.85; 0.40..0.60 meets neither
    assert standings(rows) == ["1", "1", "3", "", "1"]


def test_where_low_is_good_the_order_turns() -> None:
    def likelihood(nats: float) -> BoardRow:
        return BoardRow(
            "melody_likelihood",
            str(nats),
            "x",
            "model",
            {"nats_per_16th": Interval(nats, nats - 0.1, nats + 0.1)},
            "score",
            False,
        )

    assert standings([likelihood(0.5), likelihood(0.9)]) == ["1", "2"]
    assert standings([row("unknown", NAN)]) == [""]
