from __future__ import annotations

import os
import signal
import time
from typing import Any

import psutil
import pytest

from core.errors import Cancelled, ContextOverflow, GroundworkError, InvalidInput
from core.measure.child import Tell, in_a_process


def count(tell: Tell, upto: int) -> None:
    for number in range(upto):
        tell(number)


def refuse(tell: Tell) -> None:
    tell("first")
    raise InvalidInput("It is 3.", allowed="1 to 2.", next_step="Choose another.")


def overflow(tell: Tell) -> None:
    raise ContextOverflow(10, 5)


def break_(tell: Tell) -> None:
    raise RuntimeError("no kernel\nfor this")


def die(tell: Tell, how: str) -> None:
    tell("first")
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


def sleep(tell: Tell) -> None:
    tell(os.getpid())
    time.sleep(60)


def listen(work: Any, *arguments: Any) -> list[Any]:
    return list(in_a_process(work, *arguments, what="testing", watch=lambda: None))


def test_everything_that_is_told_comes_in_order() -> None:
    assert listen(count, 3) == [0, 1, 2]


def test_an_error_keeps_its_kind_and_its_words() -> None:
    with pytest.raises(InvalidInput, match=r"It is 3\. 1 to 2\. Choose another\."):
        listen(refuse)
    with pytest.raises(GroundworkError, match="10 tokens"):
        listen(overflow)


def test_an_unforeseen_error_is_told_in_one_line() -> None:
    with pytest.raises(GroundworkError, match=r"The process for testing failed: no kernel for this\. If"):
        listen(break_)


@pytest.mark.parametrize(("how", "told"), [("killed", r"was killed \(SIGKILL\)"), ("left", "ended with status 3")])
def test_a_process_that_dies_is_told_in_words(how: str, told: str) -> None:
    heard: list[str] = []
    with pytest.raises(GroundworkError, match=f"process for testing {told}.*out of memory"):
        heard.extend(in_a_process(die, how, what="testing", watch=lambda: None))
    assert heard == ["first"]


def test_whoever_is_cancelled_ends_the_process() -> None:
    pids: list[int] = []

    def watch() -> None:
        if pids:
            raise Cancelled("The test")

    with pytest.raises(Cancelled):
        pids.extend(in_a_process(sleep, what="testing", watch=watch))
    assert not psutil.pid_exists(pids[0])


def test_whoever_stops_listening_ends_the_process() -> None:
    everything = in_a_process(sleep, what="testing", watch=lambda: None)
    pid = next(everything)
    everything.close()
    assert not psutil.pid_exists(pid)
