"""Likelihoods on one definition, so that models of different tokens compare.

A model gives the total negative log-likelihood of a set of pieces in nats, whatever its tokens are. It is divided by
what the music has, not by what the tokenizer made of it: notes, seconds, sixteenths or characters of the source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hocket.errors import InputError
from hocket.notes import NoteTable
from hocket.views.sounding import STEPS_PER_QUARTER, prepare


@dataclass(frozen=True)
class Extent:
    """How much music a set of pieces is.

    Attributes:
        notes: number of notes.
        seconds: from each piece's beginning to the end of its last note, summed.
        sixteenths: the same in sixteenths of the score.
    """

    notes: int
    seconds: float
    sixteenths: float


def extent_of(table: NoteTable) -> Extent:
    """The extent of all pieces of a table."""
    sounding = prepare(table)
    last = np.zeros(sounding.pieces)
    np.maximum.at(last, sounding.piece, sounding.end)
    return Extent(
        notes=table.notes.num_rows,
        seconds=float(sum(table.piece_column("end_s"))),
        sixteenths=float(last.sum() * STEPS_PER_QUARTER),
    )


def likelihoods(nats: float, extent: Extent) -> dict[str, float]:
    """One total in the units of the boards; lower is better in all of them.

    Args:
        nats: negative log-likelihood of all pieces together, every symbol counted: what a model does not predict (an
            end, a header, a dropped symbol) has to be paid for, or be given to all models alike.
        extent: of the same pieces.

    Returns:
        ``bits_per_note``, ``bits_per_second``, ``nats_per_16th``.

    Raises:
        InputError: there is no music, or the total is not a finite number of 0 or more.
    """
    if not math.isfinite(nats) or nats < 0:
        raise InputError(f"likelihood: a total of {nats} nats; a model that gives 0 or NaN to a piece has none")
    if extent.notes <= 0 or extent.seconds <= 0 or extent.sixteenths <= 0:
        raise InputError("likelihood: the pieces have no notes; score at least one piece")
    bits = nats / math.log(2)
    return {
        "bits_per_note": bits / extent.notes,
        "bits_per_second": bits / extent.seconds,
        "nats_per_16th": nats / extent.sixteenths,
    }


def bits_per_character(nats: float, texts: list[str]) -> float:
    """Bits per character of the source text of ABC tunes, every character counted; lower is better.

    Raises:
        InputError: there is no text.
    """
    characters = sum(map(len, texts))
    if not characters:
        raise InputError("likelihood: the tunes have no text; score at least one tune")
    return nats / math.log(2) / characters
