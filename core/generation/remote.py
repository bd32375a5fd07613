"""The `remote` backend: a model of a server, asked through the OpenAI protocol, as the engine runs any other.

The server has the weights, the chat template, the sampler and the queue, so there is nothing to load, to tokenise or to
wait for here, and an answer of it cannot be continued from a token.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterator

from core.errors import InvalidInput, ModelNotFound, RemoteFailed
from core.generation.constraint import fits
from core.generation.decode import DecodeResult
from core.generation.pool import ModelKey
from core.generation.remote_text import RemoteText
from core.generation.remote_wire import Usage
from core.generation.request import FinishReason, GenerationRequest, Stage, TokenEvent
from core.models import catalogue
from core.models.servers import RemoteModel, find_remote, key_for, list_remote_models

SHOWN_MODELS = 12
FINISHES = {"length": FinishReason.LENGTH, "max_tokens": FinishReason.LENGTH}  # any other word: the model stopped
BROKEN = {"abort": "it gave the answer up", "error": "it failed", "content_filter": "its content filter cut it"}


def find(request: GenerationRequest) -> RemoteModel | None:
    """The server's model that a request means; None when it means a model of this machine. Raises ModelNotFound."""
    wished = request.backend == "remote"
    if not wished and (request.backend != "auto" or "/" not in request.model_id or _in_catalogue(request.model_id)):
        return None
    found = find_remote(request.model_id)
    if found is None and (wished or _names_a_server(request.model_id)):
        raise _not_found(request.model_id)
    return found


def key_of(remote: RemoteModel) -> ModelKey:
    """What a run of it is recorded under."""
    return ModelKey(model_id=remote.id, revision="", precision="", backend="remote", device=remote.host)


def cannot_continue() -> InvalidInput:
    """The refusal to go on from a token when a server wrote the answer, or would have to."""
    return InvalidInput(
        "A server cannot continue an answer from a token, and an answer of a server has no tokens to continue from.",
        next_step="Regenerate it instead.",
    )


def answer(
    remote: RemoteModel,
    request: GenerationRequest,
    *,
    seed: int,
    result: DecodeResult,
    cancel: threading.Event,
    on_stage: Callable[[Stage], None],
) -> Iterator[TokenEvent]:
    """Yield the answer's tokens, or its pieces where the server tells no tokens. Raises RemoteFailed, InvalidInput."""
    from core.generation.remote_reader import Reader  # imports openai

    if cancel.is_set():
        return
    on_stage(Stage.READING)
    reader = Reader(remote, request, seed=seed, key=key_for(remote.server.base_url, request.api_key))
    text = RemoteText(request.parameters.stop)
    finish, usage, at = "", None, 0.0
    try:
        for piece in reader.pieces(cancel):
            if text.stopped and piece.text:
                break  # the server does not know the stop string and would go on
            finish, usage, at = piece.finish or finish, piece.usage or usage, piece.time_s
            events = text.events(piece)
            if result.first_token_s is None and (events or piece.thinking):
                on_stage(Stage.ANSWERING)
                result.first_token_s = at
            for event in events:
                result.last_token_s = at
                result.new_tokens += 1
                result.text += event.text
                yield event
        ended = bool(finish) or text.stopped or not cancel.is_set()
        for event in text.finish(at) if ended else ():
            result.text += event.text
            yield event
    finally:
        reader.stop()
        result.text += "".join(event.text for event in text.finish(at))  # what an early end left held back
        _take(usage, result)
    if ended:
        result.finish_reason = _finish_reason(remote, finish, stopped=text.stopped)
        schema = request.parameters.json_schema
        if schema is not None and result.finish_reason is FinishReason.STOP and not fits(result.text, schema):
            raise RemoteFailed(
                f"{remote.host} did not keep to the JSON schema: not every server can.",
                next_step="What it wrote is kept. Ask for JSON in the prompt, or choose another server.",
            )


def _take(usage: Usage | None, result: DecodeResult) -> None:
    if usage is not None:
        result.prompt_tokens = usage.prompt or 0
        result.cached_tokens = usage.cached or 0
        result.new_tokens = usage.completion or result.new_tokens


def _finish_reason(remote: RemoteModel, told: str, *, stopped: bool) -> FinishReason:
    if stopped:
        return FinishReason.STOP
    if not told or told in BROKEN:
        from core.models.server_client import broke_off

        raise broke_off(remote.host, BROKEN.get(told, "the connection ended before the answer did"))
    return FINISHES.get(told, FinishReason.STOP)


def _in_catalogue(model_id: str) -> bool:
    try:
        catalogue.get(model_id)
    except ModelNotFound:
        return False
    return True


def _names_a_server(model_id: str) -> bool:
    return any(remote.server.name == model_id.strip().partition("/")[0] for remote in list_remote_models())


def _not_found(model_id: str) -> ModelNotFound:
    known = [remote.id for remote in list_remote_models()]
    close = difflib.get_close_matches(model_id, known, n=3, cutoff=0.5)
    more = f" and {len(known) - SHOWN_MODELS} more" if len(known) > SHOWN_MODELS else ""
    guess = f" Did you mean {' or '.join(close)}?" if close else ""
    return ModelNotFound(
        f"No server that was added has a model {model_id!r}.{guess}",
        allowed=f"There are: {', '.join(known[:SHOWN_MODELS])}{more}." if known else "No server was added yet.",
        next_step="Choose one of these, or add the server again to have its new list." if known else "Add one first.",
    )
