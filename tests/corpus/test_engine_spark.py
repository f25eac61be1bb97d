from __future__ import annotations

import sys
from pathlib import Path

import pytest

from corpus.test_archive import zip_of
from hocket.config.engine import EngineConfig, SparkConfig
from hocket.config.limits import Limits
from hocket.corpus.engine import read_chunk, run
from hocket.corpus.engine_spark import decode, encode, packed, unpacked
from hocket.corpus.plan import Chunk, Document, plan_paths
from hocket.corpus.read import read_paths
from hocket.errors import InputError
from hocket.midi import midi_bytes
from making import make_piece

OPTIONS = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"}


def archive_of_200(folder: Path) -> Path:
    """180 pieces, 10 repeats of them, 9 damaged files and one in the wrong place."""
    files = [(f"{number:03}.mid", midi_bytes(make_piece(20, number))) for number in range(180)]
    repeats = [(f"twice/{name}", content) for name, content in files[:10]]
    damaged = [(f"damaged/{number}.mid", content[: 20 + number]) for number, (_, content) in enumerate(files[:9])]
    return zip_of(folder / "music.zip", [*files, *repeats, *damaged, ("../out.mid", files[0][1])])


def chunk() -> Chunk:
    documents = (
        Document("a.mid", "midi", content=midi_bytes(make_piece(8)), facts={"title": "Ä"}),
        Document("b.mid", "midi", content=b"\xff\x00"),
    )
    return Chunk("tiny", "score", "CC0", documents, Limits(notes=99))


def test_a_piece_of_work_passes_as_text() -> None:
    assert decode(encode(chunk())) == chunk()


def test_entries_pass_as_text(tmp_path: Path) -> None:
    plan = plan_paths([archive_of_200(tmp_path)], EngineConfig(chunk=50), tmp_path)
    assert [decode(encode(one)) for one in plan.chunks] == plan.chunks


def test_a_result_passes_as_bytes() -> None:
    result = read_chunk(chunk())
    again = unpacked(packed(result))
    assert (again.rejected, again.files) == (result.rejected, 2)
    assert again.table.piece(0).notes.tobytes() == result.table.piece(0).notes.tobytes()
    assert again.table.piece(0).title == "Ä"


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    plan = plan_paths([archive_of_200(tmp_path)], EngineConfig(), tmp_path)
    with pytest.raises(InputError, match=r"engine: spark needs pandas.*hocket\[spark\].*engine=local"):
        list(run(plan, EngineConfig(name="spark"), 2))


@pytest.mark.slow
def test_200_files_give_the_same_bytes_as_on_one_machine(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed (extra spark)")
    archive = archive_of_200(tmp_path)
    spark = EngineConfig(name="spark", chunk=30, spark=SparkConfig(folder=str(tmp_path / "shared"), options=OPTIONS))
    told = read_paths([archive], tmp_path / "spark", spark, processes=2)
    assert told == read_paths([archive], tmp_path / "local", EngineConfig(chunk=30), processes=1)
    assert (told["files"], told["pieces"], told["duplicates"], told["quarantined"]) == (200, 180, 10, 10)
    names = sorted(path.name for path in (tmp_path / "local").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "spark").iterdir())
    assert len(names) == 6
    for name in names:
        assert (tmp_path / "spark" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
    assert not list((tmp_path / "shared").iterdir())
