"""``make fuzz``: damaged MIDI, ABC and kern files through the readers, in processes that may die without harm.

Every file must end as a piece or as a row of quarantine, in under a second, with under 500 MB in use.
``python -m bench.fuzz [FILES] [SEED]``; exit code 1 and the numbers of the files when one does not.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import cache

import numpy as np

from bench.midi import synthetic
from hocket.config.limits import Limits
from hocket.corpus.engine import read_chunk
from hocket.corpus.plan import Chunk, Document

FILES, BATCH = 20_000, 1_000
SECONDS, MEGABYTES = 1.0, 500
KILLED_AFTER_S = 10
ABC = b"""X:1
T:Test
M:6/8
L:1/8
Q:3/8=120
K:Dmix
|: A2d {e}f>ed | (3ABc [df]2 z ^c-c | [1 d3 D3 :|[2 "G"d6 |] [K:G] [V:2] =F_B,/2c'4 |
"""
KERN = b"""!!!OTL: Test
**kern\t**kern
*M3/4\t*M3/4
*k[f#]\t*k[f#]
*G:\t*G:
4g\t(8.GG
.\t16B
=1\t=1
[2.dd\t*^
4cc 4e-\t2r\t4D
*\t*v\t*v
2.dd]\t2.G_
*-\t*-
"""
TOKENS = (
    b"\xff\xff\xff\x7f",
    b"\x7f\xff\xff\xff",
    b"MTrk\x00\x00\x00\x04",
    b"\xff\x2f\x00",
    b"\xff\x51\x03",
    b"\x00" * 8,
)
WORDS = (
    b"(9:9:9",
    b"|:",
    b":|",
    b"[1",
    b"999999999",
    b"1/0",
    b"*^\t*^",
    b"*v",
    b"=",
    b"[V:3]",
    b"K:",
    b"\xff\xfe",
    b"4" * 40,
)


@cache
def bases() -> list[tuple[str, bytes]]:
    """(format, content) of the files that are damaged."""
    midi = [("midi", content[:200] + content[-400:]) for content in synthetic(2)]
    return [*midi, *(("midi", small) for small in _small_midi()), ("abc", ABC), ("kern", KERN), ("abc", ABC * 3)]


def _small_midi() -> list[bytes]:
    head, end = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0", b"\x00\xff\x2f\x00"
    body = b"\x00\xff\x51\x03\x07\xa1\x20\x00\xc0\x05\x00\xb0\x40\x7f\x00\xe0\x00\x40\x00\x90\x3c\x40\x60\x3c\x00" + end
    track = b"MTrk" + len(body).to_bytes(4, "big") + body
    return [head + track, head[:9] + b"\x00" + head[10:] + track, head[:12] + b"\xe7\x28" + track, head + track + track]


def damaged(number: int, seed: int) -> tuple[str, bytes]:
    """(format, content) of one file, the same for the same numbers."""
    rng = np.random.default_rng((seed, number))
    kind, content = bases()[rng.integers(len(bases()))]
    data = bytearray(content)
    tokens = TOKENS if kind == "midi" else WORDS
    for _ in range(rng.integers(1, 6)):
        at, how = int(rng.integers(len(data) + 1)), rng.integers(6)
        if how == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        elif how == 1:
            del data[at:]
        elif how == 2:
            data[at:at] = tokens[rng.integers(len(tokens))] * int(rng.integers(1, 9))
        elif how == 3:
            data[at : at + 4] = rng.bytes(4)
        elif how == 4:
            data[at:at] = data[at : at + int(rng.integers(200))]
        else:
            data[at : at + int(rng.integers(1, 40))] = b""
    if kind == "midi" and rng.random() < 0.5:  # a right length, so that the damage inside is reached
        data[18:22] = max(len(data) - 22, 0).to_bytes(4, "big")
    return kind, bytes(data)


def examine(first: int, count: int, seed: int) -> dict[str, object]:
    """Reads `count` damaged files in this process and says what became of them."""
    outcomes: Counter[str] = Counter()
    faults, slowest = [], 0.0
    for number in range(first, first + count):
        signal.alarm(KILLED_AFTER_S)
        kind, content = damaged(number, seed)
        document = Document(f"{number}", kind, content=content)
        started = time.perf_counter()
        result = read_chunk(Chunk("fuzz", None, None, (document,), Limits()))
        slowest = max(slowest, time.perf_counter() - started)
        if time.perf_counter() - started > SECONDS or result.files < 1:
            faults.append(number)
        outcomes.update(row.reason for row in result.rejected)
        outcomes["piece"] += len(result.table)
        faults += [number for row in result.rejected if row.reason == "reader_fault"]
    signal.alarm(0)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"outcomes": outcomes, "faults": faults, "slowest_s": slowest, "peak_mb": megabytes}


def _batch(first: int, count: int, seed: int) -> dict[str, object]:
    command = [sys.executable, "-m", "bench.fuzz", "--batch", str(first), str(count), str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"outcomes": {f"died with {done.returncode}": 1}, "faults": [first], "slowest_s": 0.0, "peak_mb": 0}
    result: dict[str, object] = json.loads(done.stdout)
    return result


def main(arguments: list[str]) -> int:
    """Prints what became of the files; 1 when one broke a promise."""
    if arguments[:1] == ["--batch"]:
        first, count, seed = map(int, arguments[1:])
        print(json.dumps(examine(first, count, seed)))
        return 0
    files, seed = (int(arguments[i]) if len(arguments) > i else default for i, default in enumerate((FILES, 1)))
    results = [_batch(first, min(BATCH, files - first), seed) for first in range(0, files, BATCH)]
    outcomes = sum((Counter(result["outcomes"]) for result in results), Counter())
    faults = [number for result in results for number in result["faults"]]
    peak, slowest = (max(result[key] for result in results) for key in ("peak_mb", "slowest_s"))
    told = {"files": files, "seed": seed, "outcomes": outcomes, "faults": faults, "peak_mb": peak, "slowest_s": slowest}
    print(json.dumps(told, indent=1))
    return int(bool(faults) or peak > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
