"""`Engine.stream(request)`: from a request to tokens, the same for every backend.

Queueing, loading, reading and answering happen inside; a callback hears which. The engine knows nothing of the record:
`core.generation.record` writes what it streams.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import Cancelled, ContextOverflow, InvalidInput
from core.generation import remote
from core.generation.constraint import JsonSchemaConstraint, check_schema
from core.generation.decode import DecodeResult, decode
from core.generation.pool import LoadedModel, ModelKey, ModelPool
from core.generation.request import Completion, FinishReason, GenerationRequest, Stage, Status, TokenEvent
from core.generation.sampler import Sampler
from core.models import catalogue
from core.models.servers import RemoteModel
from core.models.tokenizer import Tokenizer
from core.settings import Settings, get_settings

OnStatus = Callable[[Status], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """A request after its wishes were resolved: what will run, and the seed that will be used.

    remote: the model of a server that will be asked; None for one of this machine.
    """

    request: GenerationRequest
    key: ModelKey
    seed: int
    remote: RemoteModel | None = None


class Stream(Iterator[TokenEvent]):
    """The tokens of one run. `completion` is there once the iteration ended; `close()` gives everything back early."""

    def __init__(self, plan: Plan, events: Iterator[TokenEvent], done: Callable[[], Completion]) -> None:
        self.plan = plan
        self._events = events
        self._done = done

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> TokenEvent:
        return next(self._events)

    def close(self) -> None:
        closing = getattr(self._events, "close", None)
        if closing:
            closing()

    @property
    def completion(self) -> Completion:
        """The figures so far; final when the iteration has ended."""
        return self._done()


class Engine:
    """Runs requests on the models of this machine. One a process; thread-safe."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or get_settings()
        self.pool = ModelPool(self._settings)

    def plan(self, request: GenerationRequest) -> Plan:
        """Check a request without running it. Raises InvalidInput, ModelNotFound, ModelRefused, DeviceUnavailable."""
        request.parameters.validate()
        if request.parameters.json_schema is not None:
            check_schema(request.parameters.json_schema)
        self._check_prompt(request)
        asked = request.parameters.seed
        seed = secrets.randbits(32) if asked is None else asked
        if found := remote.find(request):
            if request.answer_prefix:
                raise remote.cannot_continue()
            return Plan(request, remote.key_of(found), seed, found)
        _, key = self.pool.resolve(
            request.model_id, precision=request.precision, backend=request.backend, device=request.device
        )
        return Plan(request, key, seed)

    def stream(
        self, request: GenerationRequest, *, cancel: threading.Event | None = None, on_status: OnStatus | None = None
    ) -> Stream:
        """Start a run. Faults of the request are raised here; what happens later is raised by the iteration."""
        plan = self.plan(request)
        flag = cancel or threading.Event()
        told = on_status or (lambda status: None)
        state = _RunState(plan)
        events = self._ask(plan.remote, state, flag, told) if plan.remote else self._run(plan, state, flag, told)
        return Stream(plan, events, state.completion)

    def count_tokens(self, request: GenerationRequest) -> tuple[int, int]:
        """(prompt tokens, context length) of a request, without loading weights. Raises InvalidInput for a model of a
        server, which alone knows its tokens."""
        if found := remote.find(request):
            raise InvalidInput(f"{found.id} has its tokens on {found.host}: they cannot be counted here.")
        card = catalogue.get(request.model_id)
        tokenizer = _tokenizer(catalogue.prepare(request.model_id))
        return len(prompt_ids(request, tokenizer)), card.architecture.context

    def _run(self, plan: Plan, state: _RunState, cancel: threading.Event, told: OnStatus) -> Iterator[TokenEvent]:
        if not self.pool.is_loaded(plan.key):
            told(Status(Stage.LOADING))
        model, state.load_s = self.pool.acquire(plan.key)
        try:
            waiting = model.queue.admitted(cancel=cancel, on_position=lambda n: told(Status(Stage.QUEUEING, n)))
            with waiting as state.queue_s:
                yield from self._decode(plan, model, state, cancel, told)
        except Cancelled:
            state.result.finish_reason = FinishReason.CANCELLED
        finally:
            self.pool.release(model)
        told(Status(Stage.DONE))

    def _ask(
        self, model: RemoteModel, state: _RunState, cancel: threading.Event, told: OnStatus
    ) -> Iterator[TokenEvent]:
        for event in remote.answer(
            model,
            state.plan.request,
            seed=state.plan.seed,
            result=state.result,
            cancel=cancel,
            on_stage=lambda stage: told(Status(stage)),
        ):
            state.events.append(event)
            yield event
        told(Status(Stage.DONE))

    def _decode(
        self, plan: Plan, model: LoadedModel, state: _RunState, cancel: threading.Event, told: OnStatus
    ) -> Iterator[TokenEvent]:
        started = time.perf_counter()
        request, parameters = plan.request, plan.request.parameters
        prompt = prompt_ids(request, model.tokenizer)
        state.result.prompt_tokens = len(prompt)
        given = [*prompt, *(event.token_id for event in request.answer_prefix)]
        context_length = model.backend.context_length
        if len(given) + 1 > context_length:
            raise ContextOverflow(len(given), context_length)
        constraint = None
        if parameters.json_schema is not None:
            constraint = JsonSchemaConstraint(
                parameters.json_schema,
                folder=model.folder,
                vocabulary=model.backend.vocabulary,
                eos_ids=tuple(sorted(model.tokenizer.eos_ids)),
            )
        sampler = Sampler(parameters, seed=plan.seed, prompt_ids=prompt, constraint=constraint)
        capacity = min(len(given) + parameters.max_new_tokens + 1, context_length)
        slot, cached = model.cache.acquire(given, capacity, exact=parameters.repeats)
        finished = False
        try:
            for event in decode(
                slot.context,
                model.tokenizer,
                sampler,
                prompt_ids=prompt,
                prefix=request.answer_prefix,
                cached=cached,
                max_new_tokens=parameters.max_new_tokens,
                stop=parameters.stop,
                result=state.result,
                cancel=cancel,
                on_stage=lambda stage: told(Status(stage)),
                started=started,
            ):
                state.events.append(event)
                yield event
            finished = True
        except GeneratorExit:
            finished = True
            raise
        finally:
            if finished:
                tokens = [*prompt, *(event.token_id for event in state.events)]
                model.cache.release(slot, tokens[: slot.context.length])
            else:
                model.cache.discard(slot)

    def _check_prompt(self, request: GenerationRequest) -> None:
        text = request.raw_prompt if request.raw_prompt is not None else "".join(m.content for m in request.messages)
        asked = request.raw_prompt if request.messages == () else request.messages[-1].content
        if not (asked or "").strip():
            raise InvalidInput("The prompt is empty.", next_step="Write something for the model to answer.")
        limit = self._settings.max_prompt_characters
        if len(text) > limit:
            raise InvalidInput(
                f"The prompt has {len(text):,} characters.",
                allowed=f"At most {limit:,} are read (GROUNDWORK_MAX_PROMPT_CHARACTERS).",
                next_step="Shorten it.",
            )


class _RunState:
    """What a run has come to so far; read by `Stream.completion` at any time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.events: list[TokenEvent] = []
        self.result = DecodeResult()
        self.queue_s = 0.0
        self.load_s = 0.0

    def completion(self) -> Completion:
        result, key = self.result, self.plan.key
        rate = None
        if result.new_tokens > 1 and result.first_token_s is not None and result.last_token_s is not None:
            elapsed = result.last_token_s - result.first_token_s
            rate = (result.new_tokens - 1) / elapsed if elapsed > 0 else None
        return Completion(
            text=result.text,
            events=tuple(self.events),
            prompt_tokens=result.prompt_tokens,
            completion_tokens=result.new_tokens,
            cached_tokens=result.cached_tokens,
            ttft_s=result.first_token_s,
            tokens_per_s=rate,
            queue_s=self.queue_s,
            load_s=self.load_s,
            finish_reason=result.finish_reason,
            seed=self.plan.seed,
            model_id=key.model_id,
            revision=key.revision,
            precision=key.precision,
            backend=key.backend,
            device=key.device,
        )


@lru_cache(maxsize=8)
def _tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)


def prompt_ids(request: GenerationRequest, tokenizer: Tokenizer) -> list[int]:
    """Token ids of a request's prompt: the raw text as it is, or the messages through the chat template."""
    if request.raw_prompt is not None:
        return tokenizer.encode(request.raw_prompt)
    return tokenizer.encode_chat([(message.role, message.content) for message in request.messages])
