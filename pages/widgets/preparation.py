"""The one-time preparation of a model, as a job that the page watches: progress, cancel, and what went wrong."""

from __future__ import annotations

import streamlit as st

from core.jobs import cancel, launch
from core.models import catalogue
from core.models.cards import ModelCard
from core.onnx.exports import list_exports
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from pages.widgets.models import Choice

KIND = "export"
POLL_SECONDS = 0.5


def is_ready(card: ModelCard, choice: Choice, device: str) -> bool:
    """Whether an answer can start at once."""
    backend, precision = choice
    if backend == "torch":
        return catalogue.is_prepared(card.id)
    return any(export.precision == precision for export in list_exports(card, device))


def draw(db: Database, card: ModelCard, choice: Choice, device: str, *, automatic: bool) -> None:
    """Show the job, or offer it. automatic: start without asking (the first run of the built-in model)."""
    backend, precision = choice
    key = f"{card.id}/{precision}/{device}"
    jobs = JobRepository(db)
    job = jobs.find_active(KIND, key)
    last = next((j for j in jobs.list(limit=20) if j.kind == KIND and j.key == key), None)
    if job is None and (automatic and last is None):
        job = _start(db, card, precision if backend == "onnx" else "fp32", device, key)
    if job:
        _watch(db, job.id)
        return
    with st.container(border=True):
        if last and last.state in ("failed", "interrupted"):
            st.error(
                last.error or "The preparation was interrupted; nothing was left half-made.", icon=":material/error:"
            )
        if last and last.state == "cancelled":
            st.caption(":material/stop_circle: Cancelled. Nothing was left half-made.")
        st.markdown(f"**{card.title} in {precision} is not ready yet.**")
        st.caption(
            "It is unpacked, built and proved against the fp32 original once, which takes from half a minute to a few "
            "minutes; then it loads in about a second."
        )
        st.button(
            "Prepare it",
            type="primary",
            icon=":material/build:",
            on_click=_prepare,
            args=(db, card, precision if backend == "onnx" else "fp32", device, key),
        )


def _prepare(db: Database, card: ModelCard, precision: str, device: str, key: str) -> None:
    _start(db, card, precision, device, key)


def _start(db: Database, card: ModelCard, precision: str, device: str, key: str) -> JobRecord:
    return launch(
        db,
        kind=KIND,
        key=key,
        title=f"Prepare {card.title} in {precision}",
        arguments=["prepare", "--model", card.id, "--precision", precision, "--device", device],
    )


@st.fragment(run_every=POLL_SECONDS)
def _watch(db: Database, job_id: str) -> None:
    jobs = JobRepository(db)
    job = jobs.get(job_id)
    if job.state not in ("queued", "running"):
        st.rerun()
    with st.container(border=True):
        st.markdown(f"**Getting the model ready — once.** {job.title}.")
        st.progress(min(max(job.progress, 0.0), 1.0), text=job.step or "Starting")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Its weights are unpacked, built as an ONNX model, and proved to be the same model.")
            st.button(
                "Cancelling…" if job.cancel_requested else "Cancel",
                icon=":material/stop_circle:",
                key=f"cancel_{job_id}",
                disabled=job.cancel_requested,
                on_click=cancel,
                args=(db, job_id),
            )
    jobs.mark_interrupted()
