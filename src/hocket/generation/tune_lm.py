"""Tunes from the language model: batched, the state carried, free or with bars that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hocket.config import Config
from hocket.config.tunes import TuneGenerationConfig
from hocket.corpus.readers import read_abc
from hocket.errors import InputError, MusicError
from hocket.files import write_text
from hocket.generation.engraving import write_score
from hocket.generation.sampling import Sampling, draw, generator_of
from hocket.generation.tune_rules import Grammar, Rules
from hocket.midi import write_midi
from hocket.models.tune_model import TuneModel
from hocket.note_files import write_tables
from hocket.notes import NoteTable, Piece
from hocket.report import Check, Report, stage_folder
from hocket.training.tune_lm import load
from hocket.views.abc_text import Tune, frame_of, parse_tune
from hocket.views.echoes import Echoes
from hocket.views.matching import RunningMatch
from hocket.views.tune_bars import BAR, BARS, SECTIONS, Place
from hocket.views.tunes import END, Vocabulary, read_tunes

MAX_TOKENS = 1_200
TRIES = 8  # how often a tune that did not end, or that no reader can read, is drawn again


class Line:
    """One growing tune and the row that the model reads next, as `hocket.views.tunes.rows_of` makes them.

    Args:
        header: what the tune begins with.
        vocabulary: of the model.
        form: bars of each section where it is told.
    """

    def __init__(self, header: Tune, vocabulary: Vocabulary, form: Sequence[int] = ()) -> None:
        self.signs, self.place = vocabulary.signs, Place.of(header)
        self.context, self.form = vocabulary.context(header), form
        self.tokens: list[int] = []
        self.match, self.echoes = RunningMatch(), Echoes()

    def row(self) -> list[int]:
        """The FIELDS of the next token."""
        source, level = self.match.predict()
        told, agreed = self.echoes.predict()
        last = self.tokens[-1] if self.tokens else END
        match = self.tokens[source] if source >= 0 else 0
        return [last, *self.place.codes(), *self._form_codes(), *self.context, match, level, *told, *agreed]

    def _form_codes(self) -> tuple[int, int]:
        section = self.place.section
        if not self.form:
            return 0, 0
        return min(len(self.form), SECTIONS), min(self.form[section], BARS - 1) if section < len(self.form) else 0

    def append(self, token: int) -> None:
        """Adds a token."""
        sign = self.signs[token]
        self.tokens.append(token)
        self.match.append(token)
        self.place.step(sign)
        self.echoes.append(token, self.place.since, sign.kind == BAR, sign.kind == BAR and bool(sign.values[0]))


def sample(
    model: TuneModel,
    vocabulary: Vocabulary,
    headers: Sequence[Tune],
    sampling: Sampling,
    *,
    max_tokens: int = MAX_TOKENS,
) -> list[list[int] | None]:
    """Draws one body for each header, all at once.

    Args:
        model: in evaluation mode.
        vocabulary: of the model.
        headers: what each tune begins with; their bodies count for nothing.
        sampling: how to draw.
        max_tokens: bound on a body.

    Returns:
        Tokens of each body without the end, or None for one that did not end within the bound.

    Raises:
        InputError: constrained, and a metre cannot be counted.
    """
    lines = [Line(header, vocabulary) for header in headers]
    rules = [Rules(Grammar(vocabulary), header) for header in headers] if sampling.constrained else []
    generator, state, alive = generator_of(sampling.seed), None, list(range(len(lines)))
    with torch.inference_mode():
        for _ in range(max_tokens + 1):
            if not alive:
                break
            logits, state = model(torch.tensor([[lines[place].row()] for place in alive]), state)
            allowed = torch.from_numpy(np.stack([rules[place].allowed() for place in alive])) if rules else None
            drawn = draw(logits[:, 0], sampling, generator, allowed).tolist()
            going = [row for row, token in enumerate(drawn) if token != END]
            for row in going:
                lines[alive[row]].append(drawn[row])
                if rules:
                    rules[alive[row]].step(drawn[row])
            state = tuple(part[:, going] for part in state)
            alive = [alive[row] for row in going]
    unfinished = set(alive)
    return [None if place in unfinished else line.tokens for place, line in enumerate(lines)]


def compose_tunes(
    model: TuneModel, vocabulary: Vocabulary, headers: Sequence[Tune], sampling: Sampling
) -> tuple[list[Tune], int]:
    """Whole tunes that a reader can read, one for each header; what cannot be read or did not end is drawn again.

    Returns:
        The tunes, and how many draws were thrown away.

    Raises:
        InputError: a header got no readable tune in TRIES draws.
    """
    tunes: dict[int, Tune] = {}
    thrown = 0
    for attempt in range(TRIES):
        open_ = [place for place in range(len(headers)) if place not in tunes]
        if not open_:
            break
        seeded = replace(sampling, seed=sampling.seed + 1_000_003 * attempt)
        drawn = sample(model, vocabulary, [headers[place] for place in open_], seeded)
        for place, tokens in zip(open_, drawn, strict=True):
            tune = headers[place]
            body = vocabulary.decode(tokens, tune.frame) if tokens else ""
            if readable(tune.header + body):
                tunes[place] = replace(tune, body=body)
            else:
                thrown += 1
    missing = len(headers) - len(tunes)
    if missing:
        raise InputError(
            f"{missing} of {len(headers)} tunes did not come to an end; lower the temperature or train longer"
        )
    return [tunes[place] for place in range(len(headers))], thrown


def readable(text: str) -> bool:
    """Whether a tune has notes and can be read."""
    try:
        read_abc(text)
    except MusicError:
        return False
    return True


def make_header(number: int, metre: str, key: str, unit: str | None = None) -> Tune:
    """A header in the order of the corpora: X, L, M, K.

    Args:
        number: of the tune.
        metre: for example ``6/8`` or ``C|``.
        key: for example ``D``, ``Am``, ``Edor``.
        unit: for example ``1/8``; an eighth unless given.

    Raises:
        MusicError: the metre or the key is unknown.
    """
    if frame_of(key.strip()).sharps is None:
        raise InputError(f"key {key!r} is no key; write for example D, Am or Edor")
    tune = parse_tune(f"X:{number}\nL:{unit or '1/8'}\nM:{metre}\nK:{key.strip()}\n")
    Place.of(tune)  # refuses what is no metre or unit
    return tune


def headers_like(train: Sequence[Tune], count: int, seed: int) -> list[Tune]:
    """Headers of train in a plain key and with a metre, drawn at random and numbered anew."""
    plain = [tune for tune in train if tune.frame.sharps is not None and Place.of(tune).bar_length]
    if not plain:
        raise InputError("views/tunes: no tune of train has a plain key and a metre to begin from")
    picked = np.random.default_rng(seed).integers(0, len(plain), count)
    return [renumbered(plain[row], number) for number, row in enumerate(picked, start=1)]


def renumbered(tune: Tune, number: int) -> Tune:
    """The bare header of a tune (X, L, M, K) with a number of its own, and no body."""
    return make_header(number, tune.field("M"), tune.field("K"), tune.field("L") or None)


def as_piece(tune: Tune, name: str) -> Piece:
    """The tune as notes, repeats played out.

    Raises:
        MusicError: it cannot be read.
    """
    piece = read_abc(tune.header + tune.body)
    return replace(piece, corpus="tune_lm", path=name, title=piece.title or name, origin="generated")


def run(cfg: Config, out: Path) -> Report:
    """Stage `generation_tune_lm`: tunes with headers like those of train, as ABC, notes, MIDI files and scores."""
    config: TuneGenerationConfig = cfg.generation["tune_lm"]
    model, vocabulary = load(stage_folder(cfg.out, "models_tune_lm"))
    headers = headers_like(read_tunes(stage_folder(cfg.out, "views_tunes"), "train"), config.count, cfg.seed)
    sampling = Sampling(config.temperature, config.top_k, config.top_p, cfg.seed, config.constrained)
    tunes, thrown = compose_tunes(model, vocabulary, headers, sampling)
    names = [f"tune_{number:03d}" for number in range(1, len(tunes) + 1)]
    pieces = [as_piece(tune, name) for tune, name in zip(tunes, names, strict=True)]
    write_tables(NoteTable.from_pieces(pieces), out)
    write_text(out / "tunes.abc", "\n".join(tune.header + tune.body for tune in tunes))
    for name, tune, piece in list(zip(names, tunes, pieces, strict=True))[: config.files]:
        write_midi(piece, out / f"{name}.mid")
        write_score(tune.header + tune.body, out / f"{name}.svg")
    return Report(
        summary=f"{len(tunes)} tunes at temperature {config.temperature}, {thrown} draws thrown away",
        counts={"tunes": len(tunes), "thrown_away": thrown, "files": min(config.files, len(tunes))},
        checks=[Check("every_tune_is_readable", len(pieces) == len(headers), detail=f"{len(pieces)} tunes")],
    )
