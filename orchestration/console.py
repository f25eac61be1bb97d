"""The terminal's side of a run: one line per step as it begins and ends, and nothing of Dagster's own.

A message logged with ``extra=line(...)`` belongs on the terminal; Dagster hands the extra on to the logger below.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import dagster as dg

QUIET = "HOCKET_QUIET"  # set: no line when a step begins
STDERR = "HOCKET_LINES_TO_STDERR"  # set: stdout belongs to --json
WIDTH = 24
_ATTRIBUTE = "hocket_line"


def line(phase: str) -> dict[str, str]:
    """`extra` of a log call whose message is shown on the terminal; phase: begins, ended or check."""
    return {_ATTRIBUTE: phase}


def ended(title: str, how: str, seconds: float = 0.0, summary: str = "") -> str:
    """``corpus/clean             ok          3.2 s  4,120 pieces``."""
    took = f"{seconds:7.1f} s" if how != "failed" else " " * 9
    return f"{title:<{WIDTH}} {'ok' if how == 'ran' else how:<9}{took}  {summary}".rstrip()


def check_failed(title: str, result: dg.AssetCheckResult) -> str:
    """One line about a check that does not hold."""
    word = "blocked" if result.severity == dg.AssetCheckSeverity.ERROR else "warning"
    detail = result.metadata["detail"].value
    return f"{title:<{WIDTH}} {word:<9}{'':9}  {result.check_name}: {detail or 'does not hold'}"


class _Handler(logging.Handler):
    """Prints what `line` marks; where a terminal can draw over itself, the line of a running step gives way."""

    def emit(self, record: logging.LogRecord) -> None:
        phase = getattr(record, _ATTRIBUTE, None)
        if phase is None:
            return
        meta: Any = record.__dict__["dagster_meta"]
        stream = sys.stderr if os.environ.get(STDERR) else sys.stdout
        redraws = stream.isatty() and not os.environ.get(QUIET)
        if phase == "begins":
            if redraws:
                print(f"{meta['orig_message']} ...", end="", flush=True, file=stream)
            return
        print(("\r\033[K" if redraws else "") + meta["orig_message"], flush=True, file=stream)


@dg.logger(None, "One line per step on the terminal")
def terminal(_: dg.InitLoggerContext) -> logging.Logger:
    """The only logger of our jobs; Dagster's own prints every event."""
    logger = logging.Logger("hocket.terminal", logging.INFO)
    logger.addHandler(_Handler())
    return logger
