"""Schemas of conf/view/tunes.yaml, conf/model/tune_lm.yaml and conf/generation/tune_lm.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within

TOKENIZERS = ("musical", "char")
SIGHTS = ("place", "form", "header", "match", "echoes")


@dataclass
class TunesConfig:
    """How tunes become tokens.

    Attributes:
        tokenizer: one of TOKENIZERS.
        min_count: units rarer than this in train are spelled byte by byte.
        max_characters: longest tune; a longer one is left out and counted.
    """

    tokenizer: str = "musical"
    min_count: int = 8
    max_characters: int = 20_000

    def __post_init__(self) -> None:
        one_of(self, "tokenizer", TOKENIZERS)
        positive(self, "min_count", "max_characters")


@dataclass
class TuneModelConfig:
    """What every network over tunes has, `hocket.models.tune_model`.

    Attributes:
        embedding: width of the token embedding.
        tied: whether the output shares its weights.
        match: width of the embedding of the matched token.
        echo: width of the embeddings of what earlier bars had at this place.
        context: width of the embeddings of place, bar, section, form, metre, key and unit.
        sees: what is told beside the last token, among SIGHTS.
        told_form: share of tunes whose form (sections and their bars) is told in training; the rest learn without.
        dropout: on inputs and features.
        learning_rate, weight_decay: of AdamW; the rate follows one cosine cycle.
        batch_tokens: padded tokens in a batch, at most.
        epochs: by profile; a profile that is not named takes the most.
        precision: by profile, for example ``auto`` for bf16 where the CPU has it; the trainer's if not named.
        pieces: tunes of train by profile, evenly drawn, and a quarter as many of validation; all if not named.
    """

    name: str = "tune_lm"
    embedding: int = 256
    tied: bool = True
    match: int = 64
    echo: int = 32
    context: int = 8
    sees: list[str] = field(default_factory=lambda: list(SIGHTS))
    told_form: float = 0.5
    dropout: float = 0.3
    learning_rate: float = 8e-3
    weight_decay: float = 0.01
    batch_tokens: int = 4096
    epochs: dict[str, int] = field(default_factory=lambda: {"real": 8})
    precision: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive(self, "embedding", "match", "echo", "context", "learning_rate", "batch_tokens")
        within(self, "dropout", 0.0, 0.9)
        within(self, "told_form", 0.0, 1.0)
        for sight in self.sees:
            require(sight in SIGHTS, "sees", f"has {sight!r}, must be among {', '.join(SIGHTS)}")
        require(min(self.epochs.values(), default=0) >= 1, "epochs", "must name a profile and be at least 1")
        require(min(self.pieces.values(), default=8) >= 8, "pieces", "must be at least 8 where a profile is named")


@dataclass
class TuneLmConfig(TuneModelConfig):
    """The recurrent language model of tunes, `hocket.models.tune_lm`.

    Attributes:
        hidden, layers: of the LSTM.
    """

    hidden: int = 256
    layers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "hidden", "layers")


@dataclass
class TuneTransformerConfig(TuneModelConfig):
    """The transformer of tunes, `hocket.models.tune_transformer`.

    Attributes:
        width: of the residual stream.
        heads: of attention; they divide the width into even parts.
        layers: blocks.
    """

    name: str = "tune_transformer"
    learning_rate: float = 2e-3
    dropout: float = 0.1
    width: int = 192
    heads: int = 6
    layers: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "width", "heads", "layers")
        require(self.width % (2 * self.heads) == 0, "heads", f"is {self.heads}, twice it must divide the width")


@dataclass
class TuneGenerationConfig:
    """What the stage `generation_tune_lm` writes.

    Attributes:
        count: tunes by profile, with headers drawn from train; a profile that is not named takes the most.
        files: of them, ABC and MIDI files and score pictures to look at and hear.
        temperature, top_k, top_p, constrained: see `hocket.generation.sampling.Sampling`.
        temperatures: of the study in the evaluation.
        study: tunes of the study at each temperature, by profile; a profile that is not named takes the most.
    """

    count: dict[str, int] = field(default_factory=lambda: {"demo": 40, "real": 1000})
    files: int = 4
    temperature: float = 0.85
    top_k: int = 0
    top_p: float = 1.0
    constrained: bool = True
    temperatures: list[float] = field(default_factory=lambda: [0.1, 0.5, 0.7, 0.85, 1.0, 1.5])
    study: dict[str, int] = field(default_factory=lambda: {"demo": 8, "real": 100})

    def __post_init__(self) -> None:
        positive(self, "files", "temperature", "top_p")
        require(min(self.count.values(), default=0) >= 1, "count", "must name a profile and be at least 1")
