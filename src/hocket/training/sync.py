"""``make sync``: the offline runs to W&B, when there is a key."""

from __future__ import annotations

import argparse
import netrc
import os
import subprocess
import sys
from pathlib import Path

from hocket.errors import InputError, exit_code


def sync(runs: Path) -> int:
    """Sends the offline runs to W&B that were not sent yet; returns how many.

    Raises:
        InputError: there is no key, or W&B could not be reached.
    """
    waiting = [
        folder
        for folder in sorted((runs / "wandb").glob("offline-run-*"))
        if any(folder.glob("*.wandb")) and not any(folder.glob("*.wandb.synced"))
    ]
    if not waiting:
        return 0
    if not has_key():
        raise InputError(
            f"{len(waiting)} offline runs wait in {runs / 'wandb'}, and there is no W&B key; put WANDB_API_KEY into "
            "the environment (never into conf/) or run `wandb login`; `make compare` needs no account"
        )
    command = [sys.executable, "-m", "wandb", "sync", *map(str, waiting)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise InputError(f"W&B took none of the runs in {runs / 'wandb'} ({' '.join(last)}); check key and network")
    return len(waiting)


def has_key() -> bool:
    """Whether a key is in the environment, or one was stored by ``wandb login``."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        known = netrc.netrc(os.environ.get("NETRC")).hosts
    except (OSError, netrc.NetrcParseError):
        return False
    return any("wandb" in host for host in known)


def main(arguments: list[str] | None = None) -> int:
    """Says how many runs were sent, or in one line why none could be; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hocket.training.sync", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are recorded [default: runs]")
    runs = parser.parse_args(arguments).runs
    try:
        sent = sync(runs)
    except InputError as error:
        code, line = exit_code(error)
        sys.stderr.write(f"sync: {line}\n")
        return code
    sys.stdout.write(f"sync: {sent} runs sent\n" if sent else f"sync: no offline run waits in {runs / 'wandb'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
