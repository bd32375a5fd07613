"""Which column of the file plays which part: found by its name, or chosen."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.training.data.columns import resolve_columns
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


def draw(asked: Asked, table: Table) -> None:
    """A box for each part; "auto" says which column it takes."""
    there = [str(name) for name in table.frame.columns]
    if asked.recipe == "gpt" and len(there) == 1:
        return
    found = _found(asked, table)
    parts = PARTS[asked.recipe]
    for column, part in zip(st.columns(len(parts)), parts, strict=True):
        with column:
            name = f"data.columns.{part}"
            if part == "features":
                finetune_form.draw_one(asked, name, options=_named(there, list(found.features) if found else []))
                continue
            auto = getattr(found, part) if found else ""
            own = {"": f"auto: {auto}" if auto else "auto: none"} | _named(there, [])
            finetune_form.draw_one(asked, name, options=own | _absent(asked, part, own))


def _found(asked: Asked, table: Table) -> Columns | None:
    """What the names say, with what the reader chose; None when it is no whole answer."""
    data = asked.data
    try:
        return resolve_columns(table.frame.head(LOOKED_AT), asked.recipe, data.columns if data else Columns())[1]
    except GroundworkError:
        return None


def _named(there: list[str], also: list[str]) -> dict[str, str]:
    return {name: cut(name, 40) for name in dict.fromkeys([*there, *also])}


def _absent(asked: Asked, part: str, known: dict[str, str]) -> dict[str, str]:
    """A column that was chosen for another file stays to be seen."""
    chosen = asked.values["data"].get("columns", {}).get(part, "")
    return {chosen: f"{cut(chosen, 40)} (not in this file)"} if chosen not in known else {}
