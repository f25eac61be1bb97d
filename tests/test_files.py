from __future__ import annotations

from pathlib import Path

import pytest

from hocket.errors import InputError
from hocket.files import atomic_path, check_sha256, output_folder, sha256_bytes, sha256_folder, write_text, write_zip


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "good")
    with pytest.raises(RuntimeError), atomic_path(target) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_stage_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "stage"
    with output_folder(target) as folder:
        (folder / "x").write_text("good")
    with pytest.raises(RuntimeError), output_folder(target) as folder:
        (folder / "x").write_text("half")
        raise RuntimeError
    assert (target / "x").read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["stage"]


def test_a_new_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with output_folder(tmp_path / "stage") as folder:
            (folder / name).write_text(name)
    assert [path.name for path in (tmp_path / "stage").iterdir()] == ["second"]


def test_leftovers_of_a_killed_run_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / ".stage.part").mkdir()
    (tmp_path / ".stage.part" / "half").write_text("x")
    with output_folder(tmp_path / "stage") as folder:
        (folder / "whole").write_text("x")
    assert [path.name for path in (tmp_path / "stage").iterdir()] == ["whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["stage"]


def test_zips_depend_on_nothing_but_their_content(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", [("b", b"2"), ("a", b"1")])
    write_zip(tmp_path / "b.zip", [("a", b"1"), ("b", b"2")])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_wrong_checksum_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    check_sha256(path, sha256_bytes(b"abc"))
    with pytest.raises(InputError, match=r"a: SHA-256 is ba7816bf"):
        check_sha256(path, "0" * 64)


def test_the_hash_of_a_folder_hears_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1")
    first = sha256_folder(tmp_path)
    (tmp_path / "x").rename(tmp_path / "y")
    second = sha256_folder(tmp_path)
    (tmp_path / "y").write_text("2")
    assert len({first, second, sha256_folder(tmp_path)}) == 3


def test_a_disk_that_refuses_is_named_by_the_file_that_was_asked_for(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    target = tmp_path / "a.txt"
    write_text(target, "good")
    with pytest.raises(OSError, match="No space left") as caught, atomic_path(target) as aside:
        full(aside)
    assert caught.value.filename == str(target)
    assert target.read_text() == "good"
