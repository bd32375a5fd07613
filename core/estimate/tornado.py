"""What the answer hangs on: each input of a break-even moved to its low and its high alone, the widest move first.

A bar is the change of what own hosting saves a month; beside it stands the volume from which it would then pay.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput
from core.estimate.breakeven_question import FACTORS, Question
from core.estimate.breakeven_volume import costs, expected_values
from core.estimate.ranges import Range

_SHARES = ("output_share", "cached_share", "utilisation", "own_cache_ratio", "discount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """value_low, value_high: of the input, in `unit`. saving_at_low, saving_at_high: USD a month with the input there;
    tokens_at_low, tokens_at_high: from where own hosting then pays, inf for never, 0 for always. assumed: the input was
    exact, and was moved to see what it would do."""

    key: str
    name: str
    unit: str
    value_low: float
    value_expected: float
    value_high: float
    saving_at_low: float
    saving_at_high: float
    tokens_at_low: float
    tokens_at_high: float
    assumed: bool

    @property
    def swing_usd(self) -> float:
        """Length of the bar."""
        return abs(self.saving_at_high - self.saving_at_low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tornado:
    """saving_usd_per_month, breakeven_tokens: with every input as expected. bars: the widest first."""

    saving_usd_per_month: float
    breakeven_tokens: float
    bars: tuple[Bar, ...]


def tornado(asked: Question, *, vary_exact: float = 0.0) -> Tornado:
    """Inputs that move nothing are left out. vary_exact: move exact inputs too, by this share up and down (shares of a
    whole stop at 1). Raises InvalidInput for a vary_exact outside 0 to less than 1."""
    if not 0 <= vary_exact < 1:
        raise InvalidInput(f"vary_exact of {vary_exact:g} cannot be.", allowed="From 0 to less than 1, such as 0.2.")
    centre = expected_values(asked)
    bars = []
    for key, factor in asked.factors.items():
        assumed = factor.low == factor.high
        ends = _moved(key, factor, vary_exact) if assumed else factor
        bar = _bar(asked, centre, key, ends, assumed)
        if bar.swing_usd or bar.tokens_at_low != bar.tokens_at_high:
            bars.append(bar)
    saved, pays = _at(asked, centre)
    ordered = tuple(sorted(bars, key=lambda bar: -bar.swing_usd))
    return Tornado(saving_usd_per_month=saved, breakeven_tokens=pays, bars=ordered)


def _bar(asked: Question, centre: dict[str, float], key: str, ends: Range, assumed: bool) -> Bar:
    low, high = (_at(asked, {**centre, key: end}) for end in (ends.low, ends.high))
    name, unit = FACTORS[key]
    return Bar(
        key=key,
        name=name,
        unit=unit,
        value_low=ends.low,
        value_expected=ends.expected,
        value_high=ends.high,
        saving_at_low=low[0],
        saving_at_high=high[0],
        tokens_at_low=low[1],
        tokens_at_high=high[1],
        assumed=assumed,
    )


def _at(asked: Question, values: dict[str, float]) -> tuple[float, float]:
    both, tokens = costs(asked, values), values["monthly_tokens"]
    return both.api_usd(tokens) - both.own_usd(tokens), both.stays_cheaper_from()


def _moved(key: str, factor: Range, share: float) -> Range:
    high = factor.expected * (1 + share)
    return Range(factor.expected * (1 - share), factor.expected, min(1.0, high) if key in _SHARES else high)
