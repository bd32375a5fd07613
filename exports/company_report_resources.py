"""Sections of a company's report on what it takes: people, compute and other costs, and sources of money."""

from __future__ import annotations

from collections.abc import Sequence

from core.venture import months
from core.venture.funding import KINDS
from core.venture.money import shown
from core.venture.people import FUNCTIONS
from core.venture.plan import monthly_cost
from exports import company_pictures as pictures
from exports.company_pictures import Series
from exports.company_report_parts import Picture, Row, Section, grid
from exports.company_report_source import Source


def team(of: Source) -> Section:
    title = "Team"
    if not of.spec.team:
        return Section("team", title, missing="Nobody is on the team yet.")
    rows = [
        (
            one.role,
            FUNCTIONS[one.function],
            f"{one.count:g}",
            shown(one.salary, of.currency),
            of.money(monthly_cost(one)),
            "from the start" if one.start is None else months.said(one.start),
            "" if one.end is None else months.said(one.end),
        )
        for one in of.spec.team
    ]
    at = [one.end - 1 for one in of.years]
    heads = [("People at the end", *(f"{of.plan.headcount[0, month]:g}" for month in at))]
    heads += [
        (title, *(of.money(of.plan.team[name][0, one.first : one.end].sum()) for one in of.years))
        for name, title in FUNCTIONS.items()
        if of.plan.team[name].any()
    ]
    words = f"People: {of.plan.headcount[0, 0]:g} in {months.said(of.plan.months[0])}, "
    words += f"{of.plan.headcount[0, -1]:g} in {months.said(of.plan.months[-1])}"
    line = Series("people", [float(one) for one in of.plan.headcount[0]], 0)
    drawing = pictures.lines(words, of.plan.months, [line], lambda value: f"{value:g}")
    return Section(
        "team",
        title,
        (
            *grid(
                "Roles",
                ("Role", "Function", "People", "Salary a year", "All of them a month", "From", "To"),
                rows,
                words=(1, 5, 6),
            ),
            Picture("People at the end of each month", drawing, words),
            *grid("By year of the plan", ("", *(one.label for one in of.years)), heads),
        ),
    )


def costs(of: Source) -> Section:
    """Compute and other expenses, with the estimates that amounts are from."""
    title = "Compute and other costs"
    spec, money = of.spec, of.currency
    if not spec.compute and not spec.expenses:
        return Section("costs", title, missing="There is neither compute nor any other cost.")
    compute = [
        Row(
            (
                one.name,
                one.kind,
                shown(one.amount, money),
                "once" if one.once else "each month" if one.every_months == 1 else f"each {one.every_months} months",
                _span(one.start, one.end),
            ),
            of.notes.add([_compute_note(one.name, one.scenario_name, one.measurement_ids, one.as_of)]),
        )
        for one in spec.compute
    ]
    expenses = [
        (
            one.name,
            FUNCTIONS[one.function],
            " + ".join(
                part
                for part in (
                    shown(one.amount, money) if one.amount else "",
                    f"{one.share_of_revenue:.1%} of revenue" if one.share_of_revenue else "",
                )
                if part
            ),
            "once" if one.once else "each month",
            f"{one.growth:.1%} a month" if one.growth else "",
            _span(one.start, one.end),
        )
        for one in spec.expenses
    ]
    return Section(
        "costs",
        title,
        (
            *grid("Compute", ("What", "Kind", "Amount", "Paid", "From, to"), compute, words=(1, 3, 4)),
            *grid(
                "Other costs", ("What", "Function", "Amount", "Paid", "Grows", "From, to"), expenses, words=(1, 3, 5)
            ),
        ),
    )


def funding(of: Source) -> Section:
    title = "Sources of money"
    if not of.spec.funding:
        return Section("funding", title, missing="No money is planned to come in beside what customers pay.")
    rows = [
        (
            one.name,
            KINDS[one.kind],
            months.said(one.month),
            shown(one.amount, of.currency),
            _repaid(one.interest, one.grace_months, one.repay_months, one.owed),
            one.terms,
        )
        for one in of.spec.funding
    ]
    blocks = grid("In the plan", ("Source", "Kind", "Month", "Amount", "Repaid", "Terms"), rows, words=(1, 2, 4, 5))
    if not of.plan.owed.any():
        return Section("funding", title, blocks)
    loans = [
        ("Repaid", *(of.money(of.plan.repayments[0, one.first : one.end].sum()) for one in of.years)),
        ("Interest", *(of.money(of.plan.interest[0, one.first : one.end].sum()) for one in of.years)),
        ("Owed at the end", *(of.money(of.plan.owed[0, one.end - 1]) for one in of.years)),
    ]
    heads = ("", *(one.label for one in of.years))
    return Section("funding", title, (*blocks, *grid("Loans by year of the plan", heads, loans)))


def _compute_note(name: str, scenario: str, measured: Sequence[str], day: object) -> str:
    """Of an amount that an estimate says; "" of one that was typed."""
    if not scenario:
        return ""
    ids = f" Measurements: {', '.join(measured[:3])}." if measured else ""
    more = f" And {len(measured) - 3} more." if len(measured) > 3 else ""
    when = f" of {day}" if day else ""
    return f"{name}: estimate “{scenario}”{when}.{ids}{more}"


def _span(first: str | None, last: str | None) -> str:
    begins = months.said(first) if first else "the start"
    return f"{begins} to {months.said(last)}" if last else f"from {begins}"


def _repaid(interest: float, grace: int, repay: int, owed: bool) -> str:
    if not repay:
        return f"not within the plan, {interest:.1%} a year" if owed else "never"
    after = f" after {grace} months" if grace else ""
    return f"over {repay} months{after}, {interest:.1%} a year"
