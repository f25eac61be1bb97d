"""Files and names from strangers: what they may make hocket do is nothing."""

from __future__ import annotations

import io
import json
import resource
import stat
import struct
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.cli import run as hocket
from hocket.config import compose
from hocket.config.schema import LoggerConfig
from hocket.corpus.download import Remote, download
from hocket.errors import ConfigError, InputError
from hocket.files import write_zip
from hocket.midi import write_midi
from hocket.models.witten_bell import WittenBell
from hocket.training.weights import load_weights
from making import make_piece

ROOT = Path(__file__).parents[2]
SHELL = [
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "| touch owned",
    "&& touch owned",
    "\n touch owned",
    "'\"; touch owned #",
]


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# ---- unpickling
class Owned:
    """What a malicious pickle would do."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return open, ("owned", "w")  # type: ignore[return-value]


def test_weights_that_hold_a_program_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Owned()}, tmp_path / "weights.pt")
    with pytest.raises(InputError, match="train it again"):
        load_weights(tmp_path, torch.nn.Linear(2, 2))
    assert below(tmp_path) == {"weights.pt"}


def test_arrays_that_hold_a_program_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "ngram.npz").open("wb") as stream:
        np.savez(stream, order=np.array([Owned()], dtype=object))
    with pytest.raises(InputError):
        WittenBell.load(tmp_path / "ngram.npz")
    assert below(tmp_path) == {"ngram.npz"}


# ---- archives
def midi(folder: Path) -> bytes:
    write_midi(make_piece(), folder / "one.mid")
    return (folder / "one.mid").read_bytes()


def evil_zip(folder: Path, music: bytes) -> Path:
    names = ["../up.mid", "/tmp/root.mid", "C:\\x.mid", "a/../../b.mid", "a\\..\\..\\c.mid", "good.mid"]
    write_zip(folder / "a.zip", [(name, music) for name in names])
    return folder / "a.zip"


def evil_tar(folder: Path, music: bytes) -> Path:
    with tarfile.open(folder / "a.tar", "w") as archive:
        for name in ("../up.mid", "/tmp/root.mid", "good.mid"):
            info = tarfile.TarInfo(name)
            info.size = len(music)
            archive.addfile(info, io.BytesIO(music))
        for kind, name in ((tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "hard"), (tarfile.CHRTYPE, "device")):
            info = tarfile.TarInfo(f"{name}.mid")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return folder / "a.tar"


@pytest.mark.parametrize(("make", "bad"), [(evil_zip, 5), (evil_tar, 5)])
def test_names_in_archives_lead_nowhere(
    make: Callable[[Path, bytes], Path], bad: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "made").mkdir()
    archive = make(tmp_path / "in", midi(tmp_path / "made"))
    assert hocket(["corpus", "read", str(archive), "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["pieces"], told["quarantined"]) == (bad + 1, 1, bad)
    assert below(tmp_path / "in") == {archive.name}
    assert not {"up.mid", "b.mid", "c.mid"} & below(tmp_path)
    assert not Path("/tmp/root.mid").exists()
    assert not [path for path in (tmp_path / "out").rglob("*") if stat.S_ISLNK(path.lstat().st_mode)]


def overlapping_zip(path: Path, copies: int = 2_000, size: int = 3_000_000) -> Path:
    """A bomb whose members all point at the same packed bytes (Fifield 2019): 3 kB that claim 6 GB."""
    write_zip(path, [("a.mid", b"\0" * size)])
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[at:end]
    entries = b"".join(entry[:46] + f"{number:05}"[:5].encode() for number in range(copies))
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, copies, copies, len(entries), at, 0)
    path.write_bytes(data[:at] + entries.replace(b"a.mid", b"") + tail)
    return path


def bounded(code: str, *arguments: str, cpu_s: int = 40, memory: int = 3 << 30) -> subprocess.CompletedProcess[str]:
    """A program that the kernel ends when it takes too much time or memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 26, 1 << 26))

    line = [sys.executable, "-c", code, *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, preexec_fn=limit, cwd=ROOT)


READ = "import sys; from hocket.cli import main; main(['corpus', 'read', sys.argv[1], '--out', sys.argv[2], '--json'])"


def test_bombs_are_told_and_cost_next_to_nothing(tmp_path: Path) -> None:
    """Zip bombs of ratio, of nesting and of overlap, and MIDI files that claim far more than they hold, all at once."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_zip(folder / "ratio.zip", [("a.mid", b"\0" * 30_000_000)])
    overlapping_zip(folder / "overlap.zip")
    inner = (folder / "ratio.zip").read_bytes()
    write_zip(folder / "nested.zip", [(f"{number}.zip", inner) for number in range(50)])
    for name, content in midi_bombs().items():
        (folder / f"{name}.mid").write_bytes(content)
    (folder / "good.mid").write_bytes(midi(tmp_path))
    done = bounded(READ, str(folder), str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["pieces"] == 1
    assert told["files"] == told["pieces"] + told["quarantined"] + told["duplicates"]
    assert told["quarantined"] >= len(midi_bombs())
    for name in ("ratio", "overlap", "nested"):
        alone = bounded(READ, str(folder / f"{name}.zip"), str(tmp_path / name))
        assert alone.returncode in {0, 2}, alone.stderr[-2000:]
        assert "Traceback" not in alone.stderr


def midi_bombs() -> dict[str, bytes]:
    """Small files that ask for hours, gigabytes or millions of tracks."""

    def song(track: bytes, tracks: int = 1, length: int | None = None) -> bytes:
        head = struct.pack(">4sIHHH", b"MThd", 6, 1, tracks, 96)
        return head + struct.pack(">4sI", b"MTrk", len(track) if length is None else length) + track

    note, end = b"\x00\x90\x3c\x40", b"\x00\xff\x2f\x00"
    return {
        "hours": song(note + b"\xff\xff\xff\x7f\x80\x3c\x00" * 40 + end),
        "tracks": song(note + end, tracks=65_535) + b"MTrk\0\0\0\4" + end * 1 + (b"MTrk\0\0\0\4" + end) * 30_000,
        "text": song(b"\x00\xff\x01\xff\xff\xff\x7f" + b"x" * 100),
        "sysex": song(b"\x00\xf0\xff\xff\xff\x7f" + b"x" * 100),
        "chunk": song(note, length=0xFFFFFFF0),
        "notes": song(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 1_500_000 + end),
        "tempo": song(b"\x00\xff\x51\x03\xff\xff\xff" + note + b"\xff\xff\xff\x7f\x80\x3c\x00" + end),
    }


# ---- names in conf and addresses
@pytest.mark.parametrize(
    "override",
    [
        *(
            "logger.group=../../up",
            "logger.group=/tmp/x",
            "logger.job_type=a/b",
            "logger.project=..",
            "+experiment=../up",
        ),
        *("model=../../etc/passwd", "experiment=../../up", "corpus.x.archive=../x.zip", "logger.group='.hidden'"),
    ],
)
def test_names_in_conf_lead_nowhere(override: str) -> None:
    with pytest.raises(ConfigError):
        compose(["stage=corpus_notes", override])


@pytest.mark.parametrize("text", SHELL)
def test_shell_characters_are_no_names(text: str) -> None:
    with pytest.raises(ConfigError, match=r"group: is .*must be made of letters"):
        LoggerConfig(group=text)


@pytest.mark.parametrize("url", ["ftp://a/b.zip", "/etc/passwd", "javascript:alert(1)", "data:,x", "gopher://a/b"])
def test_addresses_of_other_kinds_are_refused(url: str) -> None:
    from hocket.config.sources import CorpusConfig

    with pytest.raises(ConfigError, match="urls"):
        CorpusConfig("a", "recorded", "midi", "a.zip", "", "", urls=[url])


def test_the_name_in_an_address_says_nothing_about_the_place(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "x.zip").write_bytes(b"x")
    url = f"file://{tmp_path}/source/../source/x.zip"
    path = download(Remote([url]), tmp_path / "kept" / "a.zip", retries=0)
    assert path == tmp_path / "kept" / "a.zip"
    assert below(tmp_path / "kept") == {"a.zip"}


# ---- the shell
def test_file_names_full_of_shell_are_only_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    content = midi(tmp_path / "in")
    (tmp_path / "in" / "one.mid").unlink()
    for text in SHELL:
        (tmp_path / "in" / f"{text.replace('/', '')}.mid").write_bytes(content)
    assert hocket(["corpus", "read", "in", "--out", "out $(touch owned)", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == len(SHELL)
    assert hocket(["compose", "--genre", SHELL[0], "--bars", "4", str(tmp_path / "x.mid")]) == 2
    assert "owned" not in below(tmp_path) | below(tmp_path / "in")


def test_a_profile_full_of_shell_never_reaches_dvcs_commands(tmp_path: Path) -> None:
    from orchestration.profile import set_profile

    (tmp_path / "conf" / "profile").mkdir(parents=True)
    (tmp_path / "conf" / "profile" / "demo.yaml").write_text("name: demo\n")
    for text in [*SHELL, "../demo", "demo/../demo", ""]:
        with pytest.raises(ConfigError, match="is unknown"):
            set_profile(tmp_path, text)
    assert not (tmp_path / "conf" / "active.yaml").exists()
