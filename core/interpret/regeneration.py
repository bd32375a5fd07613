"""An answer written anew with heads, MLPs or tokens switched off, beside the one that the whole model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

import torch

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.generation.text import TextStream
from core.interpret.edits import NOTHING, Edits, check_edits, edited
from core.interpret.heartbeat import Beat, beating
from core.interpret.open_model import OpenModel
from core.interpret.trace import Trace
from core.models.tokenizer import Tokenizer

Ended = Literal["end", "length", "context"]
_PROMPT = 4.0  # weight of the prompt's pass in the progress; a token's is 1


@dataclass(frozen=True, slots=True)
class Continuation:
    """What was written. ended: the model ended it, it has as many tokens as were allowed, or its context is full. An
    end token is among ids and pieces, not in the text; nor is a character whose last bytes were not written."""

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    text: str
    ended: Ended


@dataclass(frozen=True, slots=True)
class Regenerated:
    """Both greedy, with the same weights. prompt_tokens: what was read. differs_at: the first token of the answer that
    is another one, from 0 (None: the same answer)."""

    edits: Edits
    prompt_tokens: int
    before: Continuation
    after: Continuation
    differs_at: int | None


def regenerate(
    trace: Trace, edits: Edits, *, max_new_tokens: int = 64, progress: Progress = no_progress
) -> Regenerated:
    """Write the answer anew from its prompt, or go on with a typed text, whole and without what `edits` names.

    Raises InvalidInput for an encoder, for edits that are not there or hide a token of the answer itself, and where
    the context has no room.
    """
    subject = trace.subject
    prompt = subject.ids[: subject.answer_start]
    room = trace.opened.card.architecture.context - len(prompt)
    _check(trace, edits, len(prompt), max_new_tokens, room)
    count = min(max_new_tokens, room)
    with trace.opened.lock:
        rows = _Writing(trace.opened, [NOTHING, edits], count, progress).write(prompt)
    full: Ended = "context" if count < max_new_tokens else "length"
    before, after = (_continuation(ids, trace.opened.tokenizer, full) for ids in rows)
    pairs = enumerate(zip_longest(before.ids, after.ids))
    differs = next((place for place, (one, other) in pairs if one != other), None)
    return Regenerated(edits, len(prompt), before, after, differs)


class _Writing:
    """Several greedy answers to one prompt, a row each."""

    def __init__(self, opened: OpenModel, rows: Sequence[Edits], count: int, progress: Progress) -> None:
        self._opened = opened
        self._rows = rows
        self._count = count
        self._beat = Beat(progress, len(opened.containers) * (_PROMPT + count - 1), "Reading the prompt")

    @torch.inference_mode()
    def write(self, prompt: Sequence[int]) -> list[list[int]]:
        """The tokens of each, its end token included."""
        ends = set(self._opened.tokenizer.eos_ids)
        given = self._opened.tensor(prompt).expand(len(self._rows), -1)
        cache = self._new_cache()
        written: list[list[int]] = [[] for _ in self._rows]
        self._beat.weight = _PROMPT
        with edited(self._opened, per_row=self._rows), beating(self._opened, self._beat):
            for step in range(self._count):
                chosen = self._next(given, cache)
                for row, token in zip(written, chosen.tolist(), strict=True):
                    if not (row and row[-1] in ends):
                        row.append(token)
                if all(row[-1] in ends for row in written):
                    break
                given = chosen[:, None] if cache is not None else torch.cat([given, chosen[:, None]], dim=1)
                self._beat.weight, self._beat.words = 1.0, f"Writing token {step + 2} of {self._count}"
        return written

    def _next(self, given: torch.Tensor, cache: Any) -> torch.Tensor:
        """[row]: the likeliest next token."""
        extra = {"use_cache": False} if cache is None else {"use_cache": True, "past_key_values": cache}
        made = self._opened.model(input_ids=given, logits_to_keep=1, **extra)
        return made.logits[:, -1].argmax(-1)  # type: ignore[no-any-return]

    def _new_cache(self) -> Any:
        """One that keeps all keys, so that positions count from 0; None where a layer does not attend, which would keep
        a state of its own kind."""
        from transformers import DynamicCache

        return DynamicCache() if len(self._opened.layers) == len(self._opened.containers) else None


def _continuation(ids: list[int], tokenizer: Tokenizer, full: Ended) -> Continuation:
    ended = ids[-1] in tokenizer.eos_ids
    stream = TextStream()
    text = "".join(stream.push(tokenizer.token_bytes(id_)) for id_ in (ids[:-1] if ended else ids))
    if ended:
        text += stream.finish()
    return Continuation(tuple(ids), tuple(map(tokenizer.token_text, ids)), text, "end" if ended else full)


def _check(trace: Trace, edits: Edits, prompt: int, max_new_tokens: int, room: int) -> None:
    if not trace.subject.causal:
        raise InvalidInput(
            f"{trace.opened.card.id} is an encoder: it writes nothing.", next_step="Choose a model that writes text."
        )
    check_edits(edits, layers=trace.layers, heads=trace.heads, tokens=trace.tokens)
    if late := sorted(at for at in edits.tokens if at >= prompt):
        raise InvalidInput(
            f"Token {', '.join(map(str, late[:8]))} is part of the answer, which is written anew.",
            allowed=f"Tokens 0 to {prompt - 1}, those of the prompt.",
            next_step="Switch it on again.",
        )
    if max_new_tokens < 1:
        raise InvalidInput(f"{max_new_tokens} new tokens were asked for.", allowed="1 or more.")
    if prompt < 1:
        raise InvalidInput("The answer has no prompt here.", next_step="Take a part of the text that has some of it.")
    if room < 1:
        raise InvalidInput(
            f"The prompt has {prompt:,} tokens, and {trace.opened.card.id} reads {prompt + room:,} at most.",
            next_step="Take a shorter text.",
        )
