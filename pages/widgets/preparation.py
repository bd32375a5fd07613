"""The one-time preparation of a model, as a job that the page watches: progress, cancel, and what went wrong."""

from __future__ import annotations

import streamlit as st

from core.jobs import launch
from core.models import catalogue
from core.models.cards import ModelCard
from core.onnx.exports import list_exports
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRecord, JobRepository
from pages.widgets.job_watch import draw_end, watch

KIND = "export"
KEPT = "Nothing was left half-made."


def is_ready(card: ModelCard, backend: str, precision: str, device: str) -> bool:
    """Whether an answer can start at once."""
    if backend == "torch":
        return catalogue.is_prepared(card.id)
    return any(export.precision == precision for export in list_exports(card, device))


def draw(db: Database, card: ModelCard, backend: str, precision: str, device: str, *, automatic: bool) -> None:
    """Show the job, or offer it. automatic: start without asking (the first run of the built-in model)."""
    made = precision if backend == "onnx" else "fp32"
    job = job_of(db, card, made, device)
    if job is None and automatic:
        start(db, card, made, device)
        job = job_of(db, card, made, device)
    if job and job.state in ACTIVE:
        watch(db, job.id, f"**Getting the model ready — once.** {job.title}.")
        return
    with st.container(border=True):
        draw_end(job, kept=KEPT)
        st.markdown(f"**{card.title} in {precision} is not ready yet.**")
        st.caption(
            "It is unpacked, built and proved against the fp32 original once, which takes from half a minute to a few "
            "minutes; then it loads in about a second."
        )
        st.button("Prepare it", type="primary", icon=":material/build:", on_click=start, args=(db, card, made, device))


def job_of(db: Database, card: ModelCard, precision: str, device: str) -> JobRecord | None:
    """The job that makes, or last made, this export."""
    return JobRepository(db).last(KIND, _key(card, precision, device))


def start(db: Database, card: ModelCard, precision: str, device: str) -> None:
    """Make the export in the background, unless it is being made."""
    launch(
        db,
        kind=KIND,
        key=_key(card, precision, device),
        title=f"Prepare {card.title} in {precision}",
        arguments=["prepare", "--model", card.id, "--precision", precision, "--device", device],
    )


def _key(card: ModelCard, precision: str, device: str) -> str:
    return f"{card.id}/{precision}/{device}"
