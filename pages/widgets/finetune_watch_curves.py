"""All curves of a fine-tune, while it runs and afterwards: the losses wide, the rest small, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.store.jobs import JobRecord
from core.store.training_points import PointKind, TrainingPoint
from pages.widgets.finetune_watch_charts import (
    loss_spec,
    loss_table,
    measure_names,
    measure_title,
    small_spec,
    small_table,
)

MOST_MEASURES = 6
FIRST_MEASURES = ("f1", "accuracy", "rmse")
"""Those that decide, or that a reader looks for."""
EXPECTED = {"classification": ("f1", "accuracy"), "images": ("accuracy",), "regression": ("rmse", "mae", "r2")}
"""Measures of a recipe: their places are kept before the first evaluation."""


def draw(job: JobRecord, points: Sequence[TrainingPoint]) -> None:
    """points: of the run, in order. Small pictures stand in pairs, and below one another on a narrow screen."""
    told = job.result or job.metrics
    # a run that was stopped early has an axis as long as it got, one that goes on as long as it will get
    steps = int((job.result or {}).get("step") or job.metrics.get("steps") or 0)
    st.vega_lite_chart(loss_table(points, steps, told.get("best_step")), loss_spec(steps), key=f"r_loss_{job.id}")
    small = _small(job, points)
    for start in range(0, len(small), 2):
        for column, (kind, name, title, axis) in zip(st.columns(2), small[start : start + 2], strict=False):
            table = small_table(points, kind, name, steps)
            column.vega_lite_chart(table, small_spec(title, axis, steps), key=f"r_small_{name}_{job.id}")


def _small(job: JobRecord, points: Sequence[TrainingPoint]) -> list[tuple[PointKind, str, str, str]]:
    """Kind, name, title and axis of each."""
    expected = EXPECTED.get(str(job.command.get("config", {}).get("recipe")), ())
    names = measure_names(points) or expected
    unit = str(job.metrics.get("unit") or "rows")
    return [
        *(
            ("eval", name, measure_title(name), name.replace("_", " "))
            for name in sorted(names, key=_place)[:MOST_MEASURES]
        ),
        ("train", "learning_rate", "Learning rate", "learning rate"),
        ("train", "grad_norm", "Norm of the gradient", "norm"),
        ("train", "units_per_s", f"Speed, {unit} a second", f"{unit}/s"),
    ]


def _place(name: str) -> int:
    return FIRST_MEASURES.index(name) if name in FIRST_MEASURES else len(FIRST_MEASURES)
