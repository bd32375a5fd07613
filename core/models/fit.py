"""Whether a model fits this machine's memory: an export is proved against the whole model in fp32."""

from __future__ import annotations

import psutil

from core.errors import ModelRefused

FP32_BYTES = 4
SHARE = 0.8  # of the machine's memory; the rest is for the export beside it, and for everybody else


def check_memory(name: str, parameters: int) -> None:
    """Raises ModelRefused for a model whose fp32 weights do not fit. parameters: 0 when they are not known."""
    total = psutil.virtual_memory().total
    if parameters * FP32_BYTES > total * SHARE:
        raise ModelRefused(
            f"{name} has {parameters / 1e9:.1f} billion parameters: the fp32 original that an export is proved against "
            f"takes {parameters * FP32_BYTES / 1e9:,.0f} GB of memory, and this machine has {total / 1e9:,.0f} GB.",
            allowed=f"Up to {total * SHARE / FP32_BYTES / 1e9:.1f} billion parameters here.",
            next_step="Choose a smaller model, or let a server run it (vLLM, SGLang, llama.cpp) and add the server.",
        )
