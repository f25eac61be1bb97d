"""The variational autoencoder: training on batches of segments, held against one padded sequence at a time.

Both sides run the canonical model and the same optimizer; the other side takes a step for each sequence, as the
predecessors did. Its sequences are padded to the length of the model, so that the work for each is the same.
"""

from __future__ import annotations

import json
import sys
import time

import torch

from hocket.config.latent import MelodyVaeConfig
from hocket.models.melody_vae import MelodyVae

PITCHES, STYLES, STEPS = 44, 2, 32
BATCHES, ALONE = 4, 48  # batches of ours, and sequences of theirs


def train(model: MelodyVae, optimizer: torch.optim.Optimizer, steps: torch.Tensor, style: torch.Tensor) -> None:
    """One step of training."""
    mean, log_variance = model.encode(steps, style)
    latent = model.sample(mean, log_variance)
    loss = model.nats(latent, style, steps).sum(1).mean() + model.rate(log_variance, latent, style).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def cpu_of_segment(model: MelodyVae, batch: int, batches: int) -> float:
    """CPU seconds for each segment in batches of this size."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    steps = torch.randint(0, PITCHES + 2, (batches + 1, batch, STEPS))
    style = torch.randint(0, STYLES + 1, (batches + 1, batch))
    train(model, optimizer, steps[0], style[0])
    started = time.process_time()
    for place in range(1, batches + 1):
        train(model, optimizer, steps[place], style[place])
    return (time.process_time() - started) / (batch * batches)


def main(arguments: list[str]) -> int:  # noqa: ARG001
    """Prints one row."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    config = MelodyVaeConfig()
    model = MelodyVae(config, PITCHES, STYLES)
    ours = 1000 * cpu_of_segment(model, config.batch, BATCHES)
    theirs = 1000 * cpu_of_segment(model, 1, ALONE)
    row = {"what": "VAE training, 1,000 segments", "ours_cpu_s": ours, "theirs_cpu_s": theirs, "ratio": theirs / ours}
    print(json.dumps({**row, "theirs": "one padded sequence at a time"}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
