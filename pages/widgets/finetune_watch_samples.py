"""What a language model answers while it learns: the same prompt over time, or all prompts at one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.store.training_points import TrainingPoint
from pages.widgets.words import cut

HEIGHT = 420  # pixels: more answers scroll, so that nothing below moves
MOST_SHOWN = 60
NONE_YET = "none yet"
EVERY = "all steps, newest first"


def draw(job_id: str, points: Sequence[TrainingPoint]) -> None:
    """points: those of kind sample, in order."""
    st.subheader("What it answers")
    told = [(point.step, text) for point in points for text in _texts(point)]
    if not told:
        for column, label in zip(st.columns([3, 2]), ("Prompt", "Step"), strict=True):
            column.selectbox(label, [NONE_YET], disabled=True, key=f"r_no_{label}_{job_id}")  # keeps the place
        with st.container(border=True, height=HEIGHT):
            st.caption("Its first answers come with the first evaluation, before it has learned anything.")
        return
    prompts = list(dict.fromkeys(text["prompt"] for _, text in told))
    steps = [EVERY, *(str(step) for step in sorted({step for step, _ in told}, reverse=True))]
    left, right = st.columns([3, 2])
    prompt = left.selectbox(
        "Prompt",
        [None, *prompts],
        format_func=lambda one: "all prompts" if one is None else cut(" ".join(one.split()) or "(nothing)", 80),
        index=1 if len(prompts) else 0,
        key=f"r_prompt_{job_id}",
    )
    step = right.selectbox("Step", steps, key=f"r_step_{job_id}")
    shown = [
        (at, text)
        for at, text in reversed(told)
        if (prompt is None or text["prompt"] == prompt) and (step == EVERY or step == str(at))
    ]
    with st.container(border=True, height=HEIGHT):
        for at, text in shown[:MOST_SHOWN]:
            st.caption(f"**Step {at:,}**" + ("" if prompt is not None else " · the prompt, then the answer"))
            if prompt is None:
                st.text(text["prompt"])
            st.text(text["text"] or "(it said nothing)")


def _texts(point: TrainingPoint) -> list[dict[str, str]]:
    found: Any = point.values.get("texts")
    return [
        {"prompt": str(one.get("prompt", "")), "text": str(one.get("text", ""))}
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
    ]
