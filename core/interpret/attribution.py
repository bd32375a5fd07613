"""`Attribution`: how much each input token had to do with one thing a model said, by the methods of one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.gradients import COMPLETE, gradient_times_input, integrate
from core.interpret.occlusion import Unit, occlude
from core.interpret.scoring import Scorer, scorer
from core.interpret.subject import Subject
from core.interpret.target import Target
from core.interpret.trace import Floats, Trace
from core.interpret.trace import trace as read

UNITS: tuple[Unit, ...] = ("token", "word")


@dataclass(frozen=True, slots=True)
class Attribution:
    """scores: [input token], in nats for integrated gradients and occlusion (positive: speaks for the target). told:
    what was done, in words. completeness: |sum of scores − change of the score| / |change|, from a neutral text to this
    one (integrated gradients). steps: gradients that it took."""

    method: str
    target: Target
    scores: Floats
    told: str
    completeness: float | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a method gets."""

    trace: Trace
    target: Target
    scorer: Scorer
    unit: Unit
    seed: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Method:
    """A row of the table. title: in the middle of a sentence."""

    title: str
    run: Callable[[Request], Attribution]


def attribute(
    trace: Trace,
    target: Target,
    method: str,
    progress: Progress = no_progress,
    *,
    unit: Unit = "token",
    seed: int = 0,
) -> Attribution:
    """How much each input token had to do with `target`. unit: what occlusion replaces. seed: of the random control.

    Raises InvalidInput for a method or unit that is none and for scores that are no numbers, and what `progress`
    raises.
    """
    if method not in METHODS:
        raise InvalidInput(f"There is no method {method!r}.", allowed=f"It is one of {', '.join(METHODS)}.")
    if unit not in UNITS:
        raise InvalidInput(f"unit is {unit!r}.", allowed=f"It is one of {', '.join(UNITS)}.")
    with trace.opened.lock:
        made = METHODS[method].run(Request(trace, target, scorer(trace, target), unit, seed, progress))
    if not np.isfinite(made.scores).all():
        raise InvalidInput(
            f"{METHODS[method].title.capitalize()} gives scores that are no numbers (NaN or infinite) on this text.",
            next_step="Choose another method, or a machine that runs the model in fp32.",
        )
    progress(1.0, "Done")
    return made


def by_word(attribution: Attribution, subject: Subject) -> tuple[tuple[str, ...], Floats]:
    """(words, [word]): the scores of a word's tokens, summed."""
    count = len(attribution.scores)
    numbers = np.asarray(subject.words[:count])
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    words = tuple("".join(subject.pieces[start:end]) for start, end in zip(starts, [*starts[1:], count], strict=True))
    return words, np.add.reduceat(attribution.scores, starts).astype(np.float32)


def _grad(request: Request) -> Attribution:
    scores = gradient_times_input(request.scorer, request.progress)
    return Attribution("grad", request.target, scores, "Gradient of the score, times the token's embedding.")


def _ig(request: Request) -> Attribution:
    found = integrate(request.scorer, request.progress)
    told = (
        f"Gradients summed on the way from {request.scorer.stand_in} in place of every token to the text: "
        f"{found.steps} of them, {found.completeness:.1%} of the score's change unaccounted for."
    )
    if not found.complete:
        told += f" More than {COMPLETE:.0%} went astray on parts of the way: take these scores with care."
    return Attribution("ig", request.target, found.scores, told, found.completeness, found.steps)


def _occlusion(request: Request) -> Attribution:
    scores = occlude(request.scorer, request.trace.subject.words, request.unit, request.progress)
    told = f"What the score loses when a {request.unit} gives way to {request.scorer.stand_in}."
    return Attribution("occlusion", request.target, scores, told)


def _attention(request: Request) -> Attribution:
    scores = np.asarray(_attention_row(request.trace, request.target, request.progress), np.float32)
    told = "Attention followed through all layers (rollout) to where the answer was formed; it has no sign."
    return Attribution("attention", request.target, scores, told)


def _random(request: Request) -> Attribution:
    scores = np.random.default_rng(request.seed).random(request.scorer.tokens, dtype=np.float32)
    return Attribution("random", request.target, scores, "Random scores: what any method has to beat.")


def _attention_row(trace: Trace, target: Target, progress: Progress) -> Floats:
    """[input token]: rollout from where the answer is formed (Abnar & Zuidema 2020, arXiv 2005.00928, § 3)."""
    from core.interpret.rollout import rollout, rollout_row

    if target.kind == "next":
        return rollout_row(trace, target.position - 1, progress)[: target.position]
    if target.kind == "masked":  # the text as the model read it, with the word hidden
        hidden = read(trace.opened, replace(trace.subject, ids=target.inputs(trace)))
        return rollout_row(hidden, target.position, progress)
    if target.kind == "class":
        reads_ahead = trace.weights(0, 0, 1)[:, 0, 1:].any()
        return rollout_row(trace, 0 if reads_ahead else trace.tokens - 1, progress)
    mean: Floats = rollout(trace, progress).mean(0)
    return mean


METHODS: dict[str, Method] = {
    "grad": Method("gradient × input", _grad),
    "ig": Method("integrated gradients", _ig),
    "occlusion": Method("occlusion", _occlusion),
    "attention": Method("attention rollout", _attention),
    "random": Method("random order", _random),
}
