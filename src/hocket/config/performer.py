"""Schema of conf/model/performer.yaml and conf/model/performer_ar.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within
from hocket.config.views import PERFORMANCE_FAMILIES

PAST_FAMILIES = ("past_velocity", "past_duration")
_NAMES = {"performer": ("score_only", "performance"), "performer_ar": ("one_step_ahead",)}


@dataclass
class PerformerConfig:
    """A recurrent network for velocity and log duration of every note, and its training.

    Attributes:
        name: performer reads the whole piece and no past targets; performer_ar is told the past of its target.
        settings: what is trained; score_only and performance of the one, one_step_ahead of the other.
        families: feature families by setting; what a setting does not admit is left out. The past is no family here:
            the network carries it itself, so that it can be its own.
        trunk: lstm, or transformer for the experiment of that name.
        trees: settings in which boosted trees go before and the network corrects them.
        tree_rounds: of these trees, by profile.
        tree_leaves, tree_rate, tree_notes: of them too, and training notes for them (0: all).
        tree_leaf_notes, tree_l2, tree_features: see `hocket.config.models.ForestConfig`; without them trees know the
            training works so well that the network trusts them too far.
        start_from: folder of a trained model of the same name whose weights training begins with; empty: none.
        composer: trains and validates on pieces of this composer alone; empty: on all.
        hidden: units of each direction of the LSTM that both targets share.
        branch: units of the LSTM of each target (of each direction, unless it is causal).
        dropout: on what the LSTMs give, 0..1.
        learning_rate, weight_decay: of AdamW, one cosine cycle.
        beta: 0..1, how far the loss of the mean is freed of the predicted spread (1: squared error).
        own_past: performer_ar only, share of windows that are trained without their true past.
        window: notes of a training window.
        batch_notes: padded notes of a batch.
        max_notes: training notes, in windows drawn evenly from all pieces; 0 takes all.
        max_notes_validation: the same for validation.
        epochs: by profile; trainer.max_epochs bounds it.
    """

    name: str = "performer"
    settings: list[str] = field(default_factory=lambda: ["score_only", "performance"])
    families: dict[str, list[str]] = field(
        default_factory=lambda: {
            "score_only": ["written", "written_lines"],
            "performance": ["classic", "density", "chords", "timing", "durations"],
        }
    )
    trunk: str = "lstm"
    trees: list[str] = field(default_factory=list)
    tree_rounds: dict[str, int] = field(default_factory=lambda: {"demo": 20})
    tree_leaves: int = 31
    tree_rate: float = 0.1
    tree_notes: int = 0
    tree_leaf_notes: int = 20
    tree_l2: float = 0.0
    tree_features: float = 1.0
    start_from: str = ""
    composer: str = ""
    hidden: int = 96
    branch: int = 64
    dropout: float = 0.1
    learning_rate: float = 0.004
    weight_decay: float = 0.01
    beta: float = 1.0
    own_past: float = 0.5
    window: int = 256
    batch_notes: int = 8192
    max_notes: int = 0
    max_notes_validation: int = 0
    epochs: dict[str, int] = field(default_factory=lambda: {"demo": 3})

    def __post_init__(self) -> None:
        one_of(self, "name", _NAMES)
        positive(self, "hidden", "branch", "learning_rate", "window", "batch_notes")
        within(self, "dropout", 0.0, 0.9)
        within(self, "beta", 0.0, 1.0)
        within(self, "own_past", 0.0, 1.0)
        require(self.weight_decay >= 0, "weight_decay", "must not be negative")
        require(min(self.max_notes, self.max_notes_validation) >= 0, "max_notes", "must not be negative; 0 takes all")
        require(len(self.settings) > 0, "settings", "is empty, name at least one setting")
        for setting in self.settings:
            known = _NAMES[self.name]
            require(setting in known, "settings", f"has {setting!r}, {self.name} has {', '.join(known)}")
            require(bool(self.families.get(setting)), "families", f"names none for the setting {setting}")
        for setting in self.trees:
            require(setting in self.settings, "trees", f"has {setting!r}, which is not among the settings")
        self._check_families()
        one_of(self, "trunk", ("lstm", "transformer"))
        positive(self, "tree_leaves", "tree_rate", "tree_leaf_notes")
        within(self, "tree_features", 0.01, 1.0)
        require(self.tree_l2 >= 0, "tree_l2", "must not be negative")
        require(len(self.tree_rounds) > 0 and min(self.tree_rounds.values()) >= 1, "tree_rounds", "must be 1 or more")
        require(self.tree_notes >= 0, "tree_notes", "must not be negative; 0 takes all")
        require(len(self.epochs) > 0 and min(self.epochs.values()) >= 1, "epochs", "must name 1 epoch or more")

    def _check_families(self) -> None:
        known = tuple(name for name in PERFORMANCE_FAMILIES if name not in PAST_FAMILIES)
        for family in (name for families in self.families.values() for name in families):
            require(family in known, "families", f"has {family!r}, must be among {', '.join(known)}")
