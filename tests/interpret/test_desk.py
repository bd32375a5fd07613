from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from core.artefacts import Progress
from core.errors import Cancelled, GroundworkError, InvalidInput
from core.interpret.desk import Desk, subject_key
from core.interpret.overview import overview
from core.interpret.subject import from_ids
from core.interpret.work import Works
from core.models import catalogue
from core.settings import reload_settings
from tests.models import tiny


@pytest.fixture
def desk(home: Path) -> Desk:
    catalogue.add(str(tiny.save_llama(home / "sources" / "llama")), model_id="llama")
    return Desk()


def test_the_same_question_is_worked_out_once(desk: Desk) -> None:
    asked: list[int] = []

    def find(trace: Any, progress: Progress) -> int:
        asked.append(1)
        return int(trace.tokens)

    subject = from_ids("llama", (5, 6, 7))
    first = desk.look(subject, "tokens", find)
    assert first.wait(60)
    assert first.outcome() == 3
    assert desk.look(subject, "tokens", find) is first
    assert len(asked) == 1
    other = desk.look(from_ids("llama", (5, 6, 8)), "tokens", find)
    assert other.wait(60)
    assert len(asked) == 2


def test_a_look_can_be_cancelled_and_begun_again(desk: Desk) -> None:
    began = threading.Event()
    go_on = threading.Event()

    def find(trace: Any, progress: Progress) -> str:
        began.set()
        go_on.wait(60)
        progress(0.5, "Half")
        return "done"

    subject = from_ids("llama", (5, 6, 7))
    work = desk.look(subject, "slow", find)
    assert began.wait(60)
    work.cancel()
    go_on.set()
    assert work.wait(60)
    assert work.state == "cancelled"
    with pytest.raises(Cancelled):
        work.outcome()
    assert desk.look(subject, "slow", find) is work  # not begun again by itself
    desk.works.forget(work.key)
    again = desk.look(subject, "slow", find)
    assert again is not work
    assert again.wait(60)
    assert again.outcome() == "done"


def test_what_goes_wrong_is_told_in_words(desk: Desk) -> None:
    def find(trace: Any, progress: Progress) -> None:
        raise ZeroDivisionError("division by zero")

    work = desk.look(from_ids("llama", (5, 6, 7)), "wrong", find)
    assert work.wait(60)
    assert work.state == "failed"
    with pytest.raises(GroundworkError, match="ZeroDivisionError"):
        work.outcome()


def test_a_text_that_is_too_long_is_offered_in_part(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match=r"200 tokens.*At most 128.*first or its last 128"):
        desk.check_length(from_ids("llama", [5] * 200))
    monkeypatch.setenv("GROUNDWORK_ATTENTION_TOKENS", "32")
    reload_settings()
    with pytest.raises(InvalidInput, match=r"At most 32.*GROUNDWORK_ATTENTION_TOKENS"):
        Desk().check_length(from_ids("llama", [5] * 100))


def test_old_traces_and_models_are_let_go(home: Path) -> None:
    desk = Desk()
    for number in range(3):
        catalogue.add(str(tiny.save_llama(home / "sources" / f"m{number}")), model_id=f"m{number}")
        desk.trace(from_ids(f"m{number}", (5, 6, 7)))
    assert [model for model, _ in desk._models] == ["m1", "m2"]
    assert len(desk._traces) == 2
    for last in range(8, 13):
        desk.trace(from_ids("m2", (5, 6, last)))
    assert len(desk._traces) == 3


def test_a_subject_is_named_by_what_was_read() -> None:
    works = Works()
    assert works.find("nothing") is None
    assert len(subject_key.__doc__ or "") > 0


def test_overview_through_the_desk_shows_progress(desk: Desk) -> None:
    work = desk.look(
        from_ids("llama", (5, 6, 7, 8)), "overview", lambda trace, progress: overview(trace, progress=progress)
    )
    assert work.wait(60)
    assert work.outcome().tiles.shape == (2, 4, 4, 4)
    assert "layer 2 of 2" in work.step
