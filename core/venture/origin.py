"""The whole way from a product's margin down to recorded runs, and the parts of it that other figures begin at."""

from __future__ import annotations

from core.estimate.words import said
from core.store.database import Database
from core.venture import origin_records
from core.venture.economics import Economics, economics, per_unit, rounded_up, target_price, task_costs, told
from core.venture.economics_figures import A16Z, EconomicFigure, figure, percent
from core.venture.origin_cost import origin_of_cost as origin_of_cost
from core.venture.origin_tree import Link as Link
from core.venture.origin_tree import Origin as Origin
from core.venture.products import ProductSpec, TaskSpec

TAKE_USAGE = "Take them from recorded usage: ask the model in the Playground as your users would."


def origin_of_margin(product: ProductSpec, db: Database, *, currency: str = "USD", per_usd: float = 1.0) -> Origin:
    """margin → revenue, COGS → each part → where it comes from."""
    found = economics(product, currency=currency, per_usd=per_usd)
    share = found.margin_share
    of_figure = figure(found, "gross_margin_share")
    return Origin(
        kind="margin",
        label=f"Gross margin of {product.name}",
        value=percent(share.expected) if share else f"{told(found.margin.expected, currency)} (no revenue)",
        detail=_ranged(of_figure),
        formula=of_figure.formula if of_figure else r"R - C",
        source=A16Z,
        children=(_revenue(found), _cogs(found, db)),
    )


def origin_of_cogs(product: ProductSpec, db: Database, *, currency: str = "USD", per_usd: float = 1.0) -> Origin:
    """The cost of a customer's month."""
    return _cogs(economics(product, currency=currency, per_usd=per_usd), db)


def origin_of_token_price(product: ProductSpec, db: Database) -> Origin:
    """$ per million tokens as they are mixed → the mix and the prices."""
    found = economics(product)
    mixed = figure(found, "usd_per_million_tokens")
    return Origin(
        kind="price",
        label=f"A million tokens of {product.name}",
        value=mixed.words() if mixed else "no tokens",
        detail=_ranged(mixed),
        formula=mixed.formula if mixed else "",
        source=mixed.source if mixed else "",
        children=(_tokens(product, db), origin_of_cost(product.cost, db)),
    )


def origin_of_target(product: ProductSpec, db: Database, *, currency: str = "USD", per_usd: float = 1.0) -> Origin:
    """The price at which the target margin is met → COGS."""
    found = economics(product, currency=currency, per_usd=per_usd)
    target, of_figure = target_price(found), figure(found, "price_for_target_margin")
    value = f"{told(rounded_up(target.price.expected), currency)} per {per_unit(product)}" if target.price else "none"
    return Origin(
        kind="price",
        label=f"Price for a margin of {product.target_margin:.0%}",
        value=value,
        detail=_inputs(of_figure),
        formula=of_figure.formula if of_figure else "",
        source=of_figure.source if of_figure else "",
        advice=target.why,
        children=(_cogs(found, db),),
    )


def _revenue(found: Economics) -> Origin:
    product = found.product
    price = f"{told(product.price, found.currency)} per {per_unit(product)}"
    return Origin(
        kind="revenue",
        label="Revenue of a customer's month",
        value=told(found.revenue, found.currency),
        detail=_inputs(figure(found, "revenue")),
        formula=r"R = P\,u",
        children=(Origin(kind="typed", label="Price", value=price, footnote=f"Price of {product.name}: {price}."),),
    )


def _cogs(found: Economics, db: Database) -> Origin:
    of_figure = figure(found, "cogs")
    return Origin(
        kind="cogs",
        label="Cost of serving a customer's month",
        value=told(found.cogs.expected, found.currency),
        detail=_ranged(of_figure),
        formula=of_figure.formula if of_figure else "",
        source=A16Z,
        children=(_inference(found, db), *_others(found)),
    )


def _inference(found: Economics, db: Database) -> Origin:
    of_figure = figure(found, "inference")
    return Origin(
        kind="cogs",
        label="Inference",
        value=told(found.inference.expected, found.currency),
        detail=(
            *_ranged(of_figure),
            *((f"of which {one.name}", told(one.per_customer, found.currency)) for one in task_costs(found)),
        ),
        formula=of_figure.formula if of_figure else "",
        children=(_tokens(found.product, db), origin_of_cost(found.product.cost, db)),
    )


def _others(found: Economics) -> tuple[Origin, ...]:
    """Parts of COGS that are typed in; those of nothing are left out."""
    product, currency = found.product, found.currency
    minutes = f"{product.people_minutes_per_customer:g} minutes at {told(product.people_hourly_cost, currency)} an hour"
    fee = f"{product.payment_fee:.1%} of the revenue"
    rows = (
        ("Hosting", found.hosting, "a customer and month"),
        ("People in the loop", found.people, minutes),
        ("Delivery", found.delivery, f"{told(product.delivery_cost, currency)} a project"),
        ("Payment fees", found.payment_fee, fee),
    )
    return tuple(
        Origin(
            kind="typed",
            label=name,
            value=told(value, currency),
            detail=(("typed in as", how),),
            footnote=f"{name}: typed in, {how}.",
        )
        for name, value, how in rows
        if value
    )


def _tokens(product: ProductSpec, db: Database) -> Origin:
    tokens = product.tokens_per_customer
    advice = "" if product.tasks else "No tasks yet: say what a user has the model do."
    return Origin(
        kind="tokens",
        label="Tokens of a customer's month",
        value=said(float(tokens.total), "tokens"),
        detail=(
            ("input at the full price", said(float(tokens.input), "tokens")),
            ("input from the cache", said(float(tokens.cached), "tokens")),
            ("output", said(float(tokens.output), "tokens")),
            ("users of a customer", f"{product.users_per_customer:g}"),
        ),
        formula=r"n = U \sum_{t} r_t\,n_t",
        advice=advice,
        children=tuple(_task(task, db) for task in product.tasks),
    )


def _task(task: TaskSpec, db: Database) -> Origin:
    a_run = f"{_count(task.input_tokens)} tokens in ({task.cached_share:.0%} cached), {_count(task.output_tokens)} out"
    count = len(task.run_ids)
    footnote = (
        f"Tokens of “{task.name}”: {a_run}, the mean of {count:,} recorded runs."
        if count
        else f"Tokens of “{task.name}”: {a_run}, typed in."
    )
    typed = Origin(kind="typed", label="Tokens of a run", value=a_run, advice=TAKE_USAGE)
    return Origin(
        kind="tokens",
        label=f"Task: {task.name}",
        value=f"{a_run}, a run",
        detail=(
            ("runs of a user", f"{_count(task.runs_per_user)} a month"),
            ("stand on", f"{count:,} recorded runs" if count else "nothing recorded"),
        ),
        footnote=footnote,
        children=origin_records.runs(db, task.run_ids) if count else (typed,),
    )


def _ranged(found: EconomicFigure | None) -> tuple[tuple[str, str], ...]:
    """The inputs, after the range where there is one."""
    if found is None:
        return ()
    span = found.range_words()
    return (*((("range", span),) if span else ()), *_inputs(found))


def _inputs(found: EconomicFigure | None) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    return tuple(
        (one.name, one.value if isinstance(one.value, str) else _number(one.value, one.unit)) for one in found.inputs
    )


def _number(value: float, unit: str) -> str:
    return said(value, unit) if unit != "share" else f"{value:.1%}"


def _count(value: float) -> str:
    """1,200 or 350.5."""
    return f"{value:,.1f}".removesuffix(".0")
