"""Each metric's value and what went into it, from the sums of a period: the formulas, fed from a plan."""

from __future__ import annotations

from decimal import Decimal

from core.venture import metric_formulas as formulas
from core.venture.metric_formulas import Undefined, Value
from core.venture.metric_inputs import Facts

MOST = Decimal(10) ** 18  # beyond it cents say nothing, and have no place in a Decimal

_MARGIN = "Gross margin of subscriptions and usage"

Inputs = tuple[tuple[str, Decimal | float], ...]


def cents(value: Decimal | float) -> Decimal:
    """As money is shown."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return exact if abs(exact) >= MOST else exact.quantize(Decimal("0.01"))


def mrr(f: Facts) -> tuple[Decimal, Inputs]:
    return f.mrr, (("Recurring revenue of the last month", f.mrr),)


def arr(f: Facts) -> tuple[Decimal, Inputs]:
    return 12 * f.mrr, (("MRR", f.mrr),)


def net_new_mrr(f: Facts) -> tuple[Decimal, Inputs]:
    moves = (
        ("New", f.new),
        ("Expansion", f.expansion),
        ("Reactivation", f.reactivation),
        ("Contraction", f.contraction),
        ("Churn", f.churn),
    )
    return f.net_new_mrr, moves


def nrr(f: Facts) -> tuple[Value, Inputs]:
    c = f.cohort
    inputs = (
        ("Opening MRR", c.opening),
        ("Expansion", c.expansion),
        ("Contraction", c.contraction),
        ("Churn", c.churn),
    )
    return formulas.nrr(c.opening, c.expansion, c.contraction, c.churn), inputs


def grr(f: Facts) -> tuple[Value, Inputs]:
    c = f.cohort
    inputs = (("Opening MRR", c.opening), ("Contraction", c.lost_contraction), ("Churn", c.lost_churn))
    return formulas.grr(c.opening, c.lost_contraction, c.lost_churn), inputs


def logo_churn(f: Facts) -> tuple[Value, Inputs]:
    c = f.cohort
    return formulas.logo_churn(c.customers_lost, c.customers), (
        ("Customers lost", c.customers_lost),
        ("Customers at the start", c.customers),
    )


def arpa(f: Facts) -> tuple[Value, Inputs]:
    return formulas.arpa(f.recurring, f.customer_months), (
        ("Recurring revenue", f.recurring),
        ("Customers, summed over the months", f.customer_months),
    )


def cac(f: Facts) -> tuple[Value, Inputs]:
    inputs: Inputs = (("Sales and marketing", f.sales), ("New customers of subscriptions and usage", f.new_customers))
    if not f.new_customers:
        return Undefined("no new customers of subscriptions or usage"), inputs
    return formulas.cac(f.sales, f.new_customers), inputs


def gross_margin(f: Facts) -> tuple[Value, Inputs]:
    return formulas.gross_margin(f.revenue, f.cogs), (("Revenue", f.revenue), ("COGS", f.cogs))


def recurring_margin(f: Facts) -> Value:
    """Of subscriptions and usage, which is what a customer's payments are."""
    return formulas.gross_margin(f.recurring, f.recurring_cogs)


def ltv(f: Facts) -> tuple[Value, Inputs]:
    found = _known(arpa(f)[0], recurring_margin(f), f.monthly_churn)
    if isinstance(found, Undefined):
        return found, ()
    account, margin, churn = found
    return formulas.ltv(account, margin, churn), (
        ("ARPA a month", cents(account)),
        (_MARGIN, margin),
        ("Customers lost a month, share", churn),
    )


def ltv_to_cac(f: Facts) -> tuple[Value, Inputs]:
    found = _known(ltv(f)[0], cac(f)[0])
    if isinstance(found, Undefined):
        return found, ()
    lifetime, cost = found
    return formulas.ltv_to_cac(lifetime, cost), (("LTV", cents(lifetime)), ("CAC", cents(cost)))


def payback(f: Facts) -> tuple[Value, Inputs]:
    found = _known(cac(f)[0], arpa(f)[0], recurring_margin(f))
    if isinstance(found, Undefined):
        return found, ()
    cost, account, margin = found
    return formulas.payback_months(cost, account, margin), (
        ("CAC", cents(cost)),
        ("ARPA a month", cents(account)),
        (_MARGIN, margin),
    )


def net_burn(f: Facts) -> tuple[Decimal, Inputs]:
    return f.net_burn, (("Cash out", f.cash_out), ("Cash in", f.cash_in))


def runway(f: Facts) -> tuple[Value, Inputs]:
    burnt = f.last_net_burn
    return formulas.runway(f.cash, burnt), (("Cash at the end", f.cash), ("Net burn of the last month", burnt))


def burn_multiple(f: Facts) -> tuple[Value, Inputs]:
    grown = 12 * f.net_new_mrr
    return formulas.burn_multiple(f.net_burn, grown), (("Net burn", f.net_burn), ("Net new ARR", grown))


def rule_of_40(f: Facts) -> tuple[Value, Inputs]:
    if f.year_before is None:
        return Undefined("needs the same months a year before"), ()
    grown = formulas.growth(f.revenue, f.year_before)
    margin = formulas.gross_margin(f.revenue, f.revenue - f.operating_profit)
    if isinstance(grown, Undefined) or isinstance(margin, Undefined):
        return Undefined("no revenue now or a year before"), ()
    inputs: Inputs = (
        ("Revenue", f.revenue),
        ("Revenue a year before", f.year_before),
        ("Operating profit", f.operating_profit),
    )
    return formulas.rule_of_40(grown, margin), inputs


def magic_number(f: Facts) -> tuple[Value, Inputs]:
    if f.quarters is None:
        return Undefined("needs two whole quarters"), ()
    now, before, spent = f.quarters
    return formulas.magic_number(now, before, spent), (
        ("Revenue, last three months", now),
        ("Revenue, three months before", before),
        ("Sales and marketing, three months before", spent),
    )


def quick_ratio(f: Facts) -> tuple[Value, Inputs]:
    inputs: Inputs = (
        ("New", f.new),
        ("Expansion", f.expansion),
        ("Churn", f.churn),
        ("Contraction", f.contraction),
    )
    return formulas.quick_ratio(f.new, f.expansion, f.churn, f.contraction), inputs


def customers(f: Facts) -> tuple[Value, Inputs]:
    return f.customers, (("Customers who pay again and again, at the end", f.customers),)


def inference_share(f: Facts) -> tuple[Value, Inputs]:
    found = formulas.gross_margin(f.revenue, f.revenue - f.inference)
    return found, (("Inference", f.inference), ("Revenue", f.revenue))


def _known(*values: Value) -> Undefined | tuple[float, ...]:
    """The values, or why the first that is missing has none."""
    found = []
    for one in values:
        if isinstance(one, Undefined):
            return one
        found.append(one)
    return tuple(found)
