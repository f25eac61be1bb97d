"""The optimizer of sequence models: AdamW whose rate goes up for a tenth of the steps and down to zero."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch


def one_cycle(module: pl.LightningModule, learning_rate: float, weight_decay: float) -> Any:
    """What `configure_optimizers` gives back (Smith & Topin 2019).

    Args:
        module: attached to its trainer, which knows the number of steps.
        learning_rate: highest rate of the cycle.
        weight_decay: of AdamW.
    """
    steps = int(module.trainer.estimated_stepping_batches)
    optimizer = torch.optim.AdamW(module.parameters(), learning_rate, weight_decay=weight_decay)
    rise = max(0.1, 2 / max(steps, 3))  # a rise of a single step would divide by zero
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, steps, pct_start=rise)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
