"""The metrics investors ask for, as plain functions of plain numbers: `ltv(arpa, gross_margin, churn)` and the others.

Each is told with the source of its definition. What has no value (no churn, no burn, nothing at the start) is
`Undefined` with the reason in words, never infinity and never 0. Money may be in any unit, as long as it is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from core.errors import InvalidInput

Number = int | float | Decimal

MONTHS = 12
QUICK_RATIO_TARGET = 4.0
"""Hamid."""
BURN_BANDS: tuple[tuple[float, str], ...] = ((1.0, "amazing"), (1.5, "great"), (2.0, "good"), (3.0, "suspect"))
"""Sacks: below each, half open; from the last on it is bad."""
WORST_BAND = "bad"


@dataclass(frozen=True, slots=True)
class Undefined:
    """No number: why, in words that stand where the number would."""

    why: str


Value = float | Undefined


def arr(mrr: Number) -> float:
    """12 × MRR (a16z, "16 Startup Metrics"). One-off and project revenue is never in it."""
    return MONTHS * _number("MRR", mrr)


def net_new_mrr(new: Number, expansion: Number, reactivation: Number, contraction: Number, churn: Number) -> float:
    """new + expansion + reactivation − contraction − churn (a16z; ChartMogul)."""
    came = _number("new", new) + _number("expansion", expansion) + _number("reactivation", reactivation)
    return came - _number("contraction", contraction) - _number("churn", churn)


def nrr(opening: Number, expansion: Number, contraction: Number, churn: Number) -> Value:
    """Net revenue retention: (opening + expansion − contraction − churn) ÷ opening, of the opening cohort alone.

    ChartMogul. Reactivation and new customers are not in it."""
    kept = _number("opening", opening) + _number("expansion", expansion)
    kept -= _number("contraction", contraction) + _number("churn", churn)
    return _ratio(kept, opening, "no recurring revenue at the start")


def grr(opening: Number, contraction: Number, churn: Number) -> Value:
    """Gross revenue retention: (opening − contraction − churn) ÷ opening, at most 1 (ChartMogul)."""
    kept = _number("opening", opening) - _number("contraction", contraction) - _number("churn", churn)
    found = _ratio(kept, opening, "no recurring revenue at the start")
    return found if isinstance(found, Undefined) else min(found, 1.0)


def logo_churn(lost: Number, opening: Number) -> Value:
    """Customers lost ÷ customers at the start (ChartMogul)."""
    return _ratio(_number("customers lost", lost), opening, "no customers at the start")


def cac(sales_and_marketing: Number, new_customers: Number) -> Value:
    """Customer acquisition cost: sales and marketing ÷ new customers (Finmark)."""
    return _ratio(_number("sales and marketing", sales_and_marketing), new_customers, "no new customers")


def arpa(revenue: Number, customers: Number) -> Value:
    """Average revenue per account: recurring revenue ÷ customers (ChartMogul)."""
    return _ratio(_number("revenue", revenue), customers, "no customers")


def ltv(arpa: Number, gross_margin: Number, churn: Number) -> Value:
    """Lifetime value: ARPA × gross margin ÷ churn; arpa and churn of the same period (Finmark help 5525177)."""
    left = _number("ARPA", arpa) * _number("gross margin", gross_margin)
    return _ratio(left, churn, "no churn: unbounded" if left > 0 else "no churn, and nothing is left of the price")


def ltv_to_cac(ltv: Number, cac: Number) -> Value:
    """LTV ÷ CAC (Finmark help 5525177)."""
    return _ratio(_number("LTV", ltv), cac, "customers cost nothing to win: unbounded")


def payback_months(cac: Number, arpa: Number, gross_margin: Number) -> Value:
    """CAC ÷ (ARPA a month × gross margin) (Finmark help 5525177)."""
    left = _number("ARPA", arpa) * _number("gross margin", gross_margin)
    return _ratio(_number("CAC", cac), left, "never: nothing is left of the price")


def gross_margin(revenue: Number, cogs: Number) -> Value:
    """(revenue − COGS) ÷ revenue; COGS holds inference, hosting and the people in the loop (a16z)."""
    return _ratio(_number("revenue", revenue) - _number("COGS", cogs), revenue, "no revenue")


def net_burn(cash_out: Number, cash_in: Number) -> float:
    """Cash out − cash in, without funding; below 0 when the business brings cash (a16z)."""
    return _number("cash out", cash_out) - _number("cash in", cash_in)


def runway(cash: Number, net_burn: Number) -> Value:
    """Months: cash ÷ net burn of a month (a16z). 0 when nothing is left."""
    burnt = _number("net burn", net_burn)
    left = _number("cash", cash)
    return _ratio(max(left, 0.0), burnt, "no burn: the business brings cash" if burnt < 0 else "no burn")


def burn_multiple(net_burn: Number, net_new_arr: Number) -> Value:
    """Net burn ÷ net new ARR (Sacks, "The Burn Multiple")."""
    burnt, grown = _number("net burn", net_burn), _number("net new ARR", net_new_arr)
    if burnt <= 0:
        return Undefined("no burn")
    return _ratio(burnt, grown, f"cash is burnt and ARR does not grow: {WORST_BAND}")


def burn_band(value: Value) -> str:
    """Sacks: below 1 amazing, below 1.5 great, below 2 good, below 3 suspect, else bad; "" without a value."""
    if isinstance(value, Undefined):
        return WORST_BAND if value.why.endswith(WORST_BAND) else ""
    return next((name for end, name in BURN_BANDS if value < end), WORST_BAND)


def rule_of_40(growth: Number, profit_margin: Number) -> float:
    """Growth + profit, both as shares of 1; 0.4 is the target (Feld, "The Rule of 40%")."""
    return _number("growth", growth) + _number("profit margin", profit_margin)


def growth(now: Number, before: Number) -> Value:
    """(now − before) ÷ before."""
    return _ratio(_number("now", now) - _number("before", before), before, "nothing before to compare with")


def magic_number(quarter_revenue: Number, last_quarter_revenue: Number, last_sales_and_marketing: Number) -> Value:
    """(revenue of a quarter − of the one before) × 4 ÷ sales and marketing of the one before (Scale VP)."""
    grown = _number("revenue", quarter_revenue) - _number("revenue before", last_quarter_revenue)
    return _ratio(4 * grown, last_sales_and_marketing, "no sales and marketing in the quarter before")


def quick_ratio(new: Number, expansion: Number, churn: Number, contraction: Number) -> Value:
    """(new + expansion) ÷ (churn + contraction); 4 is the target (Hamid)."""
    came = _number("new", new) + _number("expansion", expansion)
    lost = _number("churn", churn) + _number("contraction", contraction)
    return _ratio(came, lost, "nothing was lost: unbounded" if came else "nothing came and nothing was lost")


def _ratio(above: float, below: Number, why: str) -> Value:
    """above ÷ below; why there is none, where the denominator is 0 or less or next to it."""
    divisor = _number("the denominator", below)
    if divisor <= 0:
        return Undefined(why)
    found = above / divisor
    return found if math.isfinite(found) else Undefined(why)


def _number(name: str, given: Number) -> float:
    found = float(given)
    if not math.isfinite(found):
        raise InvalidInput(
            f"{name} is {given}, which is no number.", next_step="Give a number; leave out a metric that has none."
        )
    return found
