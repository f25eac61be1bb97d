from __future__ import annotations

from pathlib import Path

import pytest

from hocket.errors import InputError
from hocket.exhibits import FILE_NAME, Exhibit, Item, read_exhibits, write_exhibits


def test_exhibits_come_back(tmp_path: Path) -> None:
    (tmp_path / "strip").mkdir()
    (tmp_path / "strip" / "a.mid").touch()
    item = Item("Step 1", "halfway", midi="strip/a.mid", render=True, facts={"alpha": 0.5, "from": "han"})
    exhibits = [Exhibit("interpolation", "Interpolation", "From one to another", [item]), Exhibit("empty", "Nothing")]
    write_exhibits(exhibits, tmp_path)
    back = read_exhibits(tmp_path)
    assert [exhibit.title for exhibit in back] == ["Interpolation", "Nothing"]
    assert list(back[0].items) == [item]


def test_a_folder_without_exhibits_has_none(tmp_path: Path) -> None:
    assert read_exhibits(tmp_path) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    for text in ("{", "{}x", '[{"name": 1}]', '[{"name": "a", "title": "b", "items": [{"midi": "../x.mid"}]}]'):
        (tmp_path / FILE_NAME).write_text(text)
        with pytest.raises(InputError, match="run the stage again"):
            read_exhibits(tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"midi": "a.wav"}, {"picture": "/etc/a.png"}, {"score": "../a.svg"}, {"render": True}]
)
def test_an_item_names_files_of_its_kind_below_the_folder(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"must be a|no midi"):
        Item("x", **wrong)


def test_files_must_be_there_and_names_differ(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not there"):
        write_exhibits([Exhibit("a", "A", items=[Item("x", midi="a.mid")])], tmp_path)
    with pytest.raises(ValueError, match="one name"):
        write_exhibits([Exhibit("a", "A"), Exhibit("a", "B")], tmp_path)
