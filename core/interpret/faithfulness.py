"""Faithfulness: whether the tokens that a method ranks first are those that the model needs.

Deletion and insertion curves (Samek et al. 2017, arXiv 1509.06321; Petsiuk et al. 2018, arXiv 1806.07421), which are
comprehensiveness and sufficiency by another name (DeYoung et al. 2020, arXiv 1911.03429). A removed token gives way to
the same stand-in as in occlusion and integrated gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.attribution import METHODS, Attribution
from core.interpret.scoring import Masks, Scorer, scorer
from core.interpret.target import Target
from core.interpret.trace import Floats, Trace

Kind = Literal["deletion", "insertion"]
KINDS: tuple[Kind, ...] = ("deletion", "insertion")
# Mirrored around the middle: an order's deletion passes are its reverse's insertion passes, read once for both.
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
SEEDS = 5
_BEYOND_CHANCE = 2.57  # t(0.975; 5): another random order's gain is within so many spreads of zero 19 times of 20
_CONTROL = "random"


@dataclass(frozen=True, slots=True)
class Curve:
    """probabilities: [share] of the target with that share of the tokens, highest scores first, removed (deletion) or
    given back (insertion); a cosine to the whole text's embedding where that is the target. area: under it, 0 to 1;
    small is good for deletion, large for insertion."""

    method: str
    kind: Kind
    shares: tuple[float, ...]
    probabilities: Floats
    area: float


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """curves: two a method, the control (mean of SEEDS random orders and their reverses) last. gains: method →
    insertion area − deletion area, larger is better; by chance zero, as a reverse order's gain is the order's with the
    sign turned. spread: root mean square of the control's gains. scatter: [share], the standard deviation of single
    random orders at each point of the control's curve. verdict: a sentence."""

    target: Target
    curves: tuple[Curve, ...]
    gains: dict[str, float]
    spread: float
    scatter: dict[Kind, Floats]
    verdict: str

    @property
    def needed(self) -> float:
        """The gain that a method has to exceed to be more than luck."""
        return _needed(self.spread)

    def by_luck(self, kind: Kind) -> tuple[Floats, Floats]:
        """[share] low and high: where another random order's curve lies at a point, about 19 times of 20."""
        middle, reach = self.curve(_CONTROL, kind).probabilities, _BEYOND_CHANCE * self.scatter[kind]
        least = -1.0 if self.target.kind == "embedding" else 0.0
        return np.maximum(middle - reach, least), np.minimum(middle + reach, 1.0)

    def curve(self, method: str, kind: Kind) -> Curve:
        return next(curve for curve in self.curves if (curve.method, curve.kind) == (method, kind))

    def beats_chance(self, method: str) -> bool:
        """Whether its gain is more than random orders give by luck."""
        return self.gains[method] > self.needed


def faithfulness(
    trace: Trace, target: Target, attributions: Sequence[Attribution], progress: Progress = no_progress
) -> Faithfulness:
    """Compare several methods' attributions of one target. Raises InvalidInput for none, two of one method, or ones of
    another target, and what `progress` raises."""
    _require_comparable(target, attributions)
    with trace.opened.lock:
        scores = scorer(trace, target)
        places = np.flatnonzero(scores.removable)
        _require_fitting(attributions, scores.tokens, len(places))
        orders = {one.method: [_order(one.scores, places)] for one in attributions if one.method != _CONTROL}
        drawn = [np.random.default_rng(seed).permutation(places) for seed in range(SEEDS)]
        orders[_CONTROL] = [*drawn, *(order[::-1] for order in drawn)]
        masks = {
            (method, kind): [_masks(order, kind, scores.tokens) for order in several]
            for method, several in orders.items()
            for kind in KINDS
        }
        measured = _measure(scores, [mask for several in masks.values() for mask in several], progress)
    made = {key: np.stack([measured[id(mask)] for mask in several]) for key, several in masks.items()}
    return _judge(target, made)


def _judge(target: Target, made: dict[tuple[str, Kind], Floats]) -> Faithfulness:
    """made: [order, share] of each method and kind."""
    curves = tuple(
        Curve(method, kind, SHARES, rows.mean(0), float(_area(rows).mean())) for (method, kind), rows in made.items()
    )
    gains = {method: _area(made[method, "insertion"]) - _area(made[method, "deletion"]) for method, _ in made}
    spread = float(np.sqrt((gains[_CONTROL] ** 2).mean()))
    scatter: dict[Kind, Floats] = {kind: made[_CONTROL, kind].std(0, ddof=1) for kind in KINDS}
    told = {method: float(gain[0]) for method, gain in gains.items() if method != _CONTROL}
    what = "likeness to the whole text's embedding" if target.kind == "embedding" else "probability"
    return Faithfulness(target, curves, told, spread, scatter, _verdict(told, spread, what))


def _verdict(gains: dict[str, float], spread: float, what: str) -> str:
    """Which to trust, in one sentence."""
    ranked = sorted(gains, key=lambda method: -gains[method])
    good = [METHODS[method].title for method in ranked if gains[method] > _needed(spread)]
    poor = [METHODS[method].title for method in ranked if gains[method] <= _needed(spread)]
    if not good:
        none = f"{_listed(poor).capitalize()} {'does' if len(poor) == 1 else 'do'} no better than chance here"
        return f"{none}: do not trust {'it' if len(poor) == 1 else 'them'} on this word."
    most = f"Trust {good[0]}{' most' if len(good) > 1 else ''} here: removing the tokens that it ranks first lowers "
    most += f"the {what}, and giving them back restores it, sooner than {'any other' if len(gains) > 1 else 'chance'}"
    return (
        f"{most}; {_listed(poor)} {'does' if len(poor) == 1 else 'do'} no better than chance." if poor else f"{most}."
    )


def _needed(spread: float) -> float:
    return max(_BEYOND_CHANCE * spread, 1e-6)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _order(scores: Floats, places: np.ndarray) -> np.ndarray:
    """The places that can be removed, highest score first; equals in the order of the text."""
    return np.asarray(places[np.argsort(-scores[places], kind="stable")])


def _masks(order: np.ndarray, kind: Kind, tokens: int) -> Masks:
    """[share, token]: what is kept."""
    keep: Masks = np.ones((len(SHARES), tokens), bool)
    for row, share in zip(keep, SHARES, strict=True):
        if kind == "deletion":
            row[order[: _count(share, len(order))]] = False
        else:  # counted from the other end, so that the two mirror each other
            row[order[len(order) - _count(1 - share, len(order)) :]] = False
    return keep


def _count(share: float, of: int) -> int:
    return math.floor(round(share * of + 0.5, 9))


def _measure(scores: Scorer, masks: list[Masks], progress: Progress) -> dict[int, Floats]:
    """id of each mask array → [share]. Rows that are alike are read once."""
    rows = np.concatenate(masks)
    unique, back = np.unique(rows, axis=0, return_inverse=True)
    values = scores.masked_probabilities(unique, progress, f"Removing tokens, {len(unique)} versions of the text")
    found = values[back.reshape(-1)].reshape(len(masks), -1)
    progress(1.0, "Done")
    return {id(mask): row for mask, row in zip(masks, found, strict=True)}


def _area(rows: Floats) -> Floats:
    """[order] of [order, share], by trapezia."""
    widths = np.diff(SHARES)
    area: Floats = ((rows[:, 1:] + rows[:, :-1]) / 2 * widths).sum(1)
    return area


def _require_comparable(target: Target, attributions: Sequence[Attribution]) -> None:
    names = [one.method for one in attributions]
    if not [name for name in names if name != _CONTROL]:
        raise InvalidInput(
            "There is no attribution to check.", allowed=f"One or more of {', '.join(METHODS)}, not {_CONTROL} alone."
        )
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{name} is there {names.count(name)} times.", next_step="Give each method once.")
    for one in attributions:
        if one.target != target:
            raise InvalidInput(f"{one.method} explains another target, {one.target}.", allowed=f"All explain {target}.")


def _require_fitting(attributions: Sequence[Attribution], tokens: int, removable: int) -> None:
    for one in attributions:
        if one.scores.shape != (tokens,):
            raise InvalidInput(f"{one.method} has {len(one.scores)} scores.", allowed=f"The text has {tokens} tokens.")
    if removable < 2:
        raise InvalidInput(
            f"Only {removable} token of the text can be removed: there is no order to check.",
            allowed="Two or more.",
            next_step="Choose a longer text, or a later token.",
        )
