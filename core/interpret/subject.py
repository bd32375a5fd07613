"""`Subject`: a text before a model, token by token: what is looked into. From typed text, or from a recorded run."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from core.errors import InvalidInput, ModelRefused, NotFound
from core.generation.engine import prompt_ids
from core.generation.record import recorded_events
from core.generation.request import GenerationRequest, Message
from core.models import catalogue
from core.models.cards import Task
from core.models.tokenizer import Tokenizer
from core.store.database import Database
from core.store.runs import RunRecord, RunRepository

PART = "⟨…⟩"  # a token that is the beginning of a character
_ENDS_SENTENCE = re.compile(r"[.!?…。！？][\"'”’)\]]*\s*$|\n\s*$")


@dataclass(frozen=True, slots=True)
class Subject:
    """One entry a token in ids, pieces, special, words and sentences.

    pieces: text for display, with its leading space. special: template and special tokens. words, sentences: the number
    of the word and of the sentence that a token belongs to, from 0. answer_start: the first token that the model wrote
    itself (None: a typed text). causal: of a decoder, whose tokens read nothing after them. run_precision: what the run
    was written in, which may be less exact than the weights that are looked into.
    """

    model_id: str
    revision: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    special: tuple[bool, ...]
    words: tuple[int, ...]
    sentences: tuple[int, ...]
    causal: bool
    answer_start: int | None = None
    run_id: str | None = None
    run_precision: str = ""

    @property
    def text(self) -> str:
        """The text as it is shown, special tokens left out."""
        shown = (piece for piece, special in zip(self.pieces, self.special, strict=True) if not special)
        return "".join(piece for piece in shown if piece != PART)

    def first(self, length: int) -> Subject:
        """Its first `length` tokens."""
        return self._part(0, length)

    def last(self, length: int) -> Subject:
        """Its last `length` tokens; the model then reads them without what was before."""
        return self._part(len(self.ids) - length, len(self.ids))

    def _part(self, start: int, stop: int) -> Subject:
        inside = slice(max(start, 0), stop)
        answer = None if self.answer_start is None else max(self.answer_start - inside.start, 0)
        return replace(
            self,
            ids=self.ids[inside],
            pieces=self.pieces[inside],
            special=self.special[inside],
            words=_renumbered(self.words[inside]),
            sentences=_renumbered(self.sentences[inside]),
            answer_start=answer if answer is None or answer < len(self.ids[inside]) else None,
        )


def from_text(model_id: str, text: str) -> Subject:
    """A typed text; an encoder's own special tokens are added, as it was trained. Raises InvalidInput when empty."""
    if not text.strip():
        raise InvalidInput("The text is empty.", next_step="Write a sentence, or open a recorded answer.")
    card = catalogue.get(model_id)
    if not card.task.reads_text:
        raise ModelRefused(
            f"{card.id} reads no text: its task is {card.task.value}, and it has no attention.",
            next_step="Choose a model that reads text.",
        )
    tokenizer = _tokenizer(catalogue.prepare(model_id))
    ids = tokenizer.encode(text, add_special_tokens=True)
    return _subject(card.id, card.revision, ids, tokenizer, causal=card.task is Task.TEXT_GENERATION)


def from_ids(model_id: str, ids: Sequence[int], *, answer_start: int | None = None) -> Subject:
    """Token ids as they were recorded."""
    card = catalogue.get(model_id)
    tokenizer = _tokenizer(catalogue.prepare(model_id))
    subject = _subject(card.id, card.revision, ids, tokenizer, causal=card.task is Task.TEXT_GENERATION)
    return replace(subject, answer_start=answer_start)


def from_run(db: Database, run_id: str) -> Subject:
    """A recorded run: its prompt as the model read it, then the tokens it wrote.

    Raises NotFound for an unknown run, InvalidInput for one that a server wrote (it gives no token ids) or that wrote
    nothing, ModelNotFound when its model is gone.
    """
    run = RunRepository(db).get(run_id)
    if run.backend == "remote":
        raise InvalidInput(
            f"Run {run_id} was written by a server, {run.model_id}, whose inside cannot be seen.",
            next_step="Put the same question to a model of this machine, and look into that answer.",
        )
    card = catalogue.get(run.model_id)
    tokenizer = _tokenizer(catalogue.prepare(run.model_id))
    prompt = _prompt_of(run, tokenizer)
    answer = [event.token_id for event in recorded_events(db, run_id)]
    if not answer:
        raise InvalidInput(f"Run {run_id} wrote no token.", next_step="Open another answer, or type a text.")
    subject = _subject(card.id, card.revision, [*prompt, *answer], tokenizer, causal=True)
    return replace(subject, answer_start=len(prompt), run_id=run_id, run_precision=run.precision)


def check_readable(subject: Subject) -> None:
    """Raises InvalidInput for a text in which no token has another to read."""
    if len(subject.ids) < 2:
        raise InvalidInput(
            f"The text is a single token, {''.join(subject.pieces)!r}: there is nothing that it could read.",
            allowed="Two tokens or more.",
            next_step="Write a few words.",
        )


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)


def _prompt_of(run: RunRecord, tokenizer: Tokenizer) -> list[int]:
    messages = tuple(Message(message["role"], message["content"]) for message in run.prompt.get("messages") or ())
    raw = run.prompt.get("raw_prompt")
    if raw is None and not messages:
        raise NotFound(f"The prompt of run {run.id} is not on record.", next_step="Open another answer.")
    return prompt_ids(GenerationRequest(run.model_id, messages=messages, raw_prompt=raw), tokenizer)


def _subject(model_id: str, revision: str, ids: Sequence[int], tokenizer: Tokenizer, *, causal: bool) -> Subject:
    special = tuple(id_ in tokenizer.special_ids for id_ in ids)
    continues = [tokenizer.continues_word(id_) for id_ in ids]
    pieces = _pieces(ids, tokenizer, special, continues)
    words = _words(pieces, special, continues)
    sentences = _sentences(pieces, special, words)
    return Subject(model_id, revision, tuple(ids), pieces, special, words, sentences, causal)


def _pieces(
    ids: Sequence[int], tokenizer: Tokenizer, special: Sequence[bool], continues: Sequence[bool | None]
) -> tuple[str, ...]:
    """A character of several tokens stands at the one that completes it; the others are PART."""
    whole = codecs.getincrementaldecoder("utf-8")(errors="replace")
    pieces: list[str] = []
    for place, (id_, goes_on) in enumerate(zip(ids, continues, strict=True)):
        if special[place] or goes_on is not None:
            whole.reset()
            space = " " if place and goes_on is False and not special[place] else ""  # WordPiece spells no spaces
            pieces.append(space + tokenizer.token_text(id_))
            continue
        data = tokenizer.token_bytes(id_)
        text = whole.decode(data)
        pieces.append(text if text or not data else PART)
        if not data:
            pieces[-1] = tokenizer.token_text(id_)
    return tuple(pieces)


def _words(pieces: Sequence[str], special: Sequence[bool], continues: Sequence[bool | None]) -> tuple[int, ...]:
    """Words are what spaces part; a token of a script without spaces is a word, and so is a special token."""
    numbers: list[int] = []
    for place, piece in enumerate(pieces):
        begins = continues[place] is False or special[place] or place == 0 or special[place - 1]
        if continues[place] is None and not begins:
            begins = piece[:1].isspace() or pieces[place - 1][-1:].isspace() or any(sign >= "\u2e80" for sign in piece)
        numbers.append((numbers[-1] if numbers else -1) + (1 if begins else 0))
    return tuple(numbers)


def _sentences(pieces: Sequence[str], special: Sequence[bool], words: Sequence[int]) -> tuple[int, ...]:
    """A sentence ends with the word that ends in a full stop, or with a line break; special tokens stand alone."""
    numbers: list[int] = []
    ended = False
    for place, piece in enumerate(pieces):
        begins = special[place] or (ended and bool(piece.strip()) and words[place] != words[place - 1])
        numbers.append((numbers[-1] if numbers else 0) + (1 if begins and place else 0))
        if begins or not place:
            ended = False
        ended = ended or special[place] or bool(_ENDS_SENTENCE.search(piece))
    return tuple(numbers)


def _renumbered(numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(number - numbers[0] for number in numbers) if numbers else ()
