"""`Target`: what an attribution explains: a token that came next, a masked word, a class, a sentence's embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from core.errors import InvalidInput
from core.interpret.trace import Trace, require_logits
from core.models.cards import Task
from core.models.tokenizer import Tokenizer

Kind = Literal["next", "masked", "class", "embedding"]
NOWHERE = -1  # position or token of a target that has none
_MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True, slots=True)
class Target:
    """What is explained is a score: log p(token), less log p(against) where one is named, which is the difference of
    their logits ("why A and not B", Yin & Neubig 2022, arXiv 2202.10419).

    position: of the token in the text; the number of tokens stands for the token that would come next. token_id: of the
    token, or the number of a class. embedding: the score is the sentence's embedding times its own direction, held
    fixed; position and token_id are NOWHERE.
    """

    position: int
    token_id: int
    against: int | None
    kind: Kind

    def inputs(self, trace: Trace) -> tuple[int, ...]:
        """The tokens that the model reads for it: of a decoder those before it; a masked word is hidden."""
        ids = trace.subject.ids
        if self.kind == "next":
            return ids[: self.position]
        if self.kind == "masked":
            return (*ids[: self.position], mask_id(trace), *ids[self.position + 1 :])
        return ids


def next_token(trace: Trace, position: int, token_id: int | None = None, against: int | None = None) -> Target:
    """Why a decoder wrote `token_id` at `position` (default: the token there, or the likeliest after the end).

    Raises InvalidInput for an encoder, a position that is none, and tokens that the model does not know.
    """
    require_logits(trace.opened)
    if not trace.opened.causal:
        raise InvalidInput(
            f"{trace.opened.card.id} reads a text at once: no token of it comes next.",
            next_step="Ask why a masked word fits.",
        )
    if position == 0:
        raise InvalidInput(
            "Token 0 is the first of the text: nothing stands before it that could explain it.",
            allowed=f"Tokens 1 to {trace.tokens}; {trace.tokens} is the one that would come next.",
        )
    _require_inside("position", position, 1, trace.tokens, f"{trace.tokens} is the token that would come next.")
    if token_id is None:
        at_end = position == trace.tokens
        token_id = int(trace.logits(position - 1).argmax()) if at_end else trace.subject.ids[position]
    _require_tokens(token_id, against, trace.opened.card.architecture.vocabulary, "token")
    return Target(position, token_id, against, "next")


def masked_token(trace: Trace, position: int, token_id: int | None = None, against: int | None = None) -> Target:
    """Why `token_id` (default: the one that stands there) fits at `position`, which is hidden from the model.

    Raises InvalidInput for a model that fills no masks, a position that is none, and tokens that it does not know.
    """
    require_logits(trace.opened)
    if trace.opened.causal:
        raise InvalidInput(
            f"{trace.opened.card.id} writes from left to right: it fills no masks.", next_step="Ask for a next token."
        )
    _require_inside("position", position, 0, trace.tokens - 1)
    hidden = mask_id(trace)
    if token_id is None:
        stands = trace.subject.ids[position]
        token_id = stands if stands != hidden else int(trace.logits(position).argmax())
    _require_tokens(token_id, against, trace.opened.card.architecture.vocabulary, "token")
    return Target(position, token_id, against, "masked")


def class_of(trace: Trace, label: int | None = None, against: int | None = None) -> Target:
    """Why a classifier gave the text this class (default: the likeliest). Raises InvalidInput for another model or a
    class that it does not have."""
    _require_task(trace, Task.TEXT_CLASSIFICATION, "sorts texts into no classes")
    if label is None:
        with trace.opened.lock, torch.inference_mode():
            label = int(trace.opened.forward(input_ids=trace.opened.tensor(trace.subject.ids)).logits[0].argmax())
    _require_tokens(label, against, int(trace.opened.model.config.num_labels), "class")
    return Target(NOWHERE, label, against, "class")


def sentence_embedding(trace: Trace) -> Target:
    """Which tokens make the embedding what it is. Raises InvalidInput for a model that makes none."""
    _require_task(trace, Task.FEATURE_EXTRACTION, "makes no sentence embedding")
    return Target(NOWHERE, NOWHERE, None, "embedding")


def default_target(trace: Trace, focus: int | None) -> Target:
    """What there is to explain of this model. focus: the token asked about (None: what would come next; a masked
    language model: the last word)."""
    match trace.opened.card.task:
        case Task.TEXT_GENERATION:
            return next_token(trace, trace.tokens if focus is None else focus)
        case Task.FILL_MASK:
            return masked_token(trace, _last_word(trace) if focus is None else focus)
        case Task.TEXT_CLASSIFICATION:
            return class_of(trace)
        case _:
            return sentence_embedding(trace)


def mask_id(trace: Trace) -> int:
    """The token that hides a word. Raises InvalidInput where the tokenizer has none."""
    found = find_mask(trace.opened.tokenizer)
    if found is None:
        raise InvalidInput(
            f"The tokenizer of {trace.opened.card.id} has no mask token.",
            allowed=f"{' or '.join(_MASKS)} among its special tokens.",
            next_step="Choose another model.",
        )
    return found


def find_mask(tokenizer: Tokenizer) -> int | None:
    """The token that hides a word, where there is one."""
    for text in _MASKS:
        ids = tokenizer.encode(text)
        if len(ids) == 1 and ids[0] in tokenizer.special_ids:
            return ids[0]
    return None


def _last_word(trace: Trace) -> int:
    words = [place for place, special in enumerate(trace.subject.special) if not special]
    return words[-1] if words else trace.tokens - 1


def _require_inside(name: str, value: int, first: int, last: int, more: str = "") -> None:
    if not first <= value <= last:
        raise InvalidInput(f"{name} is {value}.", allowed=f"The text takes {first} to {last}. {more}".strip())


def _require_tokens(chosen: int, against: int | None, count: int, noun: str) -> None:
    for value in (chosen,) if against is None else (chosen, against):
        if not 0 <= value < count:
            raise InvalidInput(f"There is no {noun} {value}.", allowed=f"The model knows 0 to {count - 1}.")
    if against == chosen:
        raise InvalidInput(
            f"{noun.capitalize()} {chosen} is compared with itself.",
            next_step=f"Choose another {noun} to set against it.",
        )


def _require_task(trace: Trace, task: Task, lacks: str) -> None:
    if trace.opened.card.task is not task:
        raise InvalidInput(
            f"{trace.opened.card.id} is a {trace.opened.card.task.value} model: it {lacks}.",
            allowed=f"A {task.value} model.",
            next_step="Choose one of those, or ask for what this model does.",
        )
