"""One answer of a server, read on a thread of its own.

Who asks never waits on a socket: a cancel takes effect at once and closes the connection, whatever the server does.
Importing this imports openai.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import openai
from pydantic import SecretStr

from core.generation import remote_wire as wire
from core.generation.remote_wire import Piece
from core.generation.request import GenerationRequest
from core.models.server_client import AsyncServerClient, in_our_words, not_compatible, open_async_client, refused_names
from core.models.servers import RemoteModel

POLL_S = 0.05  # how long a cancel may go unnoticed


class Reader:
    """Asks as soon as it is made. `stop()` it when done, however that comes about."""

    def __init__(self, remote: RemoteModel, request: GenerationRequest, *, seed: int, key: SecretStr | None) -> None:
        self._remote = remote
        self._fields = wire.fields_of(request, name=remote.name, seed=seed)
        self._optional = wire.optional(request)
        self._key = key
        self._begun = False
        self._items: queue.SimpleQueue[Piece | Exception | None] = queue.SimpleQueue()
        self._started = time.perf_counter()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._read())
        threading.Thread(target=self._work, name=f"remote-{remote.host}", daemon=True).start()

    def pieces(self, cancel: threading.Event) -> Iterator[Piece]:
        """Its pieces as they come, up to the end or a cancel. Raises RemoteFailed, InvalidInput."""
        while not cancel.is_set():
            try:
                item = self._items.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    def stop(self) -> None:
        """Close the connection, if it is open still. Returns at once."""
        with suppress(RuntimeError):  # the loop is closed: everything was read
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as fault:
            self._items.put(fault)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._items.put(None)

    async def _read(self) -> None:
        server = self._remote.server
        read: Any = wire.read_completion if "prompt" in self._fields else wire.read_chat
        empty = True
        with in_our_words(server.base_url, self._key, asked=self._remote.name, begun=lambda: self._begun):
            async with open_async_client(server.base_url, self._key) as client, await self._ask(client) as chunks:
                async for chunk in chunks:
                    piece = read(chunk, time.perf_counter() - self._started)
                    empty, self._begun = False, self._begun or bool(piece.text)
                    self._items.put(piece)
        if empty:
            raise not_compatible(server.base_url)

    async def _ask(self, client: AsyncServerClient) -> openai.AsyncStream[Any]:
        """The stream; asked again without an optional field as often as the server refuses one."""
        ask: Any = client.completions.create if "prompt" in self._fields else client.chat.completions.create
        fields = dict(self._fields)
        while True:
            try:
                stream: openai.AsyncStream[Any] = await ask(**wire.arguments(fields))
                return stream
            except (openai.BadRequestError, openai.UnprocessableEntityError) as refusal:
                refused = refused_names(refusal, {f: word for f, word in self._optional.items() if f in fields})
                if not refused:
                    raise
                fields = wire.without(fields, refused)
