"""How a sentence model makes one vector of its tokens' vectors, as sentence-transformers writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from core.errors import ModelRefused
from core.models.tokenizer import read_json


def sentence_pooling(folder: Path, next_step: str = "Prepare the model again.") -> Literal["mean", "cls"]:
    """The mean, or the first token's, as the model was trained. Raises ModelRefused for another way, and CorruptFile
    with `next_step` for a file that does not parse."""
    told = read_json(folder / "1_Pooling" / "config.json", next_step)
    modes = [name for name, on in told.items() if name.startswith("pooling_mode_") and on]
    if modes in ([], ["pooling_mode_mean_tokens"]):
        return "mean"
    if modes == ["pooling_mode_cls_token"]:
        return "cls"
    raise ModelRefused(
        f"The model pools its tokens by {', '.join(modes)}.", allowed="Mean pooling, or the first token."
    )
