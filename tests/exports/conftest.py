"""A session with an edit, two answers, a continued run and every kind of awkward text."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.store.database import Database
from core.store.runs import NewRun, RunRepository
from core.store.sessions import SessionRepository

AWKWARD = '=HYPERLINK("http://x")\r\nsecond "line", 🚀 مرحبا\n'
TOKENS = [
    {
        "index": index,
        "token_id": index,
        "text": text,
        "token_text": text,
        "logprob": -0.5 * index,
        "sampled_probability": 0.5,
        "alternatives": [{"token_id": 9, "text": "\ud83d", "logprob": float("-inf"), "sampled_probability": 0.0}],
        "time_s": 0.01 * index,
        "forced": False,
    }
    for index, text in enumerate(["=", "🚀", "", "\n"])
]


@dataclass(frozen=True, slots=True)
class Example:
    session_id: str
    question_id: str
    first_answer_id: str
    second_answer_id: str
    first_run_id: str
    second_run_id: str
    continued_run_id: str


@pytest.fixture
def example(db: Database) -> Example:
    sessions, runs = SessionRepository(db), RunRepository(db)
    session = sessions.create(title="Prices *and* <costs>", system_prompt="# Be brief.", settings={"seed": 1}).id
    question = sessions.add_message(session, None, "user", AWKWARD)

    def run(parent: str | None = None) -> str:
        new = NewRun(
            "org/small_model", "abc", "int8", "onnx", "cpu", {"temperature": 0.2}, {"raw_prompt": "Q"}, 7, parent
        )
        run_id = runs.start(new)
        runs.append(run_id, TOKENS[:3], "=🚀")
        runs.append(run_id, TOKENS[3:], "=🚀\n")
        runs.finish(run_id, status="done", finish_reason="length", prompt_tokens=5, tokens_per_s=84.25, ttft_s=0.21)
        return run_id

    continued = run()
    first, second = run(), run(continued)
    one = sessions.add_message(session, question.id, "assistant", "-1 is the answer", run_id=first)
    two = sessions.add_message(session, question.id, "assistant", "# Answer\n\n```python\n# code", run_id=second)
    return Example(session, question.id, one.id, two.id, first, second, continued)
