"""One customer's month: what a plan brings, what it costs to serve, what is left, and the price that leaves a target.

COGS holds inference, hosting, the people in the loop, delivery and the payment fee (a16z, "The New Business of AI").
What is computed for one customer is exact in Decimal; what is added up over customers is in minor units (cents).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from core.estimate.amounts import digits
from core.venture.money import major, minor, shown, sign
from core.venture.products import ProductSpec, Tokens, exact

NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Span:
    """low ≤ expected ≤ high; may be negative, as a margin may."""

    low: Decimal
    expected: Decimal
    high: Decimal

    @classmethod
    def exactly(cls, value: Decimal) -> Span:
        return cls(value, value, value)

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    def plus(self, value: Decimal) -> Span:
        return Span(self.low + value, self.expected + value, self.high + value)

    def times(self, factor: Decimal) -> Span:
        """factor: not negative."""
        return Span(self.low * factor, self.expected * factor, self.high * factor)

    def taken_from(self, value: Decimal) -> Span:
        return Span(value - self.high, value - self.expected, value - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCost:
    """What one task costs in inference, in the company's currency. share: of the product's inference."""

    name: str
    tokens_per_run: Tokens
    per_run: Decimal
    per_user: Decimal
    per_customer: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPrice:
    """The price (a month, a unit, a project) at which the target is met; None where none does, and why."""

    price: Span | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Economics:
    """Of one customer and a month, in the company's currency. inference: its range is the token price's."""

    product: ProductSpec
    currency: str
    per_usd: Decimal
    revenue: Decimal
    inference: Span
    hosting: Decimal
    people: Decimal
    delivery: Decimal
    payment_fee: Decimal

    @property
    def parts(self) -> tuple[tuple[str, Decimal], ...]:
        """Of COGS, each with its name, as expected."""
        named = (
            ("inference", self.inference.expected),
            ("hosting", self.hosting),
            ("people in the loop", self.people),
            ("delivery", self.delivery),
            ("payment fees", self.payment_fee),
        )
        return tuple(one for one in named if one[1])

    @property
    def cogs(self) -> Span:
        return self.inference.plus(self.hosting + self.people + self.delivery + self.payment_fee)

    @property
    def margin(self) -> Span:
        """Revenue less COGS."""
        return self.cogs.taken_from(self.revenue)

    @property
    def margin_share(self) -> Span | None:
        """Of the revenue; None without revenue."""
        if not self.revenue:
            return None
        return Span(*(one / self.revenue for one in (self.margin.low, self.margin.expected, self.margin.high)))

    @property
    def usd_per_million(self) -> Decimal | None:
        """Of the product's tokens as they are mixed, in US dollars; None without tokens."""
        total = self.product.tokens_per_customer.total
        return self.product.inference_usd_per_customer * 1_000_000 / total if total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMonth:
    """All customers of a plan in one month, in minor units. customers may be a fraction."""

    product: str
    customers: Decimal
    revenue: int
    inference: int
    hosting: int
    people: int
    delivery: int
    payment_fee: int

    @property
    def cogs(self) -> int:
        return self.inference + self.hosting + self.people + self.delivery + self.payment_fee

    @property
    def margin(self) -> int:
        return self.revenue - self.cogs

    @property
    def margin_share(self) -> Decimal | None:
        return major(self.margin) / major(self.revenue) if self.revenue else None


def economics(product: ProductSpec, *, currency: str = "USD", per_usd: float = 1.0) -> Economics:
    """per_usd: what a US dollar costs in the company's currency, because tokens are priced in dollars."""
    rate, cost = exact(per_usd), product.cost
    inference = product.inference_usd_per_customer * rate
    revenue = product.price_per_customer
    return Economics(
        product=product,
        currency=currency,
        per_usd=rate,
        revenue=revenue,
        inference=Span(inference * exact(cost.low_factor), inference, inference * exact(cost.high_factor)),
        hosting=product.hosting_per_customer,
        people=product.people_per_customer,
        delivery=product.delivery_per_customer,
        payment_fee=revenue * exact(product.payment_fee),
    )


def task_costs(found: Economics) -> tuple[TaskCost, ...]:
    """One for each task, the dearest first."""
    product, costs = found.product, []
    users = exact(product.users_per_customer)
    for task in product.tasks:
        tokens = task.tokens_per_run()
        per_run = product.cost.usd(tokens) * found.per_usd
        per_user = per_run * exact(task.runs_per_user)
        whole = found.inference.expected
        costs.append(
            TaskCost(
                name=task.name,
                tokens_per_run=tokens,
                per_run=per_run,
                per_user=per_user,
                per_customer=per_user * users,
                share=per_user * users / whole if whole else NONE,
            )
        )
    return tuple(sorted(costs, key=lambda one: -one.per_customer))


def target_price(found: Economics, margin: float | None = None) -> TargetPrice:
    """The price P with (P·u − C − f·P·u) ÷ (P·u) = g, so P = C ÷ (u (1 − g − f)). u: units a month; C: COGS without
    the fee; f: the fee's share; g: the target, default the product's."""
    product = found.product
    wanted = product.target_margin if margin is None else margin
    left = 1 - exact(wanted) - exact(product.payment_fee)
    units = product.units_per_customer
    if left <= 0:
        return TargetPrice(
            price=None,
            why=f"No price leaves {wanted:.0%}: payment fees take {product.payment_fee:.1%} of every price. "
            "Lower the target or the fees.",
        )
    if not units:
        return TargetPrice(price=None, why="A customer uses nothing that is charged for: give the tasks their runs.")
    return TargetPrice(price=found.cogs.plus(-found.payment_fee).times(1 / (units * left)))


def margin_at(found: Economics, price: Decimal) -> Span | None:
    """The margin's share at another price, all else as it is; None at 0."""
    changed = found.product.model_copy(update={"price": price})
    return economics(changed, currency=found.currency, per_usd=float(found.per_usd)).margin_share


def plan_month(found: Economics, customers: Decimal | float | None = None) -> PlanMonth:
    """customers: default, those at the start. Each part is rounded once, so that parts and sums agree to the cent."""
    if customers is None:
        customers = found.product.customers
    count = customers if isinstance(customers, Decimal) else exact(float(customers))
    return PlanMonth(
        product=found.product.name,
        customers=count,
        revenue=minor(found.revenue * count),
        inference=minor(found.inference.expected * count),
        hosting=minor(found.hosting * count),
        people=minor(found.people * count),
        delivery=minor(found.delivery * count),
        payment_fee=minor(found.payment_fee * count),
    )


def together(months: Sequence[PlanMonth], name: str = "All plans") -> PlanMonth:
    """Their sum."""
    return PlanMonth(
        product=name,
        customers=sum((one.customers for one in months), NONE),
        revenue=sum(one.revenue for one in months),
        inference=sum(one.inference for one in months),
        hosting=sum(one.hosting for one in months),
        people=sum(one.people for one in months),
        delivery=sum(one.delivery for one in months),
        payment_fee=sum(one.payment_fee for one in months),
    )


def per_unit(product: ProductSpec) -> str:
    """What the price is for: a month and customer, 1M tokens, a run, a project."""
    if product.model == "usage":
        return "1M tokens" if product.unit == "million_tokens" else "run"
    return "customer and month" if product.model == "subscription" else "project"


def told(value: Decimal, currency: str) -> str:
    """With as many digits as it deserves: $1,234, $49.00, $0.0132, −$3.20."""
    size = abs(value)
    if not size or size >= 1_000:
        return shown(value, currency)
    if size >= 1:
        return shown(value, currency, cents=True)
    text = digits(float(size))
    text += "0" if "." in text and len(text.partition(".")[2]) == 1 else ""  # $0.50, not $0.5
    return f"{'−' if value < 0 else ''}{sign(currency)}{text}"


def told_span(value: Span, currency: str) -> str:
    """$1.20, or $0.90 to $1.60."""
    low, high = told(value.low, currency), told(value.high, currency)
    return low if low == high else f"{low} to {high}"


def rounded_up(price: Decimal) -> Decimal:
    """A price to ask: to the cent, or to three digits below ten cents; up, so that the target is still met."""
    place = Decimal("0.01") if price >= Decimal("0.1") or not price else Decimal(1).scaleb(price.adjusted() - 2)
    return price.quantize(place, rounding=ROUND_CEILING)
