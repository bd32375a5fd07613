"""A fine-tune on a Ray cluster, as the machine that submitted it sees it: submit, follow, pass wishes on.

The work itself (training, judging, saving) is `ray_worker`'s, on the cluster. Both meet in the run's folder, on storage
that every node mounts at the same path. This process may die and be started again: it finds the Ray job that runs.
"""

from __future__ import annotations

import shlex
import sys
import time
import uuid
from typing import Any

from core.artefacts import part_of
from core.errors import Cancelled, GroundworkError, InvalidInput, RemoteFailed
from core.jobs import PROJECT_ROOT, JobReporter
from core.models import catalogue
from core.settings import get_settings
from core.store.database import Database
from core.store.jobs import JobRecord
from core.training.config import AnyConfig, to_values
from core.training.data.prepare import prepare
from core.training.place import RayPlace, place_of, to_command
from core.training.ray_folder import RayFolder
from core.training.ray_jobs import ENDED, RayJobs, failure_of
from core.training.ray_live import LiveReader
from core.training.run import DATA, config_of, speaking_plainly
from core.training.run_folder import RunFolder

POLL_S = 0.5
STATUS_EVERY_S, LOG_EVERY_S = 1.0, 5.0
SILENCE_S = 180.0
"""A cluster that does not answer for so long is given up; the job can be resumed, and is found again."""
STOP_S = 30.0
LATE_S = 60.0
"""A network file system may show what another machine wrote so much later."""


def run_on_cluster(db: Database, job_id: str) -> dict[str, Any]:
    """Do the job of this id on its cluster, or follow it there if it runs. The summary that is kept with the job."""
    run = RunFolder(job_id)
    with JobReporter(db, job_id) as reporter, speaking_plainly(run.path):
        job = reporter.jobs.get(job_id)
        place = place_of(job.command)
        if place is None:
            raise InvalidInput(f"{job.title!r} runs on this machine.")
        reporter.progress(0.0, "Looking for the Ray cluster")
        jobs = RayJobs(place.address)
        submission = _attach(jobs, run) or _submit(jobs, run, config_of(job), place, reporter)
        following = _Following(db, job_id, jobs, submission, reporter)
        following.to_its_end()
        reporter.result = _summary(run) | {"where": to_command(place) | {"starts": following.starts}}
    return reporter.result or {}


def stop_on_cluster(job: JobRecord) -> None:
    """Stop what may be left of a job on its cluster, whose follower has died. Raises RemoteFailed."""
    place, submission = place_of(job.command), RayFolder(RunFolder(job.id)).submission()
    if place is not None and submission is not None:
        jobs = RayJobs(place.address)
        if jobs.status(submission["id"]) not in (None, *ENDED):
            jobs.stop(submission["id"])


def _attach(jobs: RayJobs, run: RunFolder) -> str | None:
    """The id of the Ray job that does this already, or has done it; None when one has to be submitted."""
    folder = RayFolder(run)
    submission = folder.submission()
    status = jobs.status(submission["id"]) if submission else None
    if submission is None or status is None:
        return None
    if status not in ENDED and folder.wish() == "cancel":  # the cluster has not heard of it, or is at it
        _stop(jobs, submission["id"])
        return None
    whole = run.trained() is not None and run.report() is not None and folder.summary() is not None
    return submission["id"] if status not in ENDED or (status == "SUCCEEDED" and whole) else None


def _stop(jobs: RayJobs, submission: str) -> None:
    """Have it stopped, and wait until it is: two must not write into one folder. Raises RemoteFailed."""
    jobs.stop(submission)
    deadline = time.monotonic() + STOP_S
    while jobs.status(submission) not in (None, *ENDED):
        if time.monotonic() > deadline:
            raise RemoteFailed(f"The Ray job {submission} does not stop.", next_step="Try again in a minute.")
        time.sleep(POLL_S)


def _submit(jobs: RayJobs, run: RunFolder, config: AnyConfig, place: RayPlace, reporter: JobReporter) -> str:
    """The id of a new Ray job. It is written down before the cluster has it, so that none is submitted twice."""
    _make_ready(run, config, reporter)
    folder, token = RayFolder(run), uuid.uuid4().hex
    before = folder.submission() or {"count": 0}
    count = before["count"] + 1
    submission = f"groundwork-{run.job_id}-{count}"
    folder.forget_ending()
    folder.set_task({"token": token, "config": to_values(config), "place": to_command(place)})
    folder.set_submission({"id": submission, "count": count, "address": place.address})
    reporter.progress(DATA[1], "Sending the job to the Ray cluster")
    command = ["python", "-m", "core.training.ray_driver", "--job", run.job_id, "--token", token]
    jobs.submit(submission, shlex.join(command), environment(), title=reporter.jobs.get(run.job_id).title)
    return submission


def _make_ready(run: RunFolder, config: AnyConfig, reporter: JobReporter) -> None:
    """Put the rows and the base model into the home that the nodes share: they read nothing else."""
    prepare(config.recipe, config.data, run.data_folder, part_of(reporter.progress, *DATA))
    model = getattr(config, "model", "")
    if model and getattr(config, "network", None) is None:
        catalogue.prepare(model, lambda fraction, text: reporter.progress(DATA[1], text))


def environment() -> dict[str, Any]:
    """Ray's runtime environment: this very code, and where the home is. The packages are the nodes' own."""
    return {
        "py_modules": [str(PROJECT_ROOT / "core")],
        "excludes": ["__pycache__", "*.pyc"],
        "env_vars": {
            "GROUNDWORK_HOME": str(get_settings().home.absolute()),
            "TOKENIZERS_PARALLELISM": "false",
            "RAY_COLOR_PREFIX": "0",
            "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "300",
        },
    }


class _Following:
    """Watches one Ray job until it has ended."""

    def __init__(self, db: Database, job_id: str, jobs: RayJobs, submission: str, reporter: JobReporter) -> None:
        self._id, self._jobs, self._submission, self._reporter = job_id, jobs, submission, reporter
        self._folder = RayFolder(RunFolder(job_id))
        self._live = LiveReader(self._folder.live, db, job_id)
        self._answered = self._asked = self._logged = time.monotonic()
        self._printed = len(jobs.logs(submission))
        self._status = "PENDING"

    @property
    def starts(self) -> list[list[dict[str, Any]]]:
        """The workers of each start: more than one, where some were lost."""
        return self._live.starts

    def to_its_end(self) -> None:
        """Raises GroundworkError with the reason unless it succeeded, Cancelled when the reader wished it."""
        while self._status not in ENDED:
            self._live.catch_up()
            if not self._live.has_news:
                self._reporter.jobs.progress(self._id, DATA[1], self._words())
            self._pass_wishes_on()
            self._look()
            time.sleep(POLL_S)
        self._live.catch_up()
        self._print_log()
        if self._status == "STOPPED":
            raise GroundworkError("The Ray job was stopped on the cluster.", next_step="Resume the run to go on.")
        if self._status == "FAILED":
            raise failure_of(self._jobs, self._submission, self._folder)

    def _pass_wishes_on(self) -> None:
        job = self._reporter.jobs.get(self._id)
        if job.cancel_requested:
            self._folder.set_wish("cancel")  # heard even where the cluster's head does not answer
            self._jobs.stop(self._submission)
            raise Cancelled("This job")
        if job.stop_requested and self._folder.wish() != "stop":
            self._folder.set_wish("stop")

    def _look(self) -> None:
        """Ask the cluster, now and then; some silence is forgiven."""
        now = time.monotonic()
        if now - self._asked < STATUS_EVERY_S:
            return
        self._asked = now
        try:
            status = self._jobs.status(self._submission)
            if now - self._logged > LOG_EVERY_S:
                self._logged = now
                self._print_log()
        except RemoteFailed:
            if time.monotonic() - self._answered > SILENCE_S:
                raise
            return
        self._answered = time.monotonic()
        if status is None:
            raise RemoteFailed(
                "The Ray cluster does not know the job any more: its head was started anew.",
                next_step="Resume the run: it goes on behind its last checkpoint.",
            )
        self._status = status

    def _print_log(self) -> None:
        """What is new in the Ray job's log, into the job's own."""
        log = self._jobs.logs(self._submission)
        sys.stdout.write(log[self._printed :])
        sys.stdout.flush()
        self._printed = len(log)

    def _words(self) -> str:
        return "Waiting for the Ray cluster" if self._status == "PENDING" else "The workers start"


def _summary(run: RunFolder) -> dict[str, Any]:
    """What the first worker left. Raises RemoteFailed when it cannot be seen here."""
    folder, deadline = RayFolder(run), time.monotonic() + LATE_S
    while (found := folder.summary()) is None or not run.model.is_dir():
        if time.monotonic() > deadline:
            raise RemoteFailed(
                f"The cluster is done, and its results are not in {run.path}.",
                next_step="See that GROUNDWORK_HOME is on storage that all nodes share.",
            )
        time.sleep(POLL_S)
    return found
