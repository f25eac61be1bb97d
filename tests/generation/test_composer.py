"""The composer: what every piece holds, whatever genre, key, length and seed."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket import compose_genre, read_midi
from hocket.composing import run
from hocket.config.generation import ComposerConfig
from hocket.errors import InputError
from hocket.generation.bends import bend_value, bends
from hocket.generation.composer import Players, compose
from hocket.generation.dynamics import SinePerformer
from hocket.generation.genres import genre_names, load_genre
from hocket.generation.inspection import Composition, bars_sum, bends_centred, fitting_share, in_range, unexplained
from hocket.generation.melody import Walker
from hocket.generation.rhythm import METRES, Metre
from hocket.generation.wishes import Wishes
from hocket.note_files import read_tables
from hocket.notes import METRE, NOTE_DTYPE, PITCH_BEND, Array, Piece, Track, empty

GENRES = genre_names()
BAR = 1920
genres = st.sampled_from(GENRES)
seeds = st.integers(0, 2**31)
few = settings(max_examples=25, deadline=None)


def made(genre: str, bars: int, seed: int, **wishes: Any) -> Composition:
    return compose(Wishes(genre, bars, seed, **wishes))


def test_there_are_six_genres_as_asked() -> None:
    assert GENRES == ["arabic", "blues", "classical", "electronic", "jazz", "rock"]
    tempos = {name: load_genre(name).tempo for name in GENRES}
    assert tempos == {"arabic": 90, "blues": 100, "classical": 120, "electronic": 128, "jazz": 140, "rock": 130}
    assert {name: load_genre(name).modes for name in GENRES}["jazz"]["major"].scale == "blues"
    assert load_genre("arabic").key == "C rast"
    assert [part.programme for part in load_genre("arabic").parts if part.role != "drums"][::2] == [
        73,
        42,
    ]  # flute, cello


@few
@given(
    genre=genres,
    seed=seeds,
    bars=st.integers(1, 40),
    metre=st.sampled_from(METRES),
    form=st.sampled_from([None, "rondo", "ABCBA", "verse_chorus", "variations", "AA'A''A'''"]),
)
def test_every_piece_holds_the_rules(genre: str, seed: int, bars: int, metre: str, form: str | None) -> None:
    item = made(genre, bars, seed, metre=metre, form=form)
    assert item.piece.metre == metre
    assert in_range(item)
    assert bars_sum(item)
    assert bends_centred(item.piece)
    assert fitting_share(item) > 0.85
    assert unexplained(item) == 0
    notes = item.piece.notes
    assert notes["velocity"].min() >= 1
    assert notes["velocity"].max() <= 127
    assert notes["duration_ticks"].min() >= 1
    assert item.piece.origin == "generated"


@few
@given(genre=genres, seed=seeds, tonic=st.sampled_from(["C", "C#", "Eb", "E", "F#", "G", "Ab", "B"]))
def test_transposing_the_key_transposes_every_pitched_note(genre: str, seed: int, tonic: str) -> None:
    home = compose_genre(genre, 8, seed=seed).notes
    away = compose_genre(genre, 8, seed=seed, key=tonic).notes
    home, away = (notes[np.lexsort((notes["pitch"], notes["track"], notes["onset_ticks"]))] for notes in (home, away))
    moved = away["pitch"].astype(int) - home["pitch"]
    assert len(set(moved[~home["is_drum"]])) == 1
    assert (moved[home["is_drum"]] == 0).all()
    assert (home["onset_ticks"] == away["onset_ticks"]).all()


@pytest.mark.parametrize("metre", METRES)
def test_bars_begin_on_the_bar_line_in_every_metre(metre: str) -> None:
    item = made("jazz", 12, 1, metre=metre)
    bar_ticks = Metre(metre).steps * 120
    bass = item.piece.notes[item.piece.notes["track"] == 2]
    assert set(range(0, 12 * bar_ticks, bar_ticks)) <= set(bass["onset_ticks"].tolist())


@pytest.mark.parametrize("genre", GENRES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(genre: str, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        compose_genre(genre, 8, tmp_path / name, seed=seed)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again
    assert first != other


@pytest.mark.parametrize("genre", GENRES)
def test_the_file_reads_back_as_the_piece_with_named_tracks(genre: str, tmp_path: Path) -> None:
    piece = compose_genre(genre, 8, tmp_path / "piece.mid", seed=3, key="D")
    back = read_midi(tmp_path / "piece.mid")
    assert [track.name for track in back.tracks] == [part.name for part in load_genre(genre).parts]
    for column in ("track", "pitch", "velocity", "onset_ticks", "duration_ticks"):
        assert (back.notes[column] == piece.notes[column]).all()
    assert back.key == piece.key
    assert back.metre == "4/4"
    assert (back.changes(METRE)["a"] == 4).all()


@pytest.mark.parametrize("genre", GENRES)
def test_sections_return_and_primes_differ_only_a_little(genre: str) -> None:
    item = made(genre, 48, 5)
    tune = item.played[0][1]
    assert item.played[0][0].role == "melody"

    def tones(section: Any) -> set[tuple[int, int]]:
        start, end = section.start_bar * 16, (section.start_bar + section.bars - 1) * 16
        inside = tune[(tune["step"] >= start) & (tune["step"] < end)]
        return {(int(step - start), int(pitch)) for step, pitch in zip(inside["step"], inside["pitch"], strict=True)}

    whole = [section for section in item.plan.sections if section.skipped_bars == 0]
    by_label: dict[str, list[set[tuple[int, int]]]] = {}
    for section in whole:
        by_label.setdefault(section.label, []).append(tones(section))
    plain, varied = by_label["A"][0], by_label["A'"][0]
    assert all(other == plain for other in by_label["A"][1:])
    assert plain <= varied  # an ornament adds a neighbour, it takes nothing away
    if "B" in by_label:
        assert len(by_label["B"][0] & plain) < len(plain) / 2


@pytest.mark.parametrize("genre", GENRES)
def test_strong_beats_take_chord_tones_where_the_scale_has_them(genre: str) -> None:
    item = made(genre, 32, 7)
    part, tune = item.played[0]
    strong = tune[np.isin(tune["step"] % 16, (0, 8))]
    tonic = item.plan.key.tonic
    fits = []
    for event in strong:
        chord = item.plan.harmony.chord_at(int(event["step"]))
        above = (100 * (event["pitch"] - tonic - chord.root) + event["cents"]) % 1200
        third = chord.is_open and 300 <= above <= 400
        fits.append(third or any(abs(above - 100 * (tone % 12)) <= 50 for tone in chord.intervals))
    assert np.mean(fits) > 0.9
    last = tune[-1]
    assert (last["pitch"] - tonic) % 12 == 0
    assert part.low <= last["pitch"] <= part.high


def test_leaps_are_recovered_by_step() -> None:
    item = made("classical", 16, 1)
    from hocket.generation.theory import ladder

    recovered = total = 0
    for seed in range(40):
        walker = Walker(
            ladder("major", 0, 55, 86), 0, item.plan.own_harmony["A", "major"], Metre("4/4"), item.plan.genre.walk,
            np.random.default_rng(seed),
        )  # fmt: skip
        slots = [SimpleNamespace(step=step, length=2) for step in range(1, 15, 2)]  # weak sixteenths only
        places = np.array([note.index for note in walker.follow(0, slots, None, 0.0)])  # type: ignore[arg-type]
        moves = np.diff(places)
        for first, second in itertools.pairwise(moves):
            if abs(first) >= 3:
                total += 1
                recovered += np.sign(second) == -np.sign(first) and abs(second) <= 2
        assert np.abs(moves).max() <= 5
    assert total > 5
    assert recovered == total


def test_the_third_of_rast_sounds_neutral() -> None:
    cents = np.concatenate([_cents_above_c(compose_genre("arabic", 32, seed=seed)) for seed in range(1, 6)])
    thirds = cents[(cents > 250) & (cents < 450)]
    sevenths = cents[(cents > 950) & (cents < 1150)]
    assert min(len(thirds), len(sevenths)) > 3
    assert np.abs(thirds - 350).max() <= 10
    assert np.abs(sevenths - 1050).max() <= 10


def _cents_above_c(piece: Piece) -> Array:
    flute = piece.notes[piece.notes["track"] == 0]
    wheel = piece.controls[(piece.controls["track"] == 0) & (piece.controls["controller"] == PITCH_BEND)]
    place = np.searchsorted(wheel["onset_ticks"], flute["onset_ticks"], side="right") - 1
    bend = np.where(place >= 0, wheel["value"][place].astype(float), 0.0)
    cents: Array = np.mod(flute["pitch"].astype(float) * 100 + bend * 200 / 8192, 1200)
    return cents


def test_every_maqam_is_played_and_a_western_mode_is_refused_with_advice() -> None:
    for mode in load_genre("arabic").modes:
        assert len(compose_genre("arabic", 4, key=f"D {mode}").notes) > 0
    with pytest.raises(InputError, match="ajam, bayati, hijaz, kurd, nahawand, rast, saba"):
        compose_genre("arabic", 4, key="D minor")


def test_blue_notes_are_bent() -> None:
    piece = compose_genre("blues", 24, seed=1)
    wheel = piece.controls["value"]
    assert wheel.max() == bend_value(np.array([45.0]))[0]
    assert wheel.min() >= 0


def test_bends_by_hand() -> None:
    assert bend_value(np.array([0.0, 50.0, -50.0, 200.0, -200.0, 1e6])).tolist() == [0, 2048, -2048, 8191, -8192, 8191]
    rows = bends(2, np.array([0, 480]), np.array([400, 480]), np.array([-50.0, 0.0]), np.zeros(2))
    assert rows[["track", "onset_ticks", "value"]].tolist() == [(2, 0, -2048), (2, 480, 0)]
    none = bends(0, np.array([0]), np.array([400]), np.zeros(1), np.zeros(1))
    assert len(none) == 0


def test_the_sine_fallback_by_hand() -> None:
    notes = empty(NOTE_DTYPE, 4)
    notes["onset_ticks"], notes["duration_ticks"] = [120, BAR, 2 * BAR + 960, 3 * BAR], 480
    player = SinePerformer((0,), 4, Metre("4/4"), 0.5)
    velocity, duration = player.velocity_and_duration(Piece(notes, (Track(),)))
    # 70 + 40 sin(2 pi x) at x = 1/64, 1/4, 5/8, 3/4, with 12 on a first beat and 6 on a third
    assert velocity.tolist() == [74, 122, 48, 42]
    assert duration.tolist() == [240] * 4


class _Loud:
    """A performer that plays everything at 100 and shortly."""

    def velocity_and_duration(self, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
        assert (piece.notes["track"] == 0).all()
        return np.full(len(piece.notes), 100), np.full(len(piece.notes), 60)


def test_a_performer_is_asked_for_every_pitched_note() -> None:
    item = compose(Wishes("rock", 8), Players(_Loud()))
    lead = item.piece.notes[item.piece.notes["track"] == 0]
    swell = 24 * (item.plan.tension[lead["onset_ticks"] // BAR] - 0.5)
    assert (lead["velocity"] == np.rint(104 + swell)).all()  # 100, the part's level, and the tension
    assert len(np.unique(lead["velocity"])) > 4
    assert (item.piece.notes["duration_ticks"][~item.piece.notes["is_drum"]] <= 60).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"genre": "jaz"}, "did you mean 'jazz'"),
        ({"genre": "polka"}, "choose from arabic, blues"),
        ({"genre": "../jazz"}, "unknown"),
        ({"genre": "jazz", "num_bars": 0}, "1..4096"),
        ({"genre": "jazz", "num_bars": 100_000}, "1..4096"),
        ({"genre": "jazz", "tempo": 0}, "20..400"),
        ({"genre": "jazz", "tempo": 1000}, "20..400"),
        ({"genre": "jazz", "tempo": float("nan")}, "20..400"),
        ({"genre": "jazz", "key": "H minor"}, "not a key"),
        ({"genre": "jazz", "key": "C mayor"}, "did you mean 'major'"),
        ({"genre": "jazz", "seed": -1}, "seed"),
        ({"genre": "jazz", "metre": "4/3"}, "metre '4/3' is not played"),
        ({"genre": "jazz", "form": "sonata"}, "form 'sonata'"),
    ],
)
def test_bad_wishes_get_one_clear_line_and_no_file(arguments: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
        compose_genre(**arguments, output_file=tmp_path / "out.mid")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def _config(out: Path, names: list[str]) -> Any:
    composer = ComposerConfig(bars=8, seed=1, genres={name: load_genre(name) for name in names})
    return SimpleNamespace(out=str(out), generation={"composer": composer})


def test_the_stage_writes_every_genre_twice_the_same(tmp_path: Path) -> None:
    names = ["arabic", "rock"]
    contents = []
    for turn in ("first", "second"):
        out = tmp_path / turn
        out.mkdir()
        report = run(_config(tmp_path / "none", names), out)
        assert all(check.passed for check in report.checks), report.checks
        assert report.counts["pieces"] == 2
        assert report.counts["notes"] == report.counts["arabic_notes"] + report.counts["rock_notes"]
        assert "sine" in report.summary
        assert len(read_tables(out)) == 2
        contents.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert {"arabic.mid", "rock.mid", "arabic.png", "notes.parquet"} <= set(contents[0])
    assert contents[0] == contents[1]
