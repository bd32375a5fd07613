from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from core.errors import NotFound
from core.store.database import Database
from core.store.runs import RunRepository
from core.store.sessions import SessionRepository
from exports.session_csv import COLUMNS, session_csv
from exports.session_json import session_json
from exports.session_markdown import contained, session_markdown
from tests.exports.conftest import AWKWARD, TOKENS, Example

Export = Callable[[Database, str], bytes]
ALL: list[Export] = [session_json, session_csv, session_markdown]


def test_json_has_the_tree_and_every_token(db: Database, example: Example) -> None:
    data = session_json(db, example.session_id)
    assert b"Infinity" not in data
    document = json.loads(data)
    assert (document["format"], document["version"]) == ("groundwork-session", 1)
    assert document["session"]["settings"] == {"seed": 1}
    assert [message["id"] for message in document["messages"]] == [
        example.question_id,
        example.first_answer_id,
        example.second_answer_id,
    ]
    assert document["messages"][0]["content"] == AWKWARD
    assert document["active_branch"] == [example.question_id, example.second_answer_id]
    runs = {run["id"]: run for run in document["runs"]}
    assert set(runs) == {example.first_run_id, example.second_run_id, example.continued_run_id}
    expected = [token | {"alternatives": [token["alternatives"][0] | {"logprob": None}]} for token in TOKENS]
    assert all(run["tokens"] == expected for run in runs.values())
    run = runs[example.second_run_id]
    assert (run["seed"], run["parameters"], run["prompt"]) == (7, {"temperature": 0.2}, {"raw_prompt": "Q"})
    assert run["parent_run_id"] == example.continued_run_id
    assert "pid" not in run


def test_csv_has_a_row_a_message_and_no_formula(db: Database, example: Example) -> None:
    data = session_csv(db, example.session_id)
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["content"] for row in rows] == ["'" + AWKWARD, "'-1 is the answer", "# Answer\n\n```python\n# code"]
    assert [row["on_active_branch"] for row in rows] == ["yes", "no", "yes"]
    assert [row["parent_id"] for row in rows] == ["", example.question_id, example.question_id]
    assert [row["model_id"] for row in rows] == ["", "org/small_model", "org/small_model"]
    answer = rows[2]
    assert (answer["tokens_per_s"], answer["completion_tokens"], answer["seed"]) == ("84.25", "4", "7")
    assert answer["created_at"].endswith("+00:00")


def test_markdown_reads_along_the_active_branch(db: Database, example: Example) -> None:
    text = session_markdown(db, example.session_id).decode()
    assert text.startswith("# Prices \\*and\\* \\<costs\\>\n\n20")
    assert "## System prompt\n\n### Be brief.\n" in text
    assert "## 1. User" in text
    assert "-1 is the answer" not in text
    assert text.endswith(
        "## 2. Model\n\n*org/small\\_model · int8 · onnx on cpu · 4 tokens · 84.2 tokens/s · "
        "first token after 0.21 s · cut at its length limit*\n\n### Answer\n\n```python\n# code\n```\n"
    )


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("# One\n###### Six\n#tag", "### One\n###### Six\n#tag"),
        ("Title\n===\nmore\n---\n\n---", "Title\n\\===\nmore\n\\---\n\n---"),
        ("~~~\n# kept\n```\n~~~\n# moved", "~~~\n# kept\n```\n~~~\n### moved"),
        ("````\n```\n# kept", "````\n```\n# kept\n````"),
        ("<!-- open\n</div>\na < b", "\\<!-- open\n\\</div>\na < b"),
        ("```inline``` code\n# moved", "```inline``` code\n### moved"),
        ("a\u2028b\r\nc", "a\u2028b\nc"),
        ("🚀 مرحبا", "🚀 مرحبا"),
    ],
)
def test_a_message_cannot_break_out_of_its_place(text: str, safe: str) -> None:
    assert contained(text) == safe


@pytest.mark.parametrize("export", ALL)
def test_an_empty_session_can_be_taken_away(db: Database, export: Export) -> None:
    assert export(db, SessionRepository(db).create().id)


@pytest.mark.parametrize("export", ALL)
def test_an_unknown_session_is_not_found(db: Database, export: Export) -> None:
    with pytest.raises(NotFound):
        export(db, "nope")


def test_an_interrupted_answer_says_so(db: Database, example: Example) -> None:
    RunRepository(db).finish(example.second_run_id, status="interrupted", finish_reason="interrupted")
    assert "· interrupted*" in session_markdown(db, example.session_id).decode()
