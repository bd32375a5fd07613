"""After a fine-tune has ended: what happened, what was saved, how to go on with it or be rid of it."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.estimate.words import digits
from core.store.database import Database
from core.store.jobs import JobRecord
from core.training import queue
from core.training.register import registered_as
from core.training.run_folder import RunFolder
from pages import state
from pages.services import Services
from pages.widgets import finetune_launch
from pages.widgets.words import bytes_words, plain

RAN_AWAY = "no number"
"""In the error of a run whose loss ran away."""
_HAPPENED = {
    "interrupted": "Its process ended without a word: the machine was restarted, or the process was killed.",
    "cancelled": "It was cancelled.",
    "failed": "It failed.",
}


def draw(shared: Services, job: JobRecord) -> None:
    """A run that ended without a model: what happened in words, and three ways on."""
    happened = _HAPPENED.get(job.state, "")
    if job.state == "failed":
        st.error(plain(job.error or happened), icon=":material/error:")
    else:
        st.warning(plain(happened), icon=":material/bolt:" if job.state == "interrupted" else ":material/cancel:")
    st.markdown(_saved(job))
    ran_away = job.state == "failed" and RAN_AWAY in (job.error or "")  # resumed, it would run away again
    with st.container(horizontal=True):
        if ran_away:
            _draw_again(job, first=True)
        st.button(
            "Resume",
            type="secondary" if ran_away else "primary",
            icon=":material/play_arrow:",
            key=f"r_resume_{job.id}",
            on_click=_resume,
            args=(shared.db, job.id),
            help="It goes on behind its last checkpoint, and comes to the same result.",
        )
        if not ran_away:
            _draw_again(job)
        _draw_delete(shared.db, job)


def draw_going_on(shared: Services, job: JobRecord) -> None:
    """A run that is done: train longer, train again, delete."""
    st.subheader("Go on with this run")
    with st.container(horizontal=True):
        _draw_extend(shared.db, job)
        _draw_again(job)
        _draw_delete(shared.db, job)


def _saved(job: JobRecord) -> str:
    folder = RunFolder(job.id)
    steps = folder.checkpoints()
    if not steps:
        return "No checkpoint was saved: resumed, it starts from the beginning. Nothing else was lost."
    last = ", ".join(f"{step:,}" for step in steps[-5:])
    best = job.metrics.get("best_step")
    told = f"Saved: checkpoint{'s' if len(steps) > 1 else ''} of step {last}"
    if best is not None and int(best) in steps:
        told += f", the best of them step {int(best):,}"
    return f"{told} ({bytes_words(folder.size_bytes())}). Resumed, it goes on behind step {steps[-1]:,}."


def _draw_extend(db: Database, job: JobRecord) -> None:
    """To so many epochs, or steps where it was asked for steps."""
    name = registered_as(job.id)
    training = job.command.get("config", {}).get("training", {})
    by_steps = training.get("steps") is not None
    had = float((job.result or job.metrics).get("step") or 0) if by_steps else float(job.metrics.get("epoch") or 1)
    unit = "steps" if by_steps else "epochs"
    with st.popover("Train longer", icon=":material/fast_forward:", key=state.popover_key(f"extend_{job.id}")):
        if name:
            st.markdown(
                f"The model **{plain(name)}** stands on this run, and training longer would replace it. Remove that "
                "model first, or train again with more " + unit + "."
            )
            return
        st.markdown(f"It had {digits(had)} {unit}. The schedule is laid out anew over all of them.")
        wanted = st.number_input(
            f"{unit.capitalize()} in all",
            min_value=1,
            value=max(2, round(2 * had)),
            key=f"r_extend_{job.id}",
        )
        st.button(
            "Train longer",
            type="primary",
            key=f"r_extend_go_{job.id}",
            on_click=_extend,
            args=(db, job.id, unit, wanted),
        )


def _draw_again(job: JobRecord, *, first: bool = False) -> None:
    """first: what the reader is best advised to do."""
    st.button(
        "Start anew with changes",
        type="primary" if first else "secondary",
        icon=":material/edit:",
        key=f"r_again_{job.id}",
        on_click=finetune_launch.fill_from,
        args=(job.command.get("config", {}),),
        help="Fills the builder with this run's settings. This run stays as it is.",
    )


def _draw_delete(db: Database, job: JobRecord) -> None:
    with st.popover("Delete", icon=":material/delete:", key=state.popover_key(f"delete_{job.id}")):
        size = bytes_words(RunFolder(job.id).size_bytes())
        st.markdown(f"Deletes its record, its checkpoints and its model, and frees **{size}**. This cannot be undone.")
        st.button(
            "Delete this run",
            type="primary",
            key=f"r_delete_{job.id}",
            on_click=_delete,
            args=(db, job.id, job.title),
        )


def _resume(db: Database, job_id: str) -> None:
    try:
        queue.resume(db, job_id)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


def _extend(db: Database, job_id: str, unit: str, wanted: int) -> None:
    state.close_popover(f"extend_{job_id}")
    try:
        if unit == "steps":
            queue.extend(db, job_id, steps=int(wanted))
        else:
            queue.extend(db, job_id, epochs=float(wanted))
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


def _delete(db: Database, job_id: str, title: str) -> None:
    state.close_popover(f"delete_{job_id}")
    try:
        queue.delete(db, job_id)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)
        return
    state.set_notice(f"{title} was deleted.")
    state.show_run(None)
