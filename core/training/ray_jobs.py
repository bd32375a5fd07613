"""`RayJobs`: the part of Ray's job server that a fine-tune needs, with its failures in the user's words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core.errors import GroundworkError, InvalidInput, RemoteFailed
from core.training.place import INSTALL
from core.training.ray_folder import RayFolder, error_of

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
TOLD = "groundwork told: "
"""Begins the line of a driver's log that says, as JSON, why it failed."""
TIMEOUT_S = 30.0
LAST_LINES = 12
_GOES_FIRST = "RAY_API_SERVER_ADDRESS"
T = TypeVar("T")


class RayJobs:
    """The job server of the cluster at `address`. Raises RemoteFailed where it cannot be had."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = self._asking(lambda: _client(address))

    def submit(self, submission: str, entrypoint: str, environment: dict[str, Any], *, title: str) -> None:
        """Uploads the code of `environment` first, unless the cluster has it."""
        self._asking(
            lambda: self._client.submit_job(
                entrypoint=entrypoint, submission_id=submission, runtime_env=environment, metadata={"title": title}
            )
        )

    def status(self, submission: str) -> str | None:
        """PENDING, RUNNING or one of ENDED; None for a job that the cluster does not know."""

        def ask() -> str | None:
            try:
                return str(self._client.get_job_status(submission).value)
            except RuntimeError as error:
                if "404" in str(error):
                    return None
                raise

        return self._asking(ask)

    def logs(self, submission: str) -> str:
        """All that the job's driver has printed; "" while there is nothing."""
        try:
            return str(self._asking(lambda: self._client.get_job_logs(submission)))
        except RemoteFailed:
            return ""

    def message(self, submission: str) -> str:
        """Ray's own words on how the job is."""
        return str(self._asking(lambda: self._client.get_job_info(submission).message) or "")

    def stop(self, submission: str) -> None:
        self._asking(lambda: self._client.stop_job(submission))

    def _asking(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except GroundworkError:
            raise
        except Exception as error:  # requests, Ray and the server each have their own
            told = " ".join(str(error).split())[:300]
            raise RemoteFailed(
                f"The Ray cluster at {self._address} does not do what it is asked: {told or type(error).__name__}.",
                next_step="See that its head runs, that the address is its dashboard's and that it can be reached.",
            ) from error


def failure_of(jobs: RayJobs, submission: str, folder: RayFolder) -> GroundworkError:
    """Why a Ray job failed: as the workers or the driver told it, else the end of its log."""
    if told := folder.failure():
        return error_of(told)
    log = jobs.logs(submission)
    lines = [line.partition(TOLD)[2] for line in log.splitlines() if TOLD in line]
    if lines:
        return error_of(json.loads(lines[-1]))
    message = jobs.message(submission)
    if "exit code 127" in message:
        return GroundworkError(
            "The head of the Ray cluster has no `python` on its PATH.",
            next_step="Activate the environment with Groundwork's packages before `ray start`.",
        )
    end = "\n".join((log or message).splitlines()[-LAST_LINES:])
    return GroundworkError(f"The Ray job failed: {end or 'it says nothing'}.", next_step="Its log says more.")


def _client(address: str) -> Any:
    try:
        from ray.job_submission import JobSubmissionClient
    except ImportError as error:
        raise InvalidInput("Ray is not installed here.", next_step=f"{INSTALL}.") from error

    class Client(JobSubmissionClient):  # type: ignore[misc]  # Ray is not typed
        """Ray's own waits for ever for a head that has gone silent."""

        def _do_request(self, *arguments: Any, **options: Any) -> Any:
            return super()._do_request(*arguments, **{"timeout": TIMEOUT_S, **options})

    with _asked_for(address):
        return Client(address)


@contextmanager
def _asked_for(address: str) -> Iterator[None]:
    """Ray's client goes where RAY_ADDRESS says whatever it is given, but for this variable."""
    before = os.environ.get(_GOES_FIRST)
    os.environ[_GOES_FIRST] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[_GOES_FIRST]
        else:
            os.environ[_GOES_FIRST] = before
