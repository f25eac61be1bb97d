"""Schemas of conf/view/drums.yaml, conf/model/drum_vae.yaml and conf/generation/drum_vae.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within

METHODS = ("plain", "layerwise", "transfer")


@dataclass
class DrumsConfig:
    """What the view `drums` keeps.

    Attributes:
        min_hits: songs with fewer hits of the nine classes are left out and counted.
    """

    min_hits: int = 2

    def __post_init__(self) -> None:
        positive(self, "min_hits")


@dataclass
class DrumNetConfig:
    """The network, `hocket.models.drum_vae`; one of these for accompaniment and one for Groove.

    Attributes:
        conv: channels of the two convolutions of each instrument.
        kernel, dilation: of them; the second convolution is dilated.
        encoder: units a direction of each instrument's LSTM.
        merged: width of the dense merge.
        latent: of the bottleneck.
        conductor: units of the LSTM over segments.
        decoder: units of each of the two autoregressive LSTMs.
        segment_bars: bars that the decoder is bounded to, 1 or 2.
        sections: segments that a third level of hierarchy gathers; 0 for none.
        dropout: on the merge, on decoder features, and of whole instruments.
        free_bits: nats of each latent dimension that cost nothing.
        beta: weight of the divergence.
        adversary: weight of a discriminator of hits whose gradient is reversed; 0 for none.
        no_past: share of training windows in which the decoder hears nothing of the past.
        own_past: share of training windows in which it hears its own draws in place of the true past.
        positive_weight: of hits against silence in the cross-entropy.
        hits_weight, values_weight: of the loss of H, and of V and O.
        learning_rate, weight_decay: of AdamW; the rate follows one cosine cycle.
        batch_steps: padded steps in a batch, at most.
        window_bars: bars that are read at once.
        windows: of train by profile, evenly drawn over the songs, and a quarter as many of validation.
        epochs: by profile; a profile that is not named takes the most.
    """

    conv: int = 48
    kernel: int = 5
    dilation: int = 4
    encoder: int = 48
    merged: int = 128
    latent: int = 32
    conductor: int = 64
    decoder: int = 96
    segment_bars: int = 2
    sections: int = 0
    dropout: float = 0.3
    free_bits: float = 0.05
    beta: float = 0.1
    adversary: float = 0.0
    no_past: float = 0.4
    own_past: float = 0.3
    positive_weight: float = 1.5
    hits_weight: float = 1.0
    values_weight: float = 0.2
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    batch_steps: int = 4096
    window_bars: int = 8
    windows: dict[str, int] = field(default_factory=lambda: {"demo": 64, "real": 3000})
    epochs: dict[str, int] = field(default_factory=lambda: {"demo": 2, "real": 3})

    def __post_init__(self) -> None:
        positive(self, "conv", "encoder", "merged", "latent", "conductor", "decoder", "learning_rate", "batch_steps")
        positive(self, "kernel", "dilation", "window_bars", "positive_weight")
        require(self.kernel % 2 == 1, "kernel", f"is {self.kernel}, must be odd")
        within(self, "segment_bars", 1, 2)
        require(self.sections >= 0, "sections", "must not be negative")
        for name in ("dropout", "no_past", "own_past"):
            within(self, name, 0.0, 0.9)
        require(self.no_past + self.own_past <= 1, "own_past", "and no_past are shares and must not exceed 1 together")
        within(self, "beta", 0.0, 10.0)
        within(self, "adversary", 0.0, 10.0)
        require(min(self.epochs.values(), default=0) >= 1, "epochs", "must name a profile and be at least 1")
        require(min(self.windows.values(), default=4) >= 4, "windows", "must be at least 4 where a profile is named")


@dataclass
class DrumVaeConfig:
    """The drummer: hits from the band, and velocity and offset from hits.

    Attributes:
        method: the training method whose weights are used (one of METHODS).
        compared: by profile, methods that are trained besides, with the first seed, for the table of methods.
        seeds: trainings of the accompaniment, by profile; a profile that is not named takes the most.
        folds: of the cross-validation over songs of corpora named `folded`.
        folded: corpora that are too small for one test split.
        fold_epochs: of fine-tuning on the other folds, by profile; a profile that is not named takes the most.
        fold_rate: learning rate of this fine-tuning, as a share of the highest.
        fine_rate: learning rate of the last stage of ``layerwise``, as a share of the highest.
        drafts: free-running drafts whose mean is scored.
        band, groove: the two networks.
    """

    name: str = "drum_vae"
    method: str = "plain"
    compared: dict[str, list[str]] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=lambda: {"demo": 1, "real": 3})
    folds: int = 4
    folded: list[str] = field(default_factory=lambda: ["multitrack_open"])
    fold_epochs: dict[str, int] = field(default_factory=lambda: {"demo": 2, "real": 8})
    fold_rate: float = 1.0
    fine_rate: float = 0.3
    drafts: int = 4
    band: DrumNetConfig = field(default_factory=DrumNetConfig)
    groove: DrumNetConfig = field(default_factory=DrumNetConfig)

    def __post_init__(self) -> None:
        one_of(self, "method", METHODS)
        for name in [name for names in self.compared.values() for name in names]:
            require(name in METHODS, "compared", f"has {name!r}, must be among {', '.join(METHODS)}")
        require(min(self.seeds.values(), default=0) >= 1, "seeds", "must name a profile and be at least 1")
        require(self.folds >= 2, "folds", f"is {self.folds}, must be at least 2")
        positive(self, "drafts")
        require(min(self.fold_epochs.values(), default=0) >= 1, "fold_epochs", "must name a profile and be at least 1")
        for name in ("fine_rate", "fold_rate"):
            within(self, name, 0.01, 1.0)


@dataclass
class DrumGenerationConfig:
    """What the stage `generation_drum_vae` writes, and how ``hocket drums`` draws.

    Attributes:
        songs: held-out songs that get drums, a MIDI file each.
        grooves: held-out drum performances that are made flat and humanised, a MIDI file each.
        candidates: drafts of each song, of which the best is taken.
        temperature: of hits, and of velocities and offsets.
        threshold: ``auto`` (what served F1 best on validation) or a number 0..1 below which a hit is not played.
        weights: of the ranking, by criterion.
    """

    songs: int = 3
    grooves: int = 2
    candidates: int = 16
    temperature: float = 1.0
    threshold: str = "auto"
    weights: dict[str, float] = field(
        default_factory=lambda: {"style": 1.0, "accents": 1.0, "fills": 0.5, "playable": 1.0}
    )

    def __post_init__(self) -> None:
        positive(self, "songs", "grooves", "candidates", "temperature")
        within(self, "candidates", 1, 256)
        within(self, "temperature", 0.05, 5.0)
