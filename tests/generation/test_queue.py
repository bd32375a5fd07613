"""The queue in front of a model: bounded, in order, with a position, cancellable."""

from __future__ import annotations

import threading
import time

import pytest

from core.errors import Busy, Cancelled
from core.generation.queue import AdmissionQueue


def hold(queue: AdmissionQueue, release: threading.Event, log: list[object], name: str) -> threading.Thread:
    def work() -> None:
        with queue.admitted(cancel=threading.Event(), on_position=lambda n: log.append((name, n))):
            log.append(name)
            release.wait(5)

    before = len(queue._line) + queue._active
    thread = threading.Thread(target=work)
    thread.start()
    while len(queue._line) + queue._active == before:
        time.sleep(0.005)
    return thread


def test_who_waits_sees_positions_and_is_served_in_order() -> None:
    queue = AdmissionQueue(running=1, waiting=5)
    release, log = threading.Event(), []
    threads = [hold(queue, release, log, name) for name in "abc"]
    time.sleep(0.2)
    assert ("b", 1) in log
    assert ("c", 2) in log
    release.set()
    for thread in threads:
        thread.join(5)
    assert [entry for entry in log if isinstance(entry, str)] == ["a", "b", "c"]
    assert queue.idle


def test_a_full_queue_refuses_with_the_limit() -> None:
    queue = AdmissionQueue(running=1, waiting=0)
    release: threading.Event = threading.Event()
    thread = hold(queue, release, [], "a")
    with (
        pytest.raises(Busy, match="GROUNDWORK_MAX_WAITING"),
        queue.admitted(cancel=threading.Event(), on_position=lambda n: None),
    ):
        pass
    release.set()
    thread.join(5)


def test_cancel_while_waiting_leaves_the_line() -> None:
    queue = AdmissionQueue(running=1, waiting=5)
    release, cancel = threading.Event(), threading.Event()
    thread = hold(queue, release, [], "a")
    cancel.set()
    with pytest.raises(Cancelled), queue.admitted(cancel=cancel, on_position=lambda n: None):
        pass
    release.set()
    thread.join(5)
    assert queue.idle
