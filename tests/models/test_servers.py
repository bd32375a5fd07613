"""Model servers as they are kept, named and asked for their models. Keys are read, and kept nowhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import CorruptFile, InvalidInput, RemoteFailed
from core.models.servers import (
    RemoteModel,
    Server,
    add_server,
    check_base_url,
    fetch_models,
    find_remote,
    key_for,
    list_remote_models,
    list_servers,
    remove_server,
    suggest_name,
)
from core.settings import reload_settings
from tests.generation.openai_server import MODEL, OpenAIServer, Reply

URL = "http://127.0.0.1:8000/v1"
KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def test_there_are_none_at_first(home: Path) -> None:
    assert (list_servers(), list_remote_models(), find_remote("a/b")) == ((), (), None)


def test_a_server_is_kept_with_its_models() -> None:
    added = add_server("two", f"{URL}/", ["org/a", " b ", "b", ""])
    assert added == Server("two", URL, ("org/a", "b"))
    one = add_server("one", "https://host/api", ["c"])
    assert list_servers() == (one, added)
    assert list_remote_models() == (RemoteModel(one, "c"), RemoteModel(added, "org/a"), RemoteModel(added, "b"))
    assert [(model.id, model.host) for model in list_remote_models()[:2]] == [
        ("one/c", "host"),
        ("two/org/a", "127.0.0.1:8000"),
    ]


def test_the_same_name_replaces() -> None:
    add_server("one", URL, ["a"])
    add_server("one", "http://other:1/v2", ["b"])
    assert list_servers() == (Server("one", "http://other:1/v2", ("b",)),)


def test_remove() -> None:
    add_server("one", URL, ["a"])
    add_server("two", URL, ["a"])
    remove_server("one")
    assert [server.name for server in list_servers()] == ["two"]
    with pytest.raises(InvalidInput, match=r"There is no server 'one'\. There are: two"):
        remove_server("one")


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("box/org/a", "org/a"),
        (" box/b ", "b"),
        ("box//models/c", "/models/c"),
        ("box/a", None),
        ("box/", None),
        ("box", None),
        ("", None),
        ("other/b", None),
    ],
)
def test_a_model_is_found_by_server_and_name(model_id: str, name: str | None) -> None:
    server = add_server("box", URL, ["org/a", "b", "/models/c"])
    assert find_remote(model_id) == (RemoteModel(server, name) if name else None)


@pytest.mark.parametrize("name", ["", "A", "a/b", "../x", "a b", "x" * 81, "é"])
def test_a_name_that_cannot_stand_before_a_slash_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name a server"):
        add_server(name, URL, ["a"])
    assert list_servers() == ()


@pytest.mark.parametrize("models", [[], [" "], ["a\nb"], ["\x1b[31mred"], ["x" * 201]])
def test_a_server_without_a_model_that_can_be_shown_is_refused(models: list[str]) -> None:
    with pytest.raises(InvalidInput, match="No model of box was named"):
        add_server("box", URL, models)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        (" http://localhost:8000/ ", "http://localhost:8000/v1"),
        ("https://Host.Example/openai/v1/", "https://host.example/openai/v1"),
        ("HTTPS://host/v1", "https://host/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert check_base_url(given) == kept
    assert check_base_url(kept) == kept


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (f"https://user:{KEY}@host/v1", "the key has a field of its own"),
        (f"https://{KEY}@host/v1", "the key has a field of its own"),
        (f"https://host/v1?api_key={KEY}", "a key has a field of its own"),
        (f"https://host/v1#{KEY}", "a key has a field of its own"),
        ("https://host/v1?", "a key has a field of its own"),
        ("localhost:8000", "is no address of a server. An address like http://localhost:8000/v1"),
        ("ftp://host/v1", "is no address of a server"),
        ("file:///etc/passwd", "is no address of a server"),
        ("http://", "is no address of a server"),
        ("", "is no address of a server"),
        ("http://ho st/v1", "is no address of a server"),
        ("http://host/v1\x07", "is no address of a server"),
        ("http://host:port/v1", "cannot be read"),
        ("http://host:99999/v1", "cannot be read"),
        ("http://[::1/v1", "cannot be read"),
        (f"http://{'a' * 70}.example/v1", "cannot be read"),
    ],
)
def test_what_is_no_address_is_refused_and_a_key_in_it_not_repeated(given: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        check_base_url(given)
    assert KEY not in str(caught.value)


def test_a_name_is_made_of_host_and_port_and_is_free_or_its_own() -> None:
    assert suggest_name("http://Localhost:8000") == "localhost-8000"
    add_server("localhost-8000", "http://localhost:8000/other", ["a"])
    assert suggest_name("http://localhost:8000") == "localhost-8000-2"
    add_server("mine", "http://localhost:8000/v1", ["a"])
    assert suggest_name("http://localhost:8000/") == "mine"
    add_server(suggest_name("http://[::1]:8000"), "http://[::1]:8000", ["a"])


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "\xff",
        '{"a": {}}',
        '{"a": {"base_url": "ftp://x", "models": []}}',
        '{"a": {"base_url": "http://x/v1", "models": 5}}',
        '{"a": {"base_url": "http://x/v1", "models": [5]}}',
        '{"A B": {"base_url": "http://x/v1", "models": ["m"]}}',
    ],
)
def test_a_damaged_file_is_told_and_not_written_over(home: Path, content: str) -> None:
    file = home / "servers.json"
    file.write_text(content, encoding="latin-1")
    for call in (list_servers, list_remote_models, lambda: add_server("box", URL, ["a"]), lambda: remove_server("a")):
        with pytest.raises(CorruptFile, match=r"servers\.json does not hold the model servers"):
            call()
    assert file.read_text(encoding="latin-1") == content


def test_many_at_once_lose_none() -> None:
    threads = [threading.Thread(target=add_server, args=(f"box{n}", URL, ["a"])) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list_servers()) == 12


def test_the_servers_model_list(server: OpenAIServer) -> None:
    assert fetch_models(server.base_url.removesuffix("/v1"), SecretStr(KEY)) == (MODEL,)
    (asked,) = server.asked
    assert (asked.path, asked.headers["authorization"]) == ("/v1/models", f"Bearer {KEY}")
    assert KEY not in asked.path


@pytest.mark.parametrize(
    ("listed", "models"),
    [
        ({"data": [{"id": "b"}, {"id": "a"}, {"id": "b"}]}, ("b", "a")),
        ([{"id": "a"}], ("a",)),  # without the envelope
        ({"data": []}, ()),
        ({"data": [{"id": "\x1b]0;title\x07"}, {"id": "a"}]}, ("a",)),
    ],
)
def test_lists_of_every_kind(server: OpenAIServer, listed: object, models: tuple[str, ...]) -> None:
    server.models = listed
    assert fetch_models(server.base_url, None) == models


@pytest.mark.parametrize("listed", [b"<html></html>", 5, {}, {"data": 5}, {"data": ["a"]}, {"data": [{"id": 5}]}, b""])
def test_what_is_no_model_list(server: OpenAIServer, listed: object) -> None:
    server.models = listed
    with pytest.raises(RemoteFailed, match=f"What answers at {server.base_url} is no OpenAI-compatible server"):
        fetch_models(server.base_url, None)


def test_the_wrong_address_of_a_server(server: OpenAIServer) -> None:
    with pytest.raises(RemoteFailed, match=r"There is no model list at .*/v2 \(404\)"):
        fetch_models(server.base_url.replace("/v1", "/v2"), None)


def test_a_model_list_may_want_a_key(server: OpenAIServer) -> None:
    server.replies = [Reply(401, {"error": {"message": f"{KEY} is not it"}})]
    with pytest.raises(RemoteFailed, match=r"refused the key \(401\)") as caught:
        fetch_models(server.base_url, SecretStr(KEY))
    assert KEY not in str(caught.value)
    with pytest.raises(RemoteFailed, match=r"wants a key \(401\)"):
        fetch_models(server.base_url, None)


def test_a_model_list_is_asked_for_again_when_the_server_is_busy(server: OpenAIServer) -> None:
    busy = Reply(503, {}, {"retry-after-ms": "1"})
    server.replies = [busy, busy, Reply(body=server.models)]
    assert fetch_models(server.base_url, None) == (MODEL,)


def test_a_silent_server_has_no_list(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_TIMEOUT_S", "0.2")
    monkeypatch.setenv("GROUNDWORK_SERVER_RETRIES", "0")
    reload_settings()
    server.replies = [Reply(silent=True)]
    with pytest.raises(RemoteFailed, match=r"said nothing for 0\.2 s"):
        fetch_models(server.base_url, None)


def test_which_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_KEYS", json.dumps({"box:8000": "settings", "empty": ""}))
    reload_settings()
    session = SecretStr("session")
    assert key_for("http://box:8000/v1", session) == session
    assert key_for("http://BOX:8000", None) == SecretStr("settings")
    assert key_for("http://box:8000/v1", SecretStr(" ")) == SecretStr("settings")
    assert key_for("http://empty/v1", None) is key_for("http://box:8001/v1", None) is None
    assert key_for("http://other/v1", session) == session


def test_a_key_of_the_settings_does_not_go_to_another_host_of_the_same_name(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_KEYS", json.dumps({"api.example.com": KEY}))
    reload_settings()
    stolen = add_server("api.example.com", server.base_url, ["m"])
    assert key_for(stolen.base_url, None) is None


def test_nothing_of_a_key_is_kept(home: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_KEYS", json.dumps({server.host: KEY}))
    assert KEY not in repr(reload_settings())
    add_server("box", server.base_url, fetch_models(server.base_url, key_for(server.base_url, None)))
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert not [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
