"""A section for each model: what it is, what it makes, and what its stages left to see and hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hocket.exhibits import Exhibit, Item
from hocket.page.cards import Budget, exhibit_card, origins_of, sample_card
from hocket.page.gather import MODEL_AREAS, Sample, Shown
from hocket.page.markup import Markup, join, number, picture, table, tag
from hocket.page.sections import section, verdict
from hocket.report import Report

AUDIO_BYTES = 11_000_000  # of all sections; base64 makes 4 bytes of 3
MOST_CARDS = 6  # of one generator
Exhibited = Sequence[tuple[Exhibit, Sequence[Shown]]]


@dataclass(frozen=True)
class Material:
    """What the sections are made from.

    Attributes:
        reports: by stage.
        samples: by generator.
        exhibits: by stage.
        pictures: content by stage and file name.
        configs: conf/generation by generator.
        verdicts: by model, empty when it is promoted, else why not; a model that is missing was not judged.
        commit: of the code that makes samples.
    """

    reports: Mapping[str, Report]
    samples: Sequence[Sample] = ()
    exhibits: Mapping[str, Exhibited] = field(default_factory=dict)
    pictures: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    configs: Mapping[str, Any] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""


def model_sections(names: Sequence[str], material: Material) -> Markup:
    """All models in one landmark, each with a heading to link to."""
    lead = "Audio is rendered by a SoundFont; the player below it plays the same notes with plain oscillators."
    links = [tag("li", tag("a", _words(name), href=f"#model-{name}")) for name in names]
    budget = AUDIO_BYTES // len(names)
    parts = [_model(name, material, Budget(budget)) for name in names]
    return section("models", "Listen and look", tag("p", lead), tag("ul", *links, class_="links"), *parts)


def _model(name: str, material: Material, budget: Budget) -> Markup:
    stages = [f"{area}_{name}" for area in MODEL_AREAS]
    found = [stage for stage in stages if stage in material.reports]
    said = [_said(stage, material.reports[stage]) for stage in found]
    figures = [
        picture(content, material.reports[stage].pictures[file])
        for stage in found
        for file, content in material.pictures.get(stage, {}).items()
    ]
    shown = [part for stage in stages for part in _exhibits(stage, material.exhibits.get(stage, ()), budget)]
    title = tag("h3", _words(name), _badge(name, material.verdicts), id=f"model-{name}")
    plots = tag("div", *figures, class_="plots") if figures else ""
    return join([title, tag("ul", *said, class_="checks"), plots, _cards(name, material, budget), *shown])


def _badge(name: str, verdicts: Mapping[str, str]) -> Markup:
    """Promoted or not, and why not."""
    if name not in verdicts:
        return Markup()
    refused = verdicts[name]
    words = f"not promoted: {refused}" if refused else "promoted"
    return join([" ", tag("small", words, class_="fail" if refused else "pass")])


def _said(stage: str, report: Report) -> Markup:
    link = tag("a", stage, href=f"#stage-{stage}")
    return tag("li", link, f" {report.summary} ", verdict(report.checks) if report.checks else "")


def _exhibits(stage: str, exhibited: Exhibited, budget: Budget) -> list[Markup]:
    parts = []
    for exhibit, items in exhibited:
        heading = tag("h4", exhibit.title, id=f"exhibit-{stage}-{exhibit.name}")
        seen = [shown for shown in items if shown.item.seen]
        cards = tag("div", *(exhibit_card(shown, stage, budget) for shown in seen), class_="samples strip")
        told = _figures(exhibit.title, [shown.item for shown in items if not shown.item.seen])
        parts.append(join([heading, tag("p", exhibit.text) if exhibit.text else "", told, cards if seen else ""]))
    return parts


def _figures(caption: str, items: Sequence[Item]) -> Markup:
    """Items that are figures alone, as one table."""
    names = list(dict.fromkeys(name for item in items for name in item.facts))
    rows = [(item.title, *(number(item.facts.get(name)) for name in names)) for item in items]
    return table(caption, ["", *names], rows) if items else Markup()


def _cards(name: str, material: Material, budget: Budget) -> Markup:
    """The samples of a generator, with the lineage that they share."""
    own = [sample for sample in material.samples if sample.generator == name]
    if not own:
        return Markup()
    origins = origins_of(f"generation_{name}", material.reports, material.configs.get(name), material.commit)
    cards = [sample_card(sample, origins, budget) for sample in own[:MOST_CARDS]]
    more = f"{len(own) - MOST_CARDS} more lie in out/generation/{name}." if len(own) > MOST_CARDS else ""
    return (
        join([tag("div", *cards, class_="samples"), tag("p", more, class_="soft") if more else ""]) if own else Markup()
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
