from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hocket.config.models import ESTIMATORS, ForestConfig, RecipeConfig
from hocket.errors import ConfigError, InputError
from hocket.models.floors import Floors, load_floors, save_floors
from hocket.models.forest import Card, Regressor, build, load, load_all, load_canonical, save
from hocket.training.invariants import shuffled_target_r2_not_positive, target_not_among_features
from hocket.views.performance import Notes, notes_of
from making_performance import performance, single

SMALL = {"n_estimators": 4, "max_depth": 4, "boosting_rounds": 5, "hist_rounds": 5}
FAMILIES = ["classic", "density"]


def config(**changes: object) -> ForestConfig:
    recipes = [RecipeConfig("classic", "performance", ["forest"])]
    return ForestConfig(**{"feature_sets": {"classic": FAMILIES}, "recipes": recipes, **SMALL, **changes})  # type: ignore[arg-type]


def notes(families: list[str] = FAMILIES) -> Notes:
    return notes_of([performance(150, seed) for seed in range(4)], families)


def fitted(estimator: str = "forest", target: str = "velocity", setting: str = "performance") -> Regressor:
    rows = notes()
    pipeline = build(estimator, config(), seed=1, threads=1).fit(rows.features, rows.target(target))
    card = Card(estimator, "classic", setting, target, tuple(FAMILIES), rows.names, len(rows), "rendered")
    return Regressor(card, pipeline)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_what_is_saved_predicts_the_same_when_loaded(estimator: str, tmp_path: Path) -> None:
    regressor = fitted(estimator)
    loaded = load(save(regressor, tmp_path))
    assert loaded.card == regressor.card
    assert np.array_equal(loaded.predict(notes()), regressor.predict(notes()))


@pytest.mark.parametrize("estimator", ["forest", "hist_boosting"])
def test_equal_fits_give_equal_bytes_also_in_another_process(estimator: str, tmp_path: Path) -> None:
    here = save(fitted(estimator), tmp_path).read_bytes()
    code = (
        "from pathlib import Path; from models.test_forest import fitted, save;"
        f"junk = [object() for _ in range(999)]; save(fitted({estimator!r}), Path({str(tmp_path / 'other')!r}))"
    )
    tests = str(Path(__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r}); {code}"], check=True, timeout=120
    )
    assert next((tmp_path / "other").iterdir()).read_bytes() == here


def test_features_are_scaled_on_what_was_fitted() -> None:
    scaler = fitted("linear").pipeline[0]
    assert scaler.mean_ == pytest.approx(notes().features.mean(axis=0), rel=1e-4)


def test_another_feature_schema_is_refused() -> None:
    with pytest.raises(InputError, match="density is not in the view"):
        fitted().predict(notes(["classic"]))


def test_a_model_that_was_never_trained_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train it first"):
        load_canonical(tmp_path, "score_only")
    with pytest.raises(InputError, match="no model there"):
        load_all(tmp_path)
    with pytest.raises(InputError, match=r"floors\.json: not there"):
        load_floors(tmp_path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.skops").write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a model of hocket"):
        load(tmp_path / "x.skops")
    with zipfile.ZipFile(tmp_path / "y.skops", "w") as archive:
        archive.writestr("schema.json", "{}")
    with pytest.raises(InputError, match="not a model of hocket"):
        load(tmp_path / "y.skops")


def test_a_type_that_is_not_trusted_is_not_brought_to_life(tmp_path: Path) -> None:
    import skops.io

    skops.io.dump({"schema": "hocket-regressor-1", "card": "{}", "pipeline": subprocess.Popen}, tmp_path / "x.skops")
    with pytest.raises(InputError, match="not trusted"):
        load(tmp_path / "x.skops")


def test_another_schema_is_refused(tmp_path: Path) -> None:
    import skops.io

    skops.io.dump({"schema": "hocket-regressor-0", "card": "{}", "pipeline": 1}, tmp_path / "x.skops")
    with pytest.raises(InputError, match="has schema 'hocket-regressor-0'"):
        load(tmp_path / "x.skops")


def test_importances_are_shares_of_the_features() -> None:
    for estimator in ("forest", "linear", "tree", "gradient_boosting"):
        importances = fitted(estimator).importances()
        assert tuple(importances) == notes().names
        assert sum(importances.values()) == pytest.approx(1.0)
    assert fitted("hist_boosting").importances() == {}


def test_the_target_among_the_features_is_caught() -> None:
    rows = notes(["classic", "classic_duration"])
    assert target_not_among_features(notes(), "velocity", "x").passed
    leak = target_not_among_features(rows, "log_duration", "x")
    assert not leak.passed
    assert "duration" in leak.detail


def test_noise_cannot_be_learnt_but_a_leak_of_the_noise_can() -> None:
    rows = notes()
    assert shuffled_target_r2_not_positive(rows, "velocity", "x", 0.01, seed=1).passed
    shuffled = np.random.default_rng(1)
    works = shuffled.permutation(np.unique([str(piece["work"]) for piece in rows.pieces]))
    answer = shuffled.permutation(rows.target("velocity"))  # the draw that the check itself makes
    assert len(works) == 4
    leaking = Notes(answer[:, None].astype(np.float32), ("leak",), rows.keys, rows.pieces)
    assert not shuffled_target_r2_not_positive(leaking, "velocity", "x", 0.01, seed=1).passed


def test_floors_by_hand(tmp_path: Path) -> None:
    train = notes_of([single([60, 60, 62], [0, 1, 2], [1, 1, 1], [40, 60, 80])], ["classic"])
    floors = Floors.fit(train.target("velocity"), train.features[:, 0])
    assert floors.mean == 60
    pieces = [single([60, 62, 70], [0, 1, 2], [1, 1, 1], [10, 20, 40]), single([62], [0], [1], [99])]
    predicted = floors.predictions(notes_of(pieces, ["classic"]), "velocity")
    assert predicted["constant"].tolist() == [60, 60, 60, 60]
    assert predicted["mean_of_pitch"].tolist() == [50, 80, 60, 80]
    assert predicted["previous_note"].tolist() == [60, 10, 20, 60]
    assert predicted["mean_of_last_8"].tolist() == [60, 10, 15, 60]
    save_floors({"velocity": floors}, tmp_path)
    assert load_floors(tmp_path) == {"velocity": floors}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"n_estimators": 0}, "n_estimators"),
        ({"feature_sets": {"classic": ["classical"]}}, r"feature_sets\.classic"),
        ({"feature_sets": {}}, r"recipes\.features"),
        ({"recipes": []}, "recipes"),
        ({"hist_leaves": 1}, "hist_leaves"),
    ],
)
def test_config_names_the_key_that_is_wrong(changes: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        config(**changes)


def test_config_names_an_unknown_estimator_or_setting() -> None:
    with pytest.raises(ConfigError, match="estimators"):
        RecipeConfig("classic", "performance", ["oracle"])
    with pytest.raises(ConfigError, match="setting"):
        RecipeConfig("classic", "perfomance", ["forest"])
