"""Schemas of conf/view/segments.yaml, conf/model/melody_vae.yaml, conf/model/melody_gan.yaml and their generation."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within

LABELS = ("style", "corpus", "composer")


@dataclass
class SegmentsConfig:
    """How melodies are cut into segments of equal length.

    Attributes:
        bars: lengths in bars of 4/4, one table each; the last ones may be empty in a small corpus.
        every_beat: lengths whose training windows begin on every beat of every metre, and whose held-out windows begin
            on bar lines of 4/4 and 2/4 (two bars of which make one) and do not overlap. Windows of other lengths, which
            few melodies have, begin on every bar line of every metre.
        events: events of a segment of (pitch, length) pairs, which begin with a bar.
        min_notes: onsets that a segment has at least.
        label: what a style is: style, corpus or composer of the piece.
        styles: what a style is called here, and the labels that it gathers; other labels are the unknown style. Empty:
            every label is its own style.
        roll_bars: bars of 4/4 of a polyphonic roll, cut from the corpora of role ``scores``.
        max_rolls: of one split.
    """

    bars: list[int] = field(default_factory=lambda: [2, 4, 16])
    every_beat: list[int] = field(default_factory=lambda: [2, 4])
    events: int = 24
    min_notes: int = 4
    label: str = "style"
    styles: dict[str, list[str]] = field(default_factory=lambda: {"han": ["han"], "deutsch": ["deutsch"]})
    roll_bars: int = 2
    max_rolls: int = 4000

    def __post_init__(self) -> None:
        positive(self, "events", "min_notes", "roll_bars", "max_rolls")
        one_of(self, "label", LABELS)
        require(bool(self.bars) and min(self.bars) >= 1, "bars", "must name at least one length of at least one bar")
        require(set(self.every_beat) <= set(self.bars), "every_beat", "must be among bars")


ENCODERS, DECODERS, PRIORS, KINDS = (
    ("dense", "lstm"),
    ("dense", "lstm", "hierarchical"),
    ("normal", "learned"),
    ("steps", "roll", "scalars"),
)


@dataclass
class MelodyVaeConfig:
    """The variational autoencoder of segments, `hocket.models.melody_vae`.

    Attributes:
        data: steps (melodies), roll (polyphonic; needs the dense encoder and decoder), or scalars (the classic forms on
            lists of numbers, `hocket.models.scalar_vae`).
        lists: of the classic forms, a VAE each: both, notes, rhythms.
        mended: whether the classic forms scale their noise by the deviation; else by the log-variance, as it was.
        bars: length of a segment, one of those that the view has.
        encoder: dense (residual blocks over beats) or lstm (two layers, both ways).
        decoder: dense (all steps at once), lstm, or hierarchical (a conductor over bars, each decoded at once).
        prior: normal, or learned with the model and told the style, see `hocket.models.latent_prior`.
        latent_per_beat: numbers of the latent for each beat.
        width: of the blocks, or of the LSTMs.
        encoder_blocks, decoder_blocks: of the dense forms.
        prior_width, prior_components: units and Gaussians that the learned prior has for each number of the latent.
        prior_epochs: by profile, in which a learned prior is fitted once more when the rest has come to rest.
        prior_rate: highest learning rate of that.
        free_bits: rate that the posterior is kept at, against the prior as it learns.
        anneal: share of the steps in which the cost of the rate is held down.
        dropout: of step tokens that the recurrent decoder is told, so that it listens to the latent.
        learning_rate, weight_decay: of AdamW; the rate follows one cosine cycle.
        batch: segments.
        precision: of the trainer by profile; ``auto`` is bf16 where the CPU computes in it.
        epochs: by profile; a profile that is not named takes the most.
        pieces: segments of train by profile, evenly drawn, and a quarter as many of validation; all if not named.
    """

    name: str = "melody_vae"
    data: str = "steps"
    lists: list[str] = field(default_factory=lambda: ["both"])
    mended: bool = True
    bars: int = 2
    encoder: str = "dense"
    decoder: str = "dense"
    prior: str = "learned"
    latent_per_beat: int = 8
    width: int = 192
    encoder_blocks: int = 2
    decoder_blocks: int = 3
    prior_width: int = 128
    prior_components: int = 8
    prior_epochs: dict[str, int] = field(default_factory=dict)
    prior_rate: float = 3e-3
    free_bits: float = 50.0
    anneal: float = 0.1
    dropout: float = 0.0
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    batch: int = 512
    precision: dict[str, str] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=lambda: {"real": 3})
    pieces: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive(self, "bars", "width", "encoder_blocks", "decoder_blocks", "learning_rate", "batch")
        positive(self, "prior_width", "prior_components", "prior_rate")
        one_of(self, "data", KINDS)
        one_of(self, "encoder", ENCODERS)
        one_of(self, "decoder", DECODERS)
        one_of(self, "prior", PRIORS)
        within(self, "anneal", 0.0, 1.0)
        within(self, "dropout", 0.0, 1.0)
        require(bool(self.lists) and set(self.lists) <= set(LISTS), "lists", f"must be among {', '.join(LISTS)}")
        require(self.free_bits >= 0, "free_bits", "must not be negative")
        require(self.latent_per_beat >= 2, "latent_per_beat", f"is {self.latent_per_beat}, must be at least 2")
        dense = self.encoder == self.decoder == "dense"
        require(self.data != "roll" or dense, "data", "roll needs encoder: dense and decoder: dense")
        require(min(self.epochs.values(), default=0) >= 1, "epochs", "must name a profile and be at least 1")
        require(min(self.pieces.values(), default=8) >= 8, "pieces", "must be at least 8 where a profile is named")


LISTS = ("both", "notes", "rhythms")
FORMS = ("autoregressive", "dense", "conv", "deep")
CRITICS = ("events", "segments")


@dataclass
class MelodyGanConfig:
    """The generative adversarial network of segments of events, `hocket.models.melody_gan`.

    Attributes:
        form: autoregressive (notes as one-hot choices, straight-through), or one of the classic forms that write one
            number for each pitch and each length.
        conditional: whether both sides are told the style.
        width: of the generator's GRU, and of the discriminator's layers.
        noise: numbers that a segment begins with.
        temperature: of the Gumbel noise.
        dropout: of what the generator's GRU says, in training.
        critic: of the autoregressive form. events: scores of every choice that could come next, told the true events
            before, as the generator is; segments: of whole ones as the generator plays them free running.
        critic_dropout: of the critic of events.
        smoothing: of the running mean of the generator's weights, which is what is sampled.
        critic_steps: steps of the discriminator for each of the generator, where segments are judged.
        learning_rate, critic_rate: of Adam.
        warm_up: epochs by profile in which the generator learns by likelihood alone; 0 is purely adversarial.
        warm_up_rate: of Adam then.
        batch: segments.
        watch: share of the diversity of real segments below which a run is dead.
        epochs: by profile, the warm-up included; a profile that is not named takes the most.
        pieces: segments of train by profile, evenly drawn, and a quarter as many of validation; all if not named.
        precision: of the trainer by profile.
    """

    name: str = "melody_gan"
    form: str = "autoregressive"
    conditional: bool = True
    width: int = 192
    noise: int = 32
    temperature: float = 1.0
    dropout: float = 0.0
    critic: str = "events"
    critic_dropout: float = 0.2
    smoothing: float = 0.99
    critic_steps: int = 1
    learning_rate: float = 4e-4
    critic_rate: float = 4e-4
    warm_up: dict[str, int] = field(default_factory=dict)
    warm_up_rate: float = 4e-3
    batch: int = 256
    watch: float = 0.3
    epochs: dict[str, int] = field(default_factory=lambda: {"real": 8})
    pieces: dict[str, int] = field(default_factory=dict)
    precision: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive(self, "width", "noise", "temperature", "critic_steps", "learning_rate", "critic_rate", "warm_up_rate")
        positive(self, "batch")
        one_of(self, "form", FORMS)
        one_of(self, "critic", CRITICS)
        within(self, "critic_dropout", 0.0, 0.9)
        within(self, "smoothing", 0.0, 0.9999)
        within(self, "dropout", 0.0, 0.9)
        within(self, "watch", 0.0, 1.0)
        require(min(self.epochs.values(), default=0) >= 1, "epochs", "must name a profile and be at least 1")
        require(min(self.pieces.values(), default=8) >= 8, "pieces", "must be at least 8 where a profile is named")


@dataclass
class MelodyVaeGenerationConfig:
    """What the stage `generation_melody_vae` writes.

    Attributes:
        count: segments drawn from the prior, as many of each style.
        files: MIDI files of each style, four segments each.
        temperature: of the noise.
        candidates: draws of which each segment is one, kept by how surely the prior says its style.
        steps: of an interpolation.
        amount: of a variation, share of steps that change.
    """

    count: int = 800
    files: int = 2
    temperature: float = 1.0
    candidates: int = 1
    steps: int = 10
    amount: float = 0.3

    def __post_init__(self) -> None:
        positive(self, "count", "files", "temperature", "candidates", "steps")
        within(self, "amount", 0.0, 1.0)


@dataclass
class MelodyGanGenerationConfig:
    """What the stage `generation_melody_gan` writes.

    Attributes:
        count: segments.
        files: MIDI files of each style.
    """

    count: int = 800
    files: int = 2

    def __post_init__(self) -> None:
        positive(self, "count", "files")
