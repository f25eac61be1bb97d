"""The language model of tunes: training on batches of similar length, and sampling with the state carried.

Training is held against padding every tune to the longest of the corpus in batches of 8, sampling a batch of 64
against running the whole prefix again for every token, one tune at a time. The other side does a part of the work,
and its seconds are scaled to the whole: real tokens trained, and tokens sampled.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from hocket.config.tunes import TuneLmConfig, TunesConfig
from hocket.corpus.readers import split_tunes
from hocket.errors import MusicError
from hocket.generation.tune_lm import Line, make_header
from hocket.models.tune_lm import TuneLm
from hocket.training.sequences import IGNORED, pad
from hocket.training.tune_lm import batches
from hocket.views.abc_text import Tune, parse_tune
from hocket.views.tune_bars import Place
from hocket.views.tunes import Rows, Vocabulary, rows_of

LENGTH, BATCH = 300, 64
PADDED_BATCH, PADDED_STEPS = 8, 2


def tunes() -> list[Tune]:
    """Tunes of music21's O'Neill and Ryan."""
    import music21

    folder = Path(music21.__file__).parent / "corpus"
    found = []
    for name in ("oneills1850", "ryansMammoth"):
        for path in sorted((folder / name).glob("*.abc")):
            for text in split_tunes(path.read_text(encoding="utf-8", errors="replace")):
                try:
                    tune = parse_tune(text)
                    Place.of(tune)
                except MusicError:
                    continue
                found.append(tune)
    return found


def cpu_of(work: Callable[[], int]) -> float:
    """CPU seconds for each thing that `work` says it did."""
    started = time.process_time()
    done = work()
    return (time.process_time() - started) / done


def train_step(model: TuneLm, inputs: torch.Tensor, targets: torch.Tensor) -> int:
    """One step of training; returns the real tokens in it."""
    real = int((targets >= 0).sum())
    (model.nats(inputs, targets).sum() / real).backward()
    model.zero_grad()
    return real


def train_ours(model: TuneLm, rows: Rows) -> int:
    """A few batches of similar length, long and short as they come."""
    done = 0
    for count, (inputs, targets) in enumerate(batches(rows, 4096, 1)):
        done += train_step(model, inputs, targets)
        if count == 7:
            break
    return done


def train_padded(model: TuneLm, rows: Rows) -> int:
    """Batches of 8, every tune padded to the longest of all."""
    longest, done = max(rows.lengths), 0
    drawn = np.random.default_rng(1).permutation(len(rows.lengths)).tolist()
    for step in range(PADDED_STEPS):
        members = drawn[step * PADDED_BATCH : (step + 1) * PADDED_BATCH]
        inputs, targets = pad(rows.inputs, rows.offsets, members, 0), pad(rows.targets, rows.offsets, members, IGNORED)
        missing = longest - inputs.shape[1]
        inputs = torch.nn.functional.pad(inputs, (0, 0, 0, missing))
        done += train_step(model, inputs, torch.nn.functional.pad(targets, (0, missing), value=IGNORED))
    return done


def sample_carried(model: TuneLm, vocabulary: Vocabulary) -> int:
    """A batch of tunes of LENGTH tokens, the state carried."""
    lines, state = [Line(make_header(1, "6/8", "D"), vocabulary) for _ in range(BATCH)], None
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        for _ in range(LENGTH):
            logits, state = model(torch.tensor([[line.row()] for line in lines]), state)
            drawn = torch.multinomial(logits[:, 0].softmax(-1), 1, generator=generator)[:, 0]
            for line, token in zip(lines, drawn.tolist(), strict=True):
                line.append(token)
    return BATCH


def sample_again(model: TuneLm, vocabulary: Vocabulary) -> int:
    """One tune of LENGTH tokens, the whole prefix run again for each."""
    line, rows = Line(make_header(1, "6/8", "D"), vocabulary), []
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        for _ in range(LENGTH):
            rows.append(line.row())
            logits, _ = model(torch.tensor([rows]))
            line.append(int(torch.multinomial(logits[0, -1].softmax(-1), 1, generator=generator)))
    return 1


def report(what: str, ours: float, theirs: float, opponent: str) -> None:
    """One row for `bench.__main__`."""
    row = {"what": what, "ours_cpu_s": ours, "theirs_cpu_s": theirs, "ratio": theirs / ours, "theirs": opponent}
    print(json.dumps(row))


def main(arguments: list[str]) -> int:  # noqa: ARG001
    """Prints both rows."""
    torch.set_num_threads(1)
    corpus = tunes()
    vocabulary = Vocabulary.fit(corpus, TunesConfig())
    rows = rows_of(corpus, vocabulary)
    torch.manual_seed(1)
    model = TuneLm(TuneLmConfig(), len(vocabulary))
    ours, theirs = (1000 * cpu_of(lambda work=work: work(model, rows)) for work in (train_ours, train_padded))
    report("training, 1,000 tokens", ours, theirs, "padded to the longest tune")
    model.eval()
    carried = cpu_of(lambda: sample_carried(model, vocabulary))
    again = cpu_of(lambda: sample_again(model, vocabulary))
    report(f"sampling a tune of {LENGTH} tokens", carried, again, "the prefix again, one by one")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
