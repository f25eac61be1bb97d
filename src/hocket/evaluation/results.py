"""``make results``: the figures of the last run into docs/results.md and README.md; no number is typed by hand.

docs/results.json keeps one section a profile, taken from leaderboard.json; both texts are rendered from it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import Any

from hocket.errors import InputError, exit_code
from hocket.evaluation.leaderboard import BOARDS, BoardRow, json_text, markdown, parse_row, plain, ranked
from hocket.evaluation.metric_table import metric_table
from hocket.files import write_text
from hocket.report import read_report, stage_folder

SOURCE, RESULTS, METRICS, README = "docs/results.json", "docs/results.md", "docs/metrics.md", "README.md"
PREFERRED = ("real", "full", "demo")  # the profile that the README shows
Sections = dict[str, list[BoardRow]]

_HEAD = """# Results

Rendered from docs/results.json by `make results`; change nothing here by hand. An interval is 95 % of bootstrap
resamples over pieces; models share a rank where their intervals meet. What is not quotable was measured on rendered or
generated music, or on the demo's corpora: it shows that the machinery works.
"""
_NONE = "No run has been recorded yet: `make run && make results`."


def take(out: Path) -> tuple[str, list[BoardRow]]:
    """Profile and rows of the last leaderboard, only the metrics that its tables show.

    Raises:
        InputError: there is no leaderboard.
    """
    folder = stage_folder(out, "evaluation_leaderboard")
    profile = read_report(folder).profile
    rows = json.loads((folder / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    return profile, [_shown_only(parse_row(row)) for row in rows]


def _shown_only(row: BoardRow) -> BoardRow:
    columns = BOARDS[row.board].columns
    return BoardRow(**{**vars(row), "metrics": {name: row.metrics[name] for name in columns if name in row.metrics}})


def read_sections(root: Path) -> Sections:
    """Rows by profile from docs/results.json, empty when nothing was recorded.

    Raises:
        InputError: the file is damaged.
    """
    path = root / SOURCE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {profile: [parse_row(row) for row in rows] for profile, rows in content.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not the results of runs ({error}); restore it with git") from None


def results_page(sections: Sections) -> str:
    """docs/results.md."""
    parts = [_HEAD]
    for profile in _in_order(sections):
        rows = ranked(sections[profile])
        may = "may be quoted where a row says so" if any(row.quotable for row in rows) else "never to be quoted"
        parts.append(re.sub("^#", "##", markdown(f"Profile {profile}, {may}", rows), flags=re.MULTILINE))
    return "\n".join(parts if sections else [_HEAD, _NONE, ""])


def readme_table(sections: Sections) -> str:
    """Of the most honest profile: for every board and setting the best floor, the best model, and the ceiling."""
    if not sections:
        return _NONE
    profile = _in_order(sections)[0]
    rows = [row for row in ranked(sections[profile]) if BOARDS[row.board].rank_by]
    lines = ["| task | shown to the model | measure | best floor | best model | ceiling | music |", "|---" * 7 + "|"]
    lines += [
        _summary(board, setting, list(members))
        for (board, setting), members in groupby(rows, key=lambda row: (row.board, row.setting))
    ]
    quoted = "" if any(row.quotable for row in rows) else " They are not results."
    return "\n".join([*lines, "", f"Profile {profile}, test split, 95 % intervals over pieces.{quoted}"])


def _in_order(sections: Mapping[str, Any]) -> list[str]:
    known = [profile for profile in PREFERRED if profile in sections]
    return known + sorted(set(sections) - set(known))


def _summary(board: str, setting: str, rows: Sequence[BoardRow]) -> str:
    measure = BOARDS[board].rank_by
    best = {role: next((row for row in rows if row.role == role), None) for role in ("floor", "model", "ceiling")}
    cells = [_cell(row, measure) for row in best.values()]
    origin = ", ".join(sorted({row.origin for row in rows}))
    return f"| {' | '.join([BOARDS[board].title, _words(setting), _words(measure), *cells, origin])} |"


def _cell(row: BoardRow | None, measure: str) -> str:
    value = row.metrics.get(measure) if row else None
    if row is None or value is None or not isfinite(value.value):
        return "-"
    bounds = f" [{value.low:.3f}, {value.high:.3f}]" if isfinite(value.low) and isfinite(value.high) else ""
    return f"{value.value:.3f}{bounds} {row.model}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def between_markers(text: str, name: str, content: str) -> str:
    """`text` with what stands between ``<!-- name:begin -->`` and ``<!-- name:end -->`` replaced.

    Raises:
        InputError: the markers are not there.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise InputError(f"the text has no lines {begin} and {end}; put them where the table belongs")
    return f"{head}{begin}\n{content}\n{end}{tail}"


def render(root: Path) -> dict[str, str]:
    """What the three texts should be, by path below the repository's root."""
    sections = read_sections(root)
    readme, metrics = ((root / name).read_text(encoding="utf-8") for name in (README, METRICS))
    return {
        RESULTS: results_page(sections),
        README: between_markers(readme, "results", readme_table(sections)),
        METRICS: between_markers(metrics, "metrics", metric_table()),
    }


def main(arguments: list[str] | None = None) -> int:
    """Takes the last run in, if there is one, and writes the texts."""
    parser = argparse.ArgumentParser(prog="python -m hocket.evaluation.results", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of the stage outputs [default: out]")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository [default: here]")
    options = parser.parse_args(arguments)
    try:
        profile, rows = take(options.out)
        sections = {**read_sections(options.root), profile: rows}
        content = {name: [plain(row) for row in found] for name, found in sections.items()}
        write_text(options.root / SOURCE, json_text(content))
        for name, text in render(options.root).items():
            write_text(options.root / name, text)
    except (InputError, OSError) as error:
        code, line = exit_code(error)
        sys.stderr.write(f"results: {line}\n")
        return code
    sys.stdout.write(f"{RESULTS}, {README}: {len(rows)} rows of profile {profile}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
