from __future__ import annotations

from pathlib import Path

import numpy as np

from hocket.corpus import look
from hocket.notes import NoteTable
from making import make_piece
from making_corpus import corpus, melody


def test_histograms_by_hand() -> None:
    table = corpus(melody([60, 60, 62], step=480, tempo=1_000_000), melody([127], "b", corpus="other"))
    found = look.histograms(table)
    pitch = found["tiny"]["pitch"]
    assert (pitch["counts"][60], pitch["counts"][62], sum(pitch["counts"])) == (2, 1, 3)
    assert sum(found["tiny"]["inter_onset_s"]["counts"]) == 2
    assert found["tiny"]["tempo_bpm"]["counts"][pitch_bin(look.TEMPO_EDGES, 60)] == 1
    assert found["tiny"]["metre"] == {"names": ["none"], "counts": [1]}
    assert found["other"]["pitch"]["counts"][127] == 1
    assert sum(found["other"]["inter_onset_s"]["counts"]) == 0


def pitch_bin(edges: np.ndarray, value: float) -> int:
    return int(np.searchsorted(edges, value, side="right")) - 1


def test_values_beyond_the_edges_are_counted_in_the_outer_bins() -> None:
    table = corpus(melody([60, 61], step=48_000, tempo=1_000_000))  # 100 s each
    found = look.histograms(table)["tiny"]
    assert found["duration_s"]["counts"][-1] == 2
    assert found["inter_onset_s"]["counts"][-1] == 1


def test_drums_have_no_pitch() -> None:
    piece = melody([36, 38])
    piece.notes["is_drum"] = True
    found = look.histograms(corpus(piece))["tiny"]
    assert sum(found["pitch"]["counts"]) == 0
    assert sum(found["velocity"]["counts"]) == 2


def test_gaps_do_not_cross_pieces_and_chords_have_none() -> None:
    gaps, of_piece = look.inter_onset(corpus(melody([60, 62]), melody([60, 64, 65], "b", step=480)))
    np.testing.assert_allclose(gaps, [0.25, 0.5, 0.5])
    assert of_piece.tolist() == [0, 1, 1]


def test_the_same_corpus_gives_the_same_picture(tmp_path: Path) -> None:
    table = NoteTable.from_pieces([make_piece(40, seed) for seed in range(3)])
    found = look.histograms(table)
    images = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        captions = look.pictures(found, tmp_path / name)
        assert list(captions) == ["look_tiny.png"]
        images.append((tmp_path / name / "look_tiny.png").read_bytes())
    assert images[0] == images[1]
    assert images[0].startswith(b"\x89PNG")


def test_an_empty_corpus_looks_like_nothing() -> None:
    assert look.histograms(corpus()) == {}


def test_bins_are_those_of_numpy() -> None:
    rng = np.random.default_rng(2)
    pieces = [melody(rng.integers(0, 128, 50).tolist(), str(number), step=97 + number) for number in range(5)]
    table = corpus(*pieces)
    found = look.histograms(table)["tiny"]
    for name, column, edges in (
        ("pitch", "pitch", look.PITCH_EDGES), ("velocity", "velocity", look.VELOCITY_EDGES),
        ("duration_s", "duration_s", look.SECOND_EDGES),
    ):  # fmt: skip
        assert found[name]["counts"] == np.histogram(table.column(column), edges)[0].tolist()
