"""The four estimates, each from a configuration to a `Report`: what the page, the command line and the exports call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import InvalidInput
from core.estimate.breakeven_estimate import estimate_breakeven
from core.estimate.memory_estimate import estimate_memory
from core.estimate.report import Report
from core.estimate.serve_estimate import estimate_serve
from core.estimate.train_estimate import estimate_train

_ESTIMATES: dict[str, Callable[[dict[str, Any]], tuple[Report, Any]]] = {
    "train": estimate_train,
    "memory": estimate_memory,
    "serve": estimate_serve,
    "breakeven": estimate_breakeven,
}


def estimate(kind: str, given: dict[str, Any]) -> Report:
    """By its name: one of `report.KINDS`. Raises InvalidInput for another, and as each of them."""
    if kind not in _ESTIMATES:
        raise InvalidInput(f"'{kind}' is no estimate.", allowed=f"{', '.join(_ESTIMATES)}.")
    return _ESTIMATES[kind](given)[0]
