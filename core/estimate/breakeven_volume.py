"""From which monthly volume own hosting pays, and how surely.

The ends of a break-even volume, which may be infinite, cannot be added up as those of a sum or a product are: they are
the crossings at two scenarios, one for and one against own hosting, in which every factor is moved by its share of the
joint move (design points of the first-order reliability method, Hasofer & Lind 1974, J. Eng. Mech. Div. 100(1)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from core.estimate.amounts import money
from core.estimate.breakeven_question import FACTORS, Question, inputs_of
from core.estimate.crossing import NEVER, Costs, costs_at
from core.estimate.figures import Driver, Figure
from core.estimate.propagation import Values
from core.estimate.ranges import Range

Verdict = Literal["always", "from", "never"]
NAMES = {key: label for key, (label, _) in FACTORS.items()}


@dataclass(frozen=True, slots=True)
class Move:
    """A factor alone at its ends, and the volume from which own hosting then pays; inf: never."""

    name: str
    low_tokens: float
    high_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Tokens a month from which own hosting stays cheaper; 0: at any volume, inf: never. verdict: at the expected
    values. first_tokens: where it is cheaper for the first time, if only until the next replica. figure: None where an
    end is 0 or inf. moves: the widest first."""

    low_tokens: float
    expected_tokens: float
    high_tokens: float
    first_tokens: float
    verdict: Verdict
    why: str
    moves: tuple[Move, ...]
    figure: Figure | None

    @property
    def has_window(self) -> bool:
        """Own hosting is cheaper somewhere below the volume from which it stays so."""
        return self.first_tokens < self.expected_tokens

    def to_json(self) -> dict[str, float | str | None]:
        """null: never."""
        ends = {"low": self.low_tokens, "expected": self.expected_tokens, "high": self.high_tokens}
        return {"verdict": self.verdict, **{name: None if math.isinf(end) else end for name, end in ends.items()}}


def costs(asked: Question, at: Values) -> Costs:
    """The two sides at one value of each factor."""
    return costs_at(at, asked.own.fleet)


def expected_values(asked: Question) -> dict[str, float]:
    """Every factor as expected."""
    return {key: factor.expected for key, factor in asked.factors.items()}


def cross(asked: Question) -> Crossing:
    """From which volume own hosting pays."""
    centre = expected_values(asked)
    both = costs(asked, centre)
    expected = both.stays_cheaper_from()
    moves = _moves(asked, centre)
    scenarios = [costs(asked, _scenario(asked, sign)).stays_cheaper_from() for sign in (-1, 1)]
    low = min(expected, *scenarios, *(min(one.low_tokens, one.high_tokens) for one in moves))
    high = max(expected, *scenarios, *(max(one.low_tokens, one.high_tokens) for one in moves))
    verdict: Verdict = "never" if expected == NEVER else "always" if expected == 0 else "from"
    return Crossing(
        low_tokens=low,
        expected_tokens=expected,
        high_tokens=high,
        first_tokens=both.first_cheaper_at(),
        verdict=verdict,
        why=_why(verdict, both),
        moves=moves,
        figure=_figure(asked, Range(low, expected, high), moves) if low > 0 and high < NEVER else None,
    )


def _moves(asked: Question, centre: dict[str, float]) -> tuple[Move, ...]:
    found = []
    for key, factor in asked.factors.items():
        if factor.low == factor.high or key == "monthly_tokens":
            continue
        low, high = (costs(asked, {**centre, key: end}).stays_cheaper_from() for end in (factor.low, factor.high))
        if low != high:
            found.append(Move(NAMES[key], low, high))
    return tuple(sorted(found, key=lambda one: -_width(one)))


def _width(move: Move) -> float:
    low, high = sorted((move.low_tokens, move.high_tokens))
    return math.inf if math.isinf(high) or not low else math.log(high / low)


def _scenario(asked: Question, sign: int) -> dict[str, float]:
    """Every factor moved against (+1) or for (−1) own hosting, each by its part of the joint move."""
    centre, pulls = expected_values(asked), {}
    at = costs(asked, centre)
    where = at.stays_cheaper_from()
    # Where it never pays what counts is how the last token's costs compare, far out.
    volume = where if 0 < where < NEVER else 1e9 * at.tokens_per_replica

    def burden(values: Values) -> float:
        both = costs(asked, values)
        own = both.smooth_own_usd(volume)
        return math.log(max(own, 1e-12) / both.api_usd(volume))

    middle = burden(centre)
    for key, factor in asked.factors.items():
        if factor.low < factor.high and key != "monthly_tokens":
            pull, end = max((sign * (burden({**centre, key: end}) - middle), end) for end in (factor.low, factor.high))
            if pull > 0:
                pulls[key] = (pull, end)
    joint = math.hypot(*(pull for pull, _ in pulls.values())) if pulls else 1.0
    return centre | {key: _part_way(centre[key], end, pull / joint) for key, (pull, end) in pulls.items()}


def _part_way(start: float, end: float, share: float) -> float:
    """On a logarithmic scale, as the spreads are added; on a plain one from or to 0."""
    if start <= 0 or end <= 0:
        return start + (end - start) * share
    return float(start * (end / start) ** share)


def _why(verdict: Verdict, both: Costs) -> str:
    api, own = money(both.api_usd_per_token * 1e6), money(both.own_usd_per_token() * 1e6)
    if verdict == "never":
        return f"a million tokens takes {own} of GPU time even on full replicas, and {api} from the API"
    if verdict == "always":
        return f"nothing is paid without demand, and a million tokens takes {own} of GPU time, {api} from the API"
    return (
        f"{money(both.floor_usd())} a month is paid even without demand; a million tokens takes {own} of GPU time on"
        f" full replicas, {api} from the API"
    )


def _figure(asked: Question, value: Range, moves: tuple[Move, ...]) -> Figure:
    return Figure(
        key="breakeven_tokens_per_month",
        label="Own hosting pays from",
        unit="tokens/month",
        value=value,
        formula=r"T^* = \min\{\,T : C_\mathrm{own}(t) \le C_\mathrm{API}(t)\ \forall\, t \ge T\,\}",
        source="by definition; the ends by the first-order reliability method (Hasofer & Lind 1974)",
        inputs=inputs_of(asked),
        drivers=tuple(Driver(one.name, *sorted((one.low_tokens, one.high_tokens))) for one in moves),
        measurement_ids=asked.own.measurement_ids,
    )
