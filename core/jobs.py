"""Long work outside the app: a subprocess whose state, progress and cancel flag are rows in the store.

`launch` starts `python -m core … --job ID`; the command reports through `JobReporter`. Whoever started it may go away:
the work goes on, and every page that polls the row sees it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import Cancelled, GroundworkError, NotFound
from core.settings import get_settings
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository

GRACE_SECONDS = 2.0
PROJECT_ROOT = Path(__file__).resolve().parent.parent


def launch(db: Database, *, kind: str, key: str, title: str, arguments: Sequence[str]) -> JobRecord:
    """Start `python -m core <arguments> --job <id>` unless a job of this kind and key is active; that one is returned.

    key: what the work is about, so that the same work is not started twice.
    """
    jobs = JobRepository(db)
    jobs.mark_interrupted()
    job, created = jobs.create(kind=kind, key=key, title=title, command={"arguments": list(arguments)})
    return start_process(db, job, arguments) if created else job


def start_process(db: Database, job: JobRecord, arguments: Sequence[str]) -> JobRecord:
    """Start the process of a queued job; what it prints goes to the end of `log_path`. The job as it is then."""
    jobs = JobRepository(db)
    log_file = log_path(job.id)
    environment = os.environ | {"GROUNDWORK_HOME": str(get_settings().home)}
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core", *arguments, "--job", job.id],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=PROJECT_ROOT,
                env=environment,
                start_new_session=True,
            )
    except OSError as error:
        return jobs.finish(job.id, "failed", error=f"The work could not be started: {error}.")
    jobs.start(job.id, process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # reaps it: a zombie would look alive
    return jobs.get(job.id)


def log_path(job_id: str) -> Path:
    """Where the process of a job prints to."""
    return get_settings().jobs_dir / f"{job_id}.log"


def cancel(db: Database, job_id: str) -> None:
    """Ask a job to stop, and kill its process after GRACE_SECONDS: some steps, such as quantising, ask nobody.

    Returns at once. What the process was making is written to a temporary sibling, so nothing is left half-made.
    """
    asked = JobRepository(db).request_cancel(job_id)
    threading.Thread(target=_stop_after_grace, args=(db, asked), daemon=True).start()


def _stop_after_grace(db: Database, asked: JobRecord) -> None:
    """asked: the job as it was then; one that was taken up anew meanwhile, by another process, is left alone."""
    jobs, job_id = JobRepository(db), asked.id
    time.sleep(GRACE_SECONDS)
    try:
        job = jobs.get(job_id)
    except NotFound:
        return
    again = (job.attempts, job.pid) != (asked.attempts, asked.pid) and asked.state == "running"
    if job.state == "running" and job.cancel_requested and not again and job.pid is not None and job.runs_here():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(job.pid, signal.SIGKILL)  # `launch` gave it a group of its own
        jobs.finish(job_id, "cancelled", error="This job was cancelled.")


class JobReporter:
    """The running command's side of a job. Use as a context manager: an error, a cancel and success are recorded.

    Calling `progress` writes at most five rows a second and raises Cancelled when the user asked for it. result: set by
    the command, recorded with success.
    """

    def __init__(self, db: Database, job_id: str) -> None:
        self._jobs = JobRepository(db)
        self._id = job_id
        self._last = 0.0
        self._step = ""
        self.result: dict[str, Any] | None = None

    @property
    def jobs(self) -> JobRepository:
        return self._jobs

    def progress(self, fraction: float, text: str) -> None:
        now = time.monotonic()
        if now - self._last < 0.2 and text.split(" ")[0] == self._step.split(" ")[0]:
            return
        self._last, self._step = now, text
        self._jobs.progress(self._id, fraction, text)
        if self._jobs.is_cancel_requested(self._id):
            raise Cancelled("This job")

    def __enter__(self) -> JobReporter:
        self._jobs.start(self._id, os.getpid())  # False when the launcher claimed it for this process already
        if self._jobs.get(self._id).state != "running":
            raise Cancelled("This job")
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._jobs.finish(self._id, state="done", result=self.result)
        elif isinstance(error, Cancelled):
            self._jobs.finish(self._id, state="cancelled", error=str(error))
        else:
            told = str(error) if isinstance(error, GroundworkError) else f"{type(error).__name__}: {error}"
            self._jobs.finish(self._id, state="failed", error=told)
