"""`python -m core servers`, and `generate` with a model of one: as a person or a script calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from core.settings import reload_settings
from core.store.database import Database
from core.store.runs import RunRepository
from tests.conftest import Call
from tests.generation.openai_server import MODEL, OpenAIServer, answering, usage
from tests.real_models import ROOT

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def test_add_list_and_remove(call: Call, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_KEYS", json.dumps({server.host: KEY}))
    reload_settings()
    assert call("servers") == (0, "No model servers were added.\n", "")
    row = {"name": "box", "base_url": server.base_url, "models": [MODEL], "has_key": True}
    status, out, _ = call("servers", "--add", server.base_url.removesuffix("/v1"), "--name", "box", "--json")
    assert (status, json.loads(out)) == (0, [row])
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    call("servers", "--add", "http://127.0.0.1:1", "--model", "a", "--model", "org/b")
    status, out, err = call("servers")
    assert (status, err) == (0, "")
    assert out == (
        f"127.0.0.1-1  http://127.0.0.1:1/v1  without a key\n  127.0.0.1-1/a\n  127.0.0.1-1/org/b\n"
        f"box  {server.base_url}  with a key\n  box/{MODEL}\n"
    )
    status, out, _ = call("servers", "--remove", "127.0.0.1-1", "--json")
    assert (status, json.loads(out)) == (0, [row])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--add", "localhost:1"], "is no address of a server"),
        (["--add", "http://127.0.0.1:1"], "127.0.0.1:1 cannot be reached"),
        (["--add", "http://127.0.0.1:1", "--name", "A", "--model", "x"], "'A' cannot name a server"),
        (["--remove", "box"], "There is no server 'box'. None was added yet."),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_RETRIES", "0")
    reload_settings()
    status, out, err = call("servers", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_a_server_that_lists_nothing_wants_its_model_named(call: Call, server: OpenAIServer) -> None:
    server.models = {"data": []}
    assert "No model of box was named" in call("servers", "--add", server.base_url, "--name", "box")[2]


def test_a_servers_model_generates(call: Call, server: OpenAIServer, db: Database) -> None:
    call("servers", "--add", server.base_url, "--name", "box")
    server.replies = [answering("Hel", "lo", usage(9, 2))]
    wishes = ("generate", "--model", f"box/{MODEL}", "--prompt", "hi", "--seed", "3")
    status, out, _ = call(*wishes, "--json")
    answer = json.loads(out)
    assert status == 0
    assert (answer["text"], answer["token_ids"], answer["prompt_tokens"]) == ("Hello", [-1, -1], 9)
    assert (answer["backend"], answer["precision"], answer["device"]) == ("remote", "", server.host)
    assert RunRepository(db).get(answer["run_id"]).text == "Hello"
    status, out, err = call(*wishes, "--backend", "remote")
    assert (status, out) == (0, "Hello\n")
    assert f", remote on {server.host}, run " in err


@pytest.mark.parametrize("keys", [KEY, f'["{KEY}"]', f'{{"box": ["{KEY}"]}}'])
def test_keys_that_cannot_be_read_are_not_shown(keys: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "servers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"GROUNDWORK_SERVER_KEYS": keys},
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "GROUNDWORK_SERVER_KEYS is not shown here" in done.stderr
    assert '{"name": "key"}' in done.stderr
    assert KEY not in done.stderr
