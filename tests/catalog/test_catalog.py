from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audio.making_sound import RATE, encoded, melody
from catalog.making_catalog import DAY, WORK, add_folder, sounds
from hocket.audio.describe import FEATURES
from hocket.catalog import tables
from hocket.catalog.add import add, add_inbox, files_below, inbox_of
from hocket.catalog.storage import Folder
from hocket.cli import run
from hocket.config import compose
from hocket.config.engine import EngineConfig
from hocket.config.storage import CatalogConfig, StorageConfig
from hocket.errors import ConfigError, InputError

deltalake = pytest.importorskip("deltalake", reason="deltalake is not installed (extra `catalog`)")


@pytest.fixture
def storage(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "catalog")


def test_files_are_described_stored_and_logged(storage: Folder, tmp_path: Path) -> None:
    done = add_folder(storage, sounds(tmp_path / "in"))
    assert (done["files"], done["added"], done["known"], done["failed"]) == (5, 5, 0, 2)
    assert done["errors"] == {"empty.flac": "is empty", "many.wav": "has 12 channels, read are 1 and 2; mix it down"}
    metadata = tables.rows_of(storage, tables.METADATA).to_pylist()
    assert {row["name"] for row in metadata if row["error"] is None} == {"deep/song_0.wav", "song_1.wav", "song_2.wav"}
    assert {(row["date"], row["category"]) for row in metadata} == {("2026-03-01", "user")}
    features = tables.rows_of(storage, tables.FEATURE_TABLE)
    assert features.num_rows == 3
    assert set(FEATURES) <= set(features.column_names)
    assert features.column("rms_mean").null_count == 0
    layout = {path.relative_to(storage.root).parts[0] for path in storage.root.rglob("*") if path.is_file()}
    assert layout == {"raw", "processed", "delta", "logs"}
    lines = [json.loads(line) for line in next(storage.root.glob("logs/2026-03-01/*.jsonl")).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["began", *["file"] * 5, "ended"]
    assert (storage.root / "delta" / "audio_metadata" / "date=2026-03-01" / "category=user").is_dir()


def test_a_second_pass_adds_nothing_also_under_other_names_and_on_another_day(storage: Folder, tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in")
    add_folder(storage, folder)
    before = sorted(path for path in storage.root.rglob("*") if path.is_file() and "logs" not in path.parts)
    (folder / "copy.wav").write_bytes((folder / "song_1.wav").read_bytes())
    done = add_folder(storage, folder, now=DAY + timedelta(days=1))
    assert (done["files"], done["added"], done["known"], done["failed"]) == (6, 0, 6, 0)
    assert sorted(p for p in storage.root.rglob("*") if p.is_file() and "logs" not in p.parts) == before
    assert tables.rows_of(storage, tables.METADATA).num_rows == 5


def test_versions_can_be_read_again_and_compaction_keeps_them(storage: Folder, tmp_path: Path) -> None:
    add_folder(storage, sounds(tmp_path / "a", 2, bad=False))
    early = deltalake.DeltaTable(storage.table(tables.METADATA)[0]).version()
    for number in range(3):
        (tmp_path / f"b{number}").mkdir()
        (tmp_path / f"b{number}" / "x.wav").write_bytes(encoded(melody(0.4, seed=50 + number), RATE))
        add_folder(storage, tmp_path / f"b{number}")
    assert tables.rows_of(storage, tables.METADATA, version=early).num_rows == 2
    assert tables.rows_of(storage, tables.METADATA).num_rows == 5
    assert tables.compact(storage) == {"audio_metadata": 1, "audio_features": 1}
    assert tables.rows_of(storage, tables.METADATA).num_rows == 5
    assert tables.rows_of(storage, tables.METADATA, version=early).num_rows == 2
    assert "OPTIMIZE" in {entry["operation"] for entry in tables.history(storage)}
    with pytest.raises(InputError, match=r"version: is 99, audio_metadata has 0 to"):
        tables.rows_of(storage, tables.METADATA, version=99)


def test_an_older_table_grows_and_unknown_columns_stay(storage: Folder, tmp_path: Path) -> None:
    old = pa.table({"hash": ["0" * 64], "date": ["2020-01-01"], "category": ["user"], "mood": ["calm"]})
    uri, _ = storage.table(tables.METADATA)
    deltalake.write_deltalake(uri, old, partition_by=["date", "category"])
    done = add_folder(storage, sounds(tmp_path / "in", 1, bad=False))
    assert done["added"] == 1
    rows = {row["name"]: row for row in tables.rows_of(storage, tables.METADATA).to_pylist()}
    assert rows[None]["mood"] == "calm"
    assert rows["deep/song_0.wav"]["mood"] is None
    assert rows["deep/song_0.wav"]["channels"] == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"hash": ["a"], "date": ["d"], "category": ["c"], "duration_s": ["long"]}, "column duration_s is string"),
        ({"colour": ["red"]}, "another kind"),
    ],
)
def test_a_table_of_another_kind_is_refused_and_left_alone(
    columns: dict[str, list[str]], message: str, storage: Folder, tmp_path: Path
) -> None:
    uri, _ = storage.table(tables.METADATA)
    deltalake.write_deltalake(uri, pa.table(columns))
    with pytest.raises(InputError, match=message):
        add_folder(storage, sounds(tmp_path / "in", 1))
    assert deltalake.DeltaTable(uri).version() == 0


def test_pool_spark_form_and_one_process_give_the_same_rows(tmp_path: Path) -> None:
    from hocket.catalog.batch import describe_all, feature_rows, metadata_rows, over_time_rows
    from hocket.catalog.batch_spark import packed, unpacked

    sources = files_below([sounds(tmp_path / "in", 7)], "user")
    alone = describe_all(sources, 10.0, 1)
    pooled = describe_all(sources, 10.0, 2)
    for make in (metadata_rows, feature_rows):
        assert make(sources, pooled).equals(make(sources, alone))
    assert over_time_rows(pooled).equals(over_time_rows(alone))
    assert over_time_rows([unpacked(packed(item)) for item in alone]).equals(over_time_rows(alone))


def test_what_a_spark_worker_does_gives_the_same_rows(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed (extra `spark`)")
    from hocket.catalog.batch import describe_all, metadata_rows
    from hocket.catalog.batch_spark import read_rows, unpacked

    sources = files_below([sounds(tmp_path / "in", 3)], "user")
    frame = pd.DataFrame(
        [(n, str(s.content), b"", 10.0) for n, s in enumerate(sources)],
        columns=["number", "path", "content", "max_minutes"],
    )
    mapped = [unpacked(row) for part in read_rows(iter([frame])) for row in part.to_dict("records")]
    assert metadata_rows(sources, mapped).equals(metadata_rows(sources, describe_all(sources, 10.0, 1)))


@pytest.mark.slow
def test_spark_gives_the_same_rows(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed (extra `spark`)")
    from hocket.catalog.batch import describe_all, feature_rows

    spark: EngineConfig = compose(["stage=audio_features", "engine=spark"]).engine
    sources = files_below([sounds(tmp_path / "in", 4)], "user")
    found = feature_rows(sources, describe_all(sources, 10.0, 2, spark))
    assert found.equals(feature_rows(sources, describe_all(sources, 10.0, 1)))


def test_a_file_that_crashes_the_decoder_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures.process import BrokenProcessPool

    from hocket.catalog import batch

    class Pool:
        """Breaks at b"bad", as a process pool does when a worker dies."""

        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *_: object) -> None: ...
        def map(self, work, tasks, chunksize):  # type: ignore[no-untyped-def]  # noqa: ARG002
            for task in tasks:
                yield self.submit(batch.describe, *task).result()

        def submit(self, work, content, minutes):  # type: ignore[no-untyped-def]
            if content == b"bad":
                raise BrokenProcessPool
            return type("Future", (), {"result": staticmethod(lambda: work(content, minutes))})

    monkeypatch.setattr(batch, "ProcessPoolExecutor", Pool)
    good = encoded(melody(0.3), RATE)
    found = list(batch._in_pool([good, b"bad", good], 1.0, 2))
    assert [item.error for item in found] == [None, "crashed the decoder", None]


def test_a_run_that_was_stopped_is_finished_by_the_next(
    storage: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sounds(tmp_path / "in")
    real = tables.merge

    def stop(*arguments: object) -> int:
        if arguments[1] == tables.METADATA:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tables, "merge", stop)
    with pytest.raises(KeyboardInterrupt):
        add_folder(storage, folder)
    monkeypatch.undo()
    done = add_folder(storage, folder)
    assert done["added"] == 5
    assert tables.rows_of(storage, tables.FEATURE_TABLE).num_rows == 3
    assert len(list((storage.root / "processed").iterdir())) == 1


def test_the_inbox_is_seen_and_added_once(storage: Folder, tmp_path: Path) -> None:
    work = replace(WORK, config=CatalogConfig(inbox=str(tmp_path / "inbox")))
    assert inbox_of(storage, work.config) == []
    sounds(tmp_path / "inbox", 2)
    assert len(inbox_of(storage, work.config)) == 4
    assert add_inbox(storage, work, DAY).as_dict()["added"] == 4
    assert inbox_of(storage, work.config) == []
    again = add_inbox(storage, work, DAY).as_dict()
    assert (again["files"], again["added"], again["known"]) == (4, 0, 4)


def test_the_stages_describe_renders_and_put_them_into_the_catalogue(tmp_path: Path) -> None:
    from hocket.catalog import stages
    from making import make_config

    sounds(tmp_path / "out" / "generation" / "renders" / "composer", 3, bad=False)
    storage = StorageConfig(root=str(tmp_path / "catalog"))
    cfg = make_config(tmp_path, storage=storage, catalog=CatalogConfig(), engine=EngineConfig())
    for name in ("features", "again"):
        (tmp_path / name).mkdir()
        report = stages.features(cfg, tmp_path / name)
    assert report.counts == {"files": 3, "described": 3, "failed": 0}
    same = [(tmp_path / name / stages.FEATURES_FILE).read_bytes() for name in ("features", "again")]
    assert same[0] == same[1]
    with pytest.raises(InputError, match="run stage=audio_features first"):
        stages.catalog(cfg, tmp_path / "x")
    (tmp_path / "features").rename(tmp_path / "out" / "audio_features_tmp")
    (tmp_path / "out" / "audio").mkdir()
    (tmp_path / "out" / "audio_features_tmp").rename(tmp_path / "out" / "audio" / "features")
    outputs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = stages.catalog(cfg, tmp_path / name)
        assert found.checks[0].passed
        outputs.append((found, (tmp_path / name / stages.METADATA_FILE).read_bytes()))
    assert outputs[0] == outputs[1]
    rows = tables.rows_of(Folder(tmp_path / "catalog"), tables.METADATA).to_pylist()
    assert {row["category"] for row in rows} == {"composer"}
    assert pq.read_table(tmp_path / "one" / stages.METADATA_FILE).num_rows == 3


def test_the_command_line_adds_lists_shows_and_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, root = sounds(tmp_path / "in"), ["--json", "--set", f"storage.root={tmp_path / 'catalog'}"]

    def hocket(*words: str) -> dict[str, object]:
        assert run(["catalog", *words, *root]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    assert hocket("add", str(folder), "--category", "mine")["added"] == 5
    shown = hocket("show", "song_1.wav")
    assert shown["features"]["tempo_bpm"] >= 0  # type: ignore[index]
    asked = hocket("sql", "select count(*) as n from audio_features where category = 'mine'")
    assert asked["rows"] == [{"n": 3}]
    assert run(["catalog", "list", root[1], root[2]]) == 0
    assert "song_1.wav" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list"], "holds no catalogue yet"),
        (["add"], "name files or folders, or --inbox"),
        (["list", "--set", "storage=azure"], "account"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["catalog", *words, "--set", f"storage.root={tmp_path / 'catalog'}"]) == 2
    told = capsys.readouterr().err.strip()
    assert message in told
    assert "\n" not in told


def test_only_select_is_answered_and_faults_of_sql_are_told(storage: Folder, tmp_path: Path) -> None:
    add_folder(storage, sounds(tmp_path / "in", 1))
    for statement, message in (
        ("delete from audio_metadata", "only SELECT"),
        ("select x from audio_metadata", "No field"),
    ):
        with pytest.raises(InputError, match=message):
            tables.query(storage, statement)


def test_a_databricks_job_comes_from_the_same_settings_and_names_secrets_only() -> None:
    from hocket.catalog.databricks import job_of

    settings = ["storage=azure", "storage.account=mine", "storage.container=music", "storage.secret=MY_KEY"]
    job = job_of(compose(["stage=audio_catalog", "engine=databricks", *settings]), settings, "0 0 2 * * ?")
    task = job["tasks"][0]
    assert job["schedule"]["timezone_id"] == "Europe/Paris"
    assert task["python_wheel_task"]["parameters"][:3] == ["catalog", "add", "--inbox"]
    assert all(setting in task["python_wheel_task"]["parameters"] for setting in settings)
    cluster = job["job_clusters"][0]["new_cluster"]
    assert cluster["spark_env_vars"]["MY_KEY"] == "{{secrets/hocket/MY_KEY}}"


def test_without_deltalake_its_absence_is_named(storage: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(InputError, match=r"pip install 'hocket\[catalog\]'"):
        tables.rows_of(storage, tables.METADATA)


def test_a_secret_in_the_place_of_its_name_is_refused_without_being_shown() -> None:
    key = "Zm9vYmFy+PlantedKey/0123456789abcdef=="
    with pytest.raises(ConfigError, match="must be the name of a secret") as caught:
        StorageConfig(secret=key)
    assert key not in str(caught.value)
    with pytest.raises(ConfigError, match="endpoint"):
        StorageConfig(endpoint="https://a.blob.core.windows.net?sig=planted")


def test_bad_files_do_not_stop_a_batch_whatever_their_order(storage: Folder, tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 4)
    small = replace(WORK, config=CatalogConfig(batch=2))
    done = add(storage, files_below([folder], "user"), small, DAY).as_dict()
    assert (done["added"], done["failed"]) == (6, 2)
    assert tables.rows_of(storage, tables.FEATURE_TABLE).num_rows == 4
