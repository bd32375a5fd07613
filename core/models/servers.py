"""Model servers: other people's engines behind an OpenAI-compatible address, and the models that each of them offers.

Kept in `home/servers.json`: names, addresses and model lists, never a key. A model is called `server/model`; ids of the
catalogue have no slash, so the two meet only where a hub id is written, and there the catalogue goes first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from filelock import FileLock
from pydantic import SecretStr

from core.artefacts import guarding_storage, write_json
from core.errors import CorruptFile, InvalidInput
from core.models.records import check_id, suggest_id
from core.settings import get_settings

MODEL_CHARACTERS = 200
DEFAULT_PATH = "/v1"


@dataclass(frozen=True, slots=True)
class Server:
    """name: ours, as an id. base_url: what `/models` and `/chat/completions` are put behind. models: its names."""

    name: str
    base_url: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model of a server. name: what the server calls it, which may have slashes."""

    server: Server
    name: str

    @property
    def id(self) -> str:
        return f"{self.server.name}/{self.name}"

    @property
    def host(self) -> str:
        """Host and port: where its answers come from."""
        return host_of(self.server.base_url)


def list_servers() -> tuple[Server, ...]:
    """Every server that was added, by name. Raises CorruptFile when the file was damaged."""
    return tuple(server for _, server in sorted(_read().items()))


def list_remote_models() -> tuple[RemoteModel, ...]:
    """Every model of every server."""
    return tuple(RemoteModel(server, name) for server in list_servers() for name in server.models)


def find_remote(model_id: str) -> RemoteModel | None:
    """The model of that id, `server/model`; None when there is no such server, or it lists no such model."""
    server_name, _, name = model_id.strip().partition("/")
    server = _read().get(server_name) if name else None
    return RemoteModel(server, name) if server and name in server.models else None


def add_server(name: str, base_url: str, models: Sequence[str]) -> Server:
    """Keep a server; one of the same name is replaced. Raises InvalidInput, CorruptFile, StorageError."""
    server = Server(check_id(name, "a server"), check_base_url(base_url), _clean(models))
    if not server.models:
        raise InvalidInput(
            f"No model of {name} was named.",
            next_step="Name one as the server calls it, or ask for its model list when it has loaded one.",
        )
    with _changing() as servers:
        servers[server.name] = server
    return server


def remove_server(name: str) -> None:
    """Forget a server. Its runs stay on record. Raises InvalidInput for an unknown one."""
    with _changing() as servers:
        if name not in servers:
            raise InvalidInput(
                f"There is no server {name!r}.",
                allowed=f"There are: {', '.join(sorted(servers))}." if servers else "None was added yet.",
            )
        del servers[name]


def check_base_url(text: str) -> str:
    """The address as it is kept: no slash at the end, and `/v1` where the path is empty, as most servers have it.

    Raises InvalidInput, which does not repeat an address that may hold a key.
    """
    given = text.strip()
    allowed = "An address like http://localhost:8000/v1: http or https, host, port and path."
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port  # the port raises when it is no number
        (host or "").encode("idna")  # and this for a name that no network can look up
    except ValueError as error:
        raise InvalidInput("The server's address cannot be read.", allowed=allowed) from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise InvalidInput(
            "The address has a user name or a key in it.",
            allowed=allowed,
            next_step="Leave out what stands before the @: the key has a field of its own.",
        )
    if parts.query or parts.fragment or "?" in given or "#" in given:
        raise InvalidInput(
            "The address has a ? or a # in it.",
            allowed=allowed,
            next_step="Leave out what follows it: a key has a field of its own.",
        )
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not given.isprintable()
        or any(s in given for s in ' \\"<>')
    ):
        raise InvalidInput(f"{given[:100]!r} is no address of a server.", allowed=allowed)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/") or DEFAULT_PATH, "", ""))


def suggest_name(base_url: str) -> str:
    """A name made of the host and port: the one this address has already, else one that is free."""
    address = check_base_url(base_url)
    servers = _read()
    for server in servers.values():
        if server.base_url == address:
            return server.name
    base = suggest_id(urlsplit(address).netloc)
    return next(name for name in (base, *(f"{base[:76]}-{n}" for n in range(2, 1000))) if name not in servers)


def fetch_models(base_url: str, key: SecretStr | None) -> tuple[str, ...]:
    """What the server says it offers, in its order; perhaps nothing. Raises InvalidInput, RemoteFailed."""
    from core.models.server_client import in_our_words, not_compatible, open_client

    address = check_base_url(base_url)
    with in_our_words(address, key), open_client(address, key) as client:
        told = json.loads(client.models.with_raw_response.list().http_response.read())
    rows = told.get("data") if isinstance(told, dict) else told
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise not_compatible(address)
    return _clean([row["id"] for row in rows])


def host_of(base_url: str) -> str:
    """Host and port of an address: what a key belongs to. A name could be given to somebody else's address."""
    return urlsplit(check_base_url(base_url)).netloc


def key_for(base_url: str, session_key: SecretStr | None) -> SecretStr | None:
    """The key to send to this address: the session's, else that of the settings for its host, else none."""
    for key in (session_key, get_settings().server_keys.get(host_of(base_url))):
        if key is not None and key.get_secret_value().strip():
            return key
    return None


def _clean(models: Sequence[str]) -> tuple[str, ...]:
    """Names that can be shown, each once. What a server lists is its word, not ours."""
    names = [name.strip() for name in models]
    return tuple(dict.fromkeys(name for name in names if 0 < len(name) <= MODEL_CHARACTERS and name.isprintable()))


def _file() -> Path:
    return get_settings().home / "servers.json"


def _read() -> dict[str, Server]:
    try:
        rows = json.loads(_file().read_text(encoding="utf-8"))
        servers = [
            Server(check_id(n), check_base_url(row["base_url"]), _clean(row["models"])) for n, row in rows.items()
        ]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise CorruptFile(
            f"{_file()} does not hold the model servers as it should.",
            next_step="Correct it, or delete it and add the servers again.",
        ) from error
    return {server.name: server for server in servers}


@contextmanager
def _changing() -> Iterator[dict[str, Server]]:
    """The servers, to be changed in place; written when nothing was raised."""
    file = _file()
    with guarding_storage(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(file) + ".lock"):
            servers = _read()
            yield servers
            kept = {name: {"base_url": s.base_url, "models": list(s.models)} for name, s in sorted(servers.items())}
            write_json(file, kept)
