"""Which column of the file plays which part: found by its name, or chosen."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.training.data.columns import resolve_columns
from core.training.data.prepared import PreparedData
from core.training.data.read import Table
from core.training.data_config import Columns
from pages.widgets import finetune_form
from pages.widgets.finetune_form import Asked
from pages.widgets.words import cut

LOOKED_AT = 2_000
"""Rows by which a column is known: this is drawn again at every click."""
PARTS = {
    "causal": ("messages", "prompt", "completion", "text", "group"),
    "classification": ("text", "label", "group"),
    "regression": ("target", "features", "group"),
    "gpt": ("text",),
    "masked": ("text", "group"),
}


def draw(asked: Asked, table: Table, prepared: PreparedData | None) -> None:
    """A box for each part; "auto" says which column it takes: of the rows as they were prepared, when they were."""
    there = [str(name) for name in table.frame.columns]
    if asked.recipe == "gpt" and len(there) == 1:
        return
    parts = PARTS[asked.recipe]
    for column, part in zip(st.columns(len(parts)), parts, strict=True):
        with column:
            name = f"data.columns.{part}"
            if part == "features":
                finetune_form.draw_one(asked, name, options=_named([*there, *_asked(asked).features]))
                continue
            own = {"": _auto(asked, table, prepared, part)} | _named(there)
            finetune_form.draw_one(asked, name, options=own | _absent(asked, part, own))


def _auto(asked: Asked, table: Table, prepared: PreparedData | None, part: str) -> str:
    """Which column is taken for a part that is left open; of a part that was chosen, which would be."""
    chosen = _asked(asked)
    if prepared is not None and not getattr(chosen, part):
        return f"auto: {cut(str(prepared.record.columns.get(part) or 'none'), 40)}"
    try:
        found = resolve_columns(table.frame.head(LOOKED_AT), asked.recipe, chosen.model_copy(update={part: ""}))[1]
    except GroundworkError:
        return "auto"
    return f"auto: {cut(getattr(found, part) or 'none', 40)}"


def _asked(asked: Asked) -> Columns:
    return Columns.model_validate(asked.values["data"].get("columns", {}))


def _named(there: list[str]) -> dict[str, str]:
    """In full: two long names may begin alike."""
    return {name: name for name in there}


def _absent(asked: Asked, part: str, known: dict[str, str]) -> dict[str, str]:
    """A column that a configuration names for a file without it stays to be seen."""
    chosen = getattr(_asked(asked), part)
    return {chosen: f"{cut(chosen, 40)} (not in this file)"} if chosen not in known else {}
