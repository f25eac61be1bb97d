"""Holds the readers of scores against other readers: the share of tunes that agree note for note, and every other tune.

    python bench/oracle.py PATH [--sample 300] [--seed 1] [--cache FILE] [--witness music21|abc2midi] [--as-is]

PATH is a zip or folder with .krn, .abc, .mxl, .musicxml or .xml files, or with JSON lists of ABC tunes. Two readings
agree when they hold the same notes: pitch, onset and duration in quarter notes, ties joined, grace notes left out,
repeats not played out (abc2midi plays them out, and so do we beside it).

music21 (10.5) reads the ABC of 1996: without ``--as-is`` a tune is first written in the part of ABC that it knows
(`for_music21`), which changes no note by the 2.1 standard. With ``--as-is`` it gets the source as it stands.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from hocket.corpus.readers import read_abc, read_kern, read_musicxml, split_tunes
from hocket.errors import MusicError
from hocket.notes import Piece

Notes = list[tuple[Fraction, Fraction, int]]  # onset and duration in quarter notes, pitch; sorted
_NAME = r"[_^=]*[A-Ga-g][,']*"
_SUFFIXES = (".krn", ".abc", ".mxl", ".musicxml", ".xml", ".json")


def tunes_of(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """(name, format, content) of every tune, by name."""
    for name, content in _files(path):
        suffix = Path(name).suffix
        if suffix == ".json":
            records = json.loads(content)
            for index, record in enumerate(records if isinstance(records, list) else []):
                yield f"{name}:{index}", "abc", record["abc notation"].encode()
        elif suffix == ".abc":
            for index, tune in enumerate(split_tunes(content.decode("utf-8", "replace"))):
                yield f"{name}:{index}", "abc", tune.encode()
        else:
            yield name, "kern" if suffix == ".krn" else "musicxml", content


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix in _SUFFIXES:
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    if path.suffix != ".zip":
        yield path.name, path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(_SUFFIXES):
                yield name, archive.read(name)


def text_of(content: bytes) -> str:
    """UTF-8, or Latin-1 as the older collections are written."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def ours(kind: str, content: bytes, repeats: Any) -> Piece:
    """Our reading of a tune."""
    if kind == "abc":
        return read_abc(text_of(content), repeats=repeats)
    if kind == "kern":
        return read_kern(text_of(content), repeats=repeats)
    return read_musicxml(content, repeats=repeats)


def notes_of(piece: Piece) -> Notes:
    """A piece in the form that is compared."""
    tpq = piece.ticks_per_quarter
    rows = zip(*(piece.notes[name].tolist() for name in ("onset_ticks", "duration_ticks", "pitch")), strict=True)
    return sorted((Fraction(onset, tpq), Fraction(duration, tpq), pitch) for onset, duration, pitch in rows)


def for_music21(abc: str) -> str:
    """The tune without what music21 misreads, each of no consequence for its notes.

    music21 lets accidentals last the bar only in files marked 2.x; knows no inline fields; drops notes after some
    decorations (H, x, L and more); takes slurs, decorations and annotations between > and its note for obstacles, and a
    note before :: for a field.
    """
    head, _, body = re.sub(r"\r\n?", "\n", abc).partition("K:")
    key, _, music = body.partition("\n")
    bar_rest = _bar_rest(head)
    lines = [line if re.match(r"[A-Zmrsw+]:(?![|:])", line) else _line(line, bar_rest) for line in music.split("\n")]
    return f"%abc-2.1\n{head}K:{key}\n" + "\n".join(lines)


def _bar_rest(head: str) -> Fraction:
    """Unit note lengths of a bar by the header."""
    metre = re.search(r"^M:\s*(\d+)/(\d+)", head, re.MULTILINE)
    unit = re.search(r"^L:\s*(\d+)/(\d+)", head, re.MULTILINE)
    bar = Fraction(int(metre[1]), int(metre[2])) if metre else Fraction(1)
    return bar / (Fraction(int(unit[1]), int(unit[2])) if unit else Fraction(1, 8))


def _line(line: str, bar_rest: Fraction) -> str:
    # a grace note stays if it has an accidental, which holds for the bar
    music = re.sub(r'%.*|"[^"]*"|![^!\s|]*!|\{[^}^_=]*\}', "", line)
    music = re.sub(r"=20|=(?=\s|$)", " ", music).replace("=3D", "=")
    parts = re.split(r"(\[[A-Z]:[^\]]*\])", music)
    parts[::2] = [_plain(part, bar_rest) for part in parts[::2]]
    parts[1::2] = [f"\n{part[1:-1]}\n" for part in parts[1::2]]
    return "".join(parts)


def _plain(music: str, bar_rest: Fraction) -> str:
    music = re.sub(r"\((?!\d)|[)`~.$*]|y\d*", "", music).replace("::", ":||:")
    music = music.replace("x", "z")
    music = re.sub(r"Z(\d*)", lambda m: f"z{bar_rest.numerator * int(m[1] or 1)}/{bar_rest.denominator}", music)
    music = re.sub(r"[H-WYh-wyx]", "", music)
    music = re.sub(rf"({_NAME})([<>])-({_NAME})(?![\d/])", _tied_pair, music)
    music = re.sub(r"\s*-?\s*([<>]+)\s*-?", r"\1", music)  # B>-c: a tie to another pitch says nothing
    return re.sub(rf"({_NAME}[\d/]*)([<>]+)(\{{[^}}]*\}})", _grace_first, music)


def _tied_pair(match: re.Match[str]) -> str:
    """B>-B with the lengths written out, since music21 takes a tie for an obstacle too."""
    first, sign, second = match.groups()
    lengths = ("3/2", "/2") if sign == ">" else ("/2", "3/2")
    return f"{first}{lengths[0]}-{second}{lengths[1]}" if first == second else f"{first}{sign}{second}"


def _grace_first(match: re.Match[str]) -> str:
    """A>{^g}B with the grace note in front, for its accidental; without it where it would alter A itself."""
    note, sign, grace = match.groups()
    letter = re.sub(r"[^A-Ga-g]", "", note).lower()
    return f"{note}{sign}" if letter in grace.lower() else f"{grace}{note}{sign}"


def music21_notes(kind: str, content: bytes, as_is: bool) -> Notes:
    """music21's reading of a tune at sounding pitch, ties joined."""
    stream = music21_stream(kind, content, as_is)
    stream = stream.toSoundingPitch() if kind == "musicxml" else stream
    parts = list(stream.parts) if stream.hasPartLikeStreams() else [stream]
    return sorted(note for part in parts for note in _joined(_rows(part)))


def music21_stream(kind: str, content: bytes, as_is: bool) -> Any:
    """What music21's converter makes of a tune."""
    from music21 import converter

    if kind == "musicxml":
        data: Any = content
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                data = archive.read(
                    next(n for n in archive.namelist() if n.endswith((".xml", ".musicxml")) and "META" not in n)
                )
        data = data.decode("utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data
        return converter.parseData(data, format="musicxml")
    text = text_of(content)
    text = for_music21(text) if kind == "abc" and not as_is else text
    return converter.parseData(text, format="abc" if kind == "abc" else "humdrum")


def _rows(part: Any) -> list[tuple[Fraction, Fraction, int, str]]:
    rows = []
    for element in part.flatten().notes:
        if element.duration.isGrace or "Harmony" in element.classes:
            continue
        onset, length = (
            Fraction(element.offset).limit_denominator(10**6),
            Fraction(element.quarterLength).limit_denominator(10**6),
        )
        for note in element.notes if element.isChord else [element]:
            tie = note.tie or element.tie
            if hasattr(note, "pitch"):
                rows.append((onset, length, note.pitch.midi, tie.type if tie else ""))
    return sorted(rows)


def _joined(rows: list[tuple[Fraction, Fraction, int, str]]) -> Notes:
    notes: list[list[Any]] = []
    open_ties: dict[tuple[Fraction, int], list[Any]] = {}
    for onset, length, pitch, tie in rows:
        note = open_ties.pop((onset, pitch), None) if tie in ("stop", "continue") else None
        if note is None:
            note = [onset, length, pitch]
            notes.append(note)
        else:
            note[1] += length
        if tie in ("start", "continue"):
            open_ties[onset + length, pitch] = note
    return [(onset, length, pitch) for onset, length, pitch in notes]


def abc2midi_notes(content: bytes) -> Notes:
    """abc2midi's reading (through symusic): its repeats played out, its accompaniment switched off."""
    import symusic

    head, key, body = text_of(content).partition("K:")
    head += "%%MIDI chordattack 0\n"  # else a chord is broken
    first, line, body = body.partition("\n")
    music = (
        head + key + first + line + re.sub(r'"[^"]*"|\{[^}]*\}|[.~HLMOPSTuvk](?!:)', "", body)
    )  # no trills, no staccato
    score = symusic.Score.from_abc(music)
    tpq = score.ticks_per_quarter
    return sorted(
        (Fraction(note.time, tpq), Fraction(note.duration, tpq), note.pitch)
        for track in score.tracks
        for note in track.notes
    )


def difference(one: Notes, other: Notes, grid: int = 0) -> str:
    """Empty when two readings agree, else where they part first. `grid` rounds to that many steps a quarter."""
    if grid:
        one, other = (
            [(Fraction(round(a * grid)), Fraction(round(b * grid)), c) for a, b, c in x] for x in (one, other)
        )
    if one == other:
        return ""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return f"note {index}: ours {_note(a)}, theirs {_note(b)}"
    return f"ours has {len(one)} notes, theirs {len(other)}"


def _note(note: tuple[Fraction, Fraction, int]) -> str:
    return f"pitch {note[2]} at {note[0]} for {note[1]}"


def cause(kind: str, content: bytes) -> str:
    """What in the source of an ABC tune is known to set music21 apart from us, in words; empty if nothing is."""
    music = re.sub(r'"[^"]*"', "", text_of(content).partition("K:")[2]) if kind == "abc" else ""
    known = {
        r"\][\d/]*-|\[[^\]|:]*-": "music21 leaves the ties of chords open",
        rf"[<>]{_NAME}[\d/]*[<>]": "a note between two signs of broken rhythm: music21 obeys the second, we obey both",
        r"-\s*[({]*\s*[<>]|[<>]\s*[({]*-": "music21 passes over broken rhythm beside a tie",
    }
    return "; ".join(why for pattern, why in known.items() if re.search(pattern, music))


def judge(kind: str, content: bytes, theirs: Callable[[], Any], witness: str) -> tuple[str, float, float]:
    """Difference of one tune, and the CPU seconds of both readers."""
    repeats = "expand" if witness == "abc2midi" else "keep"
    started = time.process_time()
    try:
        mine: Any = ours(kind, content, repeats)
    except MusicError as error:
        mine = f"we refuse it: {error}"
    our_seconds = time.process_time() - started
    other = theirs()
    if isinstance(mine, str) or isinstance(other["notes"], str):
        refused = (isinstance(mine, str) or not len(mine.notes)) and (
            isinstance(other["notes"], str) or not other["notes"]
        )
        reason = mine if isinstance(mine, str) else other["notes"]
        return ("" if refused else reason), our_seconds, other["seconds"]
    decoded = [(Fraction(a), Fraction(b), c) for a, b, c in other["notes"]]
    return difference(notes_of(mine), decoded, 48 if witness == "abc2midi" else 0), our_seconds, other["seconds"]


def read_theirs(kind: str, content: bytes, witness: str, as_is: bool) -> dict[str, Any]:
    """The other reader's notes (or its complaint) and CPU seconds, in a form that JSON keeps."""
    started = time.process_time()
    try:
        notes = abc2midi_notes(content) if witness == "abc2midi" else music21_notes(kind, content, as_is)
        result: Any = [(str(a), str(b), c) for a, b, c in notes]
    except Exception as error:  # noqa: BLE001 - whatever another reader raises is its verdict
        result = f"{witness} refuses it: {type(error).__name__}: {str(error)[:100]}"
    return {"notes": result, "seconds": time.process_time() - started}


def main() -> None:
    """Compares a sample and prints share, CPU ratio and every tune that differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="JSON file that keeps the other reader's answers")
    parser.add_argument("--witness", choices=("music21", "abc2midi"), default="music21")
    parser.add_argument("--as-is", action="store_true")
    args = parser.parse_args()
    tunes = list(tunes_of(args.path))
    chosen = sorted(random.Random(args.seed).sample(range(len(tunes)), min(args.sample, len(tunes))))
    cache = json.loads(args.cache.read_text()) if args.cache and args.cache.exists() else {}
    differing, seconds = [], [0.0, 0.0]
    for place, index in enumerate(chosen):
        name, kind, content = tunes[index]
        key = f"{args.witness}:{args.as_is}:{name}"

        def theirs(key: str = key, kind: str = kind, content: bytes = content) -> Any:
            if key not in cache:
                cache[key] = read_theirs(kind, content, args.witness, args.as_is)
            return cache[key]

        reason, mine, other = judge(kind, content, theirs, args.witness)
        seconds[0], seconds[1] = seconds[0] + mine, seconds[1] + other
        if reason:
            why = cause(kind, content) if args.witness == "music21" else ""
            differing.append((name, f"{reason} ({why})" if why else reason))
        if args.cache and (place % 100 == 99 or place == len(chosen) - 1):
            args.cache.write_text(json.dumps(cache))
    for name, reason in differing:
        print(f"{name}: {reason}")
    share = 1 - len(differing) / max(len(chosen), 1)
    print(f"{len(chosen)} tunes of {len(tunes)}: {share:.2%} equal to {args.witness}, {len(differing)} differ")
    print(f"CPU seconds: ours {seconds[0]:.3f}, {args.witness} {seconds[1]:.3f} (bench.readers measures them apart)")


if __name__ == "__main__":
    main()
