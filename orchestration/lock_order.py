"""The order of dvc.lock. DVC appends each stage as it ends, so two at once would leave their order to chance."""

from __future__ import annotations

import re
from pathlib import Path

from hocket.files import write_text


def sort_lock(root: Path) -> None:
    """Puts the stages of dvc.lock into the order of their names; their entries stay as DVC wrote them."""
    path = root / "dvc.lock"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    head, *entries = re.split(r"^(?=  \S[^\n]*:\n)", text, flags=re.MULTILINE)
    ordered = "".join([head, *sorted(entries)])
    if ordered != text:
        write_text(path, ordered)
