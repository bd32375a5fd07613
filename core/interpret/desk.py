"""`Desk`: the models that are open and the texts that were read, kept within bounds, for whoever looks at them.

torch is imported when the first model is opened: an app in which nobody looks inside never pays for it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from core.artefacts import Progress, no_progress, part_of
from core.errors import InvalidInput
from core.interpret.subject import Subject
from core.interpret.work import Work, Works
from core.models import catalogue
from core.settings import Settings, get_settings

if TYPE_CHECKING:
    from core.interpret.open_model import OpenModel
    from core.interpret.trace import Trace

Result = TypeVar("Result")
MOST_MODELS = 2
MOST_TRACES = 3
TRACE_BYTES = 1_500_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a text may be for a model: its context, and what is quick enough to look at."""

    context: int
    longest: int

    @property
    def most(self) -> int:
        return min(self.context, self.longest)


class Desk:
    """One a process. What it computes, it computes on the thread of its `works`; the rest is thread-safe."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or get_settings()
        self._models: OrderedDict[tuple[str, str], OpenModel] = OrderedDict()
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self.works = Works()

    def limits(self, model_id: str) -> Limits:
        return Limits(catalogue.get(model_id).architecture.context, self._settings.attention_tokens)

    def check_length(self, subject: Subject) -> None:
        """Raises InvalidInput for a text that is too long to look into, with the offer of a part of it."""
        limits, length = self.limits(subject.model_id), len(subject.ids)
        if length <= limits.most:
            return
        why = (
            f"{subject.model_id} reads no more"
            if limits.context <= limits.longest
            else "longer ones take minutes a picture; GROUNDWORK_ATTENTION_TOKENS raises it"
        )
        raise InvalidInput(
            f"The text has {length:,} tokens.",
            allowed=f"At most {limits.most:,} are looked into: {why}.",
            next_step=f"Take its first or its last {limits.most:,} tokens.",
        )

    def look(self, subject: Subject, what: str, find: Callable[[Trace, Progress], Result]) -> Work[Result]:
        """Have `find(trace, progress)` done on the desk's thread, the text read first where it was not. what: names
        the question, so that the same one is not asked twice."""

        def work(progress: Progress) -> Result:
            known = subject_key(subject) in self._traces
            found = self.trace(subject, part_of(progress, 0.0, 0.3))
            with found.opened.lock:
                return find(found, progress if known else part_of(progress, 0.3, 1.0))

        return self.works.start(f"{subject_key(subject)} {what}", work)

    def asked(self, subject: Subject, what: str) -> Work[Any] | None:
        """The work on the same question, if it was asked."""
        return self.works.find(f"{subject_key(subject)} {what}")

    def trace(self, subject: Subject, progress: Progress = no_progress) -> Trace:
        """The text as the model read it. On the desk's thread, or where nothing else is going on."""
        from core.interpret.trace import trace

        key = subject_key(subject)
        if key in self._traces:
            self._traces.move_to_end(key)
            return self._traces[key]
        self.check_length(subject)
        opened = self.model(subject.model_id, part_of(progress, 0.0, 0.5))
        made = trace(opened, subject, part_of(progress, 0.5, 1.0))
        self._traces[key] = made
        while len(self._traces) > MOST_TRACES or (
            len(self._traces) > 1 and sum(one.bytes for one in self._traces.values()) > TRACE_BYTES
        ):
            self._traces.popitem(last=False)
        return made

    def model(self, model_id: str, progress: Progress = no_progress) -> OpenModel:
        """The model, opened when it is not. The one that was not used for longest is closed for a third."""
        from core.interpret.open_model import open_model

        card = catalogue.get(model_id)
        key = (card.id, card.revision)
        if key not in self._models:
            while len(self._models) >= MOST_MODELS:
                closed, _ = self._models.popitem(last=False)
                self._forget_traces(closed)
            opened = open_model(card.id, device=self._settings.device, settings=self._settings, progress=progress)
            key = (opened.card.id, opened.card.revision)  # preparing may have found a newer one
            self._models[key] = opened
        self._models.move_to_end(key)
        return self._models[key]

    def _forget_traces(self, closed: tuple[str, str]) -> None:
        for key in [key for key, one in self._traces.items() if (one.subject.model_id, one.subject.revision) == closed]:
            del self._traces[key]


def subject_key(subject: Subject) -> str:
    """Names a text before a model: the same tokens give the same key."""
    told = repr((subject.model_id, subject.revision, subject.ids, subject.answer_start))
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()
