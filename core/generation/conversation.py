"""A conversation is a session whose answers are runs: ask, regenerate, edit, continue. Nothing is ever overwritten.

Each call writes the user's message first, then starts the run; the answer's message points to the run, so a partial
answer is found again after a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import SecretStr

from core.errors import ContextOverflow, InvalidInput
from core.generation.engine import Engine
from core.generation.live import LiveRun
from core.generation.record import prefix_from, recorded_events
from core.generation.remote import cannot_continue
from core.generation.request import GenerationRequest, Message, SamplingParameters, TokenEvent
from core.models.tokenizer import Tokenizer
from core.store.database import Database
from core.store.runs import RunRecord, RunRepository
from core.store.sessions import MessageRecord, SessionRepository

TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the page's controls say: where an answer comes from and how its tokens are chosen. api_key: a server's, for
    as long as the page holds it."""

    model_id: str
    precision: str = "auto"
    backend: Literal["auto", "onnx", "torch", "remote"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    parameters: SamplingParameters = field(default_factory=SamplingParameters)
    system_prompt: str = ""
    api_key: SecretStr | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of the active branch. text: the message's, or what its run has written. position, versions: which of
    its siblings it is (1-based) and how many there are; version_ids: theirs, in order."""

    message: MessageRecord
    run: RunRecord | None
    text: str
    version_ids: tuple[str, ...]

    @property
    def position(self) -> int:
        return self.version_ids.index(self.message.id) + 1


class Conversations:
    """Sessions that are being talked in. One a process: it knows which answers are being written now."""

    def __init__(self, engine: Engine, db: Database) -> None:
        self._engine = engine
        self._db = db
        self._live: dict[str, LiveRun] = {}
        self._lock = threading.Lock()
        self.sessions = SessionRepository(db)
        self.runs = RunRepository(db)

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The active branch, oldest first."""
        turns = []
        for message in self.sessions.path(session_id):
            run = self.runs.get(message.run_id) if message.run_id else None
            versions = tuple(sibling.id for sibling in self.sessions.siblings(message.id))
            turns.append(Turn(message, run, message.content or (run.text if run else ""), versions))
        return tuple(turns)

    def live(self, session_id: str | None) -> LiveRun | None:
        """The answer that is being written in this session now."""
        with self._lock:
            run = self._live.get(session_id or "")
            if run and run.snapshot().finished:
                del self._live[session_id or ""]
                return None
            return run

    def ask(
        self,
        session_id: str | None,
        text: str,
        settings: RunSettings,
        *,
        mode: Literal["chat", "completion"] = "chat",
        drop_oldest: bool = False,
    ) -> tuple[str, LiveRun]:
        """(session id, run). Opens a session when there is none.

        drop_oldest: leave out the oldest turns, as many as it takes. Raises ContextOverflow when the prompt does not
        fit; nothing is written then.
        """
        parent = self.sessions.get(session_id).leaf_id if session_id else None
        return self._ask_below(session_id, parent, text, settings, mode, drop_oldest)

    def edit(self, message_id: str, text: str, settings: RunSettings) -> LiveRun:
        """Say it differently: a sibling of a user's message, with an answer of its own."""
        message = self.sessions.message(message_id)
        mode = self.sessions.get(message.session_id).mode
        _, run = self._ask_below(message.session_id, message.parent_id, text, settings, mode, drop_oldest=False)
        return run

    def regenerate(self, message_id: str, settings: RunSettings) -> LiveRun:
        """Another answer beside this one."""
        return self._answer_beside(message_id, settings, keep=0, instead=None)

    def continue_answer(
        self, message_id: str, settings: RunSettings, *, keep: int | None = None, instead: int | None = None
    ) -> LiveRun:
        """Go on from this answer, as a sibling of it. keep: its first so many tokens (None: all but an end token);
        instead: then this token, one of the alternatives at that place."""
        return self._answer_beside(message_id, settings, keep=keep, instead=instead)

    def events_of(self, run_id: str) -> tuple[TokenEvent, ...]:
        """The token events of a recorded run."""
        return recorded_events(self._db, run_id)

    def _ask_below(
        self,
        session_id: str | None,
        parent_id: str | None,
        text: str,
        settings: RunSettings,
        mode: Literal["chat", "completion"],
        drop_oldest: bool,
    ) -> tuple[str, LiveRun]:
        self._refuse_while_writing(session_id)
        before = self.sessions.path(session_id, parent_id) if session_id and parent_id else []
        history = self._with_answers(before) if mode == "chat" else []
        request = self._fitting(self._request([*history, Message("user", text)], settings, mode), drop_oldest)
        self._engine.plan(request)
        if session_id is None:
            title = " ".join(text.split())[:TITLE_CHARACTERS] or "Untitled"
            session_id = self.sessions.create(title=title, mode=mode, system_prompt=settings.system_prompt).id
        else:
            self._keep_system_prompt(session_id, settings)
        question = self.sessions.add_message(session_id, parent_id, "user", text)
        return session_id, self._start(session_id, question.id, request)

    def _answer_beside(
        self, message_id: str, settings: RunSettings, *, keep: int | None, instead: int | None
    ) -> LiveRun:
        answer = self.sessions.message(message_id)
        session = self.sessions.get(answer.session_id)
        self._refuse_while_writing(session.id)
        path = self.sessions.path(session.id, answer.parent_id) if answer.parent_id else []
        turns = self._with_answers(path if session.mode == "chat" else path[-1:])
        request = self._request(turns, settings, session.mode)
        if keep != 0 or instead is not None:
            request = self._continued(request, answer, keep, instead)
        self._engine.plan(request)
        self._keep_system_prompt(session.id, settings)
        return self._start(session.id, answer.parent_id, request)

    def _keep_system_prompt(self, session_id: str, settings: RunSettings) -> None:
        """The session holds the one its last answer was asked for with; each run has its own on record."""
        session = self.sessions.get(session_id)
        if session.system_prompt != settings.system_prompt:
            self.sessions.update_settings(session_id, session.settings, settings.system_prompt)

    def _continued(
        self, request: GenerationRequest, answer: MessageRecord, keep: int | None, instead: int | None
    ) -> GenerationRequest:
        if self._engine.plan(request).remote is not None:
            raise cannot_continue()
        if not answer.run_id:
            raise InvalidInput(
                "This answer has no recorded tokens to continue from.", next_step="Regenerate it instead."
            )
        events = recorded_events(self._db, answer.run_id)
        if keep is None:
            from core.models import catalogue

            ends = Tokenizer.load(catalogue.prepare(request.model_id)).eos_ids
            keep = len(events) - 1 if events and events[-1].token_id in ends else len(events)
        return replace(
            request, answer_prefix=prefix_from(events, keep=keep, instead=instead), parent_run_id=answer.run_id
        )

    def _start(self, session_id: str, parent_id: str | None, request: GenerationRequest) -> LiveRun:
        run = LiveRun(self._engine, self._db, request, start=False)
        answer = self.sessions.add_message(session_id, parent_id, "assistant", "", run_id=run.run_id)
        run.on_finished = lambda text: self.sessions.set_content(answer.id, text)
        with self._lock:
            self._live[session_id] = run
        run.start()
        return run

    def _with_answers(self, path: Sequence[MessageRecord]) -> list[Message]:
        """Turns as the model reads them; an interrupted answer counts with what it wrote."""
        turns = []
        for message in path:
            text = message.content or (self.runs.get(message.run_id).text if message.run_id else "")
            if text:
                turns.append(Message(message.role, text))
        return turns

    def _request(self, turns: Sequence[Message], settings: RunSettings, mode: str) -> GenerationRequest:
        common = GenerationRequest(
            model_id=settings.model_id,
            parameters=settings.parameters,
            precision=settings.precision,
            backend=settings.backend,
            device=settings.device,
            api_key=settings.api_key,
        )
        if mode == "completion":
            return replace(common, raw_prompt=turns[-1].content)
        system = (Message("system", settings.system_prompt),) if settings.system_prompt.strip() else ()
        return replace(common, messages=(*system, *turns))

    def _fitting(self, request: GenerationRequest, drop_oldest: bool) -> GenerationRequest:
        """The request, with its oldest turns left out when that is wished and needed. A server judges for itself."""
        if self._engine.plan(request).remote is not None:
            return request
        tokens, context = self._engine.count_tokens(request)
        while tokens + 1 > context:
            system = tuple(m for m in request.messages[:1] if m.role == "system")
            turns = request.messages[len(system) :]
            if not drop_oldest or len(turns) <= 1:
                raise ContextOverflow(tokens, context)
            kept = turns[1:]
            while len(kept) > 1 and kept[0].role != "user":
                kept = kept[1:]
            request = replace(request, messages=(*system, *kept))
            tokens, context = self._engine.count_tokens(request)
        return request

    def _refuse_while_writing(self, session_id: str | None) -> None:
        if self.live(session_id):
            raise InvalidInput("An answer is still being written in this session.", next_step="Stop it first.")
