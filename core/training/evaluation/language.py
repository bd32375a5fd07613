"""What a language model is worth on its test rows: loss in nats a token, perplexity, bits a byte, answers before and
after.

The loss is the sum over all tokens by their number, so long rows weigh more; rows are drawn whole, as the tokens of one
row belong together. Perplexity is e to the loss (Jelinek et al. 1977).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.training.evaluation import checks
from core.training.evaluation.bootstrap import Counts, Floats, replicates
from core.training.evaluation.comparing import NOTHING, Figures, Told, metrics, verdict
from core.training.evaluation.examples import examples
from core.training.evaluation.groups import gap_notes, group_rows
from core.training.evaluation.report import Answer, EvaluationReport

HEADLINE = "perplexity"
TOLD = (
    Told(HEADLINE, "Perplexity", False),
    Told("loss", "Loss", False, "nats a token"),
    Told("bits_per_byte", "Bits a byte", False, "bits"),
)
_MOST_NATS = 700.0  # e^709 is the largest that a number holds


@dataclass(frozen=True, slots=True)
class Read:
    """One model's summed loss `nats` [row] over `tokens` [row]; `text_bytes` [row] of the same text, if known."""

    nats: Floats
    tokens: Floats
    text_bytes: Floats | None = None

    def counted(self, counts: Counts) -> dict[str, Floats]:
        """Figures of draws, [draw] each; NaN for a draw without a token."""
        total = counts @ self.nats
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = total / (counts @ self.tokens)
            found = {"loss": loss, HEADLINE: np.exp(np.minimum(loss, _MOST_NATS))}
            if self.text_bytes is not None:
                found["bits_per_byte"] = total / np.log(2) / (counts @ self.text_bytes)
        return found

    def figures(self, seed: int) -> Figures:
        rows = len(self.nats)
        exact = self.counted(np.ones((1, rows)).astype(np.float32))
        return Figures(
            {name: float(value[0]) for name, value in exact.items()}, replicates(rows, self.counted, seed=seed)
        )


def language_report(
    nats: Any,
    tokens: Any,
    *,
    rows: Sequence[int],
    texts: Sequence[str],
    before: Any = None,
    baseline: Any = None,
    answers: Sequence[Answer] = (),
    groups: Sequence[Any] | None = None,
    text_bytes: Any = None,
    baseline_words: str = "",
    seed: int = 0,
) -> EvaluationReport:
    """nats, before, baseline: [row], the loss summed over the row's judged tokens. tokens: [row], how many those are.

    text_bytes: [row], of the UTF-8 text of the judged tokens. Raises InvalidInput for what is no finite number, or when
    no row has a token.
    """
    summed = checks.numbers(nats, "The losses")
    count = len(summed)
    number = checks.numbers(tokens, "The numbers of tokens", count)
    if number.min() < 0 or number.sum() <= 0:
        raise InvalidInput(
            "No test row has a token to judge.", next_step="Give longer texts, or answers that are not empty."
        )
    checks.described(rows, texts, count)
    if groups is not None and len(groups) != count:
        raise InvalidInput(f"There are subgroups of {len(groups):,} rows.", allowed=f"{count:,}.")
    sizes = None if text_bytes is None else checks.numbers(text_bytes, "The sizes in bytes", count)
    model = Read(summed, number, sizes if sizes is None or sizes.sum() > 0 else None)
    told = metrics(
        TOLD,
        model.figures(seed),
        _other(baseline, "The baseline's losses", model, seed),
        _other(before, "The losses before training", model, seed),
    )
    by_group = group_rows(groups, _group_measure(model), count, seed=seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = summed / number
    return EvaluationReport(
        kind="language",
        headline=HEADLINE,
        rows=count,
        metrics=told,
        groups=by_group,
        examples=examples(
            each,
            rows=rows,
            shown=texts,
            truth=lambda place: "",
            said=lambda place: "",
            high_is_good=False,
            usable=np.flatnonzero(number > 0).tolist(),
        ),
        answers=tuple(answers),
        baseline=baseline_words,
        notes=(
            *verdict(told[0], count),
            *gap_notes(by_group, "perplexity", higher_is_better=False),
        ),
    )


def _other(nats: Any, what: str, model: Read, seed: int) -> Figures:
    if nats is None:
        return NOTHING
    return Read(checks.numbers(nats, what, len(model.nats)), model.tokens, model.text_bytes).figures(seed)


def _group_measure(model: Read) -> Any:
    def measure(counts: Counts, part: npt.NDArray[np.intp]) -> Floats:
        return Read(model.nats[part], model.tokens[part]).counted(counts)[HEADLINE]

    return measure
