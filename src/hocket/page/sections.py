"""The sections of the page, one function each; all take what `hocket.page.gather` found and return HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeGuard

from hocket.evaluation.leaderboard import BOARDS, Board, BoardRow, standings
from hocket.evaluation.regression import Interval
from hocket.page.gather import Corpus
from hocket.page.glossary import glossary
from hocket.page.markup import Markup, flat, join, number, picture, table, tag
from hocket.report import Check, Report

NO_RESULT = (
    "The figures of this page come from rendered and generated music, not from recordings: "
    "they show that everything works, and are no result."
)


def section(anchor: str, title: str, *content: Any) -> Markup:
    """A landmark with a heading, reached by ``#anchor``."""
    heading = tag("h2", title, id=f"{anchor}-title")
    return tag("section", heading, *content, id=anchor, aria_labelledby=f"{anchor}-title")


def warning() -> Markup:
    """The sentence that goes with figures which may not be quoted."""
    return tag("p", NO_RESULT, class_="warning")


def overview(reports: Mapping[str, Report]) -> Markup:
    """Every stage with its summary and whether its checks hold."""
    rows = [
        (tag("a", stage, href=f"#stage-{stage}"), report.summary, verdict(report.checks))
        for stage, report in reports.items()
    ]
    checks = [check for report in reports.values() for check in report.checks]
    lead = f"{len(reports)} stages, {sum(check.passed for check in checks)} of {len(checks)} checks passed."
    return section("pipeline", "Pipeline", tag("p", lead), table("Stages", ["Stage", "What it did", "Checks"], rows))


def verdict(checks: Sequence[Check]) -> Markup:
    """Whether all checks hold, and which do not."""
    failed = [check.name for check in checks if not check.passed]
    if failed:
        return tag("span", f"✗ failed: {', '.join(failed)}", class_="fail")
    return tag("span", f"✓ {len(checks)} passed" if checks else "none", class_="pass" if checks else "soft")


def corpora(found: Sequence[Corpus]) -> Markup:
    """What was learned from, its origin named."""
    rows = [
        (
            corpus.name,
            badge(corpus.origin),
            f"{corpus.pieces:,}",
            f"{corpus.notes:,}",
            f"{corpus.hours:.1f}",
            corpus.splits or "-",
            corpus.licence or "-",
        )
        for corpus in found
    ]
    head = ["Corpus", "Origin", "Pieces", "Notes", "Hours", "Splits", "Licence"]
    return section("corpora", "Corpora", table("Pieces by corpus and origin", head, rows))


def badge(origin: str) -> Markup:
    """The origin of data, for a cell or a heading."""
    return tag("span", origin or "origin not stated", class_="badge")


def leaderboards(rows: Sequence[BoardRow], quotable: bool) -> Markup:
    """A table for each board; every number carries its bar, floors and ceilings in colours of their own."""
    key = "Bars share one scale in each column and begin at 0; a line is the interval over pieces."
    tables = [_board(BOARDS[name], list(members)) for name, members in groupby(rows, key=lambda row: row.board)]
    return section("leaderboard", "Leaderboard", "" if quotable else warning(), tag("p", key, class_="soft"), *tables)


def shown_metrics(rows: Sequence[BoardRow]) -> list[str]:
    """The columns of the boards of these rows that have at least one value."""
    columns = dict.fromkeys(name for row in rows for name in BOARDS[row.board].columns)
    return [name for name in columns if any(_has(row.metrics.get(name)) for row in rows)]


def _board(board: Board, rows: Sequence[BoardRow]) -> Markup:
    metrics = shown_metrics(rows)
    scales = {name: _scale([row.metrics.get(name) for row in rows]) for name in metrics}
    body = [_board_row(row, rank, metrics, scales) for row, rank in zip(rows, standings(rows), strict=True)]
    names = (tag("th", _words(name), scope="col") for name in ("Model", "Rank", "Setting", "Origin", *metrics))
    better = "higher" if board.higher_is_better else "lower"
    ranked = (
        f"Within a setting by {_words(board.rank_by)}, {better} is better; models share a rank where intervals meet"
    )
    caption = ranked if board.rank_by else "No order: there is nothing real to rank against"
    content = tag("table", tag("caption", caption), tag("thead", tag("tr", *names)), tag("tbody", *body))
    scroll = tag("div", content, class_="scroll board", tabindex="0", role="region", aria_label=board.title)
    notes = dict.fromkeys(f"{row.model}: {row.note}" for row in rows if row.note)
    return join([tag("h3", board.title), scroll, tag("ul", *(tag("li", note) for note in notes)) if notes else ""])


def _board_row(row: BoardRow, rank: str, metrics: Sequence[str], scales: Mapping[str, tuple[float, float]]) -> Markup:
    role = tag("span", row.role, class_="badge") if row.role != "model" else ""
    origin = [badge(row.origin), *([] if row.quotable else [" ", tag("small", "not a result", class_="soft")])]
    cells = [tag("td", rank or "-"), tag("td", _words(row.setting)), tag("td", *origin)]
    cells += [tag("td", _measured(row.metrics.get(name), scales[name])) for name in metrics]
    return tag("tr", tag("th", row.model, " ", role, scope="row"), *cells, class_=row.role)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _has(value: Interval | None) -> TypeGuard[Interval]:
    return value is not None and math.isfinite(value.value)


def _scale(values: Sequence[Interval | None]) -> tuple[float, float]:
    """(low, high) of a column, 0 always within; where 1 is the best, -1 is as low as a bar goes: one bad model
    would flatten all others.
    """
    ends = [end for value in values if _has(value) for end in vars(value).values() if math.isfinite(end)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    return (max(low, -1.0) if high <= 1.0 else low, high or 1.0)


def _measured(value: Interval | None, scale: tuple[float, float]) -> Markup:
    """A number over its bar, with its interval as a line."""
    if not _has(value):
        return Markup("-")

    def stretch(name: str, start: float, stop: float) -> Markup:
        left, right = sorted(100 * (min(max(end, low), high) - low) / (high - low) for end in (start, stop))
        return tag(name, style=f"left:{left:.2f}%;width:{right - left:.2f}%")

    low, high = scale
    parts, interval = [stretch("i", 0.0, value.value)], ""
    if math.isfinite(value.low) and math.isfinite(value.high):
        parts.append(stretch("b", value.low, value.high))
        interval = f" [{number(value.low, 3)}, {number(value.high, 3)}]"
    bar = tag("div", *parts, class_="bar", aria_hidden="true")
    return join([number(value.value, 3), tag("small", interval, class_="soft"), bar])


def stages(reports: Mapping[str, Report], pictures: Mapping[str, Mapping[str, bytes]]) -> Markup:
    """Counts, shares, metrics, checks and pictures of every stage, folded up.

    Args:
        reports: by stage.
        pictures: content by stage and file name; a picture whose file is missing is not among them.
    """
    parts = [_stage(stage, report, pictures.get(stage, {})) for stage, report in reports.items()]
    return section("stages", "Stages in detail", *parts)


def _stage(stage: str, report: Report, pictures: Mapping[str, bytes]) -> Markup:
    values = flat({"counts": report.counts, "shares": report.shares, "metrics": report.metrics})
    numbers = table(f"Numbers of {stage}", ["Name", "Value"], [(name, number(value)) for name, value in values])
    figures = [picture(content, report.pictures[name]) for name, content in pictures.items()]
    folded = tag("details", tag("summary", f"Numbers ({len(values)})"), numbers) if values else Markup()
    title = tag("h3", stage, id=f"stage-{stage}")
    return join([title, tag("p", report.summary), _checks(report.checks), tag("div", *figures, class_="plots"), folded])


def _checks(checks: Sequence[Check]) -> Markup:
    if not checks:
        return Markup()
    items = [
        tag("li", tag("span", "✓ " if check.passed else "✗ failed: ", class_="pass" if check.passed else "fail"),
            tag("code", check.name), f" {check.detail}")
        for check in checks
    ]  # fmt: skip
    return tag("ul", *items, class_="checks")


def words(rows: Sequence[BoardRow]) -> Markup:
    """The glossary of what stands on the leaderboards."""
    used = {*shown_metrics(rows), *(row.setting for row in rows)}
    entries = [
        part
        for word, text in glossary(used).items()
        for part in (tag("dt", _words(word), id=f"word-{word}"), tag("dd", text))
    ]
    return section("glossary", "Glossary", tag("dl", *entries))


def asset(name: str) -> str:
    """A file of this package's assets folder."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")
