from __future__ import annotations

import numpy as np
import pytest

from hocket.evaluation.tune_forms import bars_of, forms_of
from hocket.views.abc_text import parse_tune

HEADER = "X:1\nL:1/8\nM:2/4\nK:C\n"


def forms(body: str) -> dict[str, float]:
    return {name: float(values[0]) for name, values in forms_of([parse_tune(HEADER + body)]).items()}


@pytest.mark.parametrize(
    ("body", "right", "whole", "formed", "distinct", "loops"),
    [
        ("A2 B2 | c4 | A2 B2 | d4 |]", 1.0, 1.0, 1.0, 0.75, 0.0),
        ("A2 B2 | c3 | A2 B2 | d4 |]", 0.5, 0.0, 1.0, 0.75, 0.0),
        ("|: A2 B2 | c4 | d4 | c4 :|", 1.0, 1.0, 1.0, 0.75, 0.0),
        ("|: A2 B2 | c4 |: d4 | c4 :|", np.nan, np.nan, 0.0, 0.75, 0.0),
        ("|: A2 B2 | c4 | d4 |", 1.0, 1.0, 0.0, 1.0, np.nan),
        ("A | B4 | c3 :| A | B4 | c3 :|", 1.0, 1.0, 1.0, 0.5, 0.0),
        ("A4 | A4 | A4 | A4 |]", 1.0, 1.0, 1.0, 0.25, 1.0),
    ],
)
def test_forms_by_hand(body: str, right: float, whole: float, formed: float, distinct: float, loops: float) -> None:
    found = forms(body)
    expected = {
        "interior_bars_right": right,
        "all_bars_right": whole,
        "repeats_well_formed": formed,
        "distinct_bar_ratio": distinct,
        "loops": loops,
    }
    assert found == pytest.approx(expected, nan_ok=True)


def test_transposition_changes_nothing() -> None:
    body = "A2 B2 | c4 | A2 B2 | d4 |]"
    low, high = (
        bars_of(parse_tune(f"X:1\nL:1/8\nM:2/4\nK:{key}\n{text}"))[0]
        for key, text in (("C", body), ("D", "B2 c2 | d4 | B2 c2 | e4 |]"))
    )
    assert [bar.content for bar in low] == [bar.content for bar in high]


def test_a_tune_that_cannot_be_counted_is_not_right() -> None:
    found = forms_of([parse_tune("X:1\nM:odd\nK:C\nA4 |]")])
    assert found["all_bars_right"].tolist() == [0.0]
    assert np.isnan(found["distinct_bar_ratio"][0])
