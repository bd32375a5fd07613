"""A text as running tokens, tinted by a number each; a slider goes through bands of numbers (layers, steps) by itself.

A Streamlit component without an iframe; all bands travel at once, so that the slider needs no rerun. Pieces are put on
the page as text only, and the token that was picked is checked before it is believed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pages.widgets.component import component, no_callback

_component = component(__file__, '<div class="attention-tokens"></div>', shared=("dom", "token_moves"))


def attention_tokens(
    pieces: Sequence[str],
    *,
    special: Sequence[bool],
    focus: int | None,
    values: npt.NDArray[np.float32] | None,
    bands: Sequence[str],
    band: int,
    signed: bool,
    unit: str,
    legend: str,
    key: str,
    answer_start: int | None = None,
    pickable: bool = True,
) -> int | None:
    """Shows the text. Returns the token that was clicked, on the one rerun after.

    values: [band, token]; a number that is none (NaN) leaves its token untinted. None: plain text. signed: blue for,
    orange against, zero between. band: shown first; the reader's own place on the slider outlives a rerun. unit: what a
    number is, in words. answer_start: the first token under “Answer”; those before stand under “Prompt”.
    """
    content = {
        "pieces": list(pieces),
        "special": [place for place, is_special in enumerate(special) if is_special],
        "values": None if values is None else packed(values),
        "bands": list(bands),
        "signed": signed,
        "unit": unit,
        "legend": legend,
        "answer_start": answer_start,
        "pickable": pickable,
    }
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
    text = hashlib.blake2b(
        json.dumps([content["pieces"], content["special"], answer_start]).encode(), digest_size=8
    ).hexdigest()
    shown = focus if focus is not None and 0 <= focus < len(pieces) else None
    first = min(max(band, 0), max(len(bands) - 1, 0))
    result = _component(
        key=key,
        data={"digest": digest, "text": text, "focus": shown, "band": first, **content},
        on_pick_change=no_callback,
    )
    return checked_pick(result.pick, len(pieces)) if pickable else None


def packed(values: npt.NDArray[np.float32]) -> dict[str, object]:
    """scales: the largest absolute value of each band. halves: base64 of value/scale as little-endian float16, band by
    band: three digits of every number, small ones included, in two bytes."""
    known = np.where(np.isfinite(values), values, np.float32(np.nan)).astype(np.float64)
    scales = np.nan_to_num(np.abs(known)).max(axis=1, initial=0.0)
    parts = known / np.where(scales > 0, scales, 1.0)[:, None]
    return {
        "scales": [float(f"{scale:.6g}") for scale in scales],
        "halves": base64.b64encode(parts.astype("<f2").tobytes()).decode(),
    }


def checked_pick(value: object, count: int) -> int | None:
    """The browser's word, if it names one of `count` tokens."""
    return value if type(value) is int and 0 <= value < count else None
