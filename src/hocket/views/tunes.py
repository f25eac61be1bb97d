"""The view `tunes`: ABC tunes as tokens, exact to the byte, with their place in the bar and their repetition.

A vocabulary holds the end of a tune, the 256 bytes, and the units that train uses often; what it does not know is
spelled in bytes, so that there is no unknown token and every text comes back as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config import Config
from hocket.config.tunes import TunesConfig
from hocket.corpus.readers.abc_fields import read_unit
from hocket.errors import InputError, MusicError
from hocket.files import write_text
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.views.abc_text import TEXT, Frame, Tune, parse_tune, unit_text, units_of
from hocket.views.echoes import SOURCES, Echoes
from hocket.views.matching import match
from hocket.views.tune_bars import BAR, BARS, SECTIONS, SOUND, Place, Sign, sign_of

END, FIRST_BYTE = 0, 1
FIRST_UNIT = FIRST_BYTE + 256
FIELDS = (
    "token", "place", "left", "bar", "section", "sections", "bars", "metre", "tonic", "sharps", "unit",
    "match", "level", *(f"echo_{name}" for name in SOURCES), *(f"agreed_{name}" for name in SOURCES),
)  # fmt: skip
CODES = slice(1, 11)  # what has an embedding of its own: place to unit
FORM = slice(5, 7)  # the control codes: sections of the tune and bars of this section, 0 for not told
TOKENS = slice(11, len(FIELDS))  # the match and the echoes
SIGHTS = {  # fields by what a model may be told, see `hocket.config.tunes.SIGHTS`
    "token": slice(0, 1),
    "place": slice(1, 5),
    "form": FORM,
    "header": slice(7, 11),
    "match": slice(11, 13),
    "echoes": slice(13, len(FIELDS)),
}
METRES, TONICS, SHARPS, UNITS = 16, 7, 16, 8  # codes; 0 of metre, sharps and unit is any other
_UNIT_NAMES = ("1/1", "1/2", "1/4", "1/8", "1/16", "1/32")
TUNES_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("split", pa.string()),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
# what a student's tokenizer kept: naked letters and numbers; accidentals, octaves, chords and blanks were lost
LOSSY = r"[A-Ga-gz][0-9]*|[|:]+|\(3"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """Tokens of tunes.

    Attributes:
        tokenizer: ``musical`` (units of `hocket.views.abc_text`) or ``char``.
        units: the units that have a token of their own, from FIRST_UNIT on.
        metres: metres that have a code of their own.
    """

    tokenizer: str
    units: tuple[str, ...]
    metres: tuple[str, ...]

    @classmethod
    def fit(cls, tunes: Iterable[Tune], config: TunesConfig) -> Vocabulary:
        """The vocabulary of a training set."""
        counts: Counter[str] = Counter()
        metres: Counter[str] = Counter()
        for tune in tunes:
            counts.update(_cut(config.tokenizer, tune.body, tune.frame))
            metres[tune.field("M")] += 1
        kept = sorted(unit for unit, count in counts.items() if count >= config.min_count)
        common = sorted(metres, key=lambda metre: (-metres[metre], metre))[: METRES - 1]
        return cls(config.tokenizer, tuple(kept), tuple(common))

    def __len__(self) -> int:
        return FIRST_UNIT + len(self.units)

    @property
    def digest(self) -> str:
        """Names the vocabulary: weights belong to one, and another of the same size would speak other units."""
        content = json.dumps([self.tokenizer, self.units, self.metres])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {unit: FIRST_UNIT + place for place, unit in enumerate(self.units)}

    @cached_property
    def signs(self) -> list[Sign]:
        """What every token does to the time."""
        spelled = [sign_of(f"{TEXT}{chr(code)}") for code in range(256)]
        return [Sign(0), *spelled, *map(sign_of, self.units)]

    def encode(self, body: str, frame: Frame) -> list[int]:
        """Tokens of a body, without the end."""
        tokens: list[int] = []
        for unit in _cut(self.tokenizer, body, frame):
            code = self._codes.get(unit)
            spelled = () if code else (FIRST_BYTE + byte for byte in unit_text(unit, frame).encode())
            tokens.extend([code] if code else spelled)
        return tokens

    def decode(self, tokens: Iterable[int], frame: Frame) -> str:
        """The text of tokens up to the first END; the inverse of `encode` under the same frame."""
        text = b""
        for token in tokens:
            if token == END:
                break
            code = int(token)
            text += (
                bytes([code - FIRST_BYTE])
                if code < FIRST_UNIT
                else unit_text(self.units[code - FIRST_UNIT], frame).encode()
            )
        return text.decode(errors="replace")  # a sample may break off inside a character

    def context(self, tune: Tune) -> list[int]:
        """Codes of metre, tonic, signature and unit length."""
        metre, sharps, unit = (
            tune.field("M"),
            tune.frame.sharps,
            "/".join(map(str, read_unit(tune.field("L") or "1/8"))),
        )
        return [
            self.metres.index(metre) + 1 if metre in self.metres else 0,
            tune.frame.tonic % 7,
            sharps + 8 if sharps is not None else 0,
            _UNIT_NAMES.index(unit) + 1 if unit in _UNIT_NAMES else 0,
        ]

    def save(self, path: Path) -> None:
        """Writes vocabulary.json."""
        content = {"tokenizer": self.tokenizer, "units": self.units, "metres": self.metres}
        write_text(path, json.dumps(content, indent=0, ensure_ascii=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads what `save` wrote.

        Raises:
            InputError: it is not there or damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(content["tokenizer"], tuple(content["units"]), tuple(content["metres"]))
        except FileNotFoundError:
            raise InputError(f"{path}: not there; run the stage views_tunes and train the model first") from None
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: no vocabulary ({error}); run the stage views_tunes again") from None


def _cut(tokenizer: str, body: str, frame: Frame) -> list[str]:
    return [f"{TEXT}{character}" for character in body] if tokenizer == "char" else units_of(body, frame)


@dataclass(frozen=True)
class Rows:
    """Tunes as the model reads them: row t holds what is known before token t.

    Attributes:
        inputs: (rows, FIELDS) previous token (END at the beginning); place in the bar, what is left of it, bar,
            section; sections of the tune and bars of this one; metre, tonic, signature, unit; token of the match and
            length of its suffix; tokens of the echoes and how long they agreed; 0 for none.
        targets: (rows,) tokens; the last of each tune is END.
        offsets: (tunes + 1,).
        characters: (tunes,) of the bodies, what bits are divided by.
    """

    inputs: Ints
    targets: Ints
    offsets: Ints
    characters: Ints

    @property
    def lengths(self) -> list[int]:
        """Rows of each tune."""
        return [int(length) for length in np.diff(self.offsets)]


def rows_of(tunes: Sequence[Tune], vocabulary: Vocabulary, *, told_form: bool = False) -> Rows:
    """Rows of a set of tunes.

    Args:
        tunes: any.
        vocabulary: of the model.
        told_form: whether the rows hold the control codes, which say something about the bodies.
    """
    tokens, codes, echoes, contexts = [], [], [], []
    for tune in tunes:
        encoded = vocabulary.encode(tune.body, tune.frame)
        tokens.append(np.array([*encoded, END], np.int64))
        places, heard = _along(encoded, vocabulary, Place.of(tune))
        codes.append(np.hstack([places, form_codes(places, encoded, vocabulary) * told_form]))
        echoes.append(heard)
        contexts.append(vocabulary.context(tune))
    lengths = [len(part) for part in tokens]
    owner = np.repeat(np.arange(len(tunes)), lengths)
    offsets = np.append(0, np.cumsum(lengths, dtype=np.int64))
    targets = np.concatenate([*tokens, np.zeros(0, np.int64)])
    inputs = np.zeros((len(targets), len(FIELDS)), np.int64)
    inputs[1:, 0] = targets[:-1]
    inputs[offsets[:-1], 0] = END
    if len(tunes):
        inputs[:, 1:7], inputs[:, 7:11] = np.concatenate(codes), np.array(contexts)[owner]
        inputs[:, 13:] = np.concatenate(echoes)
    source, inputs[:, 12] = match(targets, owner)
    inputs[source >= 0, 11] = targets[source[source >= 0]]
    return Rows(inputs, targets, offsets, np.array([len(tune.body) for tune in tunes], np.int64))


def _along(tokens: Sequence[int], vocabulary: Vocabulary, place: Place) -> tuple[Ints, Ints]:
    """(tokens + 1, 4) codes of the place and (tokens + 1, 6) echoes before each token and after the last."""
    signs, echoes = vocabulary.signs, Echoes()
    codes, heard = [place.codes()], [[0] * 2 * len(SOURCES)]
    for token in tokens:
        sign = signs[token]
        place.step(sign)
        echoes.append(token, place.since, sign.kind == BAR, sign.kind == BAR and bool(sign.values[0]))
        told, agreed = echoes.predict()
        codes.append(place.codes())
        heard.append([*told, *agreed])
    return np.array(codes, np.int64), np.array(heard, np.int64)


def section_bars(tune: Tune, vocabulary: Vocabulary) -> list[int]:
    """The control codes of a tune: bars of each section that has notes."""
    tokens = vocabulary.encode(tune.body, tune.frame)
    places, _ = _along(tokens, vocabulary, Place.of(tune))
    codes = form_codes(places, tokens, vocabulary)
    return [int(codes[places[:, 3] == section, 1].max(initial=0)) for section in range(int(codes[0, 0]))]


def form_codes(places: Ints, tokens: Sequence[int], vocabulary: Vocabulary) -> Ints:
    """(rows, 2) control codes: sections of the tune that have notes, and bars of the section of each row."""
    sounding = [row for row, token in enumerate(tokens) if vocabulary.signs[token].kind == SOUND]
    bars = np.zeros(SECTIONS, np.int64)
    np.maximum.at(bars, places[sounding, 3], np.minimum(places[sounding, 2] + 1, BARS - 1))
    return np.stack([np.full(len(places), (bars > 0).sum()), bars[places[:, 3]]], 1)


def tunes_of(table: NoteTable, config: TunesConfig) -> tuple[pa.Table, dict[str, int]]:
    """The tunes that carry ABC text, and how many were ``kept``, ``no_text``, ``too_long``, ``unreadable``."""
    counts = dict.fromkeys(("kept", "no_text", "too_long", "unreadable"), 0)
    rows: list[dict[str, Any]] = []
    for row in table.pieces.select(TUNES_SCHEMA.names).to_pylist():
        reason = _reason(row["text"], config)
        counts[reason] += 1
        if reason == "kept":
            rows.append(row)
    return pa.Table.from_pylist(rows, TUNES_SCHEMA), counts


def _reason(text: str | None, config: TunesConfig) -> str:
    if not text:
        return "no_text"
    if len(text) > config.max_characters:
        return "too_long"
    try:
        Place.of(parse_tune(text))
    except MusicError:
        return "unreadable"
    return "kept"


def read_tunes(folder: Path, *splits: str) -> list[Tune]:
    """The tunes of some splits (all if none is named), in the order of the corpus.

    Raises:
        InputError: the view was not made yet.
    """
    path = folder / "tunes.parquet"
    try:
        rows = pq.read_table(path).to_pylist()
    except FileNotFoundError:
        raise InputError(f"{path}: not there; run the stage views_tunes first") from None
    return [parse_tune(row["text"]) for row in rows if not splits or row["split"] in splits]


def run(cfg: Config, out: Path) -> Report:
    """Stage `views_tunes`: the tunes that the profile names, and the vocabulary of its training split."""
    config: TunesConfig = cfg.view["tunes"]
    table = read_tables(stage_folder(cfg.out, "corpus_split"))
    wanted = set(cfg.profile.corpora.get("tunes", []))
    rows = [row for row, corpus in enumerate(table.piece_column("corpus")) if corpus in wanted]
    kept, counts = tunes_of(table.take(rows), config)
    pq.write_table(kept, out / "tunes.parquet", compression="zstd")
    vocabulary = Vocabulary.fit(read_tunes(out, "train"), config)
    vocabulary.save(out / "vocabulary.json")
    tunes = read_tunes(out)
    checks = [
        _round_trip(tunes, vocabulary),
        Check("counts_add_up", sum(counts.values()) == len(rows), detail=f"{len(rows)} pieces: {counts}"),
    ]
    splits = kept.column("split").to_pylist()
    per_split = {f"tunes_{name}": splits.count(name) for name in ("train", "validation", "test")}
    return Report(
        summary=f"{len(tunes):,} tunes, {len(vocabulary):,} tokens in the vocabulary",
        counts={**counts, **per_split, "vocabulary": len(vocabulary), "units": len(vocabulary.units)},
        metrics={"exhibit_lossy_regex": loss_of(tunes)},
        checks=checks,
    )


def _round_trip(tunes: Sequence[Tune], vocabulary: Vocabulary) -> Check:
    exact = sum(vocabulary.decode(vocabulary.encode(tune.body, tune.frame), tune.frame) == tune.body for tune in tunes)
    return Check("every_tune_comes_back", exact == len(tunes), detail=f"{exact} of {len(tunes)} byte for byte")


def loss_of(tunes: Sequence[Tune]) -> dict[str, float]:
    """What the lossy regex loses: share of characters dropped, and share of tunes that come back."""
    kept = ["".join(re.findall(LOSSY, tune.body)) for tune in tunes]
    total = sum(len(tune.body) for tune in tunes)
    intact = sum(text == tune.body.strip() for text, tune in zip(kept, tunes, strict=True))
    return {
        "characters_lost": 1 - sum(map(len, kept)) / max(total, 1),
        "tunes_intact": intact / max(len(tunes), 1),
    }
