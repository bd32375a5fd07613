"""What the margin becomes with another model, precision or host, more of the prompt cached, or other tokens a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.errors import InvalidInput
from core.venture.economics import Economics, Span, economics
from core.venture.inference_cost import Offer
from core.venture.products import CostSpec, ProductSpec, TaskSpec

Kind = Literal["now", "cost", "cached", "tokens"]
CACHED_SHARES = (0.0, 0.3, 0.6, 0.9)
MOST_CACHED = 0.9
TOKEN_FACTORS = (0.5, 0.8, 1.25, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The product with one thing changed. cogs, margin: of a customer's month. margin_share: None without revenue.
    delta, delta_share: against now, as expected."""

    kind: Kind
    name: str
    product: ProductSpec
    cogs: Span
    margin: Span
    margin_share: Span | None
    delta: Decimal
    delta_share: Decimal | None


def alternatives(
    product: ProductSpec,
    offers: Sequence[Offer] = (),
    *,
    cached_shares: Iterable[float] = CACHED_SHARES,
    token_factors: Iterable[float] = TOKEN_FACTORS,
    currency: str = "USD",
    per_usd: float = 1.0,
) -> tuple[Alternative, ...]:
    """Now first, then each other token price, each cached share, each length of the runs. Raises InvalidInput for a
    share outside 0 to 0.9, or a factor that is not above 0."""
    now = economics(product, currency=currency, per_usd=per_usd)
    changed: list[tuple[Kind, str, ProductSpec]] = [("now", f"as it is: {name_of(product.cost)}", product)]
    changed += [("cost", one.label, with_cost(product, one.cost)) for one in offers if one.cost != product.cost]
    if product.tokens_per_customer.input or product.tokens_per_customer.cached:
        changed += [("cached", f"{one:.0%} of the input cached", with_cached(product, one)) for one in cached_shares]
    if product.tokens_per_customer.total:
        changed += [("tokens", f"tokens of a run × {one:g}", with_tokens(product, one)) for one in token_factors]
    return tuple(
        _against(now, kind, name, economics(one, currency=currency, per_usd=per_usd)) for kind, name, one in changed
    )


def with_cost(product: ProductSpec, cost: CostSpec) -> ProductSpec:
    return product.model_copy(update={"cost": cost})


def with_cached(product: ProductSpec, share: float) -> ProductSpec:
    """So much of every task's input from the cache."""
    if not 0 <= share <= MOST_CACHED:
        raise InvalidInput(
            f"{share:.0%} of the input from the cache is not possible: the end of a prompt is always new.",
            allowed=f"0% to {MOST_CACHED:.0%}.",
        )
    return _with_tasks(product, [one.model_copy(update={"cached_share": share}) for one in product.tasks])


def with_tokens(product: ProductSpec, factor: float) -> ProductSpec:
    """Every task's input and output so many times as long."""
    if not 0 < factor <= 1000:
        raise InvalidInput(f"Tokens of a run × {factor:g} is not possible.", allowed="Above 0, up to 1,000.")
    return _with_tasks(
        product,
        [
            one.model_copy(
                update={"input_tokens": one.input_tokens * factor, "output_tokens": one.output_tokens * factor}
            )
            for one in product.tasks
        ],
    )


def name_of(cost: CostSpec) -> str:
    """A token price in a few words: the model, its precision, and where it runs."""
    if cost.source == "typed":
        return "typed in"
    told = " ".join(one for one in (cost.model, cost.precision) if one) or cost.scenario_name or "an estimate"
    where = {"api": "from", "estimate": "on"}[cost.source]
    return f"{told} {where} {cost.provider}" if cost.provider else told


def _with_tasks(product: ProductSpec, tasks: Sequence[TaskSpec]) -> ProductSpec:
    return product.model_copy(update={"tasks": tuple(tasks)})


def _against(now: Economics, kind: Kind, name: str, found: Economics) -> Alternative:
    before, after = now.margin_share, found.margin_share
    return Alternative(
        kind=kind,
        name=name,
        product=found.product,
        cogs=found.cogs,
        margin=found.margin,
        margin_share=after,
        delta=found.margin.expected - now.margin.expected,
        delta_share=None if before is None or after is None else after.expected - before.expected,
    )
