"""`GET …/live/<run id>`: an answer while it is written, as server-sent events.

Streamlit can redraw an answer only by running the script again, and each such run costs the browser and the model more
than the tokens do (docs/decisions.md). So the page is drawn once, and the text comes to it through this route. A run id
is unguessable, and known only to the page that started the run.

An event's data is a JSON object: `line`, what the run is doing and its figures; `from` and `blocks`, HTML of the
answer's paragraphs from that one on; `ended`, true in the last event.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from itertools import takewhile
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.generation import live
from core.generation.live import LiveRun, Snapshot
from core.generation.request import Stage
from pages.base_path import address
from pages.widgets.prose import safe_markdown
from pages.widgets.words import count_of

PATH = "live"
LOOK_SECONDS = 0.02  # until the first token: it is shown at once
DRAW_SECONDS = 0.3  # after it: as often as a reader can tell
DRAW_SHARE = 20  # a long answer is drawn less often: drawing takes a twentieth of the time at most

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def route(base: str) -> Route:
    """The route to mount. base: Streamlit's `server.baseUrlPath`, "" when the app is at the root."""
    return Route(address(base, PATH, "{run_id}"), _live, methods=["GET"])


async def _live(request: Request) -> Response:
    run = live.find(request.path_params["run_id"])
    if run is None:
        return PlainTextResponse("No such run is being written here.", status_code=404)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(run), media_type="text/event-stream", headers=headers)


async def _events(run: LiveRun) -> AsyncIterator[str]:
    drawn: list[str] = []
    tokens = 0
    line = ""
    while True:
        shot = run.snapshot()
        event: dict[str, Any] = {}
        started = time.perf_counter()
        if shot.tokens > tokens or shot.finished:
            tokens = shot.tokens
            blocks = to_blocks(shot.text)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(drawn, blocks, strict=False)))
            event = {"from": same, "blocks": blocks[same:]}
            drawn = blocks
        if (now := live_line(shot)) != line:
            line = now
            event["line"] = now
        if shot.finished:
            event["ended"] = True
        if event:
            yield f"data: {json.dumps(event)}\n\n"
        if shot.finished:
            return
        spent = time.perf_counter() - started
        await asyncio.sleep(max(DRAW_SECONDS, DRAW_SHARE * spent) if tokens else LOOK_SECONDS)


def live_line(shot: Snapshot) -> str:
    """What a run is doing, and its figures so far."""
    if shot.status.stage is Stage.QUEUEING:
        return f"queueing, place {shot.status.position} in line" if shot.status.position else "queueing"
    if shot.status.stage in (Stage.LOADING, Stage.READING):
        return f"{shot.status.stage.value} · {shot.elapsed_s:.1f} s"
    rate = f" · {shot.tokens_per_s:.1f} tokens/s" if shot.tokens_per_s else ""
    first = f" · first after {shot.ttft_s:.2f} s" if shot.ttft_s is not None else ""
    return f"answering · {count_of(shot.tokens, 'token')}{rate}{first}"


def to_blocks(text: str) -> list[str]:
    """Model output as HTML, a string for each paragraph, list, table or code block. The model's own tags are text."""
    tokens = _MARKDOWN.parse(safe_markdown(text))
    blocks: list[str] = []
    group: list[Token] = []
    for token in tokens:
        group.append(token)
        if token.level == 0 and token.nesting <= 0:
            blocks.append(_MARKDOWN.renderer.render(group, _MARKDOWN.options, {}))
            group = []
    return blocks
