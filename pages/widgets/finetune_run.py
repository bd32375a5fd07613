"""One fine-tune, from the queue to its use: what it is, how it goes or went, what came out, what to do with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import GroundworkError, NotFound
from core.store.jobs import ACTIVE, JobRecord
from core.store.training_points import TrainingPoint, TrainingPointRepository
from core.training import queue
from core.training.evaluation.report import EvaluationReport
from core.training.run_folder import RunFolder
from pages import state
from pages.services import Services
from pages.widgets import (
    finetune_after,
    finetune_after_files,
    finetune_after_use,
    finetune_report,
    finetune_run_facts,
    finetune_watch,
    finetune_watch_curves,
    finetune_watch_samples,
)
from pages.widgets.words import plain


def draw(shared: Services, job_id: str) -> None:
    """The view of a run. One that is not there is told, with the way back."""
    st.button("All runs", icon=":material/arrow_back:", type="tertiary", on_click=state.show_run, args=(None,))
    try:
        shared.jobs.mark_interrupted()
        job = _found(shared, job_id)
    except GroundworkError as error:
        st.title("No such run")
        st.error(plain(str(error)), icon=":material/search_off:")
        return
    finetune_run_facts.draw_heading(job)
    _draw_notice()
    if job.state in ACTIVE:
        finetune_watch.draw(shared.db, job)
        finetune_run_facts.draw_settings(job)
    else:
        _draw_ended(shared, job)


def _found(shared: Services, job_id: str) -> JobRecord:
    try:
        job = shared.jobs.get(job_id)
    except NotFound as error:
        raise NotFound(
            f"There is no run {job_id}.", next_step="It may have been deleted. All runs are listed on the page before."
        ) from error
    if job.kind != queue.KIND:
        raise NotFound(f"{job.title!r} is no fine-tune.", next_step="All runs are listed on the page before.")
    return job


def _draw_ended(shared: Services, job: JobRecord) -> None:
    points = TrainingPointRepository(shared.db).list(job.id)
    report = _report(job)
    if job.state != "done":
        finetune_after.draw(shared, job)
    if report is not None:
        finetune_report.draw_first(report, job.id)
    if job.state == "done":
        finetune_after_use.draw(shared, job)
    if report is not None:
        finetune_report.draw_more(report, job.id)
    _draw_learning(job, points)
    finetune_run_facts.draw_settings(job)
    finetune_after_files.draw(job, report, points)
    if job.state == "done":
        finetune_after.draw_going_on(shared, job)


def _report(job: JobRecord) -> EvaluationReport | None:
    try:
        return RunFolder(job.id).report()
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _draw_learning(job: JobRecord, points: Sequence[TrainingPoint]) -> None:
    if points:
        st.subheader("How it learned")
        finetune_watch_curves.draw(job, points)
    samples = [point for point in points if point.kind == "sample"]
    if samples:
        finetune_watch_samples.draw(job.id, samples)
    with st.expander("What its process said", icon=":material/terminal:"):
        finetune_watch.draw_log(job.id)


def _draw_notice() -> None:
    told, well = state.notice()
    if told and well:
        st.toast(told, icon=":material/check_circle:", duration="long")
    elif told:
        st.toast(plain(told), icon=":material/error:", duration="long")  # seen wherever the reader has scrolled to
        st.error(plain(told), icon=":material/error:")
