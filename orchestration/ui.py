"""``python -m orchestration.ui``: Dagster's UI, loopback only, ended whole by ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import subprocess
import sys

from orchestration.home import make_home
from orchestration.lineage import project_root
from orchestration.stage_runner import end_group, end_on_signals, environment

HOST = "127.0.0.1"


def command(port: int) -> list[str]:
    """Webserver, daemon (schedules, sensors, queue) and code server."""
    return [
        *(sys.executable, "-m", "dagster", "dev", "--module-name", "orchestration.definitions"),
        *("--host", HOST, "--port", str(port), "--log-level", "warning"),
    ]


def main(arguments: list[str]) -> int:
    """Runs until it is told to end; the exit code is the server's, 0 when it was told."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.ui", description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    port = parser.parse_args(arguments).port
    root = project_root()
    make_home(root)
    end_on_signals()
    print(f"http://{HOST}:{port} (ctrl-C ends it)", flush=True)
    # a group of its own: dagster dev leaves children behind when it alone is told to end
    process = subprocess.Popen(command(port), cwd=root, env=environment(), start_new_session=True, text=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        end_group(process)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
