"""A model hub on loopback: the part of the protocol that the hub's client speaks to get one model."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """files: name → content. gated: files need this token. card: its metadata."""

    files: dict[str, bytes]
    commit: str = COMMIT
    gated: str = ""
    card: dict[str, object] = field(default_factory=lambda: {"license": "apache-2.0"})


class HubServer:
    """`with HubServer() as hub: hub.repositories["owner/name"] = Repository(...)`."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.fetched: list[str] = []
        self.tokens: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
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
            path = unquote(self.path.partition("?")[0])
            if path.startswith("/api/models/"):
                name, _, revision = path.removeprefix("/api/models/").partition("/revision/")
                return self._info(name, revision)
            name, _, rest = path.strip("/").partition("/resolve/")
            revision, _, file = rest.partition("/")
            return self._file(name, revision, file, with_body=with_body)

        def _info(self, name: str, revision: str) -> None:
            repository = hub.repositories.get(name)
            if repository is None:
                return self._refuse(401, "RepoNotFound")
            if revision not in ("", "main", repository.commit):
                return self._refuse(404, "RevisionNotFound")
            listing = [{"rfilename": n, "size": len(c)} for n, c in repository.files.items()]
            about = {"id": name, "sha": repository.commit, "siblings": listing, "cardData": repository.card}
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
            self._send(206 if start else 200, headers, content[start:])

        def _refuse(self, status: int, code: str) -> None:
            self._send(status, {"X-Error-Code": code, "X-Error-Message": code}, b"{}")

        def _send(self, status: int, headers: dict[str, str], body: bytes, *, with_body: bool = True) -> None:
            self.send_response(status)
            for key, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(key, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler
