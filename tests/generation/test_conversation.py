"""Conversations: what is asked becomes a tree of messages and the right prompt; nothing is overwritten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ContextOverflow, GroundworkError, InvalidInput
from core.generation.conversation import Conversations, RunSettings
from core.generation.engine import Engine
from core.generation.live import LiveRun
from core.generation.request import SamplingParameters
from core.store.database import Database
from tests.conftest import TINY

LETTERS = {3 + 80: 8.0, 3 + 81: 8.0}  # keeps the random model to bytes that are characters


@pytest.fixture
def talk(tiny_home: Path, db: Database) -> Conversations:
    return Conversations(Engine(), db)


SETTINGS = RunSettings(
    TINY,
    precision="fp32",
    parameters=SamplingParameters(max_new_tokens=6, temperature=0.8, top_logprobs=4, logit_bias=LETTERS),
    system_prompt="Be brief.",
)
PLAIN = replace(SETTINGS, system_prompt="")


def finished(run: LiveRun) -> LiveRun:
    run.join(20)
    snapshot = run.snapshot()
    assert snapshot.finished
    assert not snapshot.error
    return run


def prompt_of(talk: Conversations, run: LiveRun) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in talk.runs.get(run.run_id).prompt["messages"]]


def asked(talk: Conversations, *texts: str, settings: RunSettings = SETTINGS) -> str:
    session: str | None = None
    for text in texts:
        session, run = talk.ask(session, text, settings)
        finished(run)
    assert session
    return session


def test_ask_opens_a_session_with_a_title_and_an_answer(talk: Conversations) -> None:
    session, run = talk.ask(None, "  hello\n  you ", SETTINGS)
    finished(run)
    question, answer = talk.turns(session)
    assert talk.sessions.get(session).title == "hello you"
    assert (question.message.role, question.text) == ("user", "  hello\n  you ")
    assert (answer.message.role, answer.text) == ("assistant", run.snapshot().text)
    assert answer.run is not None
    assert prompt_of(talk, run) == [("system", "Be brief."), ("user", "  hello\n  you ")]
    assert talk.live(session) is None


def test_the_next_turn_has_the_turns_before_in_its_prompt(talk: Conversations) -> None:
    session = asked(talk, "one")
    answer = talk.turns(session)[1].text
    _, run = talk.ask(session, "two", SETTINGS)
    finished(run)
    assert prompt_of(talk, run) == [("system", "Be brief."), ("user", "one"), ("assistant", answer), ("user", "two")]


def test_regenerate_makes_a_sibling(talk: Conversations) -> None:
    session = asked(talk, "one")
    first = talk.turns(session)[1]
    run = finished(talk.regenerate(first.message.id, SETTINGS))
    now = talk.turns(session)[1]
    assert (now.position, len(now.version_ids)) == (2, 2)
    assert now.message.run_id == run.run_id
    assert prompt_of(talk, run) == [("system", "Be brief."), ("user", "one")]
    assert talk.sessions.message(first.message.id).content == first.text


def test_edit_makes_a_sibling_of_the_question_with_an_answer_of_its_own(talk: Conversations) -> None:
    session = asked(talk, "one", "two")
    second = talk.turns(session)[2]
    run = finished(talk.edit(second.message.id, "deux", SETTINGS))
    turns = talk.turns(session)
    assert [turn.text for turn in turns[::2]] == ["one", "deux"]
    assert (turns[2].position, len(turns[2].version_ids)) == (2, 2)
    assert prompt_of(talk, run)[-1] == ("user", "deux")
    assert talk.sessions.message(second.message.id).content == "two"
    first = talk.turns(session)[0]
    finished(talk.edit(first.message.id, "uno", SETTINGS))
    assert [turn.text for turn in talk.turns(session)][::2] == ["uno"]


def test_continue_goes_on_from_the_whole_answer(talk: Conversations) -> None:
    session = asked(talk, "one")
    first = talk.turns(session)[1]
    before = talk.events_of(str(first.message.run_id))
    run = finished(talk.continue_answer(first.message.id, SETTINGS))
    after = talk.events_of(run.run_id)
    assert [e.token_id for e in after[: len(before)]] == [e.token_id for e in before]
    assert len(after) == len(before) + 6
    assert talk.turns(session)[1].text.startswith(first.text.rstrip("�"))
    assert talk.runs.get(run.run_id).parent_run_id == first.message.run_id
    assert len(talk.turns(session)[1].version_ids) == 2


def test_continue_from_a_token_with_another_in_its_place(talk: Conversations) -> None:
    session = asked(talk, "one")
    first = talk.turns(session)[1].message
    before = talk.events_of(str(first.run_id))
    other = next(a for a in before[2].alternatives if a.token_id != before[2].token_id)
    run = finished(talk.continue_answer(first.id, SETTINGS, keep=2, instead=other.token_id))
    after = talk.events_of(run.run_id)
    assert [e.token_id for e in after[:3]] == [before[0].token_id, before[1].token_id, other.token_id]
    assert after[2].logprob == other.logprob
    assert after[2].forced
    assert run.snapshot().tokens == 6
    assert talk.runs.get(run.run_id).prompt["answer_prefix"] == [e.token_id for e in after[:3]]


def test_the_record_counts_the_tokens_the_model_chose(talk: Conversations) -> None:
    session = asked(talk, "one")
    first = talk.turns(session)[1].message
    run = finished(talk.continue_answer(first.id, SETTINGS, keep=3))
    record = talk.runs.get(run.run_id)
    assert record.completion_tokens == 6
    assert len(talk.events_of(run.run_id)) == 9


def test_a_token_that_was_no_alternative_is_refused_and_nothing_is_written(talk: Conversations) -> None:
    session = asked(talk, "one")
    answer = talk.turns(session)[1].message
    for keep, instead in ((2, 999), (99, 5)):
        with pytest.raises(GroundworkError, match="position"):
            talk.continue_answer(answer.id, SETTINGS, keep=keep, instead=instead)
    assert len(talk.turns(session)[1].version_ids) == 1


def test_a_prompt_that_does_not_fit_writes_nothing(talk: Conversations) -> None:
    with pytest.raises(ContextOverflow):
        talk.ask(None, "x" * 400, PLAIN)
    assert talk.sessions.list() == []
    session = asked(talk, "short", settings=PLAIN)
    with pytest.raises(ContextOverflow):
        talk.ask(session, "x" * 240, PLAIN)
    assert len(talk.turns(session)) == 2
    assert len(talk.runs.list()) == 1


def test_drop_oldest_leaves_out_whole_turns_and_keeps_the_system_prompt(talk: Conversations) -> None:
    session = asked(talk, "a" * 60, "b" * 60)
    with pytest.raises(ContextOverflow):
        talk.ask(session, "c" * 100, SETTINGS)
    _, run = talk.ask(session, "c" * 100, SETTINGS, drop_oldest=True)
    finished(run)
    prompt = prompt_of(talk, run)
    assert [role for role, _ in prompt] == ["system", "user", "assistant", "user"]
    assert prompt[1][1] == "b" * 60
    assert len(talk.turns(session)) == 6  # the session itself forgets nothing
    with pytest.raises(ContextOverflow):
        talk.ask(session, "d" * 400, SETTINGS, drop_oldest=True)


def test_completion_takes_the_text_as_it_is(talk: Conversations) -> None:
    session, run = talk.ask(None, "Once upon", SETTINGS, mode="completion")
    finished(run)
    assert talk.runs.get(run.run_id).prompt["raw_prompt"] == "Once upon"
    _, run = talk.ask(session, "Another", SETTINGS, mode="completion")
    finished(run)
    assert talk.runs.get(run.run_id).prompt["raw_prompt"] == "Another"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_question_is_refused_and_nothing_is_written(talk: Conversations, text: str) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        talk.ask(None, text, PLAIN)
    session = asked(talk, "one", settings=PLAIN)
    with pytest.raises(InvalidInput, match="empty"):
        talk.ask(session, text, SETTINGS)
    assert len(talk.turns(session)) == 2


def test_a_second_question_while_an_answer_is_written_is_refused(talk: Conversations) -> None:
    long = replace(SETTINGS, parameters=replace(SETTINGS.parameters, max_new_tokens=150, banned_tokens=(1, 2)))
    session, run = talk.ask(None, "one", long)
    with pytest.raises(InvalidInput, match="still being written"):
        talk.ask(session, "two", SETTINGS)
    run.cancel()
    finished(run)
    assert talk.turns(session)[1].text == run.snapshot().text


def test_an_answer_that_fails_is_told_and_on_record(talk: Conversations, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, token_ids: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("core.onnx.session.OnnxContext.append", fail)
    session, run = talk.ask(None, "one", SETTINGS)
    run.join(20)
    assert "RuntimeError: out of memory" in run.snapshot().error
    assert talk.runs.get(run.run_id).status == "failed"
    assert [turn.text for turn in talk.turns(session)] == ["one", ""]
