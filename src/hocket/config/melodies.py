"""Schemas of conf/view/melodies.yaml, conf/model/melody_lstm.yaml and conf/generation/melody_lstm.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within


@dataclass
class MelodiesConfig:
    """How melodies become events.

    Attributes:
        steps_per_quarter: grid; 4 is sixteenths.
        common_key: whether to move every melody to C major or A minor (the shift is kept, so that it can be undone).
        max_event_steps: longest event; a piece with a longer note or rest is left out and counted.
        min_notes: shortest melody.
        tolerance: quarters a note may lie off the grid; a piece with a note farther off is left out and counted.
    """

    steps_per_quarter: int = 4
    common_key: bool = True
    max_event_steps: int = 64
    min_notes: int = 8
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        positive(self, "steps_per_quarter", "max_event_steps", "min_notes")
        within(self, "tolerance", 0.0, 0.125)


@dataclass
class MelodyLstmConfig:
    """The event model of melodies, `hocket.models.melody_lstm`.

    Attributes:
        form: ``events`` of pitch and length, or ``steps`` of one symbol a sixteenth, the classic model
            (`hocket.models.melody_steps`).
        window: steps that the melodies of train are cut into, 0 for none; of the form ``steps`` only.
        styles: what a style is called here, and the styles of the corpora that it gathers; melodies of no such style
            are not trained on.
        embedding: width of the pitch and length embeddings; the others have half of it.
        hidden, layers: of the LSTM.
        dropout: on inputs, features and the hidden layer of the length head.
        learning_rate, weight_decay: of AdamW; the rate follows one cosine cycle.
        batch_rows: padded events in a batch, at most.
        epochs: by profile; a profile that is not named takes the most.
        precision: by profile, for example ``auto`` for bf16 where the CPU has it; the trainer's if not named.
        pieces: melodies of train by profile, evenly drawn, and a quarter as many of validation; all if not named.
    """

    name: str = "melody_lstm"
    form: str = "events"
    window: int = 0
    styles: dict[str, list[str]] = field(default_factory=lambda: {"han": ["han"], "deutsch": ["deutsch"]})
    embedding: int = 64
    hidden: int = 256
    layers: int = 1
    dropout: float = 0.3
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    batch_rows: int = 2048
    epochs: dict[str, int] = field(default_factory=lambda: {"real": 14})
    precision: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one_of(self, "form", ("events", "steps"))
        require(self.window >= 0, "window", f"is {self.window}, must not be negative; 0 leaves melodies whole")
        positive(self, "embedding", "hidden", "layers", "learning_rate", "batch_rows")
        within(self, "dropout", 0.0, 0.9)
        require(bool(self.styles), "styles", "is empty, name at least one style")
        require(self.embedding % 2 == 0, "embedding", f"is {self.embedding}, must be even")
        require(min(self.epochs.values(), default=0) >= 1, "epochs", "must name a profile and be at least 1")
        require(min(self.pieces.values(), default=8) >= 8, "pieces", "must be at least 8 where a profile is named")


@dataclass
class MelodyGenerationConfig:
    """What the stage `generation_melody_lstm` writes.

    Attributes:
        count: melodies.
        files: MIDI files of each style.
        temperature, top_k, top_p, constrained: see `hocket.generation.sampling.Sampling`.
    """

    count: int = 200
    files: int = 2
    temperature: float = 0.9
    top_k: int = 0
    top_p: float = 1.0
    constrained: bool = True

    def __post_init__(self) -> None:
        positive(self, "count", "files", "temperature", "top_p")
