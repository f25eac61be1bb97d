"""What a user may ask of the composer beyond a genre: given melodies, blends, textures, albums, layers, candidates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hocket import compose_genre, read_midi, write_midi
from hocket.composing import album_wishes, compose_file, write_album, write_layers
from hocket.config.generation import FormConfig
from hocket.errors import ConfigError, InputError
from hocket.evaluation.choosing import APART, CRITERIA, choose_best, form_contrast
from hocket.evaluation.real_ranges import nearness
from hocket.generation.blend import blend, read_blend
from hocket.generation.chorale import count_parallels, parallels, viterbi
from hocket.generation.composer import compose
from hocket.generation.form import PHRASE_BARS
from hocket.generation.genres import genre_names, load_genre
from hocket.generation.inspection import bars_sum, in_range, unexplained
from hocket.generation.lead_sheet import lead_sheet, symbol
from hocket.generation.theme import read_theme
from hocket.generation.theory import chord
from hocket.generation.wishes import Wishes
from hocket.notes import KEY, METRE, MODES, NOTE_DTYPE, TEMPO, TIMELINE_DTYPE, Piece, Track, empty, set_seconds
from hocket.views.sounding import prepare

QUARTER = 480


def written(path: Path, pitches: list[int], length: int = QUARTER, together: bool = False, metre: int = 4) -> Path:
    """A file with one note after the other, or all at once."""
    notes = empty(NOTE_DTYPE, len(pitches))
    notes["pitch"], notes["velocity"], notes["duration_ticks"] = pitches, 80, length
    notes["onset_ticks"] = 0 if together else length * np.arange(len(pitches))
    timeline = empty(TIMELINE_DTYPE, 2)
    timeline["kind"], timeline["a"], timeline["b"] = [TEMPO, METRE], [600_000, metre], [0, 4]
    write_midi(set_seconds(Piece(notes, (Track("tune"),), QUARTER, timeline=timeline)), path)
    return path


TUNE = [62, 64, 65, 69, 67, 65, 64, 62, 61, 62, 64, 65, 64, 64, 62, 62]  # D minor with its leading note, four bars


def test_a_theme_is_read_in_bars_with_its_key_and_tempo(tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path / "tune.mid", TUNE))
    assert (theme.bars, theme.metre, theme.tempo, theme.tonic, theme.is_minor) == (4, "4/4", 100.0, 2, True)
    assert theme.step.tolist() == list(range(0, 64, 4))
    assert theme.length.tolist() == [4] * 16
    assert theme.key_in(("major", "minor"), "major").mode == "minor"
    assert theme.key_in(("rast", "bayati"), "rast").mode == "bayati"


@pytest.mark.parametrize("genre", ["jazz", "rock", "classical"])
def test_a_melody_is_continued_note_for_note_and_then_varied(genre: str, tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path / "tune.mid", TUNE))
    item = compose(Wishes(genre, 16, 1, theme=theme))
    tune = item.piece.notes[item.piece.notes["track"] == 0]
    first = tune[tune["onset_ticks"] < 4 * 4 * QUARTER]
    assert (np.diff(first["pitch"].astype(int)) == np.diff(TUNE)).all()
    assert (first["pitch"].astype(int) - TUNE)[0] % 12 == 0
    assert item.piece.key == "D minor"
    assert [section.label for section in item.plan.sections][:2] == ["A", "A'"]
    assert len(item.plan.bars) == 16
    assert in_range(item)
    assert bars_sum(item)
    assert unexplained(item) == 0


def test_a_reharmonised_melody_keeps_its_notes_and_gets_chords_that_fit(tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path / "tune.mid", TUNE))
    item = compose(Wishes("classical", 99, 1, theme=theme, reharmonise=True))
    tune = item.piece.notes[item.piece.notes["track"] == 0]
    assert len(item.plan.bars) == 4
    assert (np.diff(tune["pitch"].astype(int)) == np.diff(TUNE)).all()
    assert item.plan.harmony.chord_at(63).root == 0
    fits = [
        (int(pitch) - 2 - item.plan.harmony.chord_at(step).root) % 12
        in {tone % 12 for tone in item.plan.harmony.chord_at(step).intervals}
        for step, pitch in zip(theme.step.tolist(), TUNE, strict=True)
    ]
    assert np.mean(fits) > 0.5
    assert lead_sheet(item).count("|") >= 4


@pytest.mark.parametrize(
    ("pitches", "options", "said"),
    [
        ([60, 64, 67], {"together": True}, "is polyphonic"),
        ([], {}, "no melody|no notes"),
        ([60], {"metre": 11}, "is in 11/4"),
    ],
)
def test_what_is_no_melody_is_refused(pitches: list[int], options: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_theme(written(tmp_path / "bad.mid", pitches, **options))
    assert "bad.mid" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_blends_by_hand() -> None:
    assert read_blend("jazz") == {"jazz": 1.0}
    assert read_blend("jazz+rock") == {"jazz": 0.5, "rock": 0.5}
    assert read_blend("jazz:3 + rock:1") == {"jazz": 0.75, "rock": 0.25}
    for bad in ("", "jazz+", "jazz+jazz", "a+b+c", "jazz:0+rock:1", "jazz:x+rock"):
        with pytest.raises(InputError, match="write one name, or two"):
            read_blend(bad)
    made = blend({name: load_genre(name) for name in ("jazz", "rock")}, {"jazz": 0.5, "rock": 0.5})
    assert made.tempo == pytest.approx((140 * 130) ** 0.5, abs=0.1)
    assert made.swing == pytest.approx((0.64 + 0.5) / 2)
    assert {name.split("_")[0] for name in made.grooves} == {"jazz", "rock"}
    assert [part.role for part in made.parts] == ["melody", "chords", "bass", "drums"]


@pytest.mark.parametrize("other", genre_names())
def test_every_blend_holds_the_rules(other: str) -> None:
    for name in genre_names():
        if name != other:
            item = compose(Wishes(f"{name}+{other}", 16, 1))
            assert in_range(item)
            assert bars_sum(item)
            assert unexplained(item) == 0
            assert all(len(events) for _, events in item.played)


@pytest.mark.parametrize("genre", ["classical", "jazz", "blues", "electronic"])
def test_a_chorale_has_no_parallels_and_stays_in_range(genre: str) -> None:
    for seed, form in ((1, None), (2, "rondo")):
        item = compose(Wishes(genre, 24, seed, texture="chorale", form=form))
        assert [part.name for part, _ in item.played] == ["Soprano", "Alto", "Tenor", "Bass"]
        assert count_parallels(item.played, item.plan.steps) == 0
        assert in_range(item)
        assert bars_sum(item)
        assert unexplained(item) == 0


def test_parallels_by_hand() -> None:
    one = np.array([72, 67, 64, 48])
    assert parallels(one, np.array([74, 69, 65, 50]))  # octaves of soprano and bass
    assert parallels(np.array([67, 64, 60, 45]), np.array([69, 64, 62, 50]))  # fifths of soprano and tenor
    assert not parallels(one, one)  # nobody moves
    assert not parallels(one, np.array([71, 67, 62, 55]))


def test_viterbi_by_hand() -> None:
    moves = [np.array([[0.0, 5.0], [5.0, 0.0]])] * 2
    costs = [np.array([0.0, 1.0]), np.array([3.0, 0.0]), np.array([3.0, 0.0])]
    assert viterbi(moves, costs) == [1, 1, 1]


def test_the_best_of_candidates_is_kept_and_scores_are_shown(tmp_path: Path) -> None:
    choice = choose_best(Wishes("rock", 16, 5), 4)
    assert set(choice.scores) == {*CRITERIA, "total"}
    assert choice.scores["total"][choice.best] == choice.scores["total"].max()
    assert all(((values >= 0) & (values <= 1)).all() for values in choice.scores.values())
    assert choice.composition.piece.title == "rock in E minor, seed 5"
    result = compose_file(Wishes("rock", 16, 5), tmp_path / "a.mid", 4, "sine", tmp_path, score=True, picture=True)
    assert len(result["scores"]) == 4
    assert result["best"] == choice.best + 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".mid", ".abc", ".svg", ".png"}
    for wrong in (0, 257):
        with pytest.raises(InputError, match="candidates"):
            choose_best(Wishes("rock"), wrong)


def test_nearness_by_hand() -> None:
    levels = (0.0, 1.0, 1.5, 2.0, 4.0)
    values = np.array([1.0, 1.7, 3.0, 4.0, 6.0, 0.5, -1.0, np.nan])
    assert nearness(values, levels).tolist() == [1.0, 1.0, 0.75, 0.5, 0.25, 0.75, 0.25, 0.5]


def test_a_form_of_one_letter_has_no_contrast_and_others_have() -> None:
    assert np.isnan(form_contrast(compose(Wishes("rock", 16, 1, form="strophic"))))
    assert form_contrast(compose(Wishes("rock", 32, 1, form="AABA"))) > 0.2


def test_an_album_changes_key_tempo_and_mood(tmp_path: Path) -> None:
    result = write_album(Wishes("jazz", 8, 1), tmp_path / "album", 4, 1, "sine", tmp_path)
    rows = json.loads((tmp_path / "album" / "album.json").read_text())
    assert rows == result["pieces"]
    assert len({row["key"] for row in rows}) > 2
    assert len({row["tempo"] for row in rows}) > 1
    assert all(len(read_midi(tmp_path / "album" / row["file"]).notes) for row in rows)
    assert album_wishes(Wishes("jazz", 8, 1), 4) == album_wishes(Wishes("jazz", 8, 1), 4)
    with pytest.raises(InputError, match=r"1\.\.100"):
        write_album(Wishes("jazz"), tmp_path / "none", 0, 1, "sine", tmp_path)
    assert not (tmp_path / "none").exists()


def test_layers_have_one_length_and_grow(tmp_path: Path) -> None:
    result = write_layers(Wishes("electronic", 8, 1), tmp_path / "loop")
    pieces = [read_midi(tmp_path / "loop" / row["file"]) for row in result["levels"]]
    counts = [len(piece.notes) for piece in pieces]
    assert counts == sorted(counts)
    assert counts[0] > 0
    assert {int(piece.timeline["a"][0]) for piece in pieces} == {round(60e6 / 128)}
    assert result["loop_s"] == pytest.approx(8 * 4 * 60 / 128)
    last = pieces[-1].notes
    assert (last["onset_ticks"] >= 7 * 1920).sum() > 8  # it does not end on one stroke, it goes round


def test_a_modulation_stands_in_the_file_as_a_key(tmp_path: Path) -> None:
    piece = compose_genre("classical", 40, tmp_path / "rondo.mid", form="rondo")
    keys = read_midi(tmp_path / "rondo.mid").changes(KEY)
    assert keys["a"].tolist() == piece.changes(KEY)["a"].tolist() == [0, 1, 0, 0, 0]
    assert keys["b"].tolist() == [0, 0, 0, MODES.index("minor"), 0]  # C, G, C, A minor, C


def test_variations_keep_the_rhythm_or_the_contour() -> None:
    item = compose(Wishes("classical", 40, 2, form="variations"))
    tune = item.played[0][1]
    size = 8 * 16

    def part(number: int) -> list[tuple[int, int]]:
        inside = tune[(tune["step"] >= number * size) & (tune["step"] < (number + 1) * size - 16)]
        return [(int(step) % size, int(pitch)) for step, pitch in zip(inside["step"], inside["pitch"], strict=True)]

    theme, ornamented, inverted = part(0), part(1), part(2)
    assert set(theme) < set(ornamented)
    assert [step for step, _ in inverted] == [step for step, _ in theme]
    moves = [np.sign(np.diff([pitch for _, pitch in notes])) for notes in (theme, inverted)]
    assert np.corrcoef(*moves)[0, 1] < -0.3
    assert item.plan.sections[3].mode == "minor"
    assert item.plan.sections[0].phrase_starts == [0, PHRASE_BARS]


def test_density_and_register_move_what_they_name() -> None:
    def made(**wishes: float) -> tuple[float, float]:
        tunes = [compose_genre("jazz", 8, seed=seed, **wishes).notes for seed in range(12)]  # type: ignore[arg-type]
        lines = [notes[notes["track"] == 0] for notes in tunes]
        return float(np.mean([len(line) for line in lines])), float(np.mean([line["pitch"].mean() for line in lines]))

    sparse, dense, low, high = made(density=-1), made(density=1), made(register=-1), made(register=1)
    assert sparse[0] < dense[0]
    assert low[1] + 4 < high[1]


def test_the_feel_moves_onsets_a_little_and_keeps_their_order() -> None:
    straight, felt = (compose(Wishes("rock", 8, 1, feel=feel)).piece.notes for feel in (False, True))
    assert len(straight) == len(felt)
    assert (np.sort(straight["onset_ticks"]) != np.sort(felt["onset_ticks"])).any()
    assert np.abs(np.sort(straight["onset_ticks"]) - np.sort(felt["onset_ticks"])).max() <= 40


def test_a_drummer_takes_the_place_of_the_patterns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heard = []

    def accompany(piece: Piece, drummer: str, wishes: Any) -> tuple[Piece, dict[str, Any]]:
        heard.append((drummer, wishes.seed))
        return replace(piece, notes=piece.notes[~piece.notes["is_drum"]]), {}

    monkeypatch.setattr("hocket.generation.drumming.load_drummer", lambda folder: folder.name)
    monkeypatch.setattr("hocket.generation.drumming.accompany", accompany)
    wishes = Wishes("rock", 8, 5, drums="drummer")
    result = compose_file(wishes, tmp_path / "a.mid", 3, "sine", tmp_path, score=False, picture=False)
    assert heard == [("drum_vae", 5 + (result["best"] - 1) * APART)]  # the best alone is drummed anew
    assert not read_midi(tmp_path / "a.mid").notes["is_drum"].any()


def test_a_lead_sheet_by_hand() -> None:
    assert symbol(chord("ii7"), 2, 2) == "Em7"
    assert symbol(chord("bVI"), 2, -1) == "Bb"
    abc = lead_sheet(compose(Wishes("classical", 8, 1, key="D minor")))
    assert abc.splitlines()[:6] == ["X:1", "T:classical in D minor, seed 1", "M:4/4", "L:1/16", "Q:1/4=120", "K:Dm"]
    assert abc.endswith("|]\n")


def test_a_lead_sheet_reads_back_as_the_tune() -> None:
    from hocket.corpus.readers import read_abc
    from hocket.notes import NoteTable

    item = compose(Wishes("jazz", 16, 3, key="Eb major", metre="3/4"))
    back = prepare(NoteTable.from_pieces([read_abc(lead_sheet(item))]))
    tune = item.played[0][1]
    assert back.pitch.tolist() == (tune["pitch"] + 3).tolist()
    assert np.rint(4 * back.onset).astype(int).tolist() == tune["step"].tolist()


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"genre": "arabic", "form": "twelve_bar"}, "major and minor.*rast"),
        ({"genre": "arabic", "texture": "chorale"}, "needs chords with thirds"),
        ({"genre": "jazz", "texture": "chorle"}, "did you mean 'chorale'"),
        ({"genre": "jazz", "mood": "joyfull"}, "did you mean 'joyful'"),
        ({"genre": "jazz", "form": "rondeau"}, "did you mean 'rondo'"),
        ({"genre": "jazz", "melody": "wlak"}, "did you mean 'walk'"),
        ({"genre": "jazz", "drums": "human"}, "choose from drummer, pattern"),
        ({"genre": "jaz+rock"}, "did you mean 'jazz'"),
        ({"genre": "jazz", "density": 2.0}, "density: is 2"),
        ({"genre": "jazz", "bars": 100_000}, "1..4096"),
        ({"genre": "jazz", "tempo": 0.0}, "20..400"),
    ],
)
def test_wishes_that_cannot_be_met_say_why(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        compose(Wishes(**wishes))
    assert "\n" not in str(caught.value)


def test_a_melody_longer_than_the_piece_is_told(tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path / "tune.mid", TUNE))
    with pytest.raises(InputError, match="ask for more bars"):
        compose(Wishes("jazz", 4, theme=theme))


def test_malformed_forms_are_refused() -> None:
    for values in (
        {"labels": "AA"},
        {"labels": "I", "names": {"I": "intro"}},
        {"labels": "A", "tension": {"A": 2.0}},
        {"labels": "A", "keys": {"A": "sideways"}},
        {"labels": "A", "tacet": {"A": ["singer"]}},
        {"labels": "A", "variations": ["upside"]},
    ):
        with pytest.raises(ConfigError):
            FormConfig(**values)  # type: ignore[arg-type]
