from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hocket.errors import InputError
from hocket.evaluation.latent import active_units, mean_interval, smoothness, valid
from hocket.generation.latent import (
    Space,
    attribute_vectors,
    attributes,
    between,
    changed,
    even_places,
    flipped,
    kept_in_style,
    path_between,
    sample_styles,
    varied,
)
from hocket.generation.latent_input import check_pair, piece_of
from hocket.generation.latent_input import given as given_melody
from hocket.generation.latent_pictures import latent_map, notes_of, strip
from hocket.generation.sampling import generator_of
from hocket.models.melody_vae import MelodyVae
from hocket.views.melodies import to_notes
from hocket.views.step_codes import StepCodes
from making_latent import VAE, line, songs
from making_tunes import make_melodies


@pytest.fixture(scope="module")
def space() -> Space:
    torch.manual_seed(1)
    return Space(MelodyVae(VAE, 25, 2).eval(), StepCodes(60, 84), ["han", "deutsch"], ["4/4", "2/4"])


@pytest.fixture(scope="module")
def windows() -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.stack([line("60 - 62 - " * 8), line("72 - - - " * 8), line("67 65 64 - " * 8)])


@given(st.floats(0, 1))
def test_points_between_keep_the_length_of_ends_on_a_sphere(share: float) -> None:
    first, second = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    assert float(between(first, second, share, "spherical").norm()) == pytest.approx(3.0, abs=1e-4)
    assert between(first, second, share, "linear").tolist()[0] == pytest.approx([3 * (1 - share), 3 * share])


def test_the_ends_of_a_way_are_its_ends_and_its_points_are_windows(space: Space, windows: np.ndarray) -> None:  # type: ignore[type-arg]
    points = path_between(space, windows[:1], windows[1:2], ("han", "deutsch"), 4)
    mean, _ = space.encode(windows[:1], ["han"])
    assert len(points) == 5
    assert np.array_equal(points[0], space.decode(mean, ["han"]))
    for wrong in (0, 65):
        with pytest.raises(InputError, match="steps"):
            path_between(space, windows[:1], windows[1:2], ("han", "deutsch"), wrong)
    with pytest.raises(InputError, match="way"):
        path_between(space, windows[:1], windows[1:2], ("han", "deutsch"), 4, "zigzag")


def test_even_places_spread_what_changes_in_bunches() -> None:
    begins = np.repeat([5, 6, 20], 4)  # twelve changes in three bunches, the first two side by side
    points = np.stack([(begins <= place).astype(np.int16) for place in range(31)])
    places = even_places(points, 3)
    moved = [int((points[a] != points[b]).sum()) for a, b in pairwise(places)]
    assert places[0] == 0
    assert places[-1] == 30
    assert moved == [4, 4, 4]


def test_a_variation_changes_about_as_much_as_asked(space: Space, windows: np.ndarray) -> None:  # type: ignore[type-arg]
    styles = ["han"] * len(windows)
    assert np.array_equal(varied(space, windows, styles, 0.0, 1), windows)
    made = [varied(space, windows, styles, 0.5, seed) for seed in (1, 1, 2)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    with pytest.raises(InputError, match="amount"):
        varied(space, windows, styles, 1.5, 1)


def test_styles_are_known_or_refused(space: Space, windows: np.ndarray) -> None:  # type: ignore[type-arg]
    assert sample_styles(space, ["han", "deutsch", ""], 1).shape == (3, 32)
    assert flipped(space, windows, ["han"] * 3, ["deutsch"] * 3).shape == windows.shape
    with pytest.raises(InputError, match="han, deutsch"):
        sample_styles(space, ["jazz"], 1)
    with pytest.raises(InputError, match="temperature"):
        sample_styles(space, ["han"], 1, 0.0)
    with pytest.raises(InputError, match="candidates"):
        sample_styles(space, ["han"], 1, 1.0, 0)


def test_of_candidates_that_is_kept_which_the_prior_holds_for_its_style(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    def density(latent: torch.Tensor, style: torch.Tensor) -> torch.Tensor:  # style 1 is above 0, style 2 below
        return 20 * latent[:, 0] * (3 - 2 * style)

    monkeypatch.setattr(space.model.prior, "log_density", density)
    drawn = torch.tensor([2.0, -2.0, 0.0])[None, :, None].repeat(200, 1, space.model.latent)
    styles = ["han"] * 100 + ["deutsch"] * 100
    kept = kept_in_style(space, drawn, styles, generator_of(1))[:, 0]
    assert (kept[:100] >= 0).all()
    assert (kept[100:] <= 0).all()
    assert 0.5 < (kept != 0).float().mean() < 0.8  # 2/3: weights 1, 0 and 1/2
    free = kept_in_style(space, drawn, [""] * 200, generator_of(1))[:, 0]
    assert {-2.0, 0.0, 2.0} == set(free.tolist())


def test_attributes_of_a_window() -> None:
    assert attributes(line("60 - 64 62 - - - .")[None])[0].tolist() == [3 / 8, 4, 3, 2]
    assert attributes(line(". - - -")[None])[0].tolist() == [0, 0, 0, 0]
    assert mean_interval(line("60 - 64 62")[None]).tolist() == [3]
    assert valid(np.stack([line("60 62 64 65"), line("60 73 60 62"), line("60 62 64 -")])).tolist() == [
        True,
        False,
        False,
    ]


def test_an_attribute_vector_points_where_the_attribute_rises() -> None:
    rng = np.random.default_rng(1)
    latent = rng.normal(size=(500, 6))
    vectors = attribute_vectors(torch.from_numpy(latent), np.stack([latent[:, 2] * 3, -latent[:, 4]], axis=1))
    assert np.abs(vectors).argmax(axis=1).tolist() == [2, 4]
    assert vectors[0, 2] > 0 > vectors[1, 4]


def test_active_units_are_those_that_move() -> None:
    mean = torch.cat([torch.randn(200, 3), torch.zeros(200, 1)], dim=1)
    assert active_units(mean, torch.full((200, 4), 0.1)) == 0.75


def test_smoothness_of_ways(space: Space) -> None:
    import pyarrow as pa

    from hocket.views.segments import INDEX_SCHEMA, Segments

    tokens = np.stack([line("60 - 62 - " * 8), line("72 - - - " * 8)])
    row = {"melody": 0, "start": 0, "place": 0, "metre": "4/4", "style": "han", "split": "test", "origin": "score"}
    segments = Segments(tokens, pa.Table.from_pylist([row] * 2, INDEX_SCHEMA))
    found = smoothness(space, segments.take(np.array([0])), segments.take(np.array([1])), 4, "linear", ("", ""))
    assert (found.biggest_step >= 0.25).all()
    assert (found.biggest_share <= 1).all()


def test_what_does_not_fit_is_said_and_nothing_is_cropped(space: Space) -> None:
    views = make_melodies(1)  # eighths in 3/4 with an upbeat of four steps
    table = to_notes(views, origin="score", corpus="x")
    found = given_melody(views, table, "mine.abc", space)
    told = " ".join(found.adapted)
    assert "3/4" in told
    assert "never seen" in told
    assert "upbeat" in told
    assert "no whole number of windows" in told
    flat = found.tokens.ravel()[found.upbeat : found.length]
    piece = piece_of(flat, "3/4", 0, False, "mine", first=found.upbeat)
    assert piece.notes["pitch"].tolist() == views.events["pitch"].tolist()
    assert len(found.padded(9, "mine.abc").tokens) == 9
    other = given_melody(songs(2).take([1]), to_notes(songs(2).take([1]), origin="score", corpus="x"), "other", space)
    with pytest.raises(InputError, match="bars would not meet"):
        check_pair(found, other, ("mine.abc", "other"))


def test_pictures_are_the_same_twice(tmp_path: Path) -> None:
    tokens = line("60 - 62 . " * 8)
    assert notes_of(tokens)[:2] == [(0, 2, 62), (2, 3, 64)]
    for name in ("a", "b"):
        strip([tokens[None], tokens[None]], tmp_path / f"{name}.png", "way")
        latent_map(np.random.default_rng(1).normal(size=(20, 4)), ["x", "y"] * 10, tmp_path / f"{name}m.png", "map")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "am.png").read_bytes() == (tmp_path / "bm.png").read_bytes()
    assert changed(tokens[None], tokens[None]).tolist() == [0]
