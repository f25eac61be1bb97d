"""The inbox of the audio catalogue in Dagster: job, sensor, schedule, and secrets that reach no event."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from audio.making_sound import RATE, encoded, melody
from azurite import ACCOUNT, KEY, Azurite, needs_azurite
from orchestration import inbox
from orchestration.definitions import build_definitions

pytest.importorskip("deltalake", reason="deltalake is not installed (extra `catalog`)")
ROOT = Path(__file__).parents[2]
WRONG = "UGxhbnRlZFdyb25nQWNjb3VudEtleTAxMjM0NTY3ODkhISEhISEhISEhISEhISEhISEhISEhISEhISEhIQ=="


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as found:
        yield found


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    words = f"storage.root={tmp_path / 'catalog'} catalog.inbox={tmp_path / 'inbox'}"
    monkeypatch.setenv(inbox.SETTINGS, words)
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.mark.slow
def test_the_sensor_sees_new_sounds_and_the_job_adds_them(local: Path, instance: dg.DagsterInstance) -> None:
    job = inbox.build_job(ROOT)
    sensor = inbox.build_sensor(job, ROOT)
    look = lambda: sensor.evaluate_tick(dg.build_sensor_context(instance))  # noqa: E731
    assert look().skip_message == "nothing waits"
    (local / "a.wav").write_bytes(encoded(melody(0.3), RATE))
    asked = look().run_requests
    assert len(asked) == 1
    done = job.execute_in_process(instance=instance)
    assert done.success
    assert done.output_for_node("add_inbox")["added"] == 1
    assert look().skip_message == "nothing waits"


def test_the_schedule_is_at_two_in_paris_and_all_is_off_at_first() -> None:
    defs = build_definitions(ROOT)
    schedule = defs.resolve_schedule_def("inbox_nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Europe/Paris")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert defs.resolve_sensor_def("inbox_watch").default_status == dg.DefaultSensorStatus.STOPPED


@needs_azurite
@pytest.mark.slow  # `make test-services` runs it
@pytest.mark.parametrize("secret", [KEY, WRONG], ids=["right", "wrong"])
def test_no_secret_reaches_dagster_or_wandb(
    secret: str, azurite: Azurite, tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hocket.config import compose
    from hocket.report import Report
    from hocket.training.loggers import record_run

    settings = ["storage=azure", f"storage.account={ACCOUNT}", f"storage.container={azurite.container()}"]
    settings += [f"storage.endpoint={azurite.url}", "storage.secret=PLANTED"]
    monkeypatch.setenv("PLANTED", secret)
    monkeypatch.setenv(inbox.SETTINGS, " ".join(settings))
    done = inbox.build_job(ROOT).execute_in_process(instance=instance, raise_on_error=False)
    assert done.success == (secret == KEY)
    if secret == WRONG:
        told = str(done.failure_data_for_node("add_inbox"))
        assert "sign-in by account_key was refused" in told
    cfg = compose(["stage=models", *settings, f"logger.folder={tmp_path / 'runs'}"])
    record_run(cfg, Report(stage="models_forest"), tmp_path, {"wall_s": 1.0, "cpu_s": 1.0})
    files = [path for folder in ("home", "runs") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    events = [
        str(entry.to_json()) if hasattr(entry, "to_json") else str(entry) for entry in instance.all_logs(done.run_id)
    ]
    assert events
    assert not [event for event in events if secret in event]
    for path in (path for path in files if path.suffix == ".db"):
        with sqlite3.connect(path) as database:
            assert not [line for line in database.iterdump() if secret in line]
