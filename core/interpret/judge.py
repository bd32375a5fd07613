"""`Judge`: how much a prediction, or an encoder's vector, changes when something in the model is switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from core.errors import InvalidInput
from core.interpret.edited_pass import logits_of, query_of, vectors_of
from core.interpret.knockout import cosines, target_of
from core.interpret.trace import Floats, Trace

Measure = Literal["log probability", "logit difference", "cosine"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the change is of. position: the token that is predicted, at `query`; of an encoder's vectors, the token
    (both None: the mean of the text). target_id, against_id: of the log probability, or of the difference of two
    logits. before: that of the whole model; of a cosine 1."""

    measure: Measure
    position: int | None
    query: int | None
    target_id: int | None = None
    against_id: int | None = None
    before: float = 1.0


class Judge:
    """Judges rows of final states. length: tokens that have to be read for it."""

    def __init__(self, trace: Trace, position: int | None, target_id: int | None, against: int | None) -> None:
        self._opened = trace.opened
        if trace.opened.writes_logits:
            if position is None:
                raise InvalidInput("No token was named.", next_step="Choose the token whose prediction is asked about.")
            self._ask_logits(trace, position, target_id, against)
        else:
            self._ask_vectors(trace, position, target_id, against)
        self.query = self.asked.query
        self.length = self.query + 1 if self.query is not None and trace.subject.causal else trace.tokens

    def __call__(self, states: torch.Tensor) -> Floats:
        """[2, row]: change and KL (nats, whole‖row; NaN for vectors). states: [row, token, hidden], of the query alone
        where there is one."""
        if self.asked.measure == "cosine":
            cosine = cosines(vectors_of(self._opened, states).mean(1).cpu().numpy(), self._whole)
            return np.stack([cosine - 1.0, np.full_like(cosine, np.nan)])
        logs = logits_of(self._opened, states[:, -1]).double().log_softmax(-1)
        kl = (self._log_whole.exp() * (self._log_whole - logs)).sum(-1).clamp(min=0.0)
        made: Floats = torch.stack([self._score(logs, self.asked) - self.asked.before, kl]).float().cpu().numpy()
        return made

    def _ask_logits(self, trace: Trace, position: int, target_id: int | None, against: int | None) -> None:
        query = query_of(trace, position)
        whole = trace.logits(query)
        target = target_of(trace, position, whole) if target_id is None else target_id
        _require_ids([target] if against is None else [target, against], len(whole))
        self._log_whole = torch.from_numpy(whole).to(trace.opened.device).double().log_softmax(-1)
        measure: Measure = "log probability" if against is None else "logit difference"
        asked = Asked(measure, position, query, target, against)
        self.asked = Asked(
            measure, position, query, target, against, before=float(self._score(self._log_whole[None], asked)[0])
        )

    def _ask_vectors(self, trace: Trace, position: int | None, target_id: int | None, against: int | None) -> None:
        if target_id is not None or against is not None:
            raise InvalidInput(
                f"{trace.opened.card.id} predicts no tokens.", next_step="Leave out the tokens that it should say."
            )
        if position is not None and not 0 <= position < trace.tokens:
            raise InvalidInput(
                f"There is no token {position}.", allowed=f"The text has tokens 0 to {trace.tokens - 1}."
            )
        self.asked = Asked("cosine", position, position)
        chosen = slice(None) if position is None else slice(position, position + 1)
        self._whole = vectors_of(self._opened, trace.hidden[-1][None, chosen])[0].mean(0).cpu().numpy()

    @staticmethod
    def _score(logs: torch.Tensor, asked: Asked) -> torch.Tensor:
        """[row]; log probabilities differ as their logits do."""
        score = logs[:, asked.target_id]
        return score if asked.against_id is None else score - logs[:, asked.against_id]


def _require_ids(ids: list[int], vocabulary: int) -> None:
    for token_id in ids:
        if not 0 <= token_id < vocabulary:
            raise InvalidInput(f"There is no token id {token_id}.", allowed=f"Ids from 0 to {vocabulary - 1:,}.")
    if len(ids) == 2 and ids[0] == ids[1]:
        raise InvalidInput(
            f"Token id {ids[0]} is compared with itself.", next_step="Choose another token to compare it with."
        )
