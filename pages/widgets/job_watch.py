"""A job that a page watches: what it does, how far it is, a way to cancel it."""

from __future__ import annotations

import streamlit as st

from core.jobs import cancel
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRecord, JobRepository

POLL_SECONDS = 0.5


@st.fragment(run_every=POLL_SECONDS)
def watch(db: Database, job_id: str, heading: str) -> None:
    """Draws itself until the job has ended; then the page runs again."""
    jobs = JobRepository(db)
    job = jobs.get(job_id)
    if job.state not in ACTIVE:
        st.rerun()
    with st.container(border=True):
        st.markdown(heading)
        st.progress(min(max(job.progress, 0.0), 1.0), text=job.step or "Starting")
        st.button(
            "Cancelling…" if job.cancel_requested else "Cancel",
            icon=":material/stop_circle:",
            key=f"cancel_{job_id}",
            disabled=job.cancel_requested,
            on_click=cancel,
            args=(db, job_id),
        )
    jobs.mark_interrupted()


def draw_end(job: JobRecord | None, *, kept: str) -> None:
    """How a job ended that did not end well. kept: what a cancelled one leaves, in the user's words."""
    if job is None or job.state in (*ACTIVE, "done"):
        return
    if job.state == "cancelled":
        st.caption(f":material/stop_circle: Cancelled. {kept}")
    else:
        st.error(job.error or f"The work was interrupted. {kept}", icon=":material/error:")
