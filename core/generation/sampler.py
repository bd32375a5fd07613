"""One sampler for every backend: numpy on logits.

Order: constraint → banned tokens and logit bias → penalties → temperature → top-k → top-p → min-p → draw. The reported
log-probability is taken before all of these. Only the tokens that could be drawn are ever sorted: on a vocabulary of
49,152 a step takes under half a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.generation.request import SamplingParameters

Logits = npt.NDArray[np.float32]
_COLDEST = 1e-6  # lower temperatures overflow fp32 and always take the likeliest token anyway
_BELOW = (4.0, 8.0, 12.0, 16.0)  # how far under the maximum to look for the largest logits


class Constraint(Protocol):
    """Narrows the next token to those a grammar allows."""

    def allowed(self) -> npt.NDArray[np.bool_]:
        """[vocabulary] True where the token may follow."""

    def accept(self, token_id: int) -> None:
        """The token was chosen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The token drawn. logprob: natural log, before sampling. sampled_probability: after the sampler.

    alternatives: (token id, logprob, sampled probability), likeliest first.
    """

    token_id: int
    logprob: float
    sampled_probability: float
    alternatives: tuple[tuple[int, float, float], ...]


class Sampler:
    """Chooses the tokens of one run. seed: of numpy's PCG64; the same seed and logits give the same tokens.

    prompt_ids: what the repetition penalty counts besides the answer (Keskar et al. 2019, arXiv 1909.05858, § 4.1);
    frequency and presence penalties count the answer alone, as in OpenAI's API.
    """

    def __init__(
        self,
        parameters: SamplingParameters,
        *,
        seed: int,
        prompt_ids: Sequence[int] = (),
        constraint: Constraint | None = None,
    ) -> None:
        self._parameters = parameters
        self._random = np.random.default_rng(seed)
        self._constraint = constraint
        self._counts: dict[int, int] = {}
        self._seen = set(prompt_ids) if parameters.repetition_penalty != 1.0 else set()
        self._bias_ids = np.fromiter(parameters.logit_bias.keys(), dtype=np.int64)
        self._bias = np.fromiter(parameters.logit_bias.values(), dtype=np.float32)
        self._banned = np.array(parameters.banned_tokens, dtype=np.int64)

    def choose(self, logits: Logits) -> Choice:
        """logits: [vocabulary], not changed."""
        peak = logits.max()
        below = logits - peak
        weights = np.exp(below)
        total = float(weights.sum())
        log_total = float(peak) + float(np.log(total))
        ids, probabilities = self._distribution(logits, below, weights, total)
        if len(ids) == 1:
            drawn = 0
        else:
            cumulative = np.cumsum(probabilities)
            drawn = int(np.searchsorted(cumulative, self._random.random() * cumulative[-1], side="right"))
            drawn = min(drawn, len(ids) - 1)
        token_id = int(ids[drawn])
        return Choice(
            token_id=token_id,
            logprob=float(logits[token_id]) - log_total,
            sampled_probability=float(probabilities[drawn]),
            alternatives=self._alternatives(logits, log_total, token_id, ids, probabilities),
        )

    def accept(self, token_id: int) -> None:
        """Count a token of the answer, drawn or given."""
        self._counts[token_id] = self._counts.get(token_id, 0) + 1
        if self._parameters.repetition_penalty != 1.0:
            self._seen.add(token_id)
        if self._constraint:
            self._constraint.accept(token_id)

    def _adjust(self, logits: Logits) -> Logits:
        """Logits after constraint, bans, bias and penalties; the very array when nothing applies."""
        p = self._parameters
        penalised = bool(self._counts) and (p.frequency_penalty != 0 or p.presence_penalty != 0)
        if not (self._constraint or len(self._banned) or len(self._bias_ids) or penalised or self._seen):
            return logits
        adjusted = logits.copy()
        if self._constraint:
            adjusted[~self._constraint.allowed()] = -np.inf
        inside = self._bias_ids < len(adjusted)
        adjusted[self._bias_ids[inside]] += self._bias[inside]
        adjusted[self._banned[self._banned < len(adjusted)]] = -np.inf
        if self._seen:
            seen = np.fromiter(self._seen, dtype=np.int64, count=len(self._seen))
            values = adjusted[seen]
            penalty = np.float32(p.repetition_penalty)
            adjusted[seen] = np.where(values > 0, values / penalty, values * penalty)
        if penalised:
            used = np.fromiter(self._counts.keys(), dtype=np.int64, count=len(self._counts))
            times = np.fromiter(self._counts.values(), dtype=np.float32, count=len(self._counts))
            adjusted[used] -= np.float32(p.frequency_penalty) * times + np.float32(p.presence_penalty)
        return adjusted

    def _distribution(
        self, logits: Logits, below: Logits, weights: Logits, total: float
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """(ids, probabilities) of the tokens that may be drawn, likeliest first unless nothing narrows them.

        below: logits under their maximum. weights: exp(below), and total their sum; used again where nothing changed.
        """
        p = self._parameters
        adjusted = self._adjust(logits)
        best = int(adjusted.argmax())
        if adjusted[best] == -np.inf:
            raise InvalidInput(
                "No token may follow: banned tokens and the JSON schema rule out all of them.",
                next_step="Ban fewer tokens, or change the schema.",
            )
        if p.temperature < _COLDEST or p.top_k == 1:
            return np.array([best]), np.ones(1)
        if adjusted is not logits:
            below = adjusted - adjusted[best]
        if adjusted is not logits or p.temperature != 1.0:
            weights = np.exp(below * np.float32(1.0 / p.temperature))
            total = float(weights.sum())
        logits = adjusted
        if p.top_k and p.top_k < len(logits):
            ids = largest(logits, p.top_k)
        elif p.top_p < 1 or p.min_p > 0:
            ids = self._candidates(weights, total)
        else:
            ids = np.flatnonzero(weights)
            return ids, weights[ids].astype(np.float64) / total
        kept = weights[ids].astype(np.float64)
        kept /= kept.sum() if p.top_k and p.top_k < len(logits) else total
        if p.top_p < 1:
            count = int(np.searchsorted(np.cumsum(kept), p.top_p, side="left")) + 1
            ids, kept = ids[:count], kept[:count]
        if p.min_p > 0:
            strong = kept >= p.min_p * kept[0]
            ids, kept = ids[strong], kept[strong]
        return ids, kept / kept.sum()

    def _candidates(self, weights: Logits, total: float) -> npt.NDArray[np.int64]:
        """Tokens enough to hold the nucleus, likeliest first: those above a falling threshold, all as a last resort."""
        p = self._parameters
        for threshold in (1e-3, 1e-5, 0.0):
            ids = np.flatnonzero(weights > threshold)
            holds = float(weights[ids].sum(dtype=np.float64)) >= p.top_p * total
            if threshold == 0.0 or (holds if p.top_p < 1 else p.min_p >= threshold):
                break
        return ids[np.argsort(-weights[ids], kind="stable")]

    def _alternatives(
        self,
        logits: Logits,
        log_total: float,
        token_id: int,
        ids: npt.NDArray[np.int64],
        probabilities: npt.NDArray[np.float64],
    ) -> tuple[tuple[int, float, float], ...]:
        """The model's own top-k, joined with the sampler's where that differs, and the token drawn."""
        count = self._parameters.top_logprobs
        if not count:
            return ()
        shown = dict.fromkeys(largest(logits, count).tolist())
        if len(ids) > 1 and self._reorders:
            # Narrowed distributions come likeliest first; one that nothing narrows does not.
            first = ids[:count] if self._narrows else ids[largest(probabilities, count)]
            shown.update(dict.fromkeys(first.tolist()))
        shown.setdefault(token_id)
        wanted = np.fromiter(shown, dtype=np.int64, count=len(shown))
        rows, columns = np.nonzero(wanted[:, None] == ids) if self._narrows else _positions(wanted, ids)
        after = dict(zip(wanted[rows].tolist(), probabilities[columns].tolist(), strict=True))
        told = [(i, float(logits[i]) - log_total, after.get(i, 0.0)) for i in shown]
        return tuple(sorted(told, key=lambda row: -row[1]))

    @property
    def _narrows(self) -> bool:
        p = self._parameters
        return p.temperature == 0 or p.top_k > 0 or p.top_p < 1 or p.min_p > 0

    @property
    def _reorders(self) -> bool:
        p = self._parameters
        changed = self._constraint or len(self._bias_ids) or len(self._banned) or self._seen
        return bool(changed or p.frequency_penalty or p.presence_penalty)


def _positions(
    wanted: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(rows, columns) where ascending `ids` holds the wanted ones."""
    columns = np.searchsorted(ids, wanted)
    rows = np.flatnonzero(ids[np.minimum(columns, len(ids) - 1)] == wanted)
    return rows, columns[rows]


def largest(values: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """Indices of the `count` largest values, largest first; ties by index. values: one dimension.

    Passes over the whole array are cheap and sorting it is not: look close under the maximum first.
    """
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    peak = values.max()
    for below in _BELOW:
        near = np.flatnonzero(values >= peak - below)
        if len(near) >= count:
            break
    else:
        near = np.arange(len(values))
    if len(near) > 4 * count + 64:
        floor = np.partition(values[near], -count)[-count]
        near = near[values[near] >= floor]
    return near[np.argsort(-values[near], kind="stable")][:count]
