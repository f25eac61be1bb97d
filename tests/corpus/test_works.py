from __future__ import annotations

import numpy as np

from hocket.config.corpus import FingerprintConfig
from hocket.corpus import works
from hocket.notes import NOTE_DTYPE, empty
from making_corpus import corpus, melody, piece_of, walk

CONFIG = FingerprintConfig()


def pairs(table: object, config: FingerprintConfig = CONFIG) -> list[tuple[int, int]]:
    links = works.find_links(table, config)  # type: ignore[arg-type]
    return list(zip(links.left.tolist(), links.right.tolist(), strict=True))


def test_the_top_line_is_the_highest_note_of_each_onset() -> None:
    notes = empty(NOTE_DTYPE, 5)
    notes["pitch"], notes["onset_ticks"] = [48, 60, 50, 62, 99], [0, 0, 480, 480, 480]
    notes["is_drum"] = [False, False, False, False, True]
    line = works.top_line(corpus(piece_of(notes)), CONFIG)
    assert line.pitch.tolist() == [60, 62]
    assert line.position.tolist() == [0, 1]


def test_the_notes_of_a_played_chord_are_one_onset() -> None:
    notes = empty(NOTE_DTYPE, 4)
    notes["pitch"], notes["onset_ticks"] = [48, 60, 50, 62], [0, 10, 480, 500]  # 10 ticks are 10.4 ms
    assert works.top_line(corpus(piece_of(notes, origin="recorded")), CONFIG).pitch.tolist() == [60, 62]
    assert len(works.top_line(corpus(piece_of(notes, origin="score")), CONFIG).pitch) == 4


def test_transposition_and_tempo_change_no_fingerprint() -> None:
    line = walk(1)
    table = corpus(
        melody(line, "a"),
        melody([p + 5 for p in line], "b", tempo=300_000),
        melody(line, "c", step=120),
        melody(walk(2)),
    )
    assert pairs(table) == [(0, 1), (0, 2), (1, 2)]


def test_a_variant_with_some_other_notes_is_linked_and_an_other_tune_is_not() -> None:
    line, other = walk(3, 120), walk(4, 120)
    variant = line[:40] + other[40:60] + line[60:]
    assert pairs(corpus(melody(line), melody(variant), melody(other))) == [(0, 1)]


def test_a_common_opening_is_no_work() -> None:
    opening = walk(5, 14)
    table = corpus(*(melody(opening + walk(seed, 100), str(seed)) for seed in range(10, 16)))
    assert pairs(table) == []


def test_scales_trills_and_drones_link_nothing() -> None:
    scale = list(range(40, 100))
    trill = [60, 62] * 30
    drone = [60] * 60
    lines = [scale + walk(1, 30), scale + walk(2, 30), trill + walk(3, 30), trill + walk(4, 30), drone, drone[1:]]
    assert pairs(corpus(*(melody(line, str(n)) for n, line in enumerate(lines)))) == []


def test_a_short_tune_is_linked_only_when_all_of_it_agrees() -> None:
    line = walk(6, 14)
    near = [*line[:7], line[7] + 1, *line[8:]]
    assert pairs(corpus(melody(line), melody([p - 3 for p in line], "b"), melody(near, "c"))) == [(0, 1)]


def test_excluded_corpora_and_generated_music_are_not_compared() -> None:
    line = walk(7)
    table = corpus(
        melody(line),
        melody([p + 1 for p in line], corpus="some_grooves"),
        melody([p + 2 for p in line], origin="generated"),
    )
    assert pairs(table, FingerprintConfig(excluded=["*grooves*"])) == []


def test_a_shingle_of_many_pieces_says_nothing() -> None:
    line = walk(8)
    table = corpus(*(melody([p + k for p in line], str(k)) for k in range(5)))
    assert len(pairs(table)) == 10
    assert pairs(table, FingerprintConfig(max_pieces=4)) == []


def test_names_and_links_join_into_works() -> None:
    line = walk(9)
    table = corpus(
        melody(line, "0", composer="Bach", work="Invention 1"),
        melody(walk(10), "1", composer="Bach", work="Invention 1"),
        melody([p + 2 for p in line], "2"),
        melody(walk(11), "3", composer="Bach", work="Invention 2"),
        melody(walk(12), "4"),
    )
    groups = works.group(table, works.find_links(table, CONFIG))
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3
    names = works.work_names(table, groups)
    assert names[:4] == ["Bach: Invention 1"] * 3 + ["Bach: Invention 2"]
    assert names[4] == f"tiny: {table.piece_column('id')[4]}"


def test_a_composed_work_is_one_in_two_corpora_and_a_title_is_not() -> None:
    table = corpus(
        melody(walk(1), composer="Bach", work="BWV 1", corpus="x"),
        melody(walk(2), composer="Bach", work="BWV 1", corpus="y"),
        melody(walk(3), work="Jig", corpus="x"),
        melody(walk(4), work="Jig", corpus="y"),
    )
    groups = works.group(table, works.find_links(table, CONFIG))
    assert groups[0] == groups[1]
    assert groups[2] != groups[3]


def test_the_summary_counts_and_names_examples() -> None:
    line = walk(13)
    table = corpus(melody(line, title="One"), melody([p + 1 for p in line], title="Other"), melody(walk(14)))
    links = works.find_links(table, CONFIG)
    found = works.summary(table, works.group(table, links), links)
    assert found["per_corpus"]["tiny"] == {  # type: ignore[index]
        "pieces": 3,
        "works": 2,
        "pieces_in_larger_works": 2,
        "pieces_linked_by_melody": 2,
        "largest_work": 2,
    }
    assert found["largest"][0]["titles"] == ["One", "Other"]  # type: ignore[index]
    assert found["pairs"][0]["shared"] == found["pairs"][0]["of"] > 12  # type: ignore[index]


def test_pieces_too_short_for_a_shingle_are_works_of_their_own() -> None:
    table = corpus(melody([60, 62]), melody([60, 62, 64]))
    links = works.find_links(table, CONFIG)
    assert len(links.left) == 0
    assert np.array_equal(works.group(table, links), [0, 1])
