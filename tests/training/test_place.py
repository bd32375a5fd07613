"""Where a fine-tune runs, what its workers agree upon and what they are given: quick, without a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import GroundworkError, InvalidInput
from core.store.database import Database
from core.store.jobs import JobRepository
from core.store.training_points import TrainingPointRepository
from core.training.place import RayPlace, place_of, ray_place, to_command
from core.training.ray_driver import device_of, resources
from core.training.ray_folder import RayFolder
from core.training.ray_live import LiveReader
from core.training.ray_worker import check_shared
from core.training.run_folder import RunFolder
from core.training.sinks import FileSink
from core.training.together import check_same


def test_a_place_is_the_same_after_it_was_written_down() -> None:
    pytest.importorskip("ray")
    place = ray_place(" http://head:8265/ ", workers=3)
    assert place == RayPlace("http://head:8265", 3, "auto")
    assert place_of({"where": json.loads(json.dumps(to_command(place)))}) == place
    assert place_of({"config": {}}) is None
    with pytest.raises(InvalidInput, match="moon"):
        place_of({"where": {"kind": "moon"}})


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "RAY_ADDRESS"),
        ("auto", "dashboard"),
        ("head:6379", "not port 6379"),
        ("ray://head:10001", "dashboard"),
        ("http://:8265", "dashboard"),
        ("http://head:none", "dashboard"),
        ("http://me:secret@head:8265", "RAY_JOB_HEADERS"),
    ],
)
def test_what_is_no_address_is_refused(address: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(InvalidInput, match=told) as raised:
        ray_place(address)
    assert "secret" not in str(raised.value)


def test_ray_address_names_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "https://cluster")
    assert ray_place(workers=1).address == "https://cluster"
    with pytest.raises(InvalidInput, match="0 workers"):
        ray_place(workers=0)


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match=r"pip install -r requirements-ray\.txt"):
        ray_place("http://head:8265")


def node(cpus: float, gpus: float = 0) -> dict[str, Any]:
    return {"Resources": {"CPU": cpus, **({"GPU": gpus} if gpus else {})}}


def test_workers_share_a_node_s_processors() -> None:
    assert resources(2, [node(8), node(8)], "cpu", None) == {"CPU": 8.0}
    assert resources(4, [node(8), node(8)], "cpu", None) == {"CPU": 4.0}
    assert resources(2, [node(8), node(1)], "cpu", 3) == {"CPU": 3.0}
    assert resources(4, [node(16, 2), node(16, 2)], "cuda", None) == {"CPU": 8.0, "GPU": 1.0}
    with pytest.raises(InvalidInput, match="3 workers with 1 CPUs each"):
        resources(3, [node(1), node(1)], "cpu", None)


def test_gpus_are_taken_when_there_is_one_for_each_worker() -> None:
    one = [node(8, 1), node(8)]
    assert device_of(RayPlace("http://head", 1), one) == "cuda"
    assert device_of(RayPlace("http://head", 2), one) == "cpu"
    assert device_of(RayPlace("http://head", 1, "cpu"), one) == "cpu"
    with pytest.raises(InvalidInput, match="the Ray cluster has 1"):
        device_of(RayPlace("http://head", 2, "cuda"), one)


def test_weights_that_drifted_apart_are_noticed() -> None:
    check_same([(1.0, 10.0), (1.0, 10.0), (1.0 + 1e-7, 10.0)], 5)
    with pytest.raises(GroundworkError, match="differ after step 5"):
        check_same([(1.0, 10.0), (1.1, 10.0)], 5)


def test_a_node_with_another_disk_is_named(home: Path) -> None:
    folder = RayFolder(RunFolder("job"))
    with pytest.raises(InvalidInput, match="GROUNDWORK_HOME on a file system that every node"):
        check_shared(folder, "ours")
    folder.set_task({"token": "ours"})
    check_shared(folder, "ours")


def test_a_story_with_a_crash_in_it_is_told_once_whoever_begins_to_read_it(db: Database) -> None:
    job, _ = JobRepository(db).create("finetune", "", {})
    JobRepository(db).start(job.id)
    folder = RayFolder(RunFolder(job.id))
    reader = LiveReader(folder.live, db, job.id)
    reader.catch_up()
    assert not reader.has_news
    sink = FileSink(folder.path)
    sink.workers([{"node": "a"}])
    sink.forget_after(-1)
    sink.write([(1, "train", {"loss": 3.0}), (2, "train", {"loss": 2.0})], 0.5, "Training, step 2 of 4", {"step": 2})
    with folder.live.open("a", encoding="utf-8") as killed:
        killed.write('{"points": [[3, "train", {"loss"')
    reader.catch_up()
    sink = FileSink(folder.path)  # the next worker
    sink.workers([{"node": "b"}])
    sink.forget_after(1)
    sink.write([(2, "train", {"loss": 2.5}), (3, "eval", {"loss": 9.0})], 1.0, "Training, step 4 of 4", {"step": 4})
    sink.progress(0.9, "Judging it")
    again = LiveReader(folder.live, db, job.id)
    for one in (reader, again):
        one.catch_up()
        points = TrainingPointRepository(db).list(job.id)
        assert [(point.step, point.values["loss"]) for point in points] == [(1, 3.0), (2, 2.5), (3, 9.0)]
        assert [workers[0]["node"] for workers in one.starts] == ["a", "b"]
    told = JobRepository(db).get(job.id)
    assert (told.step, told.progress, told.metrics) == ("Judging it", 0.9, {"step": 4})
