"""The command ``hocket report``: a page about a user's own music."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hocket.cli_options import AsJson, emit


def register(app: typer.Typer) -> None:
    """Adds the command to the command line."""
    app.command()(report)


def report(
    path: Annotated[Path, typer.Argument(help="your music: a folder, archive or file of MIDI, ABC, kern or MusicXML")],
    out: Annotated[Path, typer.Option(help="HTML file to write")] = Path("report.html"),
    against: Annotated[Path | None, typer.Option(help="other music, to compare with")] = None,
    pieces: Annotated[int, typer.Option(min=0, max=200, help="how many to see and play, evenly spaced")] = 12,
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="render them too")] = True,
    as_json: AsJson = False,
) -> None:
    """Look at your own music: metrics, piano rolls, sound and a player on one page that needs no network."""

    def work() -> dict[str, Any]:
        from hocket.page.own import write_own_page

        return write_own_page(path, out, against=against, pieces=pieces, audio=audio)

    emit(as_json, work)
