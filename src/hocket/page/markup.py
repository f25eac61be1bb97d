"""HTML from values: everything that comes from outside is escaped here and nowhere else."""

from __future__ import annotations

import base64
import html
import json
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDE = 2.2  # width over height from which a picture takes a whole row
ROUNDING = 1e-12  # what is left of a sum that is 0


class Markup(str):
    """Text that is HTML already; any other string is escaped before it enters the page."""

    __slots__ = ()


def escape(value: Any) -> Markup:
    """The value as HTML: `Markup` as it is, everything else escaped."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def join(parts: Iterable[Any], between: str = "") -> Markup:
    """The parts one after another, each escaped."""
    return Markup(between.join(escape(part) for part in parts))


def tag(name: str, /, *content: Any, **attributes: Any) -> Markup:
    """An element; ``class_`` is class, ``data_x`` is data-x, True stands alone, None and False are left out."""
    parts = [name]
    for key, value in attributes.items():
        attribute = key.strip("_").replace("_", "-")
        if value is True:
            parts.append(attribute)
        elif value is not None and value is not False:
            parts.append(f'{attribute}="{html.escape(str(value))}"')
    start = f"<{' '.join(parts)}>"
    return Markup(start if name in ("img", "meta", "input") else f"{start}{join(content)}</{name}>")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """A table whose first column names the row; it scrolls sideways on a narrow screen."""
    header = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    content = tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *body))
    return tag("div", content, class_="scroll", tabindex="0", role="region", aria_label=caption)


def sortable(caption: str, heads: Sequence[str], rows: Iterable[Markup]) -> Markup:
    """A table that compare.js sorts by the column whose heading is clicked; rows are ``tr`` elements of `cell`."""
    buttons = [tag("th", tag("button", head.replace("_", " "), type="button"), scope="col") for head in heads]
    head, body = tag("thead", tag("tr", *buttons)), tag("tbody", *rows)
    content = tag("table", tag("caption", caption), head, body, class_="runs")
    return tag("div", content, class_="scroll", tabindex="0", role="region", aria_label=caption)


def cell(value: Any, name: str = "td") -> Markup:
    """A cell that sorts by the value itself, not by what is shown of it."""
    scope = "row" if name == "th" else None
    return tag(name, number(value), scope=scope, data_value="" if value is None else value)


def data_uri(media_type: str, content: bytes) -> str:
    """The content as an address that needs no file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def picture(png: bytes, caption: str) -> Markup:
    """A PNG with its caption, decoded when it comes into sight; its size is told, so that nothing moves then."""
    width, height = struct.unpack(">II", png[16:24])  # IHDR, PNG specification 11.2.2
    size = {"width": width, "height": height}
    image = tag("img", src=data_uri("image/png", png), alt=caption, loading="lazy", decoding="async", **size)
    return tag("figure", image, tag("figcaption", caption), class_="wide" if width > WIDE * height else None)


def score(svg: bytes, caption: str) -> Markup:
    """Engraved notes with their caption; as an image an SVG runs no script."""
    found = re.search(rb'<svg[^>]*?\bwidth="([0-9.]+)[a-z]*"[^>]*?\bheight="([0-9.]+)', svg)
    size = {"width": round(float(found[1])), "height": round(float(found[2]))} if found else {}
    image = tag("img", src=data_uri("image/svg+xml", svg), alt=caption, loading="lazy", decoding="async", **size)
    return tag("figure", image, tag("figcaption", caption))


def json_script(value: Any, **attributes: Any) -> Markup:
    """Data for a script; ``</script`` and ``<!--`` cannot end it, for every ``<`` is written as an escape."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    escaped = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return tag("script", Markup(escaped), type="application/json", **attributes)


def number(value: Any, digits: int = 4) -> str:
    """A value as people read it: so many digits (what is left of rounding is 0), thousands apart, ``-`` for nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.{digits}g}" if abs(value) > ROUNDING else "0"


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested values as (``a.b.c``, value) rows, sorted by key at every level."""
    rows: list[tuple[str, Any]] = []
    for key, value in sorted(values.items()):
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            rows += flat(value, name)
        elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
            rows += flat({str(i): item for i, item in enumerate(value)}, name)
        else:
            rows.append((name, ", ".join(map(number, value)) if isinstance(value, list) else value))
    return rows
