"""The sentence a founder can quote: what both cost at this volume, and from where own hosting pays, with its range.

It says no more than is known: a break-even that may never come, or whose ends are far apart, is said to be so.
"""

from __future__ import annotations

from core.estimate.amounts import money_range, tokens, tokens_range
from core.estimate.breakeven import Breakeven
from core.estimate.breakeven_volume import Crossing
from core.estimate.crossing import NEVER
from core.estimate.words import large

_MANY = 10_000  # GPUs, from which on they are rounded as every other figure is
WIDE = 10.0  # high ÷ low of a break-even on which nothing can be planned: judgement


def sentence(found: Breakeven) -> str:
    """One plain sentence."""
    own = found.question.own
    volume = found.question.demand.monthly_tokens
    costs = found.own_usd_per_month.value, found.api_usd_per_month.value
    return (
        f"At {tokens_range(volume.low, volume.high)} tokens a month, hosting {own.model} yourself on {_machines(found)}"
        f" costs {money_range(costs[0].low, costs[0].high)} a month against"
        f" {money_range(costs[1].low, costs[1].high)} for the API; {_pays(found)}."
    )


def _machines(found: Breakeven) -> str:
    own, replicas = found.question.own, found.replicas.value
    if not own.minimum_replicas:
        return f"{own.gpu} by the hour"
    low, high = (round(end) * own.gpus_per_replica for end in (replicas.low, replicas.high))
    if max(low, high) < _MANY:
        return f"{low:,} × {own.gpu}" if low == high else f"{low:,}–{high:,} × {own.gpu}"
    first, last = large(low), large(high)
    return f"{last} × {own.gpu}" if first == last else f"{first} to {last} × {own.gpu}"


def _pays(found: Breakeven) -> str:
    crossing, volume = found.crossing, found.question.demand.monthly_tokens.expected
    lasting = " for good" if crossing.has_window else ""
    if crossing.verdict == "never":
        said = _never(crossing, lasting)
    elif crossing.verdict == "always":
        said = _always(crossing)
    else:
        said = _from(crossing, volume, lasting)
    return said + _window(found) if crossing.has_window else said


def _window(found: Breakeven) -> str:
    """Below the volume from which it stays cheaper, own hosting is so where the last replica is nearly full."""
    crossing = found.crossing
    here = found.question.demand.monthly_tokens.expected < crossing.expected_tokens and found.saving.expected > 0
    since = f"from {tokens(crossing.first_tokens)} tokens"
    if here:
        return (
            f", though at just this volume it is the cheaper one too (first {since}), until a further replica is needed"
        )
    return f", though it is the cheaper one before that too, first {since}, until a further replica is needed"


def _never(crossing: Crossing, lasting: str) -> str:
    if crossing.low_tokens == NEVER:
        return f"it does not pay{lasting} at any volume, since {crossing.why}"
    if crossing.low_tokens == 0:
        return f"it most likely never pays{lasting}, though at best it does at any volume: {_mover(crossing)} decides"
    return (
        f"it most likely never pays{lasting}, and at best from {tokens(crossing.low_tokens)} tokens a month:"
        f" {_mover(crossing)} decides"
    )


def _always(crossing: Crossing) -> str:
    if crossing.high_tokens == 0:
        return "it pays at any volume"
    if crossing.high_tokens == NEVER:
        return f"it most likely pays at any volume, but may never: {_mover(crossing)} decides"
    return f"it most likely pays at any volume, and at the latest from {tokens(crossing.high_tokens)} tokens a month"


def _from(crossing: Crossing, volume: float, lasting: str) -> str:
    low, high = crossing.low_tokens, crossing.high_tokens
    middle = tokens(crossing.expected_tokens)
    if high == NEVER:
        best = f", at best from {tokens(low)}," if low else ", at best at any volume,"
        return (
            f"it pays{lasting} from about {middle} tokens a month{best} and perhaps never: {_mover(crossing)} decides"
        )
    if not low:
        return f"it pays{lasting} from {middle} tokens a month, at the latest from {tokens(high)}"
    if high > WIDE * low:
        return (
            f"it pays{lasting} from somewhere between {tokens(low)} and {tokens(high)} tokens a month, too wide to plan"
            f" on: {_mover(crossing)} moves it most"
        )
    volumes = f"from {tokens_range(low, high)} tokens a month"
    if low == high or not low < volume < high:
        return f"it pays already,{lasting} {volumes}" if volume >= high else f"it pays{lasting} {volumes}"
    return f"it pays{lasting} {volumes}, so that here it may go either way"


def _mover(crossing: Crossing) -> str:
    """The factor that alone moves the break-even most; without one, several together do."""
    return (
        f"the {crossing.moves[0].name}".replace("the the", "the") if crossing.moves else "what is uncertain, together,"
    )
