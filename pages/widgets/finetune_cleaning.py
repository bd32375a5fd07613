"""What is done to the rows before they are learned from: cleaning, personal data, the split, changed copies."""

from __future__ import annotations

import streamlit as st

from core.training.data.prepared import PreparedData
from pages.widgets.finetune_form import Asked, draw

TEXTS = ("causal", "classification", "gpt", "masked")


def draw_privacy(asked: Asked, data: PreparedData) -> None:
    """What the scan found, and what becomes of it."""
    if asked.recipe not in TEXTS:
        return
    found = data.record.privacy
    st.markdown("**Personal data and secrets**")
    left, right = st.columns([3, 1])
    with right:
        draw(asked, "data.privacy", columns=1)
    with left:
        if not found:
            st.caption(
                ":material/verified_user: None were found. Looked for: e-mail, phone, payment card, IBAN, IP address, "
                "national ids, API keys and passwords."
            )
            return
        st.dataframe(
            [
                {
                    "Kind": one.kind,
                    "Found": one.count,
                    "In rows": ", ".join(f"{row:,}" for row in one.rows[:8]) + ("…" if len(one.rows) > 8 else ""),
                    "Such as": "   ".join(one.examples),
                }
                for one in found
            ],
            hide_index=True,
            alt="Personal data and secrets that were found",
        )


def draw_steps(data: PreparedData) -> None:
    """How many rows remain after each step."""
    left = data.record.rows
    rows: list[dict[str, str | int]] = [{"Step": "In the file", "Changed": 0, "Dropped": 0, "Rows left": left}]
    for step in data.record.steps:
        left -= step.dropped
        rows.append({"Step": step.told, "Changed": step.changed, "Dropped": step.dropped, "Rows left": left})
    st.dataframe(rows, hide_index=True, alt="Rows that remain after each step")


def draw_switches(asked: Asked) -> None:
    """All that is chosen of it."""
    texts, judged = asked.recipe in TEXTS, bool(asked.values["data"].get("evaluation_path"))
    with st.expander("Cleaning, split and small sets", icon=":material/cleaning_services:"):
        switches = ["data.clean.normalise"] * texts + ["data.clean.drop_empty", "data.clean.deduplicate"]
        draw(asked, *switches, *(["data.clean.drop_leaks"] * judged))
        if texts:
            rarest = ["data.clean.rarest_label"] * (asked.recipe == "classification")
            draw(asked, "data.clean.shortest", "data.clean.longest", *rarest)
        elif asked.recipe == "images":
            draw(asked, "data.clean.rarest_label")
        draw(asked, "data.validation", *([] if judged else ["data.test"]), "data.seed")
        if asked.recipe != "images":
            draw(asked, "data.evaluation_path", columns=2)
            st.caption("The file that judges: another file of this machine with the same columns, or empty.")
        if asked.recipe == "images":
            st.caption("Pictures are changed at random at every epoch, so that few of them teach more:")
            draw(asked, "data.augment.rotation", "data.augment.shift", "data.augment.scale", "data.augment.crop")
        elif asked.recipe in ("classification", "causal", "masked"):
            draw(asked, "data.augment.copies", "data.augment.word_dropout", "data.augment.word_swap")
        if fault := asked.faults.get("") or asked.faults.get("data"):
            st.error(fault, icon=":material/error:")
