"""Regressors of single notes: what they are made of, what they know of themselves, and how they are kept.

A fitted `Regressor` carries its target, its setting and the names of its features, so that it cannot be fed another
view. Files are skops archives, never pickles, and of the same bytes for the same fit.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.models import ForestConfig
from hocket.errors import InputError
from hocket.files import write_zip
from hocket.views.performance import Notes
from hocket.views.performance_features import TARGETS

SCHEMA = "hocket-regressor-1"
SUFFIX = ".skops"
# all that our files hold beyond what skops trusts by itself
TRUSTED = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")


@dataclass(frozen=True)
class Card:
    """What a regressor says of itself.

    Attributes:
        estimator: one of `hocket.config.models.ESTIMATORS`.
        feature_set: name of the set in the configuration.
        setting: see `hocket.views.performance_features.may_see`.
        target: velocity or log_duration.
        families: feature families, in the order of their columns.
        features: names of the columns.
        notes: number of notes that it was fitted on.
        origin: of these notes, one of `hocket.notes.ORIGINS`.
    """

    estimator: str
    feature_set: str
    setting: str
    target: str
    families: tuple[str, ...]
    features: tuple[str, ...]
    notes: int
    origin: str

    @property
    def name(self) -> str:
        """File name without suffix, for example ``forest_classic_performance_velocity``."""
        return f"{self.estimator}_{self.feature_set}_{self.setting}_{self.target}"


@dataclass(frozen=True)
class Regressor:
    """A fitted pipeline of StandardScaler and estimator, with its card."""

    card: Card
    pipeline: Any

    def predict(self, notes: Notes) -> npt.NDArray[np.float64]:
        """(notes,) velocity, or log seconds.

        Raises:
            InputError: the notes do not have the features that it was fitted on.
        """
        predicted = self.pipeline.predict(notes.select(self.card.features))
        return np.asarray(predicted, np.float64)

    def importances(self) -> dict[str, float]:
        """Share of each feature by impurity (trees) or by |coefficient| on scaled features (linear); else empty."""
        estimator = self.pipeline[-1]
        values = getattr(estimator, "feature_importances_", None)
        if values is None and hasattr(estimator, "coef_"):
            values = np.abs(estimator.coef_) / max(np.abs(estimator.coef_).sum(), 1e-12)
        return {} if values is None else dict(zip(self.card.features, map(float, values), strict=True))


def build(estimator: str, config: ForestConfig, seed: int, threads: int) -> Any:
    """An unfitted pipeline: StandardScaler, then one of `hocket.config.models.ESTIMATORS`."""
    from sklearn import ensemble, linear_model, tree
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    makers: dict[str, Any] = {
        "forest": lambda: ensemble.RandomForestRegressor(
            config.n_estimators, max_depth=config.max_depth, random_state=seed, n_jobs=threads
        ),
        "linear": linear_model.LinearRegression,
        "tree": lambda: tree.DecisionTreeRegressor(max_depth=config.max_depth, random_state=seed),
        "gradient_boosting": lambda: ensemble.GradientBoostingRegressor(
            n_estimators=config.boosting_rounds, max_depth=config.boosting_depth, random_state=seed
        ),
        "hist_boosting": lambda: ensemble.HistGradientBoostingRegressor(
            max_iter=config.hist_rounds,
            learning_rate=config.hist_rate,
            max_leaf_nodes=config.hist_leaves,
            min_samples_leaf=config.hist_leaf_notes,
            l2_regularization=config.hist_l2,
            max_features=config.hist_features,
            early_stopping=False,
            random_state=seed,
        ),
    }
    return make_pipeline(StandardScaler(), makers[estimator]())


def save(regressor: Regressor, folder: Path) -> Path:
    """Writes FOLDER/<name>.skops and returns its path."""
    import skops.io

    card = json.dumps(asdict(regressor.card))
    content = skops.io.dumps({"schema": SCHEMA, "card": card, "pipeline": regressor.pipeline})
    path = folder / f"{regressor.card.name}{SUFFIX}"
    write_zip(path, _renumbered(content))
    return path


def load(path: Path) -> Regressor:
    """Reads what `save` wrote; nothing beyond TRUSTED is brought to life.

    Raises:
        InputError: not there, not a regressor of ours, or of another schema.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    if not path.is_file():
        raise InputError(f"{path}: no such model; train it first (python -m hocket stage=models model=forest)")
    try:
        content = skops.io.load(path, trusted=list(TRUSTED))
        schema, card = content["schema"], json.loads(content["card"])
    except UntrustedTypesFoundException as error:
        raise InputError(f"{path}: holds types that are not trusted ({error}); train the model again") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not a model of hocket ({type(error).__name__}); train it again") from None
    if schema != SCHEMA:
        raise InputError(f"{path}: has schema {schema!r}, this version reads {SCHEMA!r}; train it again")
    card["families"], card["features"] = tuple(card["families"]), tuple(card["features"])
    return Regressor(Card(**card), content["pipeline"])


def load_canonical(folder: Path, setting: str) -> dict[str, Regressor]:
    """The random forests on the classic features, by target.

    Raises:
        InputError: never trained, or not readable.
    """
    return {target: load(folder / f"forest_classic_{setting}_{target}{SUFFIX}") for target in TARGETS}


def load_all(folder: Path) -> list[Regressor]:
    """All regressors of a folder by name.

    Raises:
        InputError: there is none.
    """
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise InputError(f"{folder}: no model there; train it first (python -m hocket stage=models model=forest)")
    return [load(path) for path in paths]


_IDENTITY = re.compile(r'("__id__": |")(\d{9,})(?=[,\s}]|\.npy")')


def _renumbered(archive: bytes) -> list[tuple[str, bytes]]:
    """Entries of a skops archive with running numbers for memory addresses, so that equal fits give equal bytes."""
    numbers: dict[str, str] = {}

    def number(address: str) -> str:
        return numbers.setdefault(address, str(len(numbers)))

    with zipfile.ZipFile(BytesIO(archive)) as entries:
        schema = entries.read("schema.json").decode()
        schema = _IDENTITY.sub(lambda match: match[1] + number(match[2]), schema)
        arrays = {name: entries.read(name) for name in entries.namelist() if name != "schema.json"}
    renamed = [(f"{number(Path(name).stem)}.npy", content) for name, content in arrays.items()]
    return [("schema.json", schema.encode()), *renamed]
