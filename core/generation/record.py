"""Every run is on record as it streams: after a crash in mid-answer the partial answer is there, marked so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from core.errors import GroundworkError
from core.generation.engine import Engine, OnStatus, Stream
from core.generation.remote import cannot_continue
from core.generation.request import (
    Alternative,
    Completion,
    FinishReason,
    GenerationRequest,
    TokenEvent,
)
from core.store.database import Database
from core.store.runs import NewRun, RunRepository, RunStatus

FLUSH_TOKENS = 16
FLUSH_SECONDS = 0.5


class RecordedRun:
    """One run of the engine and its row. `run_id` is there before the first token; `completion` after the last."""

    def __init__(
        self,
        engine: Engine,
        db: Database,
        request: GenerationRequest,
        *,
        cancel: threading.Event | None = None,
        on_status: OnStatus | None = None,
    ) -> None:
        self._runs = RunRepository(db)
        self._stream = engine.stream(request, cancel=cancel, on_status=on_status)
        self.run_id = self._runs.start(_new_run(self._stream, request))
        self._given = len(request.answer_prefix)

    def events(self) -> Iterator[TokenEvent]:
        """The tokens. The row is closed however this ends: done, cancelled, failed, or abandoned by the caller."""
        waiting: list[TokenEvent] = []
        flushed = time.monotonic()
        status: RunStatus = "cancelled"
        error = ""
        try:
            for event in self._stream:
                waiting.append(event)
                if len(waiting) >= FLUSH_TOKENS or time.monotonic() - flushed > FLUSH_SECONDS:
                    self._flush(waiting)
                    flushed = time.monotonic()
                yield event
            finish = self._stream.completion.finish_reason
            status = "cancelled" if finish is FinishReason.CANCELLED else "done"
        except GroundworkError as fault:
            status, error = "failed", str(fault)
            raise
        except Exception as fault:
            status, error = "failed", f"{type(fault).__name__}: {fault}"
            raise
        finally:
            self._stream.close()
            self._flush(waiting)
            self._finish(status, error)

    @property
    def completion(self) -> Completion:
        return _with_run_id(self._stream.completion, self.run_id)

    def _flush(self, waiting: list[TokenEvent]) -> None:
        if waiting:
            chosen = sum(1 for event in waiting if event.index >= self._given)
            rows = [event_to_json(event) for event in waiting]
            self._runs.append(self.run_id, rows, self._stream.completion.text, chosen=chosen)
            waiting.clear()

    def _finish(self, status: RunStatus, error: str) -> None:
        done = self._stream.completion
        reason = FinishReason.ERROR if status == "failed" else done.finish_reason
        self._runs.finish(
            self.run_id,
            status=status,
            finish_reason=reason.value,
            text=done.text,
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
            cached_tokens=done.cached_tokens,
            ttft_s=done.ttft_s,
            tokens_per_s=done.tokens_per_s,
            queue_s=done.queue_s,
            load_s=done.load_s,
            error=error or None,
        )


def event_to_json(event: TokenEvent) -> dict[str, Any]:
    return asdict(event)


def event_from_json(data: dict[str, Any]) -> TokenEvent:
    alternatives = tuple(Alternative(**row) for row in data["alternatives"])
    return TokenEvent(**{**data, "alternatives": alternatives})


def recorded_events(db: Database, run_id: str) -> tuple[TokenEvent, ...]:
    """The token events of a run as they were recorded. Raises NotFound."""
    return tuple(event_from_json(row) for row in RunRepository(db).tokens(run_id))


def prefix_from(events: Sequence[TokenEvent], *, keep: int, instead: int | None = None) -> tuple[TokenEvent, ...]:
    """The first `keep` events of an answer, to continue from; with `instead`, one more: that token, in the place of the
    one the model took. Its figures are those the alternatives had. Raises GroundworkError when it is none of them, or
    when a server wrote the answer."""
    kept = tuple(events[:keep])
    if any(event.token_id < 0 for event in events[: keep + (instead is not None)]):
        raise cannot_continue()
    if instead is None:
        return kept
    original = events[keep] if 0 <= keep < len(events) else None
    for alternative in original.alternatives if original else ():
        if alternative.token_id == instead:
            forced = TokenEvent(
                index=keep,
                token_id=instead,
                text=alternative.text,
                token_text=alternative.text,
                logprob=alternative.logprob,
                sampled_probability=alternative.sampled_probability,
                alternatives=events[keep].alternatives,
                time_s=events[keep].time_s,
                forced=True,
            )
            return (*kept, forced)
    raise GroundworkError(
        f"Token {instead} is not among the alternatives recorded at position {keep}.",
        next_step="Choose one of those that are shown.",
    )


def _new_run(stream: Stream, request: GenerationRequest) -> NewRun:
    plan = stream.plan
    prompt: dict[str, Any] = (
        {"raw_prompt": request.raw_prompt}
        if request.raw_prompt is not None
        else {"messages": [asdict(message) for message in request.messages]}
    )
    return NewRun(
        model_id=plan.key.model_id,
        revision=plan.key.revision,
        precision=plan.key.precision,
        backend=plan.key.backend,
        device=plan.key.device,
        parameters=request.parameters.with_seed(plan.seed).to_json(),
        seed=plan.seed,
        prompt=prompt | {"answer_prefix": [event.token_id for event in request.answer_prefix]},
        parent_run_id=request.parent_run_id,
    )


def _with_run_id(completion: Completion, run_id: str) -> Completion:
    return replace(completion, run_id=run_id)
