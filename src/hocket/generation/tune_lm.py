"""Tunes from the language model: batched, the state carried, free or with bars that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from hocket.config import Config
from hocket.config.tunes import TuneGenerationConfig
from hocket.errors import InputError
from hocket.exhibits import Exhibit, Item, write_exhibits
from hocket.files import write_text
from hocket.generation.engraving import write_score
from hocket.generation.sampling import Sampling, draw, generator_of
from hocket.generation.tune_grammar import Grammar
from hocket.generation.tune_rules import Form, Rules
from hocket.midi import write_midi
from hocket.models.tune_model import TuneModel
from hocket.note_files import write_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training.tune_lm import RUNS, load
from hocket.views.abc_text import Tune, frame_of, parse_tune
from hocket.views.echoes import Echoes
from hocket.views.matching import RunningMatch
from hocket.views.runs import KnownRuns
from hocket.views.tune_bars import BAR, BARS, SECTIONS, Place
from hocket.views.tune_notes import as_piece, readable, table_of
from hocket.views.tunes import END, Vocabulary, read_tunes, section_bars

MAX_TOKENS = 1_200
HEARD = ("6/8", "D")  # metre and key of the tunes that are heard at each temperature
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
    forms: Sequence[Form | None] = (),
) -> list[list[int] | None]:
    """Draws one body for each header, all at once.

    Args:
        model: in evaluation mode.
        vocabulary: of the model.
        headers: what each tune begins with; their bodies count for nothing.
        sampling: how to draw.
        max_tokens: bound on a body.
        forms: what each tune is asked to be; told to the model, and kept when constrained.

    Returns:
        Tokens of each body without the end, or None for one that did not end within the bound.

    Raises:
        InputError: constrained, and a metre cannot be counted.
    """
    asked = list(zip(headers, forms or [None] * len(headers), strict=True))
    lines = [Line(header, vocabulary, form.bars if form else ()) for header, form in asked]
    grammar = Grammar(vocabulary)
    rules = [Rules(grammar, header, form) for header, form in asked] if sampling.constrained else []
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


@dataclass(frozen=True)
class Composed:
    """Tunes, and what became of all draws.

    Attributes:
        tunes: one for each header.
        first: the first draw of each header, before anything was refused; None where it did not end or has no notes.
        unreadable: draws that did not end or that no reader can read.
        copies: readable draws that share a run of notes with train and were drawn again.
    """

    tunes: list[Tune]
    first: list[Tune | None]
    unreadable: int
    copies: int


def compose_tunes(
    model: TuneModel,
    vocabulary: Vocabulary,
    headers: Sequence[Tune],
    sampling: Sampling,
    known: KnownRuns | None = None,
    forms: Sequence[Form | None] = (),
) -> Composed:
    """Whole tunes, one for each header: what cannot be read, did not end, or copies train is drawn again.

    Args:
        model: in evaluation mode.
        vocabulary: of the model.
        headers: what each tune begins with.
        sampling: how to draw.
        known: runs of notes of train; a tune with one of them is a copy. None lets copies pass.
        forms: what each tune is asked to be.

    Raises:
        InputError: a header got no tune in TRIES draws.
    """
    tunes: dict[int, Tune] = {}
    first: list[Tune | None] = []
    unreadable = copies = 0
    for attempt in range(TRIES):
        open_ = [place for place in range(len(headers)) if place not in tunes]
        if not open_:
            break
        seeded = replace(sampling, seed=sampling.seed + 1_000_003 * attempt)
        asked = [forms[place] for place in open_] if forms else ()
        drawn = sample(model, vocabulary, [headers[place] for place in open_], seeded, forms=asked)
        read = {
            p: tune for p, tokens in zip(open_, drawn, strict=True) if (tune := _read(headers[p], tokens, vocabulary))
        }
        first = first or [read.get(place) for place in range(len(headers))]
        copied = _copies(read, known)
        unreadable, copies = unreadable + len(open_) - len(read), copies + len(copied)
        tunes |= {place: tune for place, tune in read.items() if place not in copied}
    missing = len(headers) - len(tunes)
    if missing:
        raise InputError(
            f"{missing} of {len(headers)} tunes did not come to an end, or copied known ones, in {TRIES} draws each; "
            "change the temperature or the seed, or train longer"
        )
    return Composed([tunes[place] for place in range(len(headers))], first, unreadable, copies)


def _read(header: Tune, tokens: list[int] | None, vocabulary: Vocabulary) -> Tune | None:
    body = vocabulary.decode(tokens, header.frame) if tokens else ""
    return replace(header, body=body) if readable(header.header + body) else None


def _copies(read: dict[int, Tune], known: KnownRuns | None) -> set[int]:
    if known is None or not read:
        return set()
    shared = known.shared(table_of(list(read.values())))
    return {place for place, copied in zip(read, shared.tolist(), strict=True) if copied}


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


def headers_like(
    tunes: Sequence[Tune], vocabulary: Vocabulary, count: int, seed: int
) -> tuple[list[Tune], list[Form | None]]:
    """Headers of tunes in a plain key and with a metre, drawn at random and numbered anew, and their forms.

    A form is the control codes of that tune (its sections and their bars); None where the rules cannot keep it.
    """
    plain = [tune for tune in tunes if tune.frame.sharps is not None and Place.of(tune).bar_length]
    if not plain:
        raise InputError("views/tunes: no tune has a plain key and a metre to begin from")
    picked = [plain[row] for row in np.random.default_rng(seed).integers(0, len(plain), count)]
    headers = [renumbered(tune, number) for number, tune in enumerate(picked, start=1)]
    return headers, [Form.of_lengths(section_bars(tune, vocabulary)) for tune in picked]


def renumbered(tune: Tune, number: int) -> Tune:
    """The bare header of a tune (X, L, M, K) with a number of its own, and no body."""
    return make_header(number, tune.field("M"), tune.field("K"), tune.field("L") or None)


def run(cfg: Config, out: Path) -> Report:
    """Stage `generation_tune_lm`: tunes as ABC, notes, MIDI files and scores; a study of temperatures to hear."""
    config: TuneGenerationConfig = cfg.generation["tune_lm"]
    folder = stage_folder(cfg.out, "models_tune_lm")
    model, vocabulary = load(folder)
    known = KnownRuns.load(folder / RUNS)
    train = read_tunes(stage_folder(cfg.out, "views_tunes"), "train")
    count = by_profile(config.count, cfg)
    headers, forms = headers_like(train, vocabulary, count, cfg.seed)
    sampling = Sampling(config.temperature, config.top_k, config.top_p, cfg.seed, config.constrained)
    made = compose_tunes(model, vocabulary, headers, sampling, known, forms)
    names = [f"tune_{number:04d}" for number in range(1, count + 1)]
    pieces = [as_piece(tune, name) for tune, name in zip(made.tunes, names, strict=True)]
    write_tables(NoteTable.from_pieces(pieces), out)
    write_text(out / "tunes.abc", "\n".join(tune.header + tune.body for tune in made.tunes))
    write_text(out / "first_draws.abc", "\n".join(tune.header + tune.body for tune in made.first if tune is not None))
    for name, tune, piece in list(zip(names, made.tunes, pieces, strict=True))[: config.files]:
        write_midi(piece, out / f"{name}.mid")
        write_score(tune.header + tune.body, out / f"{name}.svg", png=True)
    write_exhibits([heard_temperatures(model, vocabulary, config, cfg.seed, out)], out)
    return _report(config, made, known)


def by_profile(counts: dict[str, int], cfg: Config) -> int:
    """A number that the configuration gives by profile; a profile that is not named takes the most."""
    return counts.get(cfg.profile.name, max(counts.values()))


def heard_temperatures(
    model: TuneModel, vocabulary: Vocabulary, config: TuneGenerationConfig, seed: int, out: Path
) -> Exhibit:
    """One tune at each temperature of the study, under one header and seed, as MIDI and score."""
    header, items = make_header(1, *HEARD), []
    (out / "temperature").mkdir()
    for temperature in config.temperatures:
        sampling = Sampling(temperature, config.top_k, config.top_p, seed, constrained=True)
        tokens = sample(model, vocabulary, [header], sampling, forms=[Form.parse("AABB")])[0]
        tune = _read(header, tokens, vocabulary)
        if tune is None:  # a model that learned little does not end
            continue
        stem = f"temperature/t{round(100 * temperature):03d}"
        write_midi(as_piece(tune, stem), out / f"{stem}.mid")
        write_score(tune.header + tune.body, out / f"{stem}.svg")
        facts: dict[str, float | int | str] = {"temperature": temperature, "notes": len(as_piece(tune, stem).notes)}
        items.append(Item(f"T {temperature:g}", midi=f"{stem}.mid", score=f"{stem}.svg", render=True, facts=facts))
    told = "One header, one seed, one form (AABB), bars that add up: what the temperature alone changes."
    return Exhibit("temperature", "Temperature", told, items)


def _report(config: TuneGenerationConfig, made: Composed, known: KnownRuns) -> Report:
    count, readable_first = len(made.tunes), [tune for tune in made.first if tune is not None]
    raw = int(known.shared(table_of(readable_first)).sum()) if readable_first else 0
    left = int(known.shared(table_of(made.tunes)).sum())
    return Report(
        summary=f"{count} tunes at temperature {config.temperature}; {made.copies} copies of train drawn again",
        counts={"tunes": count, "unreadable_draws": made.unreadable, "copies_refused": made.copies, "copies": left},
        shares={"copies_among_first_draws": raw / max(len(readable_first), 1)},
        checks=[
            Check("every_tune_is_readable", count == len(made.first), detail=f"{count} tunes"),
            Check("no_tune_copies_train", not left, detail=f"{left} of {count} share a run of {known.notes} notes"),
        ],
    )
