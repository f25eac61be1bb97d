"""What the catalogue did, as one JSON object a line in logs/DATE/, written when a run ends, however it ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hocket.catalog.secrets import first_line, redact
from hocket.catalog.storage import Storage
from hocket.errors import InputError


@dataclass
class Log:
    """The lines of one run."""

    run: str
    began: datetime
    lines: list[str] = field(default_factory=list)

    def say(self, event: str, level: str = "info", **facts: Any) -> None:
        """Adds a line; secrets are hidden in it."""
        entry = {
            "time": self.began.isoformat(timespec="seconds"),
            "run": self.run,
            "level": level,
            "event": event,
            **facts,
        }
        self.lines.append(redact(json.dumps(entry, ensure_ascii=False, sort_keys=True)))


@contextmanager
def logged(storage: Storage, now: datetime) -> Iterator[Log]:
    """A log that is stored when the work is done; what stopped the work is its last line."""
    log = Log(f"{now:%H%M%S}-{secrets.token_hex(3)}", now)
    try:
        yield log
    except Exception as error:
        log.say("failed", "error", error=first_line(error))
        raise
    finally:
        _store(storage, log)


def _store(storage: Storage, log: Log) -> None:
    try:
        storage.write(f"logs/{log.began:%Y-%m-%d}/{log.run}.jsonl", "".join(f"{line}\n" for line in log.lines).encode())
    except (InputError, OSError):
        if not any('"failed"' in line for line in log.lines):  # else the first failure is what has to be told
            raise
