from __future__ import annotations

from pathlib import Path

import pytest

from bench.kill import trials


@pytest.mark.slow
def test_stages_that_were_killed_give_the_same_bytes_when_run_again(tmp_path: Path) -> None:
    told = trials(4, 2, tmp_path)
    assert told["kills"] == 4
    assert told["different"] == []
