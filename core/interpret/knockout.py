"""Knock-out: what a model would say next with heads, MLPs or tokens switched off, beside what it says whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.candidates import Candidate, candidates, largest, log_softmax, rank_of
from core.interpret.edited_pass import Beat, final_states, first_container, logits_of, query_of, vectors_of
from core.interpret.edits import Edits, check_edits
from core.interpret.trace import Floats, Trace

SHOWN = 10  # likeliest tokens, before and after


@dataclass(frozen=True, slots=True)
class Effect:
    """The distribution over the token at `position`, whole and with `edits`; a decoder predicts it at `query`.

    before, after: the likeliest tokens of each, likeliest first, with both probabilities. kl: nats, before‖after.
    target: the token that stands at `position`, or the likeliest where none stands yet. Ranks begin at 1; log
    probabilities are natural.
    """

    edits: Edits
    position: int
    query: int
    before: tuple[Candidate, ...]
    after: tuple[Candidate, ...]
    kl: float
    target: Candidate
    target_logprob_before: float
    target_logprob_after: float
    rank_before: int
    rank_after: int

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The likeliest of both, each once, by the larger of their probabilities."""
        union = {one.token_id: one for one in (*self.before, *self.after)}
        return tuple(sorted(union.values(), key=lambda one: -max(one.before, one.after)))

    @property
    def changes_choice(self) -> bool:
        """Whether another token is the likeliest now."""
        return self.before[0].token_id != self.after[0].token_id


@dataclass(frozen=True, slots=True)
class EmbeddingEffect:
    """What becomes of an encoder's vectors: cosines between them whole and with `edits`, 1 where nothing changed.

    tokens: [token]. mean: of the mean of all tokens, which is the text's embedding for models such as minilm-l6; for
    those that take the first token's, it is tokens[0].
    """

    edits: Edits
    tokens: Floats
    mean: float


def effect(trace: Trace, edits: Edits, position: int, progress: Progress = no_progress) -> Effect:
    """What `edits` do to the prediction of the token at `position`; a decoder's may be the place after the last one.

    Raises InvalidInput for a place that nothing predicts, for edits that are not there, and for a model that predicts
    no tokens: see `embedding_effect`.
    """
    query = query_of(trace, position)
    _check(trace, edits)
    with trace.opened.lock:
        whole = trace.logits(query)
        states = final_states(trace, [edits], query, beat=_beat(trace, edits, progress))
        cut = logits_of(trace.opened, states[:, 0])[0].cpu().numpy()
    return _effect(trace, edits, position, query, whole, cut)


def embedding_effect(trace: Trace, edits: Edits, progress: Progress = no_progress) -> EmbeddingEffect:
    """The same for an encoder's vectors. Raises InvalidInput for a decoder and for edits that are not there."""
    require_encoder(trace)
    _check(trace, edits)
    with trace.opened.lock:
        whole = vectors_of(trace.opened, trace.hidden[-1][None])[0].cpu().numpy()
        states = final_states(trace, [edits], beat=_beat(trace, edits, progress))
        cut = vectors_of(trace.opened, states)[0].cpu().numpy()
    return EmbeddingEffect(edits, cosines(whole, cut), float(cosines(whole.mean(0), cut.mean(0))))


def target_of(trace: Trace, position: int, logits: Floats) -> int:
    """The token that stands at `position`, else the likeliest."""
    return trace.subject.ids[position] if position < trace.tokens else int(logits.argmax())


def require_encoder(trace: Trace) -> None:
    """Raises InvalidInput for a decoder."""
    if trace.subject.causal:
        raise InvalidInput(
            f"{trace.opened.card.id} writes text: what is asked of it is its next token, not the vectors of a text.",
            next_step="Choose a token of the text, and look at what becomes of its prediction.",
        )


def cosines(one: Floats, other: Floats) -> Floats:
    """Over the last axis; 1 between vectors that are the same, also where both are zero."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    found = np.divide((one * other).sum(-1), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    same = (one == other).all(-1)
    cosine: Floats = np.where(same, 1.0, np.clip(found, -1.0, 1.0)).astype(np.float32)
    return cosine


def _effect(trace: Trace, edits: Edits, position: int, query: int, whole: Floats, cut: Floats) -> Effect:
    target = target_of(trace, position, whole)
    log_before, log_after = log_softmax(whole), log_softmax(cut)
    before, after = np.exp(log_before), np.exp(log_after)
    tokenizer = trace.opened.tokenizer
    return Effect(
        edits=edits,
        position=position,
        query=query,
        before=candidates(largest(before, SHOWN), before, after, tokenizer),
        after=candidates(largest(after, SHOWN), before, after, tokenizer),
        kl=max(float((before * (log_before - log_after)).sum()), 0.0),
        target=candidates([target], before, after, tokenizer)[0],
        target_logprob_before=float(log_before[target]),
        target_logprob_after=float(log_after[target]),
        rank_before=rank_of(whole, target),
        rank_after=rank_of(cut, target),
    )


def _check(trace: Trace, edits: Edits) -> None:
    check_edits(edits, layers=trace.layers, heads=trace.heads, tokens=trace.tokens)


def _beat(trace: Trace, edits: Edits, progress: Progress) -> Beat:
    total = len(trace.opened.containers)
    at = first_container(trace, [edits])

    def beat() -> None:
        nonlocal at
        progress(at / total, f"Reading the text again, layer {at + 1} of {total}")
        at += 1

    return beat
