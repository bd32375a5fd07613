"""Five questions become a first plan: what is sold and for how much, to whom, what the model costs, who works, what is
in the bank.

Whatever is left open takes a usual value, and `assumed` says which, so that nobody takes it for an answer of theirs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.money import amount, shown
from core.venture.products import CostSpec, ProductSpec, TaskSpec
from core.venture.spec import CompanySpec, company

Model = Literal["subscription", "usage", "project"]
MODELS: dict[Model, str] = {
    "subscription": "Subscription",
    "usage": "Usage",
    "project": "Projects",
}
PRICE: dict[Model, Decimal] = {"subscription": Decimal(99), "usage": Decimal(5), "project": Decimal(15_000)}
PRICED: dict[Model, str] = {
    "subscription": "a month and customer",
    "usage": "a million tokens",
    "project": "a project",
}
CUSTOMERS: dict[Model, float] = {"subscription": 10, "usage": 3, "project": 1}
NEW: dict[Model, float] = {"subscription": 3, "usage": 1, "project": 0.5}
# Tokens of a customer's month, where nothing is known yet: input, output
TOKENS: dict[Model, tuple[float, float]] = {
    "subscription": (2_000_000, 400_000),
    "usage": (80_000_000, 15_000_000),
    "project": (20_000_000, 4_000_000),
}
TOKEN_PRICE = CostSpec(
    usd_per_million_input=Decimal(1),
    usd_per_million_output=Decimal(4),
    low_factor=0.4,
    high_factor=2.5,
    note="A guess between small and large models; take it from an estimate or an API.",
)
GROWTH, CHURN, FEE = 0.05, 0.03, 0.029
CASH = Decimal(100_000)
SALARY = Decimal(60_000)
PER_USD = {"EUR": 0.92, "GBP": 0.79, "CHF": 0.88, "CAD": 1.37, "AUD": 1.52, "INR": 85.0, "JPY": 150.0, "SEK": 10.4}
PER_USD |= {"SGD": 1.34}
"""What a US dollar costs, about, until somebody gives the rate of the day: tokens are priced in dollars."""
_TASK = "All tasks"
_ROLES = (("Founders", "general", 2.0), ("Engineers", "research", 0.0), ("Sales and support", "sales", 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Of the five questions; None: not answered. price, cash, salary: as people write amounts. customers, new: today,
    and a month. usage: million tokens of a customer's month. cost: a token price from an estimate or an API, or typed.
    founders, engineers, others: full-time; salary: a year and person. per_usd: what a US dollar costs."""

    name: str = ""
    currency: str = "USD"
    product: str = ""
    model: Model = "subscription"
    price: str = ""
    customers: float | None = None
    new_customers: float | None = None
    usage: float | None = None
    cost: CostSpec | None = None
    founders: float | None = None
    engineers: float | None = None
    others: float | None = None
    salary: str = ""
    cash: str = ""
    per_usd: float | None = None

    @property
    def people(self) -> tuple[float | None, float | None, float | None]:
        return self.founders, self.engineers, self.others


def first_plan(answers: Answers) -> CompanySpec:
    """With what was assumed. Raises InvalidInput for answers that are no plan, all of them at once."""
    price, salary, cash = _amounts(answers)
    counted = (answers.customers, answers.new_customers, answers.usage, *answers.people)
    if any(one is not None and one < 0 for one in counted):
        raise InvalidInput("Customers, tokens and people are counted from 0.", next_step="Correct these and try again.")
    usual = first_product(answers.model, answers.product, answers.usage)
    product = usual.model_dump(mode="json", exclude_defaults=True) | {
        "price": usual.price if price is None else price,
        "customers": _or(answers.customers, usual.customers),
        "new_customers": _or(answers.new_customers, usual.new_customers),
        "cost": answers.cost or usual.cost,
    }
    about = {
        "name": answers.name.strip()[:80] or "My company",
        "currency": answers.currency,
        "opening_cash": CASH if cash is None else cash,
        "assumed": assumed(answers),
        **_dollar(answers),
    }
    team = _team(answers, SALARY if salary is None else salary)
    return company({"company": about, "products": [product], "team": team})


def first_product(model: Model, name: str = "", usage: float | None = None) -> ProductSpec:
    """With usual values, to be changed. usage: million tokens of a customer's month."""
    read, written = _tokens(model, usage)
    project = model == "project"
    return ProductSpec(
        name=name.strip()[:80] or "First product",
        model=model,
        price=PRICE[model],
        customers=CUSTOMERS[model],
        new_customers=NEW[model],
        growth=GROWTH,
        churn=0 if project else CHURN,
        tasks=(TaskSpec(name=_TASK, runs_per_user=1000, input_tokens=read / 1000, output_tokens=written / 1000),),
        cost=TOKEN_PRICE,
        payment_fee=0 if project else FEE,
        payment_delay_months=1 if project else 0,
    )


def assumed(answers: Answers) -> tuple[str, ...]:
    """What was not answered and is a usual value instead, in sentences."""
    told = [*_assumed_sales(answers), *_assumed_tokens(answers), *_assumed_people(answers)]
    if not answers.salary.strip():
        told.append(f"Salary: {shown(SALARY, answers.currency)} a year and person, and 20 % on top.")
    if not answers.cash.strip():
        told.append(f"In the bank: {shown(CASH, answers.currency)}.")
    if answers.per_usd is None and (rate := PER_USD.get(answers.currency)):
        told.append(f"1 US dollar costs {rate:g} {answers.currency}, for token prices: only about right, so check it.")
    return tuple(told)


def _assumed_sales(answers: Answers) -> list[str]:
    model, told = answers.model, list[str]()
    if not answers.price.strip():
        told.append(f"Price: {shown(PRICE[model], answers.currency)} {PRICED[model]}.")
    if answers.customers is None:
        told.append(f"Customers today: {CUSTOMERS[model]:g}.")
    if answers.new_customers is None:
        told.append(f"New customers: {NEW[model]:g} a month.")
    told.append(f"New customers grow by {GROWTH:.0%} a month.")
    if model != "project":
        told.append(f"{CHURN:.0%} of the customers leave each month; payment fees are {FEE:.1%}.")
    return told


def _assumed_tokens(answers: Answers) -> list[str]:
    """Where usage is sold, with what a customer pays for it: all revenue hangs on that."""
    told = [] if answers.cost else ["Tokens: $1 a million in, $4 a million out."]
    product = first_product(answers.model, usage=answers.usage)
    tokens = product.tokens_per_customer
    text = f"A customer's month: {_millions(tokens.input)} million tokens in, {_millions(tokens.output)} million out"
    price = PRICE[answers.model]
    with suppress(ValueError):
        price = amount(answers.price) if answers.price.strip() else price
    if answers.model == "usage":
        text += f" = {shown(price * product.units_per_customer, answers.currency)} a customer and month"
    return [*told, f"{text}."]


def _assumed_people(answers: Answers) -> list[str]:
    named = list(zip(("founders", "engineers", "others"), answers.people, _ROLES, strict=True))
    left = [f"{usual:g} {name}" for name, count, (_, _, usual) in named if count is None]
    told = [f"Team: {', '.join(left)}."] if left else []
    if parts := [f"{count:g} {name}" for name, count, _ in named if count is not None and count % 1]:
        told.append(f"{', '.join(parts)}: kept as typed; a half is somebody who works half the week.")
    return told


def _millions(tokens: Decimal) -> str:
    return f"{float(tokens) / 1e6:.3g}"


def typed_cost(read: str, written: str) -> CostSpec | None:
    """Dollars a million tokens, as they were typed; None where both are empty. Raises InvalidInput for what is none."""
    if not read.strip() and not written.strip():
        return None
    fields = {"usd_per_million_input": read.strip() or "0", "usd_per_million_output": written.strip() or "0"}
    return parse(CostSpec, {"source": "typed"} | fields)


def _amounts(answers: Answers) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    found, faults = list[Decimal | None](), list[str]()
    for label, text in (("price", answers.price), ("salary", answers.salary), ("money in the bank", answers.cash)):
        try:
            value = amount(text) if text.strip() else None
        except ValueError as error:
            value = None
            faults.append(f"{label}: {error}")
        if value is not None and value < 0:
            faults.append(f"{label}: {text.strip()} is below 0")
        found.append(value)
    if faults:
        raise InvalidInput(f"{'; '.join(faults)}.", next_step="Correct these and try again.")
    return found[0], found[1], found[2]


def _team(answers: Answers, salary: Decimal) -> list[dict[str, Any]]:
    """Each count on its own: engineers that were named leave the founders in place."""
    return [
        {"role": role, "function": function, "count": _or(count, usual), "salary": salary}
        for (role, function, usual), count in zip(_ROLES, answers.people, strict=True)
        if _or(count, usual)
    ]


def _dollar(answers: Answers) -> dict[str, float]:
    """What it costs, where that is a question: of a currency that has no usual one it has to be answered."""
    given = answers.per_usd
    if answers.currency == "USD" and given in (None, 1):
        return {}
    if answers.currency == "USD":
        raise InvalidInput(
            f"A US dollar costs one US dollar, not {given:g}.", next_step="Choose your currency, or leave that open."
        )
    rate = PER_USD.get(answers.currency) if given is None else given
    return {} if rate is None else {"per_usd": rate}


def _tokens(model: Model, usage: float | None) -> tuple[float, float]:
    """Input and output of a customer's month; what was answered is split as usual."""
    read, written = TOKENS[model]
    whole = read + written
    scale = 1.0 if usage is None else usage * 1e6 / whole
    return read * scale, written * scale


def _or(given: float | None, usual: float) -> float:
    return usual if given is None else given
