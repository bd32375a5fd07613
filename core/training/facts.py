"""What the defaults want to know of the rows and the model before anything is built."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.models import catalogue
from core.training.config import AnyConfig, CausalConfig, ClassificationConfig, MaskedConfig
from core.training.data.prepared import PreparedData
from core.training.defaults import Facts
from core.training.device import has_bf16

_LOOKED_AT = 2_000
"""Rows whose tokens are counted."""


def facts_of(config: AnyConfig, data: PreparedData, device: str) -> Facts:
    """Raises ModelNotFound for a model that is not there."""
    longest = context = None
    if isinstance(config, (CausalConfig, ClassificationConfig, MaskedConfig)):
        from core.training.data.lengths import token_lengths

        context = catalogue.get(config.model).architecture.context
        texts = texts_of(data.train.head(_LOOKED_AT))
        if texts:
            lengths = token_lengths(texts, catalogue.prepare(config.model))
            longest = int(np.percentile(lengths, 95)) + (24 if data.kind == "chat" else 2)
    return Facts(rows=len(data.train), longest_tokens=longest, context=context, bf16=has_bf16(device))


def texts_of(frame: pd.DataFrame) -> list[str]:
    """The text of each row, a chat's turns one below the other; [] for rows without text."""
    if "messages" in frame:
        return ["\n".join(turn["content"] for turn in turns) for turns in frame["messages"]]
    return [str(text) for text in frame["text"]] if "text" in frame else []
