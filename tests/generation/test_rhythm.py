"""Metres, swing, patterns and grooves, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hocket.config.generation import GrooveConfig, WalkConfig, steps_in_bar
from hocket.errors import ConfigError, InputError
from hocket.generation.form import Section, plan_form, tension_of_bars
from hocket.generation.genres import form_names, genre_names, load_genre, read_form
from hocket.generation.groove import plan_grooves, varied, with_fill
from hocket.generation.melody import bar_rhythm, closing_rhythm
from hocket.generation.rhythm import METRES, Metre, accents, cut, read_metre, read_pattern, swung_ticks


def planned(name: str, bars: int, form: str | None = None) -> tuple[Section, ...]:
    genre = load_genre(name)
    return plan_form(genre, bars, read_form(form or genre.form), genre.key.split()[1])


@pytest.mark.parametrize(
    ("name", "steps", "beats", "strong"),
    [
        ("4/4", 16, (4, 4, 4, 4), (0, 8)),
        ("3/4", 12, (4, 4, 4), (0,)),
        ("6/8", 12, (6, 6), (0, 6)),
        ("5/4", 20, (4, 4, 4, 4, 4), (0, 12)),
        ("7/8", 14, (4, 4, 6), (0, 8)),
        ("2/4", 8, (4, 4), (0,)),
    ],
)
def test_metres_by_hand(name: str, steps: int, beats: tuple[int, ...], strong: tuple[int, ...]) -> None:
    metre = Metre(name)
    assert (metre.steps, metre.beats, metre.strong) == (steps, beats, strong)
    assert metre.is_strong(steps * 7)
    assert not metre.is_strong(steps + 1)


@pytest.mark.parametrize("name", ["4/3", "four", "4", "", "0.5/4"])
def test_what_is_no_metre_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="metre"):
        steps_in_bar(name)


def test_straight_time_is_the_grid_and_triplet_swing_two_thirds() -> None:
    steps = np.arange(9)
    assert swung_ticks(steps, 0.5).tolist() == (120 * steps).tolist()
    assert swung_ticks(steps, 2 / 3).tolist() == [0, 160, 320, 400, 480, 640, 800, 880, 960]


def test_a_pattern_is_read_into_hits_and_lengths() -> None:
    hits = read_pattern("x--.X-o.r.......")
    assert hits.step.tolist() == [0, 4, 6, 8]
    assert hits.length.tolist() == [3, 2, 1, 1]
    assert accents(hits.character).tolist() == [0, 12, -24, 0]


def test_a_held_note_is_struck_again_when_the_chord_changes() -> None:
    changes = np.zeros(8, bool)
    changes[[0, 4]] = True
    hits = read_pattern("x-------", changes)
    assert (hits.step.tolist(), hits.length.tolist()) == ([0, 4], [4, 4])
    rest = read_pattern("x-......", changes)
    assert (rest.step.tolist(), rest.length.tolist()) == ([0], [2])


@pytest.mark.parametrize("metre", ["4/4", "3/4", "6/8", "5/4", "7/8"])
def test_melody_rhythms_fill_their_bar(metre: str) -> None:
    cells = {4: {"4": 1, "2 2": 1, "1 1 2": 1}, 8: {"6 2": 1}, 6: {"4 2": 1}}
    for seed in range(30):
        slots = bar_rhythm(Metre(metre), cells, 0.0, np.random.default_rng(seed))
        edges = [slot.step for slot in slots] + [Metre(metre).steps]
        assert [slot.step + slot.length for slot in slots] == edges[1:]
        close = closing_rhythm(Metre(metre), slots)
        assert all(slot.length > 0 for slot in close)
        assert close[-1].step + close[-1].length <= Metre(metre).steps


def test_a_variation_moves_bass_and_kick_together() -> None:
    genre = load_genre("rock")
    sections = planned("rock", 4)
    bar = plan_grooves(genre, sections, Metre("4/4"), 1)[0]
    for seed in range(20):
        after = varied(bar, Metre("4/4"), np.random.default_rng(seed))
        added = [step for step in range(16) if after.bass[step] != bar.bass[step]]
        assert len(added) == 1
        assert after.bass[added[0]] == "r"
        assert after.drums["kick"][added[0]] == "x"
        assert after.drums["snare"] == bar.drums["snare"]


@pytest.mark.parametrize("name", genre_names())
def test_fills_stand_in_the_last_half_bar_of_sections(name: str) -> None:
    genre = load_genre(name)
    metre = Metre("4/4")
    bar = plan_grooves(genre, planned(name, 1), metre, 1)[0]
    bar = replace(bar, drums=dict(next(iter(genre.grooves.values())).drums))
    filled = with_fill(bar, genre, metre, np.random.default_rng(2))
    fills = [dict(fill) for fill in genre.fills.values()]
    assert any(all(filled.drums.get(drum, "")[8:] == line for drum, line in fill.items()) for fill in fills)
    assert all(filled.drums[drum][:8] == line[:8] for drum, line in bar.drums.items())


@pytest.mark.parametrize("name", genre_names())
def test_every_length_is_filled_exactly_and_ends_with_the_first_letter(name: str) -> None:
    for bars in [*range(1, 70), 4096]:
        sections = planned(name, bars)
        starts = np.cumsum([0, *(section.bars for section in sections)])
        assert [section.start_bar for section in sections] == starts[:-1].tolist()
        assert starts[-1] == bars
        assert sections[-1].letter == "A"
        firsts = [start for section in sections for start in section.phrase_starts]
        assert firsts == sorted(set(firsts))
        assert firsts[0] == 0


def test_forms_by_hand() -> None:
    assert [section.label for section in planned("rock", 16)] == ["A", "A'", "B", "A"]
    assert [section.bars for section in planned("rock", 32)] == [8, 8, 8, 8]
    blues = planned("blues", 28)
    assert [(section.label, section.bars, section.skipped_bars) for section in blues] == [
        ("A", 12, 0),
        ("A'", 12, 0),
        ("A", 4, 8),
    ]


def test_an_unknown_metre_names_those_there_are() -> None:
    with pytest.raises(InputError, match="4/4, 2/4, 3/4"):
        read_metre("11/8")


def test_grooves_are_cut_to_other_metres() -> None:
    bar = "0123456789abcdef"
    cuts = {name: cut(bar, Metre(name)) for name in METRES}
    assert cuts == {
        "4/4": bar,
        "2/4": "01234567",
        "3/4": "0123456789ab",
        "5/4": "0123456789ab01234567",
        "6/8": "01234589abcd",
        "7/8": "0123456789abcd",
    }
    assert all(len(line) == steps_in_bar(name) for name, line in cuts.items())


def test_forms_by_name_and_by_letter() -> None:
    assert read_form("rondo").labels == "A B A' C A"
    assert read_form("Twelve-Bar") == read_form("twelve_bar") == read_form("12-bar")
    assert read_form("AABA").labels == "A A B A"
    assert read_form("A A'B''").labels == "A A' B''"
    with pytest.raises(InputError, match="did you mean 'rondo'"):
        read_form("rondeau")
    with pytest.raises(InputError, match="neither letters"):
        read_form("")


@pytest.mark.parametrize("form", form_names())
def test_every_form_closes(form: str) -> None:
    found = read_form(form)
    for name in genre_names():
        sections = planned(name, 100, form)
        closing = tuple((found.sections or load_genre(name).sections)["A"])
        assert sections[-1].phrases == closing[-len(sections[-1].phrases) :]
        assert sum(section.bars for section in sections) == 100


def test_an_intro_stands_once_and_an_outro_ends() -> None:
    for bars in (32, 45, 64, 100):
        names = [section.name for section in planned("rock", bars, "verse_chorus")]
        assert (names[0], names[-1]) == ("intro", "outro")
        assert names.count("intro") == names.count("outro") == 1
    assert {section.name for section in planned("rock", 12, "verse_chorus")} == {"verse", "chorus"}


def test_modulations_by_hand() -> None:
    rondo = planned("classical", 40, "rondo")
    assert [(section.label, section.shift, section.mode) for section in rondo] == [
        ("A", 0, "major"), ("B", 7, "major"), ("A'", 0, "major"), ("C", 9, "minor"), ("A", 0, "major"),
    ]  # fmt: skip
    ternary = plan_form(load_genre("arabic"), 24, read_form("aba"), "bayati")
    assert [(section.shift, section.mode) for section in ternary] == [(0, "bayati"), (5, "hijaz"), (0, "bayati")]


def test_tension_rises_over_a_section_and_with_every_return() -> None:
    sections = planned("rock", 32, "aaba")
    curve = tension_of_bars(sections)
    assert curve.shape == (32,)
    assert ((curve >= 0) & (curve <= 1)).all()
    assert all((np.diff(curve[s.start_bar : s.end_bar]) > 0).all() for s in sections)
    assert sections[0].tension < sections[1].tension < sections[3].tension < sections[2].tension


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"bass": "r---"}, "bass: 'r---' has 4 steps"),
        ({"drums": {"kick": "x...............x"}}, "kick"),
        ({"drums": {"kick": "x..q............"}}, "may hold only"),
        ({"bass": "z---------------"}, "may hold only"),
        ({"chords": {"comp": "9---------------"}}, "may hold only"),
        ({"weight": 0}, "weight"),
        ({"metre": "4/5"}, "metre"),
    ],
)
def test_a_malformed_groove_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        GrooveConfig(**values)  # type: ignore[arg-type]


def test_malformed_genres_are_refused() -> None:
    genre = load_genre("jazz")
    with pytest.raises(ConfigError, match="tempo"):
        replace(genre, tempo=0.0)
    with pytest.raises(ConfigError, match="sums to 3 sixteenths"):
        replace(genre, cells={4: {"2 1": 1}})
    with pytest.raises(ConfigError, match="form"):
        replace(genre, form="A c A")
    with pytest.raises(ConfigError, match="phrase 'coda'"):
        replace(genre, sections={"A": ["coda"], "B": ["open"]})
    with pytest.raises(ConfigError, match="fills"):
        replace(genre, fills={"short": {"snare": "xx"}})
    with pytest.raises(ConfigError, match="steps"):
        WalkConfig(steps=[1, 2])
