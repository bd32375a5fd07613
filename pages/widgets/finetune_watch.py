"""A fine-tune that waits or runs, live: how far it is, its figures, its pictures, its answers, a way to end it.

Each fragment asks the record once a second, and moves the queue on: a page that looks is what starts the next job of a
machine whose app was restarted. When the run has ended, the whole page is drawn again.
"""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.store.training_points import TrainingPoint, TrainingPointRepository
from core.training import queue
from core.training.run_folder import RunFolder
from pages import state
from pages.widgets import finetune_watch_curves, finetune_watch_samples
from pages.widgets.finetune_watch_charts import brief
from pages.widgets.words import bytes_words, count_of, plain

POLL_S = 1.0
LOG_LINES = 60
SURE_STEPS, SURE_S = 5, 10.0  # of an attempt, whichever comes first: before, the time left is a wild guess
NOTHING = "–"
DECIDES = {"classification": "Best F1", "images": "Best accuracy"}
"""What chooses the best checkpoint, where that is not the evaluation loss."""
WRITES = ("causal", "gpt")  # recipes whose model answers prompts while it trains


def draw(db: Database, job: JobRecord) -> None:
    """A run that has not ended: each part keeps itself up to date."""
    _draw_state(db, job.id, job.state)
    if job.state == "queued":
        st.caption("Its figures, its curves and what its process says are shown here when it runs.")
        return
    _draw_curves(db, job.id)
    if job.command.get("config", {}).get("recipe") in WRITES:
        _draw_samples(db, job.id)
    with st.expander("What its process says", icon=":material/terminal:"):
        _draw_log(job.id)


@st.fragment(run_every=POLL_S)
def _draw_state(db: Database, job_id: str, drawn: str) -> None:
    """drawn: the state that the heading tells."""
    try:
        jobs = JobRepository(db)
        jobs.mark_interrupted()
        queue.start_next(db)
        job = jobs.get(job_id)
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if job.state != drawn:
        st.rerun()
    with st.container(border=True):
        st.progress(min(max(job.progress, 0.0), 1.0), text=_words(db, job))
        _draw_buttons(db, job)
    if job.state != "queued":
        _draw_tiles(job)


def _words(db: Database, job: JobRecord) -> str:
    if job.state == "queued":
        place = _place(db, job)
        first = "It is next" if not place else f"{count_of(place, 'run')} before it"
        return f"Waiting in the queue: it starts when the device is free. {first}."
    told = job.step or "Starting"
    if job.step.startswith(("Training", "Evaluating")):
        eta = to_go(job, _began(db, job))
        told += " · time left: working out…" if eta is None else f" · about {about(eta)} to go"
    if job.stop_requested:
        told += " · ending with the best it has"
    return plain(told)


def _place(db: Database, job: JobRecord) -> int:
    """How many runs are before it: those of its queue that wait, and the one that has the device."""
    jobs = JobRepository(db)
    waiting = [one.id for one in jobs.waiting(job.queue)]
    return len(jobs.running_in(job.queue)) + (waiting.index(job.id) if job.id in waiting else 0)


def _began(db: Database, job: JobRecord) -> int:
    """The step behind which this attempt began."""
    begun = job.process_started_at
    if job.attempts <= 1 or begun is None:
        return 0
    points = TrainingPointRepository(db).list(job.id, "train")
    return max((point.step for point in points if point.created_at < begun), default=0)


def to_go(job: JobRecord, began: int) -> float | None:
    """Seconds; None while too few steps were taken to say: the first ones are slow. began: as `_began`."""
    eta, step, steps = (job.metrics.get(name) for name in ("eta_s", "step", "steps"))
    if not all(isinstance(one, int | float) for one in (eta, step, steps)):
        return None
    taken = int(step) - began  # type: ignore[arg-type]
    passed = float(eta) * taken / max(1, int(steps) - int(step))  # type: ignore[arg-type]
    return float(eta) if taken >= SURE_STEPS or passed >= SURE_S else None  # type: ignore[arg-type]


def about(seconds: float) -> str:
    """As exactly as such a guess deserves: 35 s, 4 min, 2.5 hours."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3_600:.1f} hours"


def _draw_buttons(db: Database, job: JobRecord) -> None:
    with st.container(horizontal=True):
        if job.state == "running":
            st.button(
                "Stopping…" if job.stop_requested else "Stop and keep the best",
                key=f"r_stop_{job.id}",
                icon=":material/stop_circle:",
                disabled=job.stop_requested or job.cancel_requested,
                on_click=_stop,
                args=(db, job.id, True),
                help="Ends after this step. The best checkpoint so far is judged and saved as the model.",
            )
        with st.popover(
            "Cancelling…" if job.cancel_requested else "Cancel",
            icon=":material/cancel:",
            key=state.popover_key(f"cancel_{job.id}"),
            disabled=job.cancel_requested,
        ):
            st.markdown(
                "It ends at once, without a model. Its checkpoints stay, so that it can be resumed."
                if job.state == "running"
                else "It leaves the queue. It can be put back with Resume."
            )
            st.button(
                "Cancel this run",
                key=f"r_cancel_{job.id}",
                type="primary",
                on_click=_stop,
                args=(db, job.id, False),
            )


def _stop(db: Database, job_id: str, keep: bool) -> None:
    state.close_popover(f"cancel_{job_id}")
    try:
        queue.stop(db, job_id, keep=keep)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


def _draw_tiles(job: JobRecord) -> None:
    """The latest figures. They stand there from the start, so that nothing moves when they come."""
    now = job.metrics
    unit = str(now.get("unit") or "rows")
    memory = now.get("memory_bytes")
    tiles = (
        ("Training loss", _told(now.get("loss"))),
        ("Evaluation loss", _told(now.get("eval_loss"))),
        (DECIDES.get(str(job.command.get("config", {}).get("recipe")), "Best evaluation loss"), _best(now)),
        ("Learning rate", _told(now.get("learning_rate"))),
        ("Gradient norm", _told(now.get("grad_norm"))),
        (f"{unit.capitalize()} a second", _told(now.get("units_per_s"))),
        ("Memory", bytes_words(int(memory)) if isinstance(memory, int | float) else NOTHING),
    )
    with st.container(horizontal=True, gap="small"):
        for name, value in tiles:
            st.metric(name, value, border=True, width=150)


def _best(now: dict[str, object]) -> str:
    best, step = now.get("best"), now.get("best_step")
    return f"{_told(best)}" if isinstance(best, int | float) and step is not None else NOTHING


def _told(value: object) -> str:
    return brief(float(value)) if isinstance(value, int | float) else NOTHING


@st.fragment(run_every=POLL_S)
def _draw_curves(db: Database, job_id: str) -> None:
    try:
        job, points = JobRepository(db).get(job_id), TrainingPointRepository(db).list(job_id)
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    finetune_watch_curves.draw(job, points)


@st.fragment(run_every=POLL_S)
def _draw_samples(db: Database, job_id: str) -> None:
    try:
        points = samples(db, job_id)
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    finetune_watch_samples.draw(job_id, points)


def samples(db: Database, job_id: str) -> list[TrainingPoint]:
    """What the model answered while it learned."""
    return TrainingPointRepository(db).list(job_id, "sample")


@st.fragment(run_every=2 * POLL_S)
def _draw_log(job_id: str) -> None:
    draw_log(job_id)


def draw_log(job_id: str) -> None:
    """The last lines that the run's process printed."""
    told = RunFolder(job_id).log_tail(LOG_LINES)
    st.code(told or "It has not said anything yet.", language=None, height=280)
