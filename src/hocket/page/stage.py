"""Stage ``report``: one page to listen to, look at and compare by, that needs neither network nor server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
<title>$title</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<h1>$title</h1>
<p class="lead">$lead</p>
$warning
</header>
<nav aria-label="Sections">$contents</nav>
<main id="main">
$body
</main>
<footer>The same inputs give the same page.</footer>
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
    profile = tag("strong", cfg.profile.name)
    lead = join(["Symbolic music, from archive hash to sound. Profile ", profile, f", seed {cfg.seed}."])
    warning = None if quotable else sections.warning()
    page = render_page({title: part for title, part in parts.items() if part}, "hocket", lead, warning)
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


def render_page(
    parts: Mapping[str, Markup], title: str, lead: Markup, warning: Markup | None = None, assets: Sequence[str] = ()
) -> str:
    """The whole page.

    Args:
        parts: sections by title, each with an id.
        title: of the page.
        lead: the sentence under it.
        warning: what must be read before the figures.
        assets: names of more styles and scripts beside those of the players.
    """
    links = [tag("li", tag("a", title, href=f"#{_anchor(part)}")) for title, part in parts.items()]
    values: dict[str, Any] = {
        "title": join([title]),
        "lead": lead,
        "warning": warning or "",
        "contents": tag("ul", *links),
        "body": join(parts.values(), "\n"),
        "style": _all_of(".css", "style.css", *assets),
        "script": _all_of(".js", "player.js", *assets),
    }
    return _PAGE.substitute(values)


def _all_of(suffix: str, *names: str) -> str:
    return "".join(sections.asset(name) for name in names if name.endswith(suffix))


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
