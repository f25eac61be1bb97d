"""Schemas of conf/model, one dataclass a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within
from hocket.config.views import PERFORMANCE_FAMILIES

ESTIMATORS = ("forest", "linear", "tree", "gradient_boosting", "hist_boosting")
PERFORMANCE_SETTINGS = ("score_only", "performance", "one_step_ahead")


@dataclass
class RecipeConfig:
    """Estimators to fit on one feature set in one setting, for velocity and for log duration.

    Attributes:
        features: key of `ForestConfig.feature_sets`; families that the setting does not admit are left out.
        setting: one of PERFORMANCE_SETTINGS.
        estimators: some of ESTIMATORS.
    """

    features: str
    setting: str
    estimators: list[str]

    def __post_init__(self) -> None:
        one_of(self, "setting", PERFORMANCE_SETTINGS)
        for estimator in self.estimators:
            require(estimator in ESTIMATORS, "estimators", f"has {estimator!r}, must be among {', '.join(ESTIMATORS)}")


@dataclass
class ForestConfig:
    """The regressors of scikit-learn on features of single notes.

    Attributes:
        n_estimators, max_depth: of the random forest; max_depth also of the tree.
        boosting_rounds, boosting_depth: of gradient boosting.
        hist_rounds, hist_rate, hist_leaves: of histogram boosting.
        hist_leaf_notes, hist_l2: notes that a leaf has at least, and how far its value is shrunk.
        hist_features: share of the features among which each split is looked for.
        max_notes: training notes, drawn evenly from all training pieces; 0 takes all.
        max_notes_hist: the same for histogram boosting, which is much faster.
        feature_sets: families by name of the set.
        recipes: what is fitted; the first forest of setting score_only and of performance are the canonical ones.
    """

    name: str = "forest"
    n_estimators: int = 50
    max_depth: int = 12
    boosting_rounds: int = 100
    boosting_depth: int = 3
    hist_rounds: int = 100
    hist_rate: float = 0.1
    hist_leaves: int = 31
    hist_leaf_notes: int = 20
    hist_l2: float = 0.0
    hist_features: float = 1.0
    max_notes: int = 20_000
    max_notes_hist: int = 40_000
    feature_sets: dict[str, list[str]] = field(default_factory=dict)
    recipes: list[RecipeConfig] = field(default_factory=list)

    def __post_init__(self) -> None:
        positive(self, "n_estimators", "max_depth", "boosting_rounds", "boosting_depth", "hist_rounds", "hist_rate")
        positive(self, "hist_leaf_notes")
        within(self, "hist_features", 0.01, 1.0)
        require(self.hist_l2 >= 0, "hist_l2", "must not be negative")
        require(self.hist_leaves >= 2, "hist_leaves", f"is {self.hist_leaves}, must be at least 2")
        require(min(self.max_notes, self.max_notes_hist) >= 0, "max_notes", "must not be negative; 0 takes all")
        require(len(self.recipes) > 0, "recipes", "is empty, name at least one recipe")
        for name, families in self.feature_sets.items():
            unknown = sorted(set(families) - set(PERFORMANCE_FAMILIES))
            require(not unknown, f"feature_sets.{name}", f"has unknown families {', '.join(unknown)}")
        for recipe in self.recipes:
            known = recipe.features in self.feature_sets
            require(known, "recipes.features", f"{recipe.features!r} is not among {', '.join(self.feature_sets)}")
