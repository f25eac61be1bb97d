"""What a stage leaves for the page beside its report: groups of things to see and hear, each a file of its folder.

Any stage of a model (models, evaluation, generation) may write exhibits.json. The page shows the exhibits in the
section of the model that the folder is named for, `generation_renders` renders the MIDI files that ask for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hocket.errors import InputError
from hocket.files import write_text

FILE_NAME = "exhibits.json"
SUFFIXES = {"midi": ".mid", "picture": ".png", "score": ".svg", "audio": ".wav"}


@dataclass(frozen=True)
class Item:
    """One thing to see or hear. Files are paths below the folder of the stage.

    Attributes:
        title: for people, unique in its exhibit.
        text: one sentence, if it needs one.
        midi: MIDI file; the page gives it a player.
        picture: PNG; a MIDI file that is rendered and has none gets a piano roll.
        score: SVG.
        audio: WAV that the stage made itself.
        render: whether `generation_renders` makes sound and piano roll of `midi` (0.8 CPU s a minute of music).
        facts: numbers and words of a line below the title, by name, for example ``{"temperature": 0.7}``.
    """

    title: str
    text: str = ""
    midi: str = ""
    picture: str = ""
    score: str = ""
    audio: str = ""
    render: bool = False
    facts: dict[str, float | int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, suffix in SUFFIXES.items():
            path = getattr(self, kind)
            if path and (Path(path).suffix != suffix or Path(path).is_absolute() or ".." in Path(path).parts):
                raise ValueError(f"{self.title}: {kind} {path!r} must be a {suffix} file below the stage's folder")
        if self.render and not self.midi:
            raise ValueError(f"{self.title}: there is no midi to render")

    @property
    def seen(self) -> bool:
        """Whether there is anything to see or hear; an item of figures alone becomes a row of a table."""
        return bool(self.midi or self.picture or self.score or self.audio)


@dataclass(frozen=True)
class Exhibit:
    """A group with a heading, for example an interpolation strip or a study of temperatures.

    Attributes:
        name: snake_case, unique in its stage.
        title: for people.
        text: what to look and listen for, a sentence or two.
        items: in order.
    """

    name: str
    title: str
    text: str = ""
    items: Sequence[Item] = ()


def write_exhibits(exhibits: Sequence[Exhibit], folder: Path) -> None:
    """Writes exhibits.json into a stage's output folder, after its files are there.

    Raises:
        ValueError: a file is not there, or two exhibits have one name.
    """
    if len({exhibit.name for exhibit in exhibits}) < len(exhibits):
        raise ValueError(f"{folder}: two exhibits have one name")
    for item in (item for exhibit in exhibits for item in exhibit.items):
        for path in (getattr(item, kind) for kind in SUFFIXES):
            if path and not (folder / path).is_file():
                raise ValueError(f"{folder / path}: named by exhibit {item.title!r}, and not there")
    content = [asdict(exhibit) for exhibit in exhibits]
    write_text(folder / FILE_NAME, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_exhibits(folder: Path) -> list[Exhibit]:
    """The exhibits of a stage's folder, none when it left no exhibits.json.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [Exhibit(**{**entry, "items": [Item(**item) for item in entry["items"]]}) for entry in content]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not exhibits of a stage ({error}); run the stage again") from None
