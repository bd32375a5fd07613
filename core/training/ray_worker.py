"""What each worker of a fine-tune on a Ray cluster does: build, train together, and, the first one, judge and save.

Started anew after a loss, it goes on behind the last whole checkpoint of the run's folder: nothing is handed to Ray.
What the user is to be told ends the run; whatever else goes wrong is Ray's to try again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from core.artefacts import Progress, no_progress
from core.errors import Cancelled, GroundworkError, InvalidInput
from core.training.config import AnyConfig, parse_config
from core.training.ray_folder import RayFolder
from core.training.run import Made, finish, make, speaking_plainly, summary, train
from core.training.run_folder import RunFolder
from core.training.sinks import FileSink, Silent
from core.training.together import SameWeights


def train_loop(task: dict[str, Any]) -> None:
    """task: job, token, config, device (cpu or cuda), threads of a worker."""
    run = RunFolder(task["job"])
    folder = RayFolder(run)
    if folder.failure() is not None:
        return  # told already, by the workers before
    check_shared(folder, task["token"])
    try:
        with speaking_plainly(run.path):
            _work(run, folder, task)
    except (GroundworkError, Cancelled) as error:
        folder.set_failure(error)
        raise


def check_shared(folder: RayFolder, token: str) -> None:
    """Raises InvalidInput unless the submitter's file is in the same place here."""
    task = folder.task()
    if task is None or task["token"] != token:
        raise InvalidInput(
            f"{folder.path} on the node {os.uname().nodename} is not what it is on the machine that submitted the job.",
            allowed="GROUNDWORK_HOME on a file system that every node of the cluster mounts at the same path.",
            next_step="Mount it there, or set GROUNDWORK_HOME to a folder on such a file system.",
        )


def _work(run: RunFolder, folder: RayFolder, task: dict[str, Any]) -> None:
    import torch.distributed as dist
    from accelerate import PartialState

    workers = dist.get_world_size() if dist.is_initialized() else 1
    state = PartialState(cpu=task["device"] == "cpu")
    is_first = state.is_main_process
    sink = FileSink(folder.path) if is_first else Silent()
    found = _introduced(workers)
    if isinstance(sink, FileSink):
        sink.workers(found)
    progress: Progress = sink.progress if isinstance(sink, FileSink) else no_progress
    with state.main_process_first():  # what a build leaves in the folder is left by one
        made = make(_config(task), run, task["device"], progress, workers=workers)
    checked = _check_weights(made) if workers > 1 else None
    train(sink, run, made)
    if is_first:
        report = finish(run, made, progress)
        weights = {"weights_compared": checked.checks} if checked is not None else {}
        folder.set_summary(summary(run, made, report) | {"workers": workers, **weights})


def _config(task: dict[str, Any]) -> AnyConfig:
    """threads that are left open are the processors that Ray gives a worker."""
    config = parse_config(task["config"])
    if config.training.threads is not None:
        return config
    return config.model_copy(update={"training": config.training.model_copy(update={"threads": task["threads"]})})


def _introduced(workers: int) -> list[dict[str, Any]]:
    """All workers: their rank, node and process."""
    import ray
    import torch.distributed as dist

    context = ray.get_runtime_context()
    mine = {
        "rank": dist.get_rank() if dist.is_initialized() else 0,
        "node": ray.util.get_node_ip_address(),
        "node_id": context.get_node_id(),
        "host": os.uname().nodename,
        "pid": os.getpid(),
        "code": str(Path(__file__).parents[2]),
    }
    found: list[Any] = [mine]
    if workers > 1:
        found = [None] * workers
        dist.all_gather_object(found, mine)
    return found


def _check_weights(made: Made) -> SameWeights:
    """Compare the workers' weights at each evaluation, behind whatever the recipe does after a step."""
    check, own = SameWeights(made.evaluate_every, made.steps), made.built.each_step

    def each_step(model: Any, step: int) -> None:
        if own is not None:
            own(model, step)
        check(model, step)

    made.built.each_step = each_step
    return check
