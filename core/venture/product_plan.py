"""One product month by month: customers, recurring revenue and how it moved, tokens, and what serving them costs.

All arrays are `[run, month]`. Customers are expected values and may be fractions; money is whole minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.venture import months
from core.venture.products import ProductSpec
from core.venture.spec import AboutSpec

Money = NDArray[np.int64]
Count = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)
LARGEST = 1e16  # of a month's customers or minor units, so that sums stay within 64 bits


@dataclass(frozen=True, slots=True)
class Drivers:
    """`[run]` each: factors, and months of hiring delay."""

    new_customers: Count
    growth: Count
    churn: Count
    expansion: Count
    price: Count
    tokens_per_user: Count
    gpu_price: Count
    expenses: Count
    hiring_delay: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPlan:
    """opening + new + reactivated − churned = customers, and the same for MRR with expansion and contraction:
    mrr_opening + mrr_new + mrr_reactivation + mrr_expansion − mrr_contraction − mrr_churn = mrr. A project has none.
    The opening of a month is the closing of the one before; that of the plan's first is what was sold before it. Whom a
    later launch begins with is new in its month.

    Revenue is the month's closing MRR (what ends is booked when its paid period ends), or a project's share of its
    price. receipts: revenue, so many months later. tokens: of all customers. cogs = inference + hosting + people +
    fees + delivery.
    """

    name: str
    model: str
    opening: Count
    new: Count
    reactivated: Count
    churned: Count
    customers: Count
    mrr_opening: Money
    mrr_new: Money
    mrr_expansion: Money
    mrr_contraction: Money
    mrr_churn: Money
    mrr_reactivation: Money
    mrr: Money
    revenue: Money
    receipts: Money
    tokens: Count
    inference: Money
    hosting: Money
    people: Money
    fees: Money
    delivery: Money

    @property
    def cogs(self) -> Money:
        return self.inference + self.hosting + self.people + self.fees + self.delivery


@dataclass(frozen=True, slots=True)
class Unit:
    """What one customer (or project) means a month, in minor units of the company's currency; tokens a month."""

    price: float
    inference: float
    tokens: float
    hosting: float
    people: float
    delivery: float


def unit(product: ProductSpec, per_usd: float) -> Unit:
    """Of a customer under the plan as written; a project's price and delivery are of the whole project."""
    price = product.price if product.model == "project" else product.price_per_customer
    minutes = Decimal(repr(product.people_minutes_per_customer))
    return Unit(
        price=float(price) * 100,
        inference=float(product.inference_usd_per_customer) * 100 * per_usd,
        tokens=float(product.tokens_per_customer.total),
        hosting=float(product.hosting_per_customer) * 100,
        people=float(minutes * product.people_hourly_cost / 60) * 100,
        delivery=float(product.delivery_cost) * 100,
    )


def plan_product(product: ProductSpec, about: AboutSpec, drivers: Drivers) -> ProductPlan:
    """Raises InvalidInput for customers or revenue that grow beyond counting."""
    launch, first = begins(product, about.start)
    won = _won(product, about.months, first, drivers)
    if not np.isfinite(won).all() or won.max(initial=0) > LARGEST:
        raise InvalidInput(
            f"{product.name}: new customers grow to more than there are people, at {product.growth:.0%} a month over "
            f"{about.months} months.",
            next_step="Lower the growth, or plan fewer months.",
        )
    if 0 < launch < about.months:
        won[:, launch] += product.customers
    lines = _projects if product.model == "project" else _subscriptions
    return lines(product, about, drivers, won, launch)


def begins(product: ProductSpec, start: str) -> tuple[int, int]:
    """The months of the plan, from 0, in which it is launched and in which somebody is won first.

    The first sales cycle runs from the launch, which may lie before the plan. A product without a launch that has
    customers is a running one and has its cycle behind it; one that has none begins with the plan.
    """
    signed = months.between(start, product.launch) if product.launch else 0
    running = product.launch is None and product.customers > 0
    return max(0, signed), 0 if running else max(0, signed + product.sales_cycle_months)


def _won(product: ProductSpec, count: int, first: int, drivers: Drivers) -> Count:
    """Customers that start, `[run, month]`: those whom the effort of a sales cycle earlier won.

    They grow from the first month in which somebody is won. More of the driver is better where they shrink, too.
    """
    since = np.maximum(np.arange(count) - first, 0)
    growth = product.growth + abs(product.growth) * (drivers.growth - 1)
    grown = np.maximum(1 + growth[:, None], 0) ** since[None, :]
    won = product.new_customers * drivers.new_customers[:, None] * grown
    return np.where(np.arange(count)[None, :] >= first, won, 0.0)


def _already(product: ProductSpec, launch: int) -> float:
    """Customers, or projects under way, when the plan begins."""
    return product.customers if launch == 0 else 0.0


def _customers(product: ProductSpec, won: Count, launch: int, churn: Count) -> dict[str, Count]:
    """Churn takes a share of those who opened the month; those who come back come from all that were lost before."""
    names = ("opening", "reactivated", "churned", "customers")
    found = {name: np.zeros_like(won) for name in names}
    here = np.full(won.shape[0], _already(product, launch))
    lost = np.zeros(won.shape[0])
    for month in range(won.shape[1]):
        gone, back = here * churn, lost * product.reactivation
        found["opening"][:, month], found["churned"][:, month], found["reactivated"][:, month] = here, gone, back
        here = here + won[:, month] + back - gone
        lost = lost + gone - back
        found["customers"][:, month] = here
    return found


def _subscriptions(product: ProductSpec, about: AboutSpec, drivers: Drivers, won: Count, launch: int) -> ProductPlan:
    """A subscription, or usage, which is billed a month like one: its price follows the tokens that customers use."""
    one = unit(product, about.per_usd)
    churn = np.minimum(product.churn * drivers.churn, 1.0)
    moves = _customers(product, won, launch, churn)
    since = np.maximum(np.arange(won.shape[1]) - launch, 0)
    used = (1 + product.usage_growth) ** since[None, :] * drivers.tokens_per_user[:, None]
    usage = product.model == "usage"
    price = one.price * drivers.price[:, None] * (used if usage and _by_token(product) else _grown(product, since))
    recurring = _recurring(product, drivers, moves, won, price, launch, churn, usage)
    customers, revenue = moves["customers"], recurring["mrr"]
    return ProductPlan(
        name=product.name,
        model=product.model,
        new=won,
        **moves,  # type: ignore[arg-type]  # by name, as the fields are
        **recurring,  # type: ignore[arg-type]
        revenue=revenue,
        receipts=_later(revenue, product.payment_delay_months),
        tokens=customers * one.tokens * used,
        inference=_cents(customers * used * one.inference * drivers.gpu_price[:, None]),
        hosting=_cents(customers * one.hosting),
        people=_cents(customers * one.people),
        fees=_cents(revenue * product.payment_fee),
        delivery=np.zeros_like(revenue),
    )


def _by_token(product: ProductSpec) -> bool:
    return product.unit == "million_tokens"


def _grown(product: ProductSpec, since: NDArray[np.int64]) -> Count:
    """A subscription's price stays; usage by the run grows with the runs, not with the tokens of each."""
    return (1 + (product.usage_growth if product.model == "usage" else 0.0)) ** since[None, :].astype(np.float64)


def _recurring(
    product: ProductSpec,
    drivers: Drivers,
    moves: dict[str, Count],
    won: Count,
    price: Count,
    launch: int,
    churn: Count,
    usage: bool,
) -> dict[str, Money]:
    """MRR and its five movements (ChartMogul, "MRR movements"): each rounded once, their sum exact."""
    names = ("opening", "new", "expansion", "contraction", "churn", "reactivation")
    found = {f"mrr_{name}": np.zeros(won.shape, dtype=np.int64) for name in names}
    found["mrr"] = np.zeros(won.shape, dtype=np.int64)
    price = np.broadcast_to(price, won.shape)
    grows = product.expansion * drivers.expansion
    now = _cents(_already(product, launch) * price[:, 0])
    for month in range(won.shape[1]):
        # Whoever stays uses more or less than the month before, so that what is billed keeps to the tokens.
        used = product.usage_growth * now * (1 - churn) if usage and month > launch else np.zeros_like(churn)
        bridge = {
            "opening": now,
            "new": _cents(won[:, month] * price[:, month]),
            "expansion": _cents(now * grows + np.maximum(used, 0)),
            "contraction": _cents(now * product.contraction + np.maximum(-used, 0)),
            "churn": _cents(now * churn),
            "reactivation": _cents(moves["reactivated"][:, month] * price[:, month]),
        }
        bridge["contraction"] = np.minimum(bridge["contraction"], now + bridge["expansion"] - bridge["churn"])
        now = now + bridge["new"] + bridge["expansion"] + bridge["reactivation"]
        now = now - bridge["contraction"] - bridge["churn"]
        for name, value in bridge.items():
            found[f"mrr_{name}"][:, month] = value
        found["mrr"][:, month] = now
    return found


def _projects(product: ProductSpec, about: AboutSpec, drivers: Drivers, won: Count, launch: int) -> ProductPlan:
    """Projects start, are worked on for `project_months`, and bring their price evenly over them; never MRR.

    Those that are under way at the plan's start begin with it. customers: projects in work.
    """
    one = unit(product, about.per_usd)
    before = np.full((won.shape[0], 1), _already(product, launch))
    starts = won.copy()
    starts[:, :1] += before
    done = _later(starts, product.project_months)
    active = np.cumsum(starts, axis=1) - np.cumsum(done, axis=1)
    opening = np.concatenate([before, active[:, :-1]], axis=1)
    since = np.maximum(np.arange(starts.shape[1]) - launch, 0)
    used = (1 + product.usage_growth) ** since[None, :] * drivers.tokens_per_user[:, None]
    share = 1 / product.project_months
    revenue = _cents(active * one.price * drivers.price[:, None] * share)
    none = np.zeros_like(revenue)
    none_of = ("mrr_opening", "mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation", "mrr")
    return ProductPlan(
        name=product.name,
        model=product.model,
        opening=opening,
        new=won,
        reactivated=np.zeros_like(starts),
        churned=done,
        customers=active,
        **dict.fromkeys(none_of, none),
        revenue=revenue,
        receipts=_later(revenue, product.payment_delay_months),
        tokens=active * one.tokens * used,
        inference=_cents(active * used * one.inference * drivers.gpu_price[:, None]),
        hosting=_cents(active * one.hosting),
        people=_cents(active * one.people),
        fees=_cents(revenue * product.payment_fee),
        delivery=_cents(active * one.delivery * share),
    )


def _later(line: NDArray[Number], delay: int) -> NDArray[Number]:
    """So many months later; what falls after the plan is not in it."""
    found = np.zeros_like(line)
    found[:, delay:] = line[:, : line.shape[1] - delay] if delay < line.shape[1] else line[:, :0]
    return found


def _cents(amount: NDArray[Any]) -> Money:
    """Rounded to whole minor units. Raises InvalidInput for what is beyond counting."""
    if not np.isfinite(amount).all() or np.abs(amount).max(initial=0) > LARGEST:
        raise InvalidInput(
            "An amount of the plan grows beyond what can be counted.",
            next_step="Look at the growth of new customers, of usage and the expansion: they are shares a month.",
        )
    cents: Money = np.rint(amount).astype(np.int64)
    return cents
