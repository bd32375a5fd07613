"""The queue of fine-tunes: one job a device of a machine, or a Ray cluster, in an order that can be changed.

Whoever looks moves it on (`start_next`): the page that polls, the command line, the process of a job that ended. Two
that look at once start one: the database lets one of them claim a job, and the process itself holds the device's lock.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from filelock import FileLock, Timeout

from core.errors import GroundworkError, InvalidInput
from core.jobs import GRACE_SECONDS, cancel, start_process
from core.settings import get_settings
from core.store.database import Database
from core.store.jobs import ENDED, JobRecord, JobRepository
from core.training.config import AnyConfig, parse_config, to_values, with_changes
from core.training.device import training_device
from core.training.place import RayPlace, place_of, to_command
from core.training.run_folder import RunFolder
from core.training.table import recipe

KIND = "finetune"
DRY_RUN = "finetune-dry-run"
_RAY = "ray "
"""Begins the device in a queue's name that is a cluster."""


def queue_name(device: str) -> str:
    """The queue of a device of this machine: its files are here."""
    return f"{socket.gethostname()}/{device}"


def submit(db: Database, config: AnyConfig, *, title: str = "", where: RayPlace | None = None) -> JobRecord:
    """Put a fine-tune into the queue of this machine's device, or of a Ray cluster, and start it if that is free."""
    jobs = JobRepository(db)
    command: dict[str, Any] = {"config": to_values(config)}
    if where is not None:
        command["where"] = to_command(where)
    queue = queue_name(training_device() if where is None else f"{_RAY}{where.address}")
    job, _ = jobs.create(KIND, title or title_of(config), command, queue=queue)
    start_next(db)
    return jobs.get(job.id)


def title_of(config: AnyConfig) -> str:
    """What a run is called: its own name, or the recipe and the file."""
    return config.name or f"{recipe(config.recipe).title}: {_source(config)}"


def submit_dry_run(db: Database, config: AnyConfig) -> JobRecord:
    """Try a few steps at once, beside whatever runs; its result says what the whole would take."""
    job, _ = JobRepository(db).create(DRY_RUN, f"A try: {_source(config)}", {"config": to_values(config)})
    return start_process(db, job, ["finetune", "--dry-run"])


def start_next(db: Database) -> JobRecord | None:
    """Start the next job of each of this machine's queues whose device is free. The last that was started. Cheap."""
    jobs = JobRepository(db)
    if not waiting(db):
        return None
    lock_file = get_settings().jobs_dir / "queue.lock"
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    started = None
    try:
        with FileLock(str(lock_file), timeout=0):
            jobs.mark_interrupted()
            for queue in _queues(jobs):
                if (here := jobs.waiting(queue)) and not jobs.running_in(queue):
                    started = start_process(db, here[0], ["finetune"])
    except Timeout:
        return None  # somebody else is at it
    return started


def waiting(db: Database) -> list[JobRecord]:
    """The fine-tunes that wait on this machine, those of its device first, the next of each queue first."""
    jobs = JobRepository(db)
    return [job for queue in _queues(jobs) for job in jobs.waiting(queue)]


def _queues(jobs: JobRepository) -> list[str]:
    """The queue of this machine's device, and those of clusters that its jobs wait for."""
    queued = {job.queue for job in jobs.list(limit=10_000, kind=KIND, state="queued")}
    return [queue_name(training_device()), *sorted(name for name in queued if name.startswith(queue_name(_RAY)))]


def move(db: Database, job_id: str, places: int) -> None:
    """Move a waiting fine-tune by so many places (-1: one earlier)."""
    JobRepository(db).move(job_id, places)


def stop(db: Database, job_id: str, *, keep: bool) -> None:
    """End a fine-tune. keep: after the step it is at, with the best of what it has judged and saved. Else at once; its
    checkpoints stay, so that it can be resumed."""
    if keep:
        JobRepository(db).request_stop(job_id)
        return
    cancel(db, job_id)
    threading.Thread(target=_start_after_grace, args=(db,), daemon=True).start()


def resume(db: Database, job_id: str) -> JobRecord:
    """Let a job that was interrupted, cancelled or has failed go on behind its last checkpoint. Raises InvalidInput for
    one that is done or active, or is of another machine."""
    jobs = JobRepository(db)
    jobs.mark_interrupted()
    job = jobs.get(job_id)
    if job.kind != KIND:
        raise InvalidInput(f"{job.title!r} is a {job.kind} job.", allowed="Fine-tunes can be resumed.")
    if job.state == "done":
        raise InvalidInput(f"{job.title!r} is done.", next_step="Extend it to train longer.")
    _check_here(job)
    jobs.requeue(job_id)
    start_next(db)
    return jobs.get(job_id)


def extend(db: Database, job_id: str, *, epochs: float | None = None, steps: int | None = None) -> JobRecord:
    """Train a job that has ended on, to so many epochs or steps in all, with the schedule laid out anew over them.

    Raises InvalidInput unless they are more than it has.
    """
    jobs = JobRepository(db)
    job = jobs.get(job_id)
    if job.state not in ENDED or job.kind != KIND:
        raise InvalidInput(f"{job.title!r} is {job.state}.", allowed="A fine-tune that has ended can be extended.")
    _check_here(job)
    _check_unused(job_id, "trained on")
    _check_longer(job, epochs, steps)
    changes = [f"training.epochs={epochs or 'null'}", f"training.steps={steps or 'null'}"]
    config = parse_config(with_changes(job.command["config"], changes))
    RunFolder(job_id).forget_results()
    jobs.requeue(job_id, job.command | {"config": to_values(config)})
    start_next(db)
    return jobs.get(job_id)


def delete(db: Database, job_id: str) -> None:
    """Forget a fine-tune that has ended and remove its files. Raises InvalidInput while a model stands on them."""
    _check_unused(job_id, "deleted")
    job = JobRepository(db).get(job_id)
    JobRepository(db).delete(job_id)
    _stop_what_is_left(job)
    RunFolder(job_id).delete()


def _stop_what_is_left(job: JobRecord) -> None:
    """A cluster may go on with a job whose process here has died."""
    if place_of(job.command) is not None:
        from core.training.ray_cluster import stop_on_cluster

        with contextlib.suppress(GroundworkError):  # without its folder it ends by itself
            stop_on_cluster(job)


def _check_here(job: JobRecord) -> None:
    host = job.queue.partition("/")[0]
    if host and host != socket.gethostname():
        raise InvalidInput(f"{job.title!r} and its files are on {host}.", next_step=f"Go on with it on {host}.")


def _check_unused(job_id: str, what: str) -> None:
    """The catalogue links a run's files."""
    from core.training.register import registered_as

    if name := registered_as(job_id):
        raise InvalidInput(
            f"The model {name} stands on this run, which cannot be {what}.", next_step="Remove the model first."
        )


def _check_longer(job: JobRecord, epochs: float | None, steps: int | None) -> None:
    had: dict[str, Any] = job.result or job.metrics
    if (epochs is None) == (steps is None):
        raise InvalidInput("Give either epochs or steps.")
    before = int(had.get("step") or 0)
    reached = float(job.metrics.get("epoch") or 0.0)
    if steps is not None and steps <= before:
        raise InvalidInput(f"{steps} steps were asked for.", allowed=f"More than the {before:,} that it has.")
    if epochs is not None and epochs <= reached:
        raise InvalidInput(f"{epochs:g} epochs were asked for.", allowed=f"More than the {reached:g} that it has.")


def _source(config: AnyConfig) -> str:
    return config.data.path.removeprefix("sample:").rsplit("/", 1)[-1]


def _start_after_grace(db: Database) -> None:
    threading.Event().wait(GRACE_SECONDS + 0.5)
    with contextlib.suppress(Exception):  # the page, or the next who looks, does it
        start_next(db)
