"""Stage ``report``: one page to listen to, look at and compare by, that needs neither network nor server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from hocket.config import Config
from hocket.files import write_text
from hocket.page import gather, sections
from hocket.page.markup import Markup, join, tag
from hocket.page.models import Material, model_sections
from hocket.report import Check, Report, reads

MAX_MEGABYTES = 25
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hocket: $profile</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<h1>hocket</h1>
<p class="lead">Symbolic music, from archive hash to sound. Profile <strong>$profile</strong>, seed $seed.</p>
$warning
</header>
<nav aria-label="Sections">$contents</nav>
<main id="main">
$body
</main>
<footer>Made from report.json of each stage; the same inputs give the same page.</footer>
<script>
$script</script>
</body>
</html>
""")


def run(cfg: Config, out: Path) -> Report:
    """Writes index.html from everything found under the output folder.

    Raises:
        InputError: no stage has run, or one left files that are damaged.
    """
    base = Path(cfg.out)
    reports, rows, names = gather.reports(base), gather.leaderboard(base), gather.model_names(base)
    material = _material(base, reports, cfg)
    found = gather.corpora(base)
    quotable = bool(cfg.profile.quotable)
    own = {f"{area}_{name}" for area in gather.MODEL_AREAS for name in names}
    others = {stage: files for stage, files in material.pictures.items() if stage not in own}
    parts = {
        "Leaderboard": sections.leaderboards(rows, quotable) if rows else None,
        "Listen and look": model_sections(names, material) if names else None,
        "Corpora": sections.corpora(found) if found else None,
        "Pipeline": sections.overview(reports),
        "Stages in detail": sections.stages(reports, others),
        "Glossary": sections.words(rows),
    }
    page = render_page({title: part for title, part in parts.items() if part}, cfg, quotable)
    write_text(out / "index.html", page)
    size = len(page.encode())
    items = sum(len(shown) for exhibits in material.exhibits.values() for _, shown in exhibits)
    counts = {"samples": len(material.samples), "exhibits": items, "models": len(names), "leaderboard_rows": len(rows)}
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    return Report(
        summary=f"index.html with {told}, {len(reports)} stages",
        counts={**counts, "stages": len(reports), "bytes": size},
        checks=[
            Check("page_is_small", size <= MAX_MEGABYTES * 10**6, False, f"{size / 1e6:.1f} of {MAX_MEGABYTES} MB"),
        ],
    )


def _material(base: Path, reports: Mapping[str, Report], cfg: Config) -> Material:
    return Material(
        reports=reports,
        samples=gather.samples(base),
        exhibits=gather.exhibits(base),
        pictures=_pictures(base, reports),
        configs=cfg.generation,
        verdicts=gather.verdicts(base),
        commit=gather.commit(),
    )


def render_page(parts: Mapping[str, Markup], cfg: Config, quotable: bool) -> str:
    """The whole page.

    Args:
        parts: sections by title, each with an id.
        cfg: names the profile and the seed.
        quotable: whether figures may be quoted as results; otherwise the page says that they may not.
    """
    links = [tag("li", tag("a", title, href=f"#{_anchor(part)}")) for title, part in parts.items()]
    values: dict[str, Any] = {
        "profile": join([cfg.profile.name]),
        "seed": cfg.seed,
        "warning": Markup() if quotable else sections.warning(),
        "contents": tag("ul", *links),
        "body": join(parts.values(), "\n"),
        "style": sections.asset("style.css"),
        "script": sections.asset("player.js"),
    }
    return _PAGE.substitute(values)


def _anchor(part: Markup) -> str:
    return part.split('id="', 1)[1].split('"', 1)[0]


def _pictures(base: Path, reports: Mapping[str, Report]) -> dict[str, dict[str, bytes]]:
    """PNG by stage and file name; the piano rolls of renders stand with their samples instead."""
    pictures: dict[str, dict[str, bytes]] = {}
    for stage, report in reports.items():
        if stage == f"generation_{gather.OWN_FOLDER}":
            continue
        folder = Path(base, *stage.split("_", 1))
        paths = {name: folder / name for name in sorted(report.pictures)}
        pictures[stage] = {name: reads(path).read_bytes() for name, path in paths.items() if path.is_file()}
    return pictures
