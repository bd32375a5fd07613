"""A model hub on loopback: the part of the protocol that the hub's client speaks to get one model."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """files: name → content. gated: files need this token. card: its metadata. parameters: as the hub counted them,
    0 when it did not. downloads: of the last month. piece_pause_s: between pieces of 64 kB of a file."""

    files: dict[str, bytes]
    commit: str = COMMIT
    gated: str = ""
    parameters: int = 0
    downloads: int = 0
    piece_pause_s: float = 0.0
    card: dict[str, object] = field(default_factory=lambda: {"license": "apache-2.0"})


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in mid-download is meant."""


class HubServer:
    """`with HubServer() as hub: hub.repositories["owner/name"] = Repository(...)`."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.fetched: list[str] = []
        self.tokens: list[str | None] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def publish(self, name: str, folder: Path, **more: object) -> Repository:
        """Put a folder's files into a repository."""
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.repositories[name] = Repository(files, **more)  # type: ignore[arg-type]
        return self.repositories[name]

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            hub.tokens.append(self.headers.get("Authorization"))
            path, _, query = self.path.partition("?")
            path = unquote(path)
            if path == "/api/models":
                return self._search(parse_qs(query))
            if path.startswith("/api/models/"):
                name, _, revision = path.removeprefix("/api/models/").partition("/revision/")
                return self._info(name, revision)
            name, _, rest = path.strip("/").partition("/resolve/")
            revision, _, file = rest.partition("/")
            return self._file(name, revision, file, with_body=with_body)

        def _search(self, query: dict[str, list[str]]) -> None:
            wanted = query["search"][0].lower()
            found = [(name, one) for name, one in hub.repositories.items() if wanted in name.lower()]
            if query.get("sort") == ["downloads"]:
                found.sort(key=lambda pair: -pair[1].downloads)
            rows = [
                {"id": name, "pipeline_tag": "text-generation", "downloads": one.downloads, "gated": bool(one.gated)}
                for name, one in found[: int(query["limit"][0])]
            ]
            self._send(200, {"Content-Type": "application/json"}, json.dumps(rows).encode())

        def _info(self, name: str, revision: str) -> None:
            repository = hub.repositories.get(name)
            if repository is None:
                return self._refuse(401, "RepoNotFound")
            if revision not in ("", "main", repository.commit):
                return self._refuse(404, "RevisionNotFound")
            listing = [{"rfilename": n, "size": len(c)} for n, c in repository.files.items()]
            about = {"id": name, "sha": repository.commit, "siblings": listing, "cardData": repository.card}
            about["gated"] = "manual" if repository.gated else False
            if repository.parameters:
                counted = {"parameters": {"F32": repository.parameters}, "total": repository.parameters}
                about["safetensors"] = counted
            self._send(200, {"Content-Type": "application/json"}, json.dumps(about).encode())

        def _file(self, name: str, revision: str, file: str, *, with_body: bool) -> None:
            repository = hub.repositories.get(name)
            if repository is None:
                return self._refuse(401, "RepoNotFound")
            if repository.gated and self.headers.get("Authorization") != f"Bearer {repository.gated}":
                return self._refuse(401 if not self.headers.get("Authorization") else 403, "GatedRepo")
            content = repository.files.get(file)
            if content is None:
                return self._refuse(404, "EntryNotFound")
            headers = {"X-Repo-Commit": repository.commit, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
            if not with_body:
                return self._send(200, headers, content, with_body=False)
            hub.fetched.append(file)
            start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._send(206 if start else 200, headers, content[start:], pause_s=repository.piece_pause_s)

        def _refuse(self, status: int, code: str) -> None:
            self._send(status, {"X-Error-Code": code, "X-Error-Message": code}, b"{}")

        def _send(
            self, status: int, headers: dict[str, str], body: bytes, *, with_body: bool = True, pause_s: float = 0.0
        ) -> None:
            self.send_response(status)
            for key, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(key, value)
            self.end_headers()
            if not with_body:
                return
            step = 64 * 1024 if pause_s else max(len(body), 1)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    time.sleep(pause_s)

    return Handler
