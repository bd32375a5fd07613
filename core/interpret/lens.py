"""The logit lens (nostalgebraist 2020): what a model would say if it stopped after each layer.

What goes into a layer is put through the final norm and the output head, as if nothing came after. Early rows are to be
read with care: those layers were not trained to be read so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.candidates import Candidate, Doubles, candidates, largest, log_softmax, rank_of
from core.interpret.edited_pass import logits_of, query_of
from core.interpret.knockout import target_of
from core.interpret.trace import Floats, Trace

LOGIT_BYTES = 64 * 1024**2  # of logits that are in memory at once


@dataclass(frozen=True, slots=True)
class Lens:
    """How the prediction of the token at `position` comes about. Row 0: the embeddings, row i: what layer i − 1 leaves.

    probabilities, logprobs (natural), ranks (1 = first): [layer + 1], of the token `token_id`. top: by row its
    likeliest tokens; before is the probability one row earlier. promoted, demoted: [layer], the tokens whose
    probability the layer raised and lowered most.
    """

    position: int
    query: int
    token_id: int
    piece: str
    probabilities: Floats
    logprobs: Floats
    ranks: npt.NDArray[np.int32]
    top: tuple[tuple[Candidate, ...], ...]
    promoted: tuple[tuple[Candidate, ...], ...]
    demoted: tuple[tuple[Candidate, ...], ...]

    @property
    def settled(self) -> int:
        """The first row from which on the token is the likeliest to the end; the number of rows where it never is."""
        others = np.flatnonzero(self.ranks != 1)
        return int(others[-1]) + 1 if len(others) else 0


@dataclass(frozen=True, slots=True)
class LensGrid:
    """The likeliest token by row (as in `Lens`) and position. token_ids, probabilities, ranks: [layer + 1, position];
    ranks are those of the token that the model names in the end, which is the last row of token_ids."""

    positions: tuple[int, ...]
    token_ids: npt.NDArray[np.int32]
    pieces: tuple[tuple[str, ...], ...]
    probabilities: Floats
    ranks: npt.NDArray[np.int32]


def lens(trace: Trace, position: int, token_id: int | None = None, top: int = 5) -> Lens:
    """token_id: the token that is followed (default: the one that stands at `position`, else the likeliest in the end).

    Raises InvalidInput for a place that nothing predicts, an id that is none, and a model that predicts no tokens.
    """
    query = query_of(trace, position)
    with trace.opened.lock:
        states = torch.stack([state[query] for state in trace.hidden])
        last = trace.logits(query)
        followed = target_of(trace, position, last) if token_id is None else token_id
        _require(followed, top, len(last))
        story = _Story(trace, followed, top)
        for logits in _logits(trace, states):
            for row in logits:
                story.tell(row)
    return Lens(
        position,
        query,
        followed,
        trace.opened.tokenizer.token_text(followed),
        np.exp(np.asarray(story.logprobs)).astype(np.float32),
        np.asarray(story.logprobs, np.float32),
        np.asarray(story.ranks, np.int32),
        tuple(story.top),
        tuple(story.promoted),
        tuple(story.demoted),
    )


def lens_grid(trace: Trace, positions: Sequence[int], progress: Progress = no_progress) -> LensGrid:
    """For each position the likeliest token after each layer. Raises InvalidInput as `lens` does."""
    if not positions:
        raise InvalidInput("No position was named.", next_step="Choose at least one token.")
    queries = [query_of(trace, position) for position in positions]
    rows, width = len(trace.hidden), len(positions)
    found = torch.zeros((3, width, rows), dtype=torch.float64)
    step = _rows_at_once(trace)
    with trace.opened.lock, torch.inference_mode():
        at_once = max(step // rows, 1)
        for start in range(0, width, at_once):
            progress(start / width, f"Reading layer by layer, token {start + 1} of {width}")
            some = queries[start : start + at_once]
            found[:, start : start + len(some)] = _cells(trace, some, step, progress, start / width)
    token_ids = found[0].T.numpy().astype(np.int32)
    texts = {int(id_): trace.opened.tokenizer.token_text(int(id_)) for id_ in np.unique(token_ids)}
    return LensGrid(
        tuple(positions),
        token_ids,
        tuple(tuple(texts[int(id_)] for id_ in row) for row in token_ids),
        found[1].T.numpy().astype(np.float32),
        found[2].T.numpy().astype(np.int32),
    )


class _Story:
    """The rows of a `Lens`, one after another: two distributions are in memory."""

    def __init__(self, trace: Trace, token_id: int, top: int) -> None:
        self._tokenizer = trace.opened.tokenizer
        self._token = token_id
        self._top = top
        self._before: Doubles | None = None
        self.logprobs: list[float] = []
        self.ranks: list[int] = []
        self.top: list[tuple[Candidate, ...]] = []
        self.promoted: list[tuple[Candidate, ...]] = []
        self.demoted: list[tuple[Candidate, ...]] = []

    def tell(self, logits: Floats) -> None:
        """logits: [vocabulary]."""
        logs = log_softmax(logits)
        now = np.exp(logs)
        before = now if self._before is None else self._before
        self.logprobs.append(float(logs[self._token]))
        self.ranks.append(rank_of(logits, self._token))
        self.top.append(candidates(largest(now, self._top), before, now, self._tokenizer))
        if self._before is not None:
            change = now - before
            self.promoted.append(candidates(largest(change, self._top), before, now, self._tokenizer))
            self.demoted.append(candidates(largest(-change, self._top), before, now, self._tokenizer))
        self._before = now


def _cells(trace: Trace, queries: list[int], step: int, progress: Progress, fraction: float) -> torch.Tensor:
    """[token, probability, rank of the last row's token; query, row]."""
    rows = len(trace.hidden)
    states = torch.stack([state[queries] for state in trace.hidden], dim=1)  # [query, row, hidden]
    final = logits_of(trace.opened, states[:, -1]).argmax(-1)
    named = final.repeat_interleave(rows)
    flat = states.reshape(-1, states.shape[-1])
    parts = []
    for start in range(0, len(flat), step):
        progress(fraction, "Reading layer by layer")
        logits = logits_of(trace.opened, flat[start : start + step])
        best, tokens = logits.max(-1)
        theirs = logits.gather(1, named[start : start + step, None])
        chance = (best.double() - logits.logsumexp(-1).double()).exp()
        parts.append(torch.stack([tokens.double(), chance, (logits > theirs).sum(-1).double() + 1]).cpu())
    return torch.cat(parts, dim=1).reshape(3, len(queries), rows)


def _logits(trace: Trace, states: torch.Tensor) -> Iterator[Floats]:
    """[some rows, vocabulary] at a time of [row, hidden]."""
    step = _rows_at_once(trace)
    for start in range(0, len(states), step):
        yield logits_of(trace.opened, states[start : start + step]).cpu().numpy()


def _rows_at_once(trace: Trace) -> int:
    return max(LOGIT_BYTES // (trace.opened.card.architecture.vocabulary * 4), 1)


def _require(token_id: int, top: int, vocabulary: int) -> None:
    if not 0 <= token_id < vocabulary:
        raise InvalidInput(f"There is no token id {token_id}.", allowed=f"Ids from 0 to {vocabulary - 1:,}.")
    if not 1 <= top <= 100:
        raise InvalidInput(f"The {top} likeliest tokens were asked for.", allowed="1 to 100.")
