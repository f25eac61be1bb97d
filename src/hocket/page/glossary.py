"""One sentence for each word that the page uses; the musicological metrics explain themselves by their docstrings."""

from __future__ import annotations

from collections.abc import Collection

WORDS = {
    "accuracy": "Share of predictions that are right; it flatters where one answer, such as silence, is common.",
    "accuracy_exact": "Share of sixteenths on which every part of the prediction is right.",
    "accuracy_onsets": "Share of note onsets, rests and holds left out, at which the right pitch is predicted.",
    "active_units": "Latent dimensions that carry information about the music; few of them means a collapsed code.",
    "bits_per_char": "Bits that the model needs for one character of the tune's text; lower is better.",
    "bits_per_note": "Bits that the model needs for one note, everything it has to predict counted; lower is better.",
    "ceiling": "What held-out real music scores on the same measure: nothing need be better.",
    "coverage": "Share of real pieces with a generated one near them; low means that whole kinds of music are missing.",
    "diversity": "Mean distance between generated pieces over that between real ones; near 0 they are all alike.",
    "duration_log_pearson": "Mean over pieces of the correlation between predicted and true log duration.",
    "duration_log_r2_within": "R2 of log duration within pieces, so that knowing a piece's mean length earns nothing.",
    "duration_spread": "Spread of predicted over spread of true durations; below 1 the model plays too evenly.",
    "duration_log_r2": "R2 of the logarithm of the duration in seconds.",
    "duration_mae_ms": "Mean absolute error of the duration in milliseconds.",
    "duration_r2": "Share of the variance of duration that the model explains; 0 is no better than the mean.",
    "f1": "Harmonic mean of precision and recall.",
    "floor": "What a method without learning scores: a model below it has learned nothing of use.",
    "free_running": "The model is fed its own predictions, as it is when it makes music.",
    "interval": "The line in a bar: 95 % of bootstrap resamples of the pieces fall inside.",
    "kld": "Kullback-Leibler divergence of the distances inside a set from those between two sets; lower is better.",
    "lufs": "Loudness as heard over the whole file (ITU-R BS.1770); streaming services aim at -14 to -16.",
    "mae": "Mean absolute error, in the unit of what is predicted.",
    "nats_per_16th": "Nats that the model needs for one sixteenth of a melody; lower is better.",
    "readable": "Share of sampled tunes that the reader of ABC takes.",
    "interior_bars_right": "Share of the bars between two bar lines, upbeats and section ends aside, that are full.",
    "all_bars_right": "Share of tunes whose bars all add up.",
    "repeats_well_formed": "Share of tunes whose repeats and endings open and close in order.",
    "loops": "Share of tunes in which a phrase of 1, 2 or 4 bars stands four times in a row.",
    "copies": "Share of tunes that have a run of 32 notes in common with a tune of train.",
    "style_heard": "How often a classifier trained on real songs names the style that was asked for; a guess is 0.5.",
    "near_train": "Share of pieces nearer to the training set than 95 % of held-out real pieces are; real is 0.05.",
    "ngram_share": "Share of 12-note runs that stand in the training set, in any key or tempo; real tunes share some.",
    "one_step_ahead": "The model sees the true past of each note, its loudness and timing included.",
    "origin": "Where notes come from: recorded (played by a person), score (written), "
    "rendered (a score played by rules), generated (made by a program).",
    "overlap_area": "Area that the distributions of two sets share; 1 when they are the same.",
    "performance": "The model sees the timing of the performance, but no loudness.",
    "precision": "Share of predicted hits that are true hits.",
    "recall": "Share of true hits that are predicted.",
    "rmse": "Root of the mean squared error, in the unit of what is predicted.",
    "score_only": "The model sees what is written in the score and nothing of the performance.",
    "teacher_forced": "The model is fed the true past; it flatters a model that will have to live with its own.",
    "two_sample_accuracy": "How often a classifier tells generated from real music; 0.5 is as good as it gets.",
    "unconditional": "The model is given nothing to go on and makes whole pieces.",
    "velocity_mae": "Mean absolute error of velocity on the MIDI scale 0 to 127.",
    "velocity_pearson": "Mean over pieces of the correlation between predicted and true velocity.",
    "velocity_rmse": "Root mean squared error of velocity on the MIDI scale 0 to 127.",
    "velocity_spread": "Spread of predicted over spread of true velocities; below 1 dynamics are flattened.",
    "velocity_spread_sampled": "Spread of velocities drawn from the model over that of the true ones; 1 is best.",
    "velocity_within_spread": "Share of notes within one predicted spread of the truth; 0.68 if the spread is right.",
    "duration_spread_sampled": "Spread of log durations drawn from the model over that of the true ones; 1 is best.",
    "duration_within_spread": "Share of notes within one predicted spread of the truth; 0.68 if the spread is right.",
    "velocity_r2": "Share of the variance of velocity that the model explains; 0 is no better than the mean.",
    "velocity_r2_within": "Velocity R2 within pieces, so that knowing how loud a piece is earns nothing.",
    "average_precision": "Precision over all thresholds, weighted by the recall that each adds.",
    "biggest_step": "Largest change of one interpolation step over that from end to end; 1 / steps is even.",
    "biggest_share": "Largest change of one interpolation step as a share of all changes; 1 / steps is even.",
    "exact": "Share of pieces that come back without a single wrong step.",
    "kl_bits": "Bits that the code of a piece carries: the divergence of its distribution from the prior; the rate.",
    "mean_accuracy": "Accuracy when decoded from the mean of the code, which evades the rate: compare with accuracy.",
    "negative_elbo": "Upper bound on the nats for a step: reconstruction plus rate; lower is better.",
    "offset_kl": "Divergence of the distribution of offsets made from that of real ones; lower is better.",
    "offset_mae_ms": "Mean absolute error of the offset from the grid in milliseconds, at true hits only.",
    "offset_mse": "Mean squared error of the offset from the grid, in grid steps, at true hits only.",
    "offset_spread": "Spread of the offsets made over that of the true ones; below 1 timing is too straight.",
    "onset_accuracy": "Share of note onsets at which the right pitch comes back.",
    "path_over_direct": "Length of an interpolation over the change from end to end; 1 is straight.",
    "style_after_flip": "Share of pieces that a classifier takes for the style they were turned to.",
    "style_of_samples": "Share of samples that a classifier takes for the style that was asked for.",
    "symbols_kept": "Share of steps that turning a piece to another style leaves as they were.",
    "teacher_accuracy": "Accuracy when the decoder is told the true steps before; it flatters.",
    "velocity_kl": "Divergence of the distribution of velocities made from that of real ones; lower is better.",
    "velocity_mse": "Mean squared error of velocity as a share of the MIDI scale, at true hits only.",
    "bits_per_second": "Bits that the model needs for one second of music; lower is better.",
}
GENERAL = ("ceiling", "floor", "interval", "lufs", "origin")


def glossary(used: Collection[str]) -> dict[str, str]:
    """Sentences for the metrics and settings in use and the general words, by word, sorted.

    Args:
        used: names of metrics and settings on the page; those without a sentence are left out.
    """
    from hocket.evaluation.musicology import METRICS

    sentences = {name: (metric.__doc__ or "").split("\n")[0] for name, metric in METRICS.items()} | WORDS
    return {word: sentences[word] for word in sorted({*used, *GENERAL}) if word in sentences}
