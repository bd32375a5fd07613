"""The pictures of an estimate, each with the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from exports.cells import rows_csv
from pages.widgets import cost_breakeven_charts, cost_memory_charts, cost_serve_charts, cost_train_charts
from pages.widgets.take_away import csv_button

CHART = {"displayModeBar": False}
_OF: dict[str, Callable[[Any], Sequence[tuple[str, Any, Sequence[dict[str, Any]]]]]] = {
    "train": cost_train_charts.pictures,
    "memory": cost_memory_charts.pictures,
    "serve": cost_serve_charts.pictures,
    "breakeven": cost_breakeven_charts.pictures,
}


def draw(kind: str, answer: Any) -> None:
    """All of one kind, the first the largest."""
    for name, figure, rows in _OF[kind](answer):
        st.plotly_chart(figure, key=f"c_picture_{kind}_{name}", config=CHART)
        _numbers(kind, name, rows)


def _numbers(kind: str, name: str, rows: Sequence[dict[str, Any]]) -> None:
    csv_button(f"{kind}-{name}", rows_csv(rows), label="Numbers of this picture (CSV)")
