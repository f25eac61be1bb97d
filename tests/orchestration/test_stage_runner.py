"""What is told of a failed stage, and that its processes end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.stage_runner import StepError, _batches, _stream, end_group, environment, failure_message


def test_our_own_line_comes_first() -> None:
    lines = ["reading", "hocket: a.mid: is truncated; fetch it again", "ERROR: failed to reproduce 'corpus_notes'"]
    assert failure_message(lines, 1) == "a.mid: is truncated; fetch it again"


def test_otherwise_the_last_lines_that_are_not_dvcs() -> None:
    lines = ["Running stage 'x':", "> python x.py", "Traceback", "RuntimeError: no", "ERROR: failed to reproduce 'x'"]
    assert failure_message(lines, 1) == "Traceback\nRuntimeError: no"
    assert failure_message([], 3) == "the stage ended with exit code 3 and said nothing"
    assert failure_message(["ERROR: unable to read 'dvc.yaml'"], 1) == "ERROR: unable to read 'dvc.yaml'"


def test_lines_are_batched_whole_and_in_order() -> None:
    lines = [f"{number}\n" for number in range(10)]
    assert [line for batch in _batches([*lines, "\n"]) for line in batch] == [str(number) for number in range(10)]


def test_a_failing_command_tells_bad_input_from_a_fault_of_ours(tmp_path: Path) -> None:
    for printed, code in (("hocket: x: is wrong", 2), ("Traceback", 1)):
        with pytest.raises(StepError) as caught:
            _stream([sys.executable, "-c", f"print({printed!r}); raise SystemExit(5)"], tmp_path, lambda _: None)
        assert caught.value.exit_code == code
        assert printed in caught.value.output


def test_stages_use_the_interpreter_that_runs_us() -> None:
    assert environment()["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment()["DVC_NO_ANALYTICS"] == "1"


def test_an_interrupt_ends_children_of_the_stage_too(tmp_path: Path) -> None:
    program = (
        "import subprocess, time; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); "
        "time.sleep(1.1); print('on', flush=True); time.sleep(60)"
    )

    def interrupt(text: str) -> None:
        (tmp_path / "pid").write_text(text)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _stream(
            [sys.executable, "-c", program],
            tmp_path,
            interrupt,
        )
    child = int((tmp_path / "pid").read_text().split()[0])
    assert _gone(child)


def test_end_group_takes_what_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.stage_runner.GRACE_S", 0.2)
    program = (
        "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; "
        "print('deaf', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    end_group(process)
    assert process.returncode == -9
    process.stdout.close()


def _gone(pid: int) -> bool:
    for _ in range(50):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().split()[2] == "Z":
            return True
        time.sleep(0.1)
    return False
