"""The sections of the page, one function each; all take what `hocket.page.gather` found and return HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hocket.page.gather import Corpus, Row, Value
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
        (tag("a", stage, href=f"#stage-{stage}"), report.summary, _verdict(report.checks))
        for stage, report in reports.items()
    ]
    checks = [check for report in reports.values() for check in report.checks]
    lead = f"{len(reports)} stages, {sum(check.passed for check in checks)} of {len(checks)} checks passed."
    return section("pipeline", "Pipeline", tag("p", lead), table("Stages", ["Stage", "What it did", "Checks"], rows))


def _verdict(checks: Sequence[Check]) -> Markup:
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


def leaderboards(rows: Sequence[Row], quotable: bool) -> Markup:
    """A table for each board; every number carries its bar, floors and ceilings in colours of their own."""
    boards = {row.board: [other for other in rows if other.board == row.board] for row in rows}
    key = tag("p", "Bars share one scale in each column and begin at 0; a line is the interval.", class_="soft")
    tables = [_board(board, members) for board, members in boards.items()]
    return section("leaderboard", "Leaderboard", Markup() if quotable else warning(), key, *tables)


def _board(board: str, rows: Sequence[Row]) -> Markup:
    metrics = list(dict.fromkeys(name for row in rows for name in row.values))
    scales = {name: _scale([row.values.get(name) for row in rows]) for name in metrics}
    body = [_board_row(row, metrics, scales) for row in rows]
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Model", "Setting", "Origin", *metrics)))
    content = tag("table", tag("caption", f"Board: {board}"), tag("thead", head), tag("tbody", *body))
    return tag("div", content, class_="scroll", tabindex="0", role="region", aria_label=f"Board {board}")


def _board_row(row: Row, metrics: Sequence[str], scales: Mapping[str, tuple[float, float]]) -> Markup:
    role = Markup(" ") + tag("span", row.role, class_="badge") if row.role else Markup()
    cells = [tag("td", row.setting.replace("_", " ") or "-"), tag("td", badge(row.origin))]
    cells += [tag("td", _measured(row.values.get(name), scales[name])) for name in metrics]
    return tag("tr", tag("th", row.model, Markup(role), scope="row"), *cells, class_=row.role or None)


def _scale(values: Sequence[Value | None]) -> tuple[float, float]:
    """(low, high) of a column, 0 always within; -1 is as low as a bar goes, or one bad model would flatten all."""
    ends = [end for value in values if value for end in (value.mean, value.low, value.high) if end is not None]
    low = min([0.0, *ends])
    return (max(low, -1.0) if max([0.0, *ends]) <= 1.0 else low, max([0.0, *ends]) or 1.0)


def _measured(value: Value | None, scale: tuple[float, float]) -> Markup:
    if value is None:
        return Markup("-")
    low, high = scale

    def percent(number: float) -> float:
        return 100 * (min(max(number, low), high) - low) / (high - low)

    def stretch(name: str, start: float, stop: float) -> Markup:
        left, right = sorted((percent(start), percent(stop)))
        return tag(name, style=f"left:{left:.2f}%;width:{right - left:.2f}%")

    parts = [stretch("i", 0.0, value.mean)]
    interval = ""
    if value.low is not None and value.high is not None:
        parts.append(stretch("b", value.low, value.high))
        interval = f" [{number(value.low)}, {number(value.high)}]"
    return join(
        [
            number(value.mean),
            tag("small", interval, class_="soft"),
            tag("div", *parts, class_="bar", aria_hidden="true"),
        ]
    )


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


def words(rows: Sequence[Row]) -> Markup:
    """The glossary of what stands on the leaderboards."""
    used = {name for row in rows for name in (*row.values, row.setting)}
    entries = [part for word, text in glossary(used).items() for part in (tag("dt", word), tag("dd", text))]
    return section("glossary", "Glossary", tag("dl", *entries))


def asset(name: str) -> str:
    """A file of this package's assets folder."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")
