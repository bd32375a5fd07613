"""`python -m core.training.ray_driver`: the Ray job of a fine-tune. It starts the workers, and again when one is lost.

It runs on the cluster's head, where Ray Jobs start it; `ray_cluster` submits it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from core.errors import GroundworkError, InvalidInput
from core.training import ray_worker
from core.training.config import parse_config
from core.training.place import RayPlace, place_of
from core.training.ray_folder import RayFolder, error_of, told_of
from core.training.ray_jobs import TOLD
from core.training.run_folder import RunFolder

MAX_FAILURES = 3
"""Losses of workers that are made good; a node that was taken away by its owner does not count."""
CHECK_S = 120.0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", required=True)
    parser.add_argument("--token", required=True)
    given = parser.parse_args(arguments)
    try:
        drive(given.job, given.token)
    except GroundworkError as error:
        print(f"{TOLD}{json.dumps(told_of(error))}", flush=True)
        return 1
    return 0


def drive(job_id: str, token: str) -> None:
    """Train and finish a job with the workers that its task asks for. Raises GroundworkError."""
    import ray

    run = RunFolder(job_id)
    folder = RayFolder(run)
    ray_worker.check_shared(folder, token)
    task = folder.task() or {}
    place = place_of({"where": task["place"]})
    assert place is not None  # the submitter wrote it
    ray.init(log_to_driver=True)
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    device = device_of(place, nodes)
    each = resources(place.workers, nodes, device, parse_config(task["config"]).training.threads)
    _check_nodes(nodes, job_id, token)
    loop = {"job": job_id, "token": token, "config": task["config"], "device": device, "threads": int(each["CPU"])}
    _fit(loop, place, each, folder)
    if told := folder.failure():
        raise error_of(told)


def device_of(place: RayPlace, nodes: Sequence[dict[str, Any]]) -> str:
    """cpu or cuda. Raises InvalidInput when the cluster cannot give one to each worker."""
    gpus = sum(int(node["Resources"].get("GPU", 0)) for node in nodes)
    if place.device == "cuda" and gpus < place.workers:
        raise InvalidInput(
            f"{place.workers} workers want a GPU each, and the Ray cluster has {gpus}.",
            next_step="Take fewer workers, or GROUNDWORK_DEVICE=cpu.",
        )
    return "cuda" if place.device != "cpu" and gpus >= place.workers else "cpu"


def resources(workers: int, nodes: Sequence[dict[str, Any]], device: str, threads: int | None) -> dict[str, float]:
    """Of one worker. CPUs: `threads`, else a node's, shared by the workers that it gets when they are spread evenly.

    Raises InvalidInput when all workers together want more than there is.
    """
    able = [node for node in nodes if device == "cpu" or node["Resources"].get("GPU", 0) >= 1]
    cpus = [int(node["Resources"]["CPU"]) for node in able]
    if device == "cpu" and sum(one // (threads or 1) for one in cpus) < workers:
        raise InvalidInput(
            f"{workers} workers with {threads or 1} CPUs each were asked for, and the Ray cluster's nodes have "
            f"{', '.join(map(str, cpus)) or 'none'}.",
            next_step="Take fewer workers, or start more nodes.",
        )
    shared = min(cpus) // math.ceil(workers / len(able))
    return {"CPU": float(threads or max(1, shared)), **({"GPU": 1.0} if device == "cuda" else {})}


def _check_nodes(nodes: Sequence[dict[str, Any]], job_id: str, token: str) -> None:
    """Raises InvalidInput that names a node which does not see the run's folder."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def look() -> dict[str, str] | None:
        try:
            ray_worker.check_shared(RayFolder(RunFolder(job_id)), token)
        except GroundworkError as error:
            return told_of(error)
        return None

    asked = [
        ray.remote(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))(look)
        for node in nodes
    ]
    for told in ray.get([one.remote() for one in asked], timeout=CHECK_S):
        if told is not None:
            raise error_of(told)


def _fit(loop: dict[str, Any], place: RayPlace, each: dict[str, float], folder: RayFolder) -> None:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    trainer = TorchTrainer(
        ray_worker.train_loop,
        train_loop_config=loop,
        scaling_config=ScalingConfig(
            num_workers=place.workers,
            use_gpu=loop["device"] == "cuda",
            resources_per_worker=each,
            placement_strategy="SPREAD",
        ),
        run_config=RunConfig(
            name=loop["token"],
            storage_path=str(folder.path / "train"),
            failure_config=FailureConfig(max_failures=MAX_FAILURES),
        ),
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        if folder.failure() is None:
            raise GroundworkError(
                f"The workers failed more than {MAX_FAILURES} times. The last time: {_last_words(error)}.",
                next_step="The log says more. Resume the run to go on behind its last checkpoint.",
            ) from error


def _last_words(error: Exception) -> str:
    failures = getattr(error, "worker_failures", {}) or {0: error}
    lines = [line.strip() for line in str(next(iter(failures.values()))).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
