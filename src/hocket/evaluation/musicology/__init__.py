"""Musicological metrics on note tables: one function each, its docstring the specification.

Every function takes a `Sounding` (see `prepare`) and returns for each piece one number (METRICS) or one row of counts
(HISTOGRAMS).
"""

from __future__ import annotations

from collections.abc import Callable

from hocket.evaluation.musicology import pitch, rhythm, structure
from hocket.views.sounding import Floats, Sounding, prepare

Metric = Callable[[Sounding], Floats]

METRICS: dict[str, Metric] = {
    function.__name__: function
    for function in (
        pitch.pitch_class_entropy,
        pitch.scale_consistency,
        pitch.key_clarity,
        pitch.pitch_range,
        pitch.used_pitch_classes,
        pitch.mean_interval,
        pitch.contour,
        pitch.dissonance,
        pitch.tonal_distance,
        rhythm.polyphony,
        rhythm.empty_bar_rate,
        rhythm.empty_beat_rate,
        rhythm.qualified_note_rate,
        rhythm.note_density,
        rhythm.mean_inter_onset,
        rhythm.groove_consistency,
        rhythm.syncopation,
        rhythm.drum_pattern_ratio,
        rhythm.bar_sums,
        structure.distinct_bar_ratio,
        structure.self_similarity,
    )
}
HISTOGRAMS: dict[str, Metric] = {
    function.__name__: function
    for function in (
        pitch.pitch_class_histogram,
        pitch.interval_histogram,
        pitch.pitch_class_transitions,
        rhythm.note_length_histogram,
        rhythm.inter_onset_histogram,
        rhythm.note_length_transitions,
    )
}

__all__ = ["HISTOGRAMS", "METRICS", "Metric", "Sounding", "prepare"]
