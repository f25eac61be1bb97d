"""The recurrent language model of ABC tunes."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hocket.config.tunes import TuneLmConfig
from hocket.models.tune_model import TuneModel


class TuneLm(TuneModel):
    """An LSTM between what `hocket.models.tune_model` reads and what it speaks.

    Args:
        config: sizes and training.
        tokens: size of the vocabulary.
    """

    def __init__(self, config: TuneLmConfig, tokens: int) -> None:
        super().__init__(config, tokens, config.hidden)
        self.lstm = nn.LSTM(config.embedding + self.side, config.hidden, config.layers, batch_first=True)

    def forward(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (batch, time, tokens) of inputs (batch, time, fields), and the state to carry on."""
        entered, heard = self.read(inputs)
        features, state = self.lstm(entered, state)
        return self.speak(features, heard), state
