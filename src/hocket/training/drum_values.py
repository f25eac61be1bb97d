"""How the expected velocity and offset of hits are learnt: squared errors at true hits."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn

from hocket.models.drum_vae import Batch
from hocket.models.schedule import one_cycle

RATE, DECAY = 3e-3, 0.02
OFFSET_WEIGHT = 2.0  # about equal parts


class ValuesModule(pl.LightningModule):
    """A network from batches to (velocity, offset), each (batch, time, 9), with its training.

    Args:
        network: `hocket.models.drum_values.DrumValues` or `hocket.models.drum_conv.DrumConv`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def _step(self, batch: Batch, name: str) -> Tensor:
        struck = batch.hits > 0
        pairs = zip(self.network(batch), (batch.velocities, batch.offsets), strict=True)
        velocity, offset = (
            (guess - true)[struck].float().square().sum() / max(int(struck.sum()), 1) for guess, true in pairs
        )
        loss: Tensor = velocity + OFFSET_WEIGHT * offset
        self.log(f"{name}/loss", loss.detach(), on_epoch=True, on_step=False, batch_size=int(struck.sum()) or 1)
        return loss

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Squared errors of a batch of windows."""
        return self._step(batch, "train")

    def validation_step(self, batch: Batch, _: int) -> None:
        """Logs them, weighted by hits."""
        self._step(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cosine cycle over all steps."""
        return one_cycle(self, RATE, DECAY)
