"""The runs of this machine: what runs, what waits and in which order, what came out; open, resume, compare, delete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import streamlit as st

from core.errors import GroundworkError
from core.estimate.words import said
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRecord, JobRepository
from core.training import queue
from core.training.run_folder import RunFolder
from core.training.table import recipe as recipe_named
from pages import state
from pages.widgets.words import bytes_words, plain

POLL_SECONDS = 1.0
FIRST, MOST = 4, 200
"""Runs in sight; runs that are looked at."""
ICONS = {
    "queued": ":material/schedule:",
    "running": ":material/model_training:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/stop_circle:",
    "interrupted": ":material/power_off:",
}


def draw(db: Database) -> None:
    """All runs, or what to do first when there are none."""
    jobs = JobRepository(db)
    jobs.mark_interrupted()
    queue.start_next(db)
    found = jobs.list(limit=MOST, kind=queue.KIND)
    if not found:
        _draw_empty()
        return
    st.header("Runs", anchor="runs")
    if any(job.state in ACTIVE for job in found):
        _polled(db)
    else:
        _still(db)


@st.fragment(run_every=POLL_SECONDS)
def _polled(db: Database) -> None:
    JobRepository(db).mark_interrupted()
    queue.start_next(db)
    if not _draw(db):
        st.rerun()  # nothing runs any more: no more polling


@st.fragment
def _still(db: Database) -> None:
    if _draw(db):
        st.rerun()


def _draw(db: Database) -> bool:
    """Whether any is active still."""
    told, well = state.notice()
    if told:
        (st.success if well else st.error)(told, icon=":material/check_circle:" if well else ":material/error:")
    found = JobRepository(db).list(limit=MOST, kind=queue.KIND)
    waiting = [job.id for job in queue.waiting(db)]
    running = [job for job in found if job.state == "running"]
    queued = sorted((job for job in found if job.state == "queued"), key=lambda job: _turn(job, waiting))
    ended = [job for job in found if job.state not in ACTIVE]
    for job in (*running, *queued, *ended[:FIRST]):
        _draw_run(db, job, waiting)
    if earlier := ended[FIRST:]:
        with st.expander(f"{len(earlier)} earlier"):
            for job in earlier:
                _draw_run(db, job, waiting)
    _draw_compare(found)
    return bool(running or queued)


def _turn(job: JobRecord, waiting: list[str]) -> int:
    return waiting.index(job.id) if job.id in waiting else len(waiting)


def _draw_empty() -> None:
    with st.container(border=True):
        if recipe := state.finetune_recipe():
            st.success(
                f"**{plain(recipe_named(recipe).title)}** is chosen, and its sample set is filled in. "
                "[Look at the rows](#data), or go straight on to [5 · Go](#go).",
                icon=":material/check_circle:",
            )
            return
        st.markdown(
            "#### Nothing was trained here yet\n"
            "1. **Choose what it should learn**, below. Each recipe brings a sample set to begin with.\n"
            "2. **Look at the rows**: faults, duplicates and personal data are told before anything is learned.\n"
            "3. **Try a few steps**, then **start**. You watch it learn, and get a report of what it is worth."
        )
        st.button(
            "Begin with handwritten digits: under two minutes",
            type="primary",
            icon=":material/rocket_launch:",
            key="begin_digits",
            on_click=state.choose_finetune_recipe,
            args=("images",),
        )


def _draw_run(db: Database, job: JobRecord, waiting: list[str]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(width="content", gap=None):
                st.markdown(f"{ICONS[job.state]} **{plain(job.title)}**", width="content")
                st.caption(_told(job, waiting))
            with st.container(horizontal=True, width="content"):
                _draw_buttons(db, job, waiting)
        if job.state == "running":
            st.progress(min(max(job.progress, 0.0), 1.0), text=job.step or "Starting")
        elif job.state == "failed" and job.error:
            st.error(job.error, icon=":material/error:")


def _told(job: JobRecord, waiting: list[str]) -> str:
    """State, figures and date, in a line."""
    return " · ".join(part for part in (_state_words(job, waiting), _figures(job), _when(job)) if part)


def _state_words(job: JobRecord, waiting: list[str]) -> str:
    if job.state == "queued":
        return f"waits, number {waiting.index(job.id) + 1}" if job.id in waiting else "waits on another machine"
    if job.state in ("interrupted", "cancelled", "failed"):
        saved = RunFolder(job.id).checkpoints()
        kept = f"saved up to step {saved[-1]:,}" if saved else "nothing was saved yet"
        return f"{job.state}: {kept}"
    return job.state


def _figures(job: JobRecord) -> str:
    if job.state == "running":
        live = job.metrics
        parts = [
            f"step {live['step']:,} of {live['steps']:,}" if live.get("steps") else "",
            f"loss {live['loss']:.3g}" if live.get("loss") is not None else "",
            f"{said(live['eta_s'], 's')} left" if live.get("eta_s") else "",
        ]
        return ", ".join(part for part in parts if part)
    result = job.result or {}
    name = result.get("headline", "")
    value = result.get("metrics", {}).get(name)
    baseline = result.get("baseline", {}).get(name)
    if value is None:
        return ""
    beside = f" (baseline {baseline:.3g})" if baseline is not None else ""
    return f"**{plain(result.get('headline_title', name))} {value:.3g}**{beside}"


def _when(job: JobRecord) -> str:
    return _date(job.finished_at or job.created_at)


def _date(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _draw_buttons(db: Database, job: JobRecord, waiting: list[str]) -> None:
    if st.button("Open", key=f"open_{job.id}", icon=":material/arrow_forward:", help=f"Open {job.title}"):
        state.show_run(job.id)
        st.rerun(scope="app")
    if job.state == "queued":
        place = _turn(job, waiting)
        _button("Earlier", job, ":material/arrow_upward:", partial(queue.move, db, job.id, -1), off=place == 0)
        last = place >= len(waiting) - 1
        _button("Later", job, ":material/arrow_downward:", partial(queue.move, db, job.id, 1), off=last)
    if job.state in ACTIVE:
        _draw_cancel(db, job)
        return
    if job.state != "done":
        _button("Resume", job, ":material/play_arrow:", partial(queue.resume, db, job.id))
    with st.popover("Delete", icon=":material/delete:", key=f"deletion_{job.id}"):
        st.markdown(f"Removes {plain(job.title)}, its checkpoints and its model: {bytes_words(_size(job.id))}.")
        _button("Delete it", job, ":material/delete:", partial(queue.delete, db, job.id))


def _draw_cancel(db: Database, job: JobRecord) -> None:
    """One that waits leaves at once; of one that runs work is lost, so that it is asked for twice."""
    label, icon, off = (
        "Cancelling…" if job.cancel_requested else "Cancel",
        ":material/stop_circle:",
        job.cancel_requested,
    )
    stop = partial(queue.stop, db, job.id, keep=False)
    if job.state == "queued":
        _button(label, job, icon, stop, off=off)
        return
    with st.popover(label, icon=icon, key=state.popover_key(f"listed_{job.id}"), disabled=off):
        st.markdown("It ends at once, without a model. Its checkpoints stay, so that it can be resumed.")
        _button("Cancel this run", job, icon, partial(_cancel, job.id, stop))


def _cancel(job_id: str, stop: Callable[[], object]) -> None:
    state.close_popover(f"listed_{job_id}")
    stop()


def _button(label: str, job: JobRecord, icon: str, does: Callable[[], object], *, off: bool = False) -> None:
    """What goes wrong is told above the list."""
    key = f"{label.split()[0].rstrip('…').lower()}_{job.id}"
    st.button(label, key=key, icon=icon, disabled=off, on_click=_told_if_wrong, args=(does,))


def _told_if_wrong(does: Callable[[], object]) -> None:
    try:
        does()
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


@st.cache_data(ttl=30, max_entries=256, show_spinner=False)
def _size(job_id: str) -> int:
    return RunFolder(job_id).size_bytes()


def _draw_compare(found: list[JobRecord]) -> None:
    titles = {job.id: f"{job.title} · {_date(job.created_at)}" for job in found if job.state != "queued"}
    if len(titles) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Compare runs",
            list(titles),
            format_func=lambda one: titles.get(one, one),
            key="compared_runs",
            persist_state="session",
            placeholder="Two or more",
            max_selections=6,
        )
        if st.button("Compare", icon=":material/compare_arrows:", disabled=len(chosen) < 2, key="compare"):
            state.compare_runs(tuple(chosen))
            st.rerun(scope="app")
