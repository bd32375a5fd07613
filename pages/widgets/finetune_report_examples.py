"""Single test rows: answers before and after, the best and worst of them, a grid of pictures."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.training.evaluation.comparing import figure
from core.training.evaluation.report import Answer, EvaluationReport, Example
from pages.widgets.words import count_of, plain, share

FIRST = 5  # examples; the rest behind a toggle
FIRST_ANSWERS = 3
PICTURE_PIXELS = 84
GRID_SIDE = 5  # pictures of a row, where there is room
_PNG = b"\x89PNG\r\n\x1a\n"


def draw_answers(answers: Sequence[Answer], owner: str) -> None:
    """Side by side; below one another on a narrow screen."""
    changed = sum(one.before.strip() != one.after.strip() for one in answers)
    st.caption(f"{changed} of {count_of(len(answers), 'answer')} changed. The most likely token at every step.")
    shown = answers
    if len(answers) > FIRST_ANSWERS and not st.toggle(f"All {len(answers)} prompts", key=f"r_answers_{owner}"):
        shown = answers[:FIRST_ANSWERS]
    for one in shown:
        with st.container(border=True):
            st.text(one.prompt)
            left, right = st.columns(2)
            for column, name, text in ((left, "Before", one.before), (right, "After", one.after)):
                with column:
                    st.caption(f"**{name}**")
                    st.text(text.strip() or "(nothing)")


def draw_examples(report: EvaluationReport, owner: str) -> None:
    """The rows it did worst and best on."""
    if not report.examples:
        return
    st.subheader("Single test rows")
    side = st.segmented_control(
        "Which", ["Worst", "Best"], default="Worst", key=f"r_side_{owner}", label_visibility="collapsed", required=True
    )
    chosen = [one for one in report.examples if one.best == (side == "Best")]
    if not chosen:
        st.caption("There are none: the test rows are too few.")
    more = len(chosen) > FIRST and st.toggle(f"All {len(chosen)}", key=f"r_examples_{owner}")
    shown = chosen if more else chosen[:FIRST]
    if any(one.image for one in shown):
        with st.container(horizontal=True, gap="small"):
            for one in shown:
                _draw_picture(one)
        return
    for one in shown:
        with st.container(border=True):
            st.caption(_told(one, report.kind))
            st.text(one.shown or "(empty)")


def _draw_picture(one: Example) -> None:
    with st.container(border=True, width=165, gap="small", height="stretch"):
        picture = png(one.image)
        if picture:
            st.image(picture, width=PICTURE_PIXELS)
        st.caption(_told(one, "classification"))


def _told(one: Example, kind: str) -> str:
    if kind == "classification":
        right = one.truth == one.said
        mark = ":material/check:" if right else ":material/close:"
        return (
            f"{mark} Row {one.row:,} is **{plain(one.truth)}**, it said **{plain(one.said)}** · probability of the "
            f"truth {share(one.score)}"
        )
    if kind == "regression":
        return f"Row {one.row:,} is **{plain(one.truth)}**, it said **{plain(one.said)}** · off by {figure(one.score)}"
    return f"Row {one.row:,} · {figure(one.score)} nats a token"


def draw_grid(cells: Any) -> None:
    """Test pictures drawn by chance, with what was said of each. cells: `extra["grid"]` of the images recipe."""
    found = [
        (picture, str(cell.get("said", "")), str(cell.get("truth", "")), cell.get("probability"))
        for cell in (cells if isinstance(cells, list | tuple) else [])
        if isinstance(cell, dict) and (picture := png(cell.get("image")))
    ]
    if not found:
        return
    right = sum(said == truth for _, said, truth, _ in found)
    st.subheader("Test pictures, drawn by chance")
    st.caption(f"{right} of {len(found)} are right.")
    with st.container(horizontal=True, gap="small", width=GRID_SIDE * (PICTURE_PIXELS + 20)):
        for picture, said, truth, probability in found:
            with st.container(width=PICTURE_PIXELS + 12, gap=None):
                st.image(picture, width=PICTURE_PIXELS)
                sure = f" {share(float(probability))}" if isinstance(probability, int | float) else ""
                st.caption(
                    f":green[:material/check:] {plain(said)}{sure}"
                    if said == truth
                    else f":red[:material/close:] **{plain(said)}**{sure}, is {plain(truth)}"
                )


def png(text: Any) -> bytes | None:
    """A PNG given as base64; None for what is none."""
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data.startswith(_PNG) else None
