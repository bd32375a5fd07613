"""Sections of a company's report on what is sold: margins with their origin, and the assumptions behind the plan."""

from __future__ import annotations

from collections.abc import Sequence

from core.venture import months
from core.venture.economics import Economics, economics, per_unit, rounded_up, target_price, task_costs, told, told_span
from core.venture.economics_figures import percent
from core.venture.origin import origin_of_margin
from core.venture.products import ProductSpec
from exports import company_pictures as pictures
from exports.company_pictures import Bar
from exports.company_report_parts import Numbers, Picture, Row, Section, Text, grid
from exports.company_report_source import Source

PARTS = (
    ("Price, a month", "revenue"),
    ("Inference", "inference"),
    ("Hosting", "hosting"),
    ("People in the loop", "people"),
    ("Delivery", "delivery"),
    ("Payment fees", "payment_fee"),
)


def products(of: Source) -> Section:
    """One customer's month of each product: price, cost of serving, margin; each with where it is from."""
    title = "Products and margins"
    if not of.spec.products:
        return Section("products", title, missing="There is no product.")
    about = of.spec.company
    found = [economics(one, currency=about.currency, per_usd=about.per_usd) for one in of.spec.products]
    notes = [origin_notes(of, one) for one in of.spec.products]
    rows = [
        Row((name, *(_part(one, field) for one in found)))
        for name, field in PARTS
        if field in ("revenue", "inference") or any(getattr(one, field) for one in found)
    ]
    rows += [
        Row(("Cost of serving", *(told_span(one.cogs, one.currency) for one in found)), strong=True),
        Row(("Gross margin", *(_margin(one) for one in found)), strong=True),
        Row(("A million tokens, as mixed (USD)", *(_token_price(one) for one in found))),
        Row(("Price for the target margin", *(_target(one) for one in found))),
    ]
    heads = ("A customer and month", *(one.name for one in of.spec.products))
    sources = [Row((one.name, _source(one)), number) for one, number in zip(of.spec.products, notes, strict=True)]
    tasks = [
        (
            product.name,
            one.name,
            f"{one.tokens_per_run.total:,.0f}",
            told(one.per_run, about.currency),
            f"{one.share:.0%}",
        )
        for product, costs in zip(of.spec.products, found, strict=True)
        for one in task_costs(costs)
    ]
    return Section(
        "products",
        title,
        (
            *grid("Price, cost and margin; a range where the token price has one", heads, rows),
            _margin_picture(found),
            *grid("Where the cost of tokens is from", ("Product", "$ per million tokens"), sources, words=(1,)),
            *grid(
                "What a run of each task costs",
                ("Product", "Task", "Tokens a run", "Costs", "Of the inference"),
                tasks,
                words=(1,),
            ),
        ),
    )


def assumptions(of: Source) -> Section:
    """What the plan of each product hangs on."""
    title = "Assumptions"
    if not of.spec.products:
        return Section("assumptions", title, missing="There is no product to assume anything of.")
    given = of.spec.products
    rows = [
        ("Sold as", *(one.model for one in given)),
        ("Price", *(f"{told(one.price, of.currency)} per {per_unit(one)}" for one in given)),
        ("Launch", *(months.said(one.launch) if one.launch else "at the start" for one in given)),
        ("Customers or projects at the start", *(f"{one.customers:g}" for one in given)),
        ("New a month", *(f"{one.new_customers:g}" for one in given)),
        *(
            (name, *(f"{getattr(one, field):.1%}" for one in given))
            for name, field in (
                ("Growth of the new ones, a month", "growth"),
                ("Churn a month", "churn"),
                ("Expansion a month", "expansion"),
                ("Contraction a month", "contraction"),
                ("Growth of usage, a month", "usage_growth"),
            )
            if any(getattr(one, field) for one in given)
        ),
        ("Sales cycle, months", *(str(one.sales_cycle_months) for one in given)),
        ("Customers pay after, months", *(str(one.payment_delay_months) for one in given)),
    ]
    about = of.spec.company
    told_of = [
        f"Amounts are in {about.currency}."
        + (f" A US dollar costs {about.per_usd:g} {about.currency}." if about.currency != "USD" else ""),
        f"Tax: {about.tax_rate:.0%} of a month's profit after the losses of the months before it.",
        "Left out: value-added tax, stock and equipment, payables, hiring costs, prepaid years.",
    ]
    return Section(
        "assumptions",
        title,
        (*grid("", ("", *(one.name for one in given)), rows), *(Text(one) for one in told_of)),
    )


def origin_notes(of: Source, product: ProductSpec) -> Numbers:
    """Where its margin is from: estimate, measurements, runs, or who typed it."""
    about = of.spec.company
    origin = origin_of_margin(product, of.db, currency=about.currency, per_usd=about.per_usd)
    told_of = (one.partition(". ")[2] for one in origin.footnotes())
    return of.notes.add(f"{product.name}: {one}" for one in told_of)


def _margin_picture(found: Sequence[Economics]) -> Picture:
    rows = [
        Bar(one.product.name, 0.0, float(one.margin_share.expected), percent(one.margin_share.expected), 0)
        for one in found
        if one.margin_share is not None
    ]
    words = "Gross margin by product: " + "; ".join(f"{one.name} {one.told}" for one in rows)
    return Picture("Gross margin by product, share of the price", pictures.bars(words, rows), words)


def _part(found: Economics, field: str) -> str:
    value = getattr(found, field)
    if field == "inference":
        return told_span(value, found.currency)
    return told(value, found.currency)


def _margin(found: Economics) -> str:
    share = found.margin_share
    if share is None:
        return "no revenue"
    if share.is_exact:
        return percent(share.expected)
    return f"{percent(share.expected)} ({percent(share.low)} to {percent(share.high)})"


def _token_price(found: Economics) -> str:
    price = found.usd_per_million
    return "–" if price is None else told(price, "USD")


def _target(found: Economics) -> str:
    price = target_price(found).price
    target = f"{found.product.target_margin:.0%}"
    return f"none ({target})" if price is None else f"{told(rounded_up(price.expected), found.currency)} ({target})"


def _source(product: ProductSpec) -> str:
    cost = product.cost
    prices = f"{told(cost.usd_per_million_input, 'USD')} in, {told(cost.usd_per_million_output, 'USD')} out"
    if cost.source == "estimate":
        return f"{prices}: estimate {cost.scenario_name or 'of ' + str(cost.as_of)}"
    if cost.source == "api":
        return f"{prices}: API price of {cost.model or 'a model'} from {cost.provider or 'a provider'}"
    return f"{prices}: typed in"
