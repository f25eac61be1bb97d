from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from hocket.config.limits import Limits
from hocket.corpus.archive import Listing, list_path, printable, read_entry
from hocket.errors import InputError, MusicError


def zip_of(path: Path, members: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of duplicate names, which are meant
        for name, content in members:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return path


def tar_of(path: Path, members: list[tarfile.TarInfo | tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def contents(listing: Listing) -> dict[str, bytes]:
    return {entry.name: read_entry(entry) for entry in listing.entries}


def reasons(listing: Listing) -> dict[str, str]:
    return {name: reason for name, reason, _ in listing.rejected}


def test_members_come_sorted(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", [("b/x.mid", b"1"), ("a/y.mid", b"2"), ("b/", b"")])
    assert list(contents(list_path(path)).items()) == [("a/y.mid", b"2"), ("b/x.mid", b"1")]


def test_names_that_lead_outside_are_set_aside_and_the_rest_is_read(tmp_path: Path) -> None:
    names = ["../up.mid", "/root.mid", "C:\\x.mid", "a/../../b.mid", "a\\..\\..\\c.mid", "good.mid"]
    listing = list_path(zip_of(tmp_path / "a.zip", [(name, b"x") for name in names]))
    assert list(contents(listing)) == ["good.mid"]
    assert set(reasons(listing).values()) == {"unsafe_path"}
    assert len(listing.rejected) == 5
    assert not list(tmp_path.parent.glob("up.mid"))


def test_links_in_archives_and_folders_are_not_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.mid")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    assert reasons(list_path(zip_of(tmp_path / "a.zip", [(link, b"/etc/passwd")]))) == {"link.mid": "symlink"}
    symbolic = tarfile.TarInfo("s.mid")
    symbolic.type, symbolic.linkname = tarfile.SYMTYPE, "/etc/passwd"
    listing = list_path(tar_of(tmp_path / "a.tar", [symbolic, ("good.mid", b"x")]))
    assert (reasons(listing), contents(listing)) == ({"s.mid": "symlink"}, {"good.mid": b"x"})
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "l.mid").symlink_to("/etc/passwd")
    (folder / "g.mid").write_bytes(b"x")
    listing = list_path(folder)
    assert (list(contents(listing)), set(reasons(listing))) == (["g.mid"], {"loop", "l.mid"})


def test_a_pipe_in_a_folder_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.mid")
    assert reasons(list_path(tmp_path)) == {"p.mid": "unreadable"}


def test_a_bomb_is_seen_before_it_is_unpacked(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", [("bomb.mid", b"\0" * 4_000_000), ("good.mid", b"x")])
    assert path.stat().st_size < 10_000
    listing = list_path(path)
    assert (list(contents(listing)), reasons(listing)) == (["good.mid"], {"bomb.mid": "archive_ratio"})
    assert reasons(list_path(path, Limits(bytes=100_000)))["bomb.mid"] == "too_large"
    assert reasons(list_path(path, Limits(archive_ratio=1e9, archive_bytes=1_000_000)))["bomb.mid"] == "too_large"


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", [("liar.mid", b"\0" * 2_000_000)])
    data = path.read_bytes().replace(struct.pack("<I", 2_000_000), struct.pack("<I", 100))
    path.write_bytes(data)
    entry = list_path(path).entries[0]
    with pytest.raises(MusicError, match="cannot be unpacked"):
        read_entry(entry)


def test_encrypted_members(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", [("secret.mid", b"abc"), ("good.mid", b"x")])
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    listing = list_path(path)
    assert (list(contents(listing)), reasons(listing)) == (["good.mid"], {"secret.mid": "encrypted"})


def test_the_first_of_two_members_with_one_name_is_read(tmp_path: Path) -> None:
    listing = list_path(zip_of(tmp_path / "a.zip", [("a.mid", b"first"), ("a.mid", b"second")]))
    assert (contents(listing), reasons(listing)) == ({"a.mid": b"first"}, {"a.mid": "duplicate_name"})


@pytest.mark.parametrize("streamed", [False, True])
def test_whole_members_of_half_a_zip_are_read(tmp_path: Path, streamed: bool) -> None:
    members = [(f"{i}.mid", os.urandom(500)) for i in range(6)]
    buffer = io.BytesIO()
    if streamed:
        buffer.seekable = lambda: False  # type: ignore[method-assign]
        buffer.tell = lambda: (_ for _ in ()).throw(OSError())  # type: ignore[method-assign]
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    path = tmp_path / "half.zip"
    path.write_bytes(buffer.getvalue()[: 3 * 560])
    listing = list_path(path)
    found = contents(listing)
    assert 2 <= len(found) < 6
    assert found == dict(members[: len(found)])
    assert reasons(listing) == {"half.zip": "truncated"}


def test_what_is_no_archive_says_so(tmp_path: Path) -> None:
    for name in ("a.zip", "a.tar"):
        (tmp_path / name).write_bytes(b"not an archive at all" * 40)
        with pytest.raises(InputError, match=f"{name}: not a readable"):
            list_path(tmp_path / name)
    (tmp_path / "empty.zip").write_bytes(b"")
    with pytest.raises(InputError, match="not a readable zip"):
        list_path(tmp_path / "empty.zip")
    with pytest.raises(InputError, match="no such file"):
        list_path(tmp_path / "missing.zip")


def test_tar_gz_whole_and_cut_off(tmp_path: Path) -> None:
    members = [(f"{i}.mid", os.urandom(20_000)) for i in range(5)]
    packed = gzip.compress(tar_of(tmp_path / "a.tar", list(members)).read_bytes())
    whole, half = tmp_path / "a.tar.gz", tmp_path / "half.tgz"
    whole.write_bytes(packed)
    half.write_bytes(packed[: len(packed) // 2])
    assert contents(list_path(whole, scratch=tmp_path)) == dict(members)
    listing = list_path(half, scratch=tmp_path)
    assert 1 <= len(contents(listing)) < 5
    assert reasons(listing)["half.tgz"] == "truncated"


def test_names_in_any_encoding(tmp_path: Path) -> None:
    utf8 = zipfile.ZipInfo("x.mid")
    path = zip_of(tmp_path / "a.zip", [(utf8, b"1"), ("y.mid", b"2")])
    path.write_bytes(path.read_bytes().replace(b"x.mid", "ü.md".encode()).replace(b"y.mid", b"\x81.mid"))
    assert sorted(contents(list_path(path)).values()) == [b"1", b"2"]
    assert list(contents(list_path(path))) == ["ü.md", "ü.mid"]
    folder = os.fsencode(tmp_path / "f")
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/\xff\xfe.mid")).write_bytes(b"3")
    assert contents(list_path(tmp_path / "f")) == {"\\xff\\xfe.mid": b"3"}
    assert printable("a\0b") == "a\\x00b"


def test_limit_on_members(tmp_path: Path) -> None:
    listing = list_path(zip_of(tmp_path / "a.zip", [(f"{i}.mid", b"x") for i in range(5)]), Limits(members=3))
    assert (len(listing.entries), reasons(listing)) == (3, {"a.zip": "too_large"})
