"""An OpenAI-compatible server on loopback whose replies are scripted: what a real one does only on a bad day.

HTTP is real, with chunked bodies, so that a connection that breaks off looks as it does in the wild.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "org/model"


class Break:
    """As an item of a stream: the connection is closed here, without the end that chunked bodies have."""


class Silence:
    """As an item of a stream: nothing more is said until the client goes away."""


@dataclass
class Reply:
    """One answer. items: sent as a stream when given: a dict as `data: …`, bytes as they are. before: called when the
    request is in, ahead of the reply. silent: not even a status is sent."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    items: Sequence[object] | None = None
    silent: bool = False
    before: Callable[[], None] = lambda: None


@dataclass
class Asked:
    """A request that came in. headers: by lower-case name."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class OpenAIServer:
    """`with OpenAIServer() as server: server.replies = [Reply(...)]`. The last reply is given again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.models: object = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
        self.gone = threading.Event()  # a client closed its connection while it was being answered
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.base_url = f"http://{self.host}/v1"

    def reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def __enter__(self) -> OpenAIServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def chunk(text: str | None = None, *, finish: str | None = None, **more: object) -> dict[str, object]:
    """A piece of a chat. more: `logprobs`, `usage`, or fields of the delta."""
    outside = {name: more.pop(name) for name in ("usage",) if name in more}
    inside = {"logprobs": {"content": more.pop("logprobs")}} if "logprobs" in more else {}
    delta = ({} if text is None else {"content": text}) | more
    choice = {"index": 0, "delta": delta, "finish_reason": finish} | inside
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]} | outside


def usage(prompt: int, completion: int, **more: object) -> dict[str, object]:
    """The last piece when usage was asked for: it has no choices."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion} | more
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [], "usage": counts}


def token(
    text: str, logprob: float = -0.5, data: bytes | None = None, others: Sequence[tuple[str, float]] = ()
) -> dict[str, object]:
    """A token as a chat's log-probabilities have it. data: its bytes; default: those of the text."""
    top = [{"token": other, "logprob": figure, "bytes": list(other.encode())} for other, figure in others]
    return {
        "token": text,
        "logprob": logprob,
        "bytes": list(text.encode() if data is None else data),
        "top_logprobs": top,
    }


def answering(*items: object, finish: str = "stop") -> Reply:
    """A stream of texts and pieces, with its end."""
    pieces = [chunk(item) if isinstance(item, str) else item for item in items]
    return Reply(items=[chunk(role="assistant"), *pieces, chunk(finish=finish), b"data: [DONE]\n\n"])


def _handler(server: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None: ...

        def do_GET(self) -> None:
            self._note({})
            if server.replies:
                return self._answer(server.reply())
            if self.path == "/v1/models":
                return self._whole(Reply(body=server.models))
            self._whole(Reply(404, {"detail": "Not Found"}))

        def do_POST(self) -> None:
            self._note(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(server.reply())

        def _note(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.asked.append(Asked(self.path, headers, body))

        def _answer(self, reply: Reply) -> None:
            reply.before()
            if reply.silent:
                return self._wait()
            if reply.items is None:
                return self._whole(reply)
            self._head(reply.status, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
            try:
                for item in reply.items:
                    if isinstance(item, Silence):
                        return self._wait()
                    if isinstance(item, Break):
                        return self._close()
                    self._piece(item if isinstance(item, bytes) else f"data: {json.dumps(item)}\n\n".encode())
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                server.gone.set()
                self.close_connection = True

        def _whole(self, reply: Reply) -> None:
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self._head(
                reply.status, {"Content-Length": str(len(body)), "Content-Type": "application/json"} | reply.headers
            )
            self.wfile.write(body)

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _piece(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def _wait(self) -> None:
            """Until the client closes, or the test is long over."""
            readable, _, _ = select.select([self.connection], [], [], 60)
            try:
                gone = bool(readable) and self.connection.recv(1) == b""
            except ConnectionResetError:
                gone = True
            if gone:
                server.gone.set()
            self.close_connection = True

        def _close(self) -> None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    return Handler
