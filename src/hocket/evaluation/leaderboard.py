"""Stage `evaluation_leaderboard`: the rows that every evaluation leaves in board.json, gathered and ranked.

A board compares models on one task; within a board, settings never share a ranking, since a model that sees the past
of its target or the pedal is not better than one that sees the page alone, it is asked another question.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import Any

from hocket.config import Config
from hocket.errors import InputError
from hocket.evaluation.regression import Interval
from hocket.files import write_text
from hocket.report import Report, reads

FILE_NAME = "board.json"
# from what a page knows to what only a performance shows; settings of other models follow by name
SETTINGS = ("score_only", "performance", "one_step_ahead", "free_running")
ROLES = ("floor", "model", "ceiling")


@dataclass(frozen=True)
class Board:
    """One task.

    Attributes:
        title: for people.
        rank_by: metric that orders the rows of a setting; empty where nothing can be ranked.
        higher_is_better: for `rank_by`.
        columns: metrics shown in leaderboard.md, in order; leaderboard.json has all.
    """

    title: str
    rank_by: str
    higher_is_better: bool
    columns: tuple[str, ...]


_HITS = ("f1", "precision", "recall", "average_precision", "accuracy")
# a new board is a line here; the rows come from the evaluations
BOARDS = {
    "velocity": Board(
        "Velocity of each note",
        "velocity_r2",
        True,
        (
            "velocity_r2",
            "velocity_r2_within",
            "velocity_pearson",
            "velocity_mae",
            "velocity_rmse",
            "velocity_spread",
            "velocity_spread_sampled",
        ),
    ),
    "duration": Board(
        "Duration of each note",
        "duration_log_r2",
        True,
        ("duration_log_r2", "duration_log_r2_within", "duration_log_pearson", "duration_mae_ms", "duration_spread"),
    ),
    "melodies": Board(
        "Melodies, against held-out real ones",
        "overlap_area",
        True,
        (
            "overlap_area",
            "kld",
            "two_sample_accuracy",
            "coverage",
            "diversity",
            "near_train",
            "ngram_share",
            "scale_consistency",
            "mean_interval",
            "distinct_bar_ratio",
            "self_similarity",
        ),
    ),
    "melody_likelihood": Board(
        "Likelihood of held-out melodies, style and metre given",
        "nats_per_16th",
        False,
        ("nats_per_16th", "bits_per_note", "bits_per_second"),
    ),
    "melody_styles": Board(
        "Style that a classifier trained on real songs hears in melodies asked for a style",
        "style_heard",
        True,
        ("style_heard",),
    ),
    "latent": Board(
        "Latent spaces of two bars, decoded free running from a sample of z",
        "accuracy",
        True,
        (
            "accuracy",
            "onset_accuracy",
            "exact",
            "kl_bits",
            "negative_elbo",
            "active_units",
            "mean_accuracy",
            "teacher_accuracy",
            "style_of_samples",
            "style_after_flip",
            "symbols_kept",
            "mean_interval",
            "biggest_step",
            "biggest_share",
            "path_over_direct",
        ),
    ),
    "segments": Board(
        "Segments, against held-out real ones",
        "overlap_area",
        True,
        ("overlap_area", "kld", "two_sample_accuracy", "coverage", "diversity", "near_train", "mean_interval"),
    ),
    "tunes": Board(
        "Likelihood of held-out ABC tunes, header given",
        "bits_per_char",
        False,
        ("bits_per_char",),
    ),
    "tune_samples": Board(
        "Sampled ABC tunes under headers of held-out ones",
        "all_bars_right",
        True,
        (
            "readable",
            "all_bars_right",
            "interior_bars_right",
            "repeats_well_formed",
            "distinct_bar_ratio",
            "loops",
            "scale_consistency",
            "ngram_share",
            "copies",
        ),
    ),
    "likelihood": Board(
        "Likelihood of the same held-out tunes, whatever the tokens",
        "bits_per_note",
        False,
        ("bits_per_note", "bits_per_second", "nats_per_16th"),
    ),
    "drums": Board("Drums for held-out songs, the band given", "f1", True, _HITS),
    "drums_folded": Board("Drums for cross-validated songs, the band given", "f1", True, _HITS),
    "drums_given": Board("Drums from a tapped line, from kick and snare, from nothing", "f1", True, _HITS),
    "drums_humanise": Board(
        "Velocity and timing of held-out drum performances, hits given",
        "velocity_mse",
        False,
        (
            "velocity_mse",
            "offset_mse",
            "offset_mae_ms",
            "velocity_spread",
            "offset_spread",
            "velocity_kl",
            "offset_kl",
        ),
    ),
    "compositions": Board(
        "Compositions, without a real reference",
        "",
        True,
        (
            "scale_consistency",
            "pitch_class_entropy",
            "polyphony",
            "note_density",
            "groove_consistency",
            "syncopation",
            "drum_pattern_ratio",
            "distinct_bar_ratio",
            "self_similarity",
            "empty_bar_rate",
        ),
    ),
}


@dataclass(frozen=True)
class BoardRow:
    """What one model reaches on one board in one setting; the schema of board.json and leaderboard.json.

    Attributes:
        board: key of BOARDS.
        model: name for people, for example ``forest (classic)``.
        setting: what the model was shown, for example ``score_only``.
        role: one of ROLES; a floor is what a model must beat, a ceiling what it cannot.
        metrics: by name; every interval is over pieces.
        origin: of the notes it was measured on (and trained on), see `hocket.notes.ORIGINS`.
        quotable: whether the figure may be quoted as a result; never for rendered or generated music.
        split: one of `hocket.notes.SPLITS`.
        pieces, notes: how many it was measured on.
        note: what a reader must know, for example that a floor sees past targets.
    """

    board: str
    model: str
    setting: str
    role: str
    metrics: dict[str, Interval]
    origin: str
    quotable: bool
    split: str = "test"
    pieces: int = 0
    notes: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        if self.board not in BOARDS:
            raise ValueError(f"board {self.board!r} is not among {', '.join(BOARDS)}")
        if self.role not in ROLES:
            raise ValueError(f"role {self.role!r} is not among {', '.join(ROLES)}")


def run(cfg: Config, out: Path) -> Report:
    """Writes leaderboard.json (all metrics) and leaderboard.md (a table for each board)."""
    rows = ranked(collect(Path(cfg.out, "evaluation")))
    title = f"Leaderboard, profile {cfg.profile.name}"
    boards = {name: {"title": BOARDS[name].title, "columns": BOARDS[name].columns} for name in {r.board for r in rows}}
    content = {"title": title, "boards": boards, "rows": [plain(row) for row in rows]}
    write_text(out / "leaderboard.json", json_text(content))
    write_text(out / "leaderboard.md", markdown(title, rows))
    unquotable = sum(not row.quotable for row in rows)
    summary = f"{len(rows)} rows on {len(boards)} boards; {unquotable} of them not to be quoted as results"
    counts = {"rows": len(rows), "boards": len(boards)}
    return Report(summary=summary, counts=counts, metrics=leaders(rows))


def leaders(rows: Sequence[BoardRow]) -> dict[str, dict[str, dict[str, Any]]]:
    """The best model of each board and setting, of rows that are `ranked`."""
    best: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        rank_by = BOARDS[row.board].rank_by
        if row.role == "model" and rank_by in row.metrics:
            leader = {"model": row.model, rank_by: row.metrics[rank_by].value, "quotable": row.quotable}
            best.setdefault(row.board, {}).setdefault(row.setting, leader)
    return best


def write_rows(rows: Sequence[BoardRow], folder: Path) -> None:
    """Writes board.json into the output folder of an evaluation."""
    write_text(folder / FILE_NAME, json_text([plain(row) for row in rows]))


def read_rows(path: Path) -> list[BoardRow]:
    """Reads a board.json.

    Raises:
        InputError: it is not one.
    """
    try:
        return [parse_row(item) for item in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not rows of a leaderboard ({error}); run its evaluation again") from None


def collect(evaluations: Path) -> list[BoardRow]:
    """The rows of every evaluation, by folder name.

    Raises:
        InputError: there is none.
    """
    paths = sorted(evaluations.glob(f"*/{FILE_NAME}"))
    if not paths:
        raise InputError(f"{evaluations}: holds no {FILE_NAME}; run an evaluation first")
    return [row for path in paths for row in read_rows(reads(path))]


def ranked(rows: Iterable[BoardRow]) -> list[BoardRow]:
    """By board and setting in the order of BOARDS and SETTINGS, then best first."""
    items = list(rows)
    settings = [*SETTINGS, *sorted({row.setting for row in items} - set(SETTINGS))]

    def place(row: BoardRow) -> tuple[int, int, float, str]:
        board = BOARDS[row.board]
        value = row.metrics[board.rank_by].value if board.rank_by in row.metrics else float("nan")
        merit = (value if board.higher_is_better else -value) if isfinite(value) else -float("inf")
        return list(BOARDS).index(row.board), settings.index(row.setting), -merit, row.model

    return sorted(items, key=place)


def standings(rows: Sequence[BoardRow]) -> list[str]:
    """The rank of each row among the models of its board and setting, where intervals part.

    A model ranks below those whose whole interval is better than its own whole interval, so that neighbours which
    chance may have ordered share a rank. Floors, ceilings and rows without an interval have none.
    """
    return [_standing(row, rows) for row in rows]


def _standing(row: BoardRow, rows: Sequence[BoardRow]) -> str:
    board = BOARDS[row.board]
    own = row.metrics.get(board.rank_by)
    if row.role != "model" or own is None or not isfinite(own.low):
        return ""
    rivals = [
        other.metrics[board.rank_by]
        for other in rows
        if (other.board, other.setting, other.role) == (row.board, row.setting, "model")
        and board.rank_by in other.metrics
    ]
    if board.higher_is_better:
        return str(1 + sum(rival.low > own.high for rival in rivals))
    return str(1 + sum(rival.high < own.low for rival in rivals))


def markdown(title: str, rows: Sequence[BoardRow]) -> str:
    """A table for each board, an interval beside its ranking metric; models share a rank where intervals meet."""
    parts = [f"# {title}", ""]
    for name, group in groupby(rows, key=lambda row: row.board):
        board, members = BOARDS[name], list(group)
        head = ["rank", "setting", "model", "role", "origin", "quotable", *board.columns]
        parts += [f"## {board.title}", "", _line(head), _line(["---"] * len(head))]
        ranks = standings(members)
        parts += [_line([rank, *_cells(row, board)]) for rank, row in zip(ranks, members, strict=True)] + [""]
    return "\n".join(parts)


def _cells(row: BoardRow, board: Board) -> list[str]:
    words = [row.setting, row.model, row.role, row.origin, "yes" if row.quotable else "no"]
    return words + [_shown(row.metrics.get(name), name == board.rank_by) for name in board.columns]


def _shown(value: Interval | None, with_bounds: bool) -> str:
    if value is None or not isfinite(value.value):
        return ""
    bounds = f" [{value.low:.3f}, {value.high:.3f}]" if with_bounds and isfinite(value.low) else ""
    return f"{value.value:.3f}{bounds}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(row: BoardRow) -> dict[str, Any]:
    """A row as JSON takes it: NaN as null, floats to 6 significant digits."""
    content = asdict(row)
    rounded: dict[str, Any] = finite(content)
    return rounded


def parse_row(item: dict[str, Any]) -> BoardRow:
    """The inverse of `plain`."""
    nan = float("nan")
    metrics = {
        name: Interval(*(nan if bounds[bound] is None else bounds[bound] for bound in ("value", "low", "high")))
        for name, bounds in item.pop("metrics").items()
    }
    return BoardRow(metrics=metrics, **item)


def finite(content: Any) -> Any:
    """The same nested content with floats to 6 significant digits, None for NaN and infinity."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [finite(value) for value in content]
    if isinstance(content, float):
        return float(f"{content:.6g}") if isfinite(content) else None
    return content


def json_text(content: Any) -> str:
    """JSON with sorted keys and a final newline, so that equal content is equal bytes."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
