"""Metrical and harmonic context of every note: beat, bar, local tempo, key, chord, scale degree, top voice and bass.

Scores say where their beats are; a performance that was recorded without a click does not, and is listened to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.corpus import context_beats, context_harmony, context_key, context_voices
from hocket.corpus.tempo import tempo_maps
from hocket.notes import METRE, SUSTAIN, Array, NoteTable, column_array, piece_codes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beats:
    """The beats of a corpus, by piece, then time.

    Attributes:
        piece: (beats,) row of `pieces`.
        onset_s: (beats,) seconds.
        end_s: (beats,) seconds at which the next beat of the piece begins; the last is as long as the one before.
        is_downbeat: (beats,) whether a bar begins.
        estimated: (pieces,) whether they were heard rather than read.
    """

    piece: Ints
    onset_s: Floats
    end_s: Floats
    is_downbeat: Mask
    estimated: Mask


def heard_pieces(table: NoteTable) -> Mask:
    """(pieces,) whether beats must be heard: recorded, and not of drums alone, which are played to a click."""
    pitched = np.bincount(table.piece_of_note[~table.column("is_drum")], minlength=len(table)) > 0
    return np.asarray(np.asarray(table.piece_column("origin"), str) == "recorded") & pitched


def find_beats(table: NoteTable, heard: Mask | None = None) -> Beats:
    """Beats from tempo map and metre where they are to be trusted, else by `context_beats.track`.

    Args:
        table: the notes, with pedals in `controls`.
        heard: (pieces,) which pieces to listen to; `heard_pieces` if not given.
    """
    heard = heard_pieces(table) if heard is None else heard
    piece, onset, downbeat = read_beats(table)
    read = ~heard[piece]
    parts = [(piece[read], onset[read], downbeat[read])]
    for row in np.flatnonzero(heard).tolist():
        times, firsts = hear_beats(table, row)
        parts.append((np.full(len(times), row, np.int64), times, firsts))
    piece, onset, downbeat = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((onset, piece))
    piece, onset, downbeat = piece[order], onset[order], downbeat[order]
    return Beats(piece, onset, _ends(piece, onset), downbeat, heard)


def _ends(piece: Ints, onset: Floats) -> Floats:
    if len(onset) == 0:
        return onset
    last = np.append(np.diff(piece) != 0, True)
    length = np.append(np.diff(onset), 0.0)
    before = np.append(0.5, length[:-1])  # a piece of one beat: half a second
    before[np.append(True, last[:-1])] = 0.5
    ends: Floats = onset + np.where(last, before, length)
    return ends


def hear_beats(table: NoteTable, row: int) -> tuple[Floats, Mask]:
    """Seconds of the beats of one performance, and which begin a bar."""
    mine = slice(int(table.offsets[row]), int(table.offsets[row + 1]))
    pitched = ~table.column("is_drum")[mine]
    names = ("onset_s", "duration_s", "pitch", "velocity")
    onset, duration, pitch, velocity = (table.column(name)[mine][pitched] for name in names)
    onsets = context_beats.find_onsets(onset, duration, pitch.astype(np.int64), velocity, pedal_lifts(table, row))
    beats = context_beats.track(onsets)
    return beats, context_beats.find_downbeats(beats, onsets)


def pedal_lifts(table: NoteTable, row: int) -> Floats:
    """(lifts,) seconds at which the sustain pedal of a piece goes from 64 or more to less (MIDI 1.0: on and off)."""
    start, stop = np.searchsorted(piece_codes(table.controls), (row, row + 1))
    controls = table.controls.slice(int(start), int(stop - start))
    sustain = column_array(controls, "controller") == SUSTAIN
    down = column_array(controls, "value")[sustain] >= 64
    lifts: Floats = column_array(controls, "onset_s")[sustain][1:][down[:-1] & ~down[1:]]
    return lifts


def read_beats(table: NoteTable) -> tuple[Ints, Floats, Mask]:
    """Row of `pieces`, seconds, and whether a bar begins, of every beat that tempo maps and metres state.

    A beat is the note value below the metre's line, three of them in compound metres (6/8, 9/8, 12/8); 4/4 until the
    first metre. Beats run to the end of the last note. An upbeat (less than a bar before the metre is said again) has
    beats and no downbeat.
    """
    piece, start, above, below = _metres(table)
    last = np.zeros(len(table), np.int64)
    np.maximum.at(last, table.piece_of_note, table.column("onset_ticks") + table.column("duration_ticks"))
    stop = np.where(
        np.append(np.diff(piece) != 0, True)[: len(piece)], last[piece], np.append(start[1:], 0)[: len(piece)]
    )
    compound = (above % 3 == 0) & (above > 3) & (below >= 8)
    units = np.where(compound, 3, 1)
    beat_ticks = column_array(table.pieces, "ticks_per_quarter")[piece] * 4.0 * units / below
    count = np.maximum(np.ceil((stop - start) / beat_ticks), 0).astype(np.int64)
    segment = np.repeat(np.arange(len(piece)), count)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    ticks = start[segment] + number * beat_ticks[segment]
    per_bar = np.maximum(above // units, 1)
    followed = np.append(np.diff(piece) == 0, False)[: len(piece)]
    upbeat = (start == 0) & followed & (count < per_bar)
    downbeat = (number % per_bar[segment] == 0) & ~upbeat[segment]
    return piece[segment], tempo_maps(table).seconds(piece[segment], ticks), downbeat


def _metres(table: NoteTable) -> tuple[Ints, Ints, Ints, Ints]:
    """Row of `pieces`, tick, and the two numbers of every metre; each piece has one at tick 0."""
    rows = column_array(table.timeline, "kind") == METRE
    piece, ticks, above, below = (
        np.concatenate([filled, stated]).astype(np.int64)
        for filled, stated in (
            (np.arange(len(table)), piece_codes(table.timeline)[rows]),
            (np.zeros(len(table)), column_array(table.timeline, "onset_ticks")[rows]),
            (np.full(len(table), 4), column_array(table.timeline, "a")[rows]),
            (np.full(len(table), 4), column_array(table.timeline, "b")[rows]),
        )
    )
    order = np.lexsort((ticks, piece))
    last = np.append((np.diff(piece[order]) != 0) | (np.diff(ticks[order]) != 0), True)[: len(order)]
    kept = order[last]
    return piece[kept], ticks[kept], np.maximum(above[kept], 1), np.maximum(below[kept], 1)


def note_context(table: NoteTable, beats: Beats) -> dict[str, Array]:
    """Context of every note, one array (notes,) per name.

    Returns:
        beat: row of `beats` in which the note begins (the first or last of its piece for notes outside), -1 without.
        beat_phase: 0..1 within that beat; below 0 before the first, above 1 after the last; 0 without beats.
        bar_position: beats since the downbeat, phase included; 0 without beats.
        tempo_bpm: beats a minute around that beat, NaN without beats.
        key_tonic, key_mode: of the piece; pitch class, and index into MODES.
        chord_root, chord_quality: of the beat, `context_harmony.NO_CHORD` without.
        degree, chord_degree: scale degree 1..7 of the note and of the chord's root, 0 if foreign to the key.
        is_top, is_bass: whether nothing higher, or lower, sounds when it begins.
    """
    at = beat_of_notes(table, beats)
    there = at >= 0
    safe = np.where(there, at, 0)
    phase, position, tempo = np.zeros(len(at)), np.zeros(len(at)), np.full(len(at), np.nan)
    root = quality = np.full(len(at), context_harmony.NO_CHORD)
    keys = context_key.piece_keys(table)
    if len(beats.piece):
        length = beats.end_s - beats.onset_s
        phase = np.where(there, (table.column("onset_s") - beats.onset_s[safe]) / length[safe], 0.0)
        position = np.where(there, beats_since_downbeat(beats)[safe] + phase, 0.0)
        tempo = np.where(there, local_tempo(beats)[safe], np.nan)
        weights = context_harmony.sounding_weights(table, beats.piece, beats.onset_s, beats.end_s)
        chords = context_harmony.find_chords(weights)
        root, quality = (np.where(there, values[safe], -1) for values in (chords.root, chords.quality))
    of_note = table.piece_of_note
    noted = context_key.Keys(keys.tonic[of_note], keys.mode[of_note], keys.margin[of_note])
    top, bass = context_voices.outer_voices(table)
    pitch_class = table.column("pitch").astype(np.int64) % 12
    return {
        "beat": at,
        "beat_phase": phase,
        "bar_position": position,
        "tempo_bpm": tempo,
        "key_tonic": noted.tonic,
        "key_mode": noted.mode,
        "chord_root": root,
        "chord_quality": quality,
        "degree": context_harmony.degrees(pitch_class, noted),
        "chord_degree": context_harmony.degrees(root, noted),
        "is_top": top,
        "is_bass": bass,
    }


def beat_of_notes(table: NoteTable, beats: Beats) -> Ints:
    """(notes,) row of the beat in which each note begins, the nearest of its piece outside of all, -1 without."""
    piece, onset = table.piece_of_note, table.column("onset_s")
    first = np.searchsorted(beats.piece, np.arange(len(table)), side="left")
    last = np.searchsorted(beats.piece, np.arange(len(table)), side="right") - 1
    span = float(max(onset.max(initial=0), beats.end_s.max(initial=0))) + 1
    axis = beats.piece * span + beats.onset_s
    tolerance = 1e-6  # a note on the beat belongs to it, whatever the rounding
    at = np.searchsorted(axis, piece * span + onset + tolerance, side="right") - 1
    at = np.clip(at, first[piece], np.maximum(last[piece], first[piece]))
    return np.where((last >= first)[piece], at, -1).astype(np.int64)


def beats_since_downbeat(beats: Beats) -> Ints:
    """(beats,) how many beats ago the bar began; beats before the first downbeat count from the first beat."""
    number = np.arange(len(beats.piece))
    begins = beats.is_downbeat | np.append(True, np.diff(beats.piece) != 0)[: len(number)]
    since: Ints = number - np.maximum.accumulate(np.where(begins, number, 0))
    return since


def local_tempo(beats: Beats, width: int = 2) -> Floats:
    """(beats,) beats a minute over a beat and up to `width` neighbours of its piece on both sides."""
    number = np.arange(len(beats.piece))
    first = np.searchsorted(beats.piece, beats.piece, side="left")
    last = np.searchsorted(beats.piece, beats.piece, side="right") - 1
    low, high = np.maximum(number - width, first), np.minimum(number + width, last)
    tempo: Floats = 60 * (high - low + 1) / (beats.end_s[high] - beats.onset_s[low])
    return tempo
