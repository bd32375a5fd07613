"""What a server is sent, and what its pieces mean: the OpenAI protocol as vLLM, SGLang, TGI and llama.cpp speak it.

No network here. What is off is never sent; what a server does without (`optional`) is left out once it refuses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

from core.generation.request import Alternative, GenerationRequest
from core.models.tokenizer import well_formed

if TYPE_CHECKING:
    from openai.types import Completion
    from openai.types.chat import ChatCompletionChunk

CHAT_ALTERNATIVES = 20  # the most that the protocol allows, chat
TEXT_ALTERNATIVES = 5  # and completion
EXTRAS = ("top_k", "min_p", "repetition_penalty", "repeat_penalty")  # not OpenAI's; the last is llama.cpp's name
REASONING = ("reasoning_content", "reasoning")  # not OpenAI's either, and in two spellings
BANNED = -100.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A token with its natural log-probability. data: its bytes, perhaps a part of a character."""

    token: str
    data: bytes
    logprob: float | None
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Counted by the server, in tokens; None where it does not say."""

    prompt: int | None
    completion: int | None
    cached: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk of a stream. finish: the server's word for why it ended, "" before. time_s: since the request.
    thinking: it brought reasoning, which is not the answer."""

    text: str
    entries: tuple[Entry, ...]
    finish: str
    usage: Usage | None
    time_s: float
    thinking: bool = False


def fields_of(request: GenerationRequest, *, name: str, seed: int) -> dict[str, Any]:
    """The body of the request. name: what the server calls the model."""
    given = request.parameters
    fields: dict[str, Any] = {
        "model": name,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": given.max_new_tokens,
        "temperature": given.temperature,
        "seed": seed,
    }
    if request.raw_prompt is not None:
        fields["prompt"] = well_formed(request.raw_prompt)
        fields["logprobs"] = min(given.top_logprobs, TEXT_ALTERNATIVES)
    else:
        turns = [{"role": turn.role, "content": well_formed(turn.content)} for turn in request.messages]
        fields |= {"messages": turns, "logprobs": True, "top_logprobs": min(given.top_logprobs, CHAT_ALTERNATIVES)}
    if not given.top_logprobs:
        fields = {key: value for key, value in fields.items() if "logprobs" not in key}
    biases = given.logit_bias | dict.fromkeys(given.banned_tokens, BANNED)
    on = {
        "top_p": (given.top_p, given.top_p != 1),
        "frequency_penalty": (given.frequency_penalty, given.frequency_penalty != 0),
        "presence_penalty": (given.presence_penalty, given.presence_penalty != 0),
        "stop": ([well_formed(text) for text in given.stop], given.stop),
        "logit_bias": ({str(token): float(bias) for token, bias in biases.items()}, biases),
        "top_k": (given.top_k, given.top_k != 0),
        "min_p": (given.min_p, given.min_p != 0),
        "repetition_penalty": (given.repetition_penalty, given.repetition_penalty != 1),
        "repeat_penalty": (given.repetition_penalty, given.repetition_penalty != 1),
    }
    fields |= {key: value for key, (value, wanted) in on.items() if wanted}
    if given.json_schema is not None:
        schema = {"name": "answer", "schema": given.json_schema, "strict": True}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    return fields


def optional(request: GenerationRequest) -> dict[str, str]:
    """Field → the word by which a server's refusal names it: what an answer can do without, or has another name."""
    words = {"logprobs": "logprob", "top_logprobs": "logprob", "stream_options": "stream_options"}
    words |= {field: field for field in EXTRAS}
    words |= {"max_tokens": "max_completion_tokens"} if request.raw_prompt is None else {}
    return words if request.parameters.seed is not None else words | {"seed": "seed"}


def without(fields: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    """The body to try once more. OpenAI's own newer models know `max_tokens` by another name only."""
    left = {key: value for key, value in fields.items() if key not in refused}
    return left | {"max_completion_tokens": fields["max_tokens"]} if "max_tokens" in refused else left


def arguments(fields: dict[str, Any]) -> dict[str, Any]:
    """The body as the client's `create` takes it: what is not OpenAI's goes into `extra_body`."""
    foreign = {*EXTRAS, *(["response_format"] if "prompt" in fields else [])}
    extra = {key: value for key, value in fields.items() if key in foreign}
    known = {key: value for key, value in fields.items() if key not in foreign}
    return known | {"extra_body": extra} if extra else known


def read_chat(chunk: ChatCompletionChunk, time_s: float) -> Piece:
    """A chunk of a chat."""
    choice = chunk.choices[0] if chunk.choices else None
    delta = choice.delta if choice else None
    told = choice.logprobs.content if choice and choice.logprobs else None
    entries = (
        _entry(
            row.token,
            bytes(row.bytes) if row.bytes is not None else None,
            row.logprob,
            [(other.token, other.logprob) for other in row.top_logprobs or ()],
        )
        for row in told or ()
    )
    text = (delta.content or delta.refusal or "") if delta else ""
    thinking = any(getattr(delta, name, None) for name in REASONING)
    finish = (choice and choice.finish_reason) or ""
    return Piece(_text(text), tuple(entries), finish, _usage(chunk.usage), time_s, thinking)


def read_completion(chunk: Completion, time_s: float) -> Piece:
    """A chunk of a completion, with log-probabilities in the older form."""
    choice = chunk.choices[0] if chunk.choices else None
    told = choice.logprobs if choice else None
    tokens = (told.tokens if told else None) or []
    figures = (told.token_logprobs if told else None) or ()
    others = (told.top_logprobs if told else None) or ()
    entries = (
        _entry(token, None, logprob, (top or {}).items())
        for token, logprob, top in islice(zip_longest(tokens, figures, others), len(tokens))
    )
    text = (choice.text or "") if choice else ""
    return Piece(_text(text), tuple(entries), (choice and choice.finish_reason) or "", _usage(chunk.usage), time_s)


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError("a text that is none")
    return text


def _entry(token: object, data: bytes | None, logprob: object, others: Iterable[tuple[str, object]]) -> Entry:
    shown = well_formed(_text(token))
    ranked = [(well_formed(_text(text)), figure) for text, one in others if (figure := _number(one)) is not None]
    ranked.sort(key=lambda pair: -pair[1])
    alternatives = tuple(Alternative(-1, text, figure, None) for text, figure in ranked)
    return Entry(shown, shown.encode() if data is None else data, _number(logprob), alternatives)


def _number(value: object) -> float | None:
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_one else None  # type: ignore[arg-type]


def _usage(told: Any) -> Usage | None:
    if told is None:
        return None
    details = getattr(told, "prompt_tokens_details", None)
    counts = (getattr(told, "prompt_tokens", None), getattr(told, "completion_tokens", None))
    cached = getattr(details, "cached_tokens", None)
    prompt, completion, cached = (count if isinstance(count, int) else None for count in (*counts, cached))
    return Usage(prompt, completion, cached)
