"""Boosted trees that go before a performer's network: what single notes tell, so that the network learns the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hocket.config import Config
from hocket.config.models import ForestConfig, RecipeConfig
from hocket.config.performer import PerformerConfig
from hocket.models.forest import SUFFIX, Card, Regressor, build, load, save
from hocket.training.forest import origin_of, training_notes
from hocket.views.performance import Notes, View
from hocket.views.performance_features import TARGETS, allowed

ESTIMATOR, FEATURE_SET = "hist_boosting", "trees"
TREES = {target: f"trees_{target}" for target in TARGETS}  # names of the columns that they add


def fit_trees(view: View, cfg: Config, setting: str) -> dict[str, Regressor]:
    """Histogram boosting of both targets on the families of a setting, without any past; none where none is wanted."""
    config: PerformerConfig = cfg.model
    if setting not in config.trees:
        return {}
    from threadpoolctl import threadpool_limits

    recipe = RecipeConfig(FEATURE_SET, setting, [ESTIMATOR])
    rounds = config.tree_rounds.get(cfg.profile.name, max(config.tree_rounds.values()))
    forest = ForestConfig(
        recipes=[recipe],
        feature_sets={FEATURE_SET: []},
        hist_rounds=rounds,
        hist_rate=config.tree_rate,
        hist_leaves=config.tree_leaves,
        hist_leaf_notes=config.tree_leaf_notes,
        hist_l2=config.tree_l2,
        hist_features=config.tree_features,
    )
    trees = {}
    for target in TARGETS:
        families = allowed(config.families[setting], setting, target)
        notes = training_notes(view, families, config.tree_notes, cfg.seed)
        pipeline = build(ESTIMATOR, forest, cfg.seed, cfg.threads)
        with threadpool_limits(cfg.threads):
            pipeline.fit(notes.features, notes.target(target))
        known = (ESTIMATOR, FEATURE_SET, setting, target, tuple(families), notes.names, len(notes), origin_of(notes))
        trees[target] = Regressor(Card(*known), pipeline)
    return trees


def with_trees(notes: Notes, trees: dict[str, Regressor]) -> Notes:
    """The notes with a column more a target, what the trees predict of it."""
    if not trees:
        return notes
    told = [trees[target].predict(notes).astype(np.float32)[:, None] for target in TARGETS]
    names = (*notes.names, *TREES.values())
    return Notes(np.concatenate([notes.features, *told], 1), names, notes.keys, notes.pieces)


def save_trees(trees: dict[str, Regressor], folder: Path) -> None:
    """Writes the trees into the folder of their network."""
    for regressor in trees.values():
        save(regressor, folder)


def load_trees(folder: Path, setting: str) -> dict[str, Regressor]:
    """What `save_trees` wrote.

    Raises:
        InputError: not there, damaged, or of another version.
    """
    return {target: load(folder / f"{ESTIMATOR}_{FEATURE_SET}_{setting}_{target}{SUFFIX}") for target in TARGETS}
