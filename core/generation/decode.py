"""The one decode loop. A backend's context answers tokens with logits; everything else happens here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.generation.backend import Context
from core.generation.kv_cache import PREFILL_CHUNK, whole_pieces
from core.generation.request import Alternative, FinishReason, Stage, TokenEvent
from core.generation.sampler import Choice, Logits, Sampler
from core.generation.text import TextStream
from core.models.tokenizer import Tokenizer


@dataclass(slots=True)
class DecodeResult:
    """Filled while `decode` runs, or a server answers. text: the whole answer, a continued prefix included."""

    text: str = ""
    finish_reason: FinishReason = FinishReason.CANCELLED
    prompt_tokens: int = 0
    cached_tokens: int = 0
    first_token_s: float | None = None
    last_token_s: float | None = None
    new_tokens: int = 0


def decode(
    context: Context,
    tokenizer: Tokenizer,
    sampler: Sampler,
    *,
    prompt_ids: Sequence[int],
    prefix: Sequence[TokenEvent],
    cached: int,
    max_new_tokens: int,
    stop: tuple[str, ...],
    result: DecodeResult,
    cancel: threading.Event,
    on_stage: Callable[[Stage], None],
    started: float,
) -> Iterator[TokenEvent]:
    """Yield the answer's tokens: first the continued prefix, then what the model adds.

    cached: how many leading tokens of prompt and prefix the context already holds. started: `time.perf_counter()` that
    all times count from. The end token has an event of its own, with no text.
    """
    stream = TextStream(stop)
    eos = tokenizer.eos_ids
    for event in prefix:
        sampler.accept(event.token_id)
        final = stream.push(_bytes(tokenizer, event.token_id))
        result.text += final
        yield replace(event, text=final)
    given = [*prompt_ids, *(event.token_id for event in prefix)]
    result.cached_tokens = min(cached, len(prompt_ids))
    on_stage(Stage.READING)
    logits = _read(context, given, cached, cancel)
    if logits is None:
        result.text += stream.finish()
        return
    on_stage(Stage.ANSWERING)
    room = min(max_new_tokens, context.capacity - len(given))
    for step in range(room):
        if cancel.is_set():
            break
        choice = sampler.choose(logits)
        sampler.accept(choice.token_id)
        now = time.perf_counter() - started
        ended = choice.token_id in eos
        final = "" if ended else stream.push(_bytes(tokenizer, choice.token_id))
        last = ended or stream.stopped or step == room - 1
        if last:
            final += stream.finish()
            result.finish_reason = FinishReason.STOP if ended or stream.stopped else FinishReason.LENGTH
        result.text += final
        result.new_tokens += 1
        result.first_token_s = now if result.first_token_s is None else result.first_token_s
        result.last_token_s = now
        yield _event(tokenizer, choice, index=len(prefix) + step, text=final, time_s=now)
        if last:
            return
        logits = context.append([choice.token_id])
    result.text += stream.finish()


def _read(context: Context, given: Sequence[int], cached: int, cancel: threading.Event) -> Logits | None:
    """Read the rest of the prompt in pieces that end at multiples of PREFILL_CHUNK; None when cancelled."""
    logits = None
    while cached < len(given):
        if cancel.is_set():
            return None
        end = whole_pieces(cached) + PREFILL_CHUNK
        logits = context.append(given[cached:end])
        cached = end
    return logits


def _event(tokenizer: Tokenizer, choice: Choice, *, index: int, text: str, time_s: float) -> TokenEvent:
    return TokenEvent(
        index=index,
        token_id=choice.token_id,
        text=text,
        token_text=tokenizer.token_text(choice.token_id),
        logprob=choice.logprob,
        sampled_probability=choice.sampled_probability,
        alternatives=tuple(
            Alternative(token_id, tokenizer.token_text(token_id), logprob, after)
            for token_id, logprob, after in choice.alternatives
        ),
        time_s=time_s,
    )


def _bytes(tokenizer: Tokenizer, token_id: int) -> bytes:
    return b"" if token_id in tokenizer.special_ids else tokenizer.token_bytes(token_id)
