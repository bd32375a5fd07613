"""Sections of a company's report from its monthly plan: summary, profit and cash, metrics, and what really happened.

Of what may come instead of the plan: `company_report_chances`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.venture import months, runway
from core.venture.beside_plan import beside, counted_sentence
from core.venture.metrics import METRICS, metrics, said
from core.venture.money import shown
from core.venture.overview import outlook, sentence
from core.venture.periods import Period, period, periods
from core.venture.plan import Plan
from core.venture.raising import RaiseTiming
from exports import company_pictures as pictures
from exports.company_pictures import Series
from exports.company_report_chances import NO_PLAN, cash_picture
from exports.company_report_parts import Block, Picture, Row, Section, Text, grid
from exports.company_report_source import Source, amounts

YEAR = 12
FLOWS: tuple[tuple[str, str, bool], ...] = (
    ("revenue", "Revenue", False),
    ("cogs", "Cost of revenue", False),
    ("gross_profit", "Gross profit", True),
    ("research", "Research and development", False),
    ("sales", "Sales and marketing", False),
    ("general", "General and administrative", False),
    ("operating_profit", "Operating profit", True),
    ("interest", "Interest", False),
    ("tax", "Tax", False),
    ("net_profit", "Net profit", True),
)
MOVES = (
    ("mrr_new", "New", 1),
    ("mrr_expansion", "Expansion", 1),
    ("mrr_reactivation", "Reactivation", 1),
    ("mrr_contraction", "Contraction", -1),
    ("mrr_churn", "Churn", -1),
)


def summary(of: Source) -> Section:
    title = "Summary"
    if of.is_blank:
        return Section("summary", title, missing=NO_PLAN)
    found, seen = of.plan, outlook(of.plan)
    asked = of.spec.fundraising
    last = _last_year(found)
    now = metrics(found, last)
    rows = [
        ("Cash at the start", of.money(found.opening_cash)),
        (f"Cash at the end, {months.said(found.months[-1])}", of.money(found.cash[0, -1])),
        (f"Lowest cash, {months.said(found.months[seen.lowest])}", of.money(seen.lowest_cash)),
        ("Funding in the plan", of.money(found.funding_in[0].sum())),
        (f"Revenue, {last.label}", of.money(found.revenue[0, last.first :].sum())),
        (f"ARR, {months.said(found.months[-1])}", now["arr"].words(of.currency)),
        (f"Gross margin, {last.label}", now["gross_margin"].words(of.currency)),
        (f"People, {months.said(found.months[-1])}", f"{found.headcount[0, -1]:g}"),
    ]
    counted = counted_sentence(found, of.spec.actuals)
    blocks: list[Block] = [
        Text(sentence(found), strong=True),
        *([Text(counted, strong=True)] if counted else ()),
        Text(_raising(runway.start_raising(found, asked.months_to_close, asked.buffer_months))),
        *grid("Key figures", ("Figure", of.currency), rows),
        cash_picture(of, scenarios=False),
        _in_and_out(of),
    ]
    return Section("summary", title, tuple(blocks))


def profit(of: Source) -> Section:
    """Profit and loss and cash by year, with the movements of MRR by quarter."""
    title = "Plan: profit and cash"
    if of.is_blank:
        return Section("plan", title, missing=NO_PLAN)
    found, years = of.plan, of.years
    heads = (f"{of.currency}", *(one.label for one in years))
    rows = [Row((name, *_sums(of, getattr(found, key)[0], years)), strong=strong) for key, name, strong in FLOWS]
    cash = [
        Row(("Cash before", *(of.money(_before(found, one)) for one in years))),
        *(
            Row((name, *_sums(of, values[0], years)))
            for name, values in (
                ("Paid by customers", found.receipts),
                ("Paid for costs, interest and tax", -found.payments),
                ("Funding", found.funding_in),
                ("Repayments", -found.repayments),
            )
        ),
        Row(("Cash at the end", *(of.money(found.cash[0, one.end - 1]) for one in years)), strong=True),
    ]
    blocks: list[Block] = [
        *grid("Profit and loss by year of the plan", heads, rows),
        *grid("Cash by year of the plan", heads, cash),
        _profit_picture(of),
        *_mrr_picture(of),
    ]
    return Section("plan", title, tuple(blocks))


def metric_section(of: Source) -> Section:
    title = "Metrics"
    if not of.spec.products:
        return Section("metrics", title, missing="There is no product, so nothing is sold.")
    years = of.years
    found = [metrics(of.plan, one) for one in years]
    rows = []
    for key, definition in METRICS.items():
        cells = [_metric(one[key].value, one[key].unit, of.currency, one[key].note) for one in found]
        note = f"{definition.label}: {definition.definition} Source: {definition.source}."
        rows.append(Row((definition.label, *cells), of.notes.add([note])))
    return Section(
        "metrics",
        title,
        (
            *grid("By year of the plan", ("Metric", *(one.label for one in years)), rows),
            Text("A dash: the metric has no value in that time, as without new customers there is no cost of one."),
        ),
    )


def actuals(of: Source) -> Section:
    title = "What really happened"
    found = beside(of.plan, of.spec.actuals)
    if not found.rows:
        why = "The months that were counted are not in the plan." if found.outside else "No month has been counted yet."
        return Section("actuals", title, missing=why)
    rows = [
        (
            one.label,
            one.month,
            _counted(one.planned, of.currency),
            _counted(one.actual, of.currency),
            "" if one.share is None else f"{one.share:+.1%}".replace("-", "−"),
        )
        for one in found.so_far
    ]
    return Section(
        "actuals",
        title,
        grid("Counted so far, beside the plan", ("Figure", "Months", "Planned", "Actual", "Off by"), rows, words=(1,)),
    )


def _in_and_out(of: Source) -> Picture:
    found = of.plan
    series = [Series("revenue", amounts(found.revenue[0]), 0), Series("spent", amounts(found.payments[0]), 1)]
    told = (
        f"Revenue grows from {of.short(found.revenue[0, 0])} to {of.short(found.revenue[0, -1])} a month, "
        f"what is spent from {of.short(found.payments[0, 0])} to {of.short(found.payments[0, -1])}."
    )
    drawing = pictures.lines(told, found.months, series, pictures.money(of.currency))
    return Picture(f"Revenue and spending a month ({of.currency})", drawing, told, ((0, "revenue"), (1, "spent")))


def _profit_picture(of: Source) -> Picture:
    found, years = of.plan, of.years
    shown_as = (("revenue", "Revenue"), ("gross_profit", "Gross profit"), ("net_profit", "Net profit"))
    series = [
        Series(name, [float(getattr(found, key)[0, one.first : one.end].sum()) / 100 for one in years], place)
        for place, (key, name) in enumerate(shown_as)
    ]
    told = "; ".join(
        f"{one.label}: revenue {of.short(found.revenue[0, one.first : one.end].sum())}, net profit "
        f"{of.short(found.net_profit[0, one.first : one.end].sum())}"
        for one in years
    )
    groups = [f"Year {number}" for number in range(1, len(years) + 1)]
    drawing = pictures.columns(told, groups, series, pictures.money(of.currency), stacked=False)
    key = tuple((one.style, one.name) for one in series)
    return Picture(f"Profit and loss by year ({of.currency})", drawing, told, key, areas=True)


def _mrr_picture(of: Source) -> tuple[Picture, ...]:
    """Movements of recurring revenue by quarter; () where nothing recurs."""
    lasting = [one for one in of.plan.products if one.model != "project"]
    if not lasting:
        return ()
    quarters = periods(of.plan.months, "quarter")
    series = []
    for place, (key, name, way) in enumerate(MOVES):
        line = sum((getattr(one, key)[0] for one in lasting), np.zeros(len(of.plan.months), dtype=np.int64))
        values = [way * float(line[one.first : one.end].sum()) / 100 for one in quarters]
        if any(values):
            series.append(Series(name, values, place))
    first, last = of.plan.recurring[0, 0], of.plan.recurring[0, -1]
    told = f"MRR goes from {of.short(first)} to {of.short(last)}; up: what was won, down: what was lost, by quarter."
    groups = [months.said(of.plan.months[one.first]) for one in quarters]
    drawing = pictures.columns(told, groups, series, pictures.money(of.currency), stacked=True)
    named = tuple((one.style, one.name) for one in series)
    return (Picture(f"Movements of MRR by quarter ({of.currency})", drawing, told, named, areas=True),)


def _last_year(found: Plan) -> Period:
    count = len(found.months)
    return period(found.months, max(0, count - YEAR), count)


def _sums(of: Source, values: NDArray[np.int64], years: Sequence[Period]) -> tuple[str, ...]:
    return tuple(of.money(values[one.first : one.end].sum()) for one in years)


def _before(found: Plan, one: Period) -> int:
    return int(found.cash[0, one.first - 1]) if one.first else found.opening_cash


def _raising(timing: RaiseTiming) -> str:
    if timing.start is None:
        return "No money has to be raised for this plan."
    return f"Start raising {'now, it is late' if timing.late else f'by {months.said(timing.start)}'}."


def _metric(value: Decimal | float | None, unit: str, currency: str, note: str) -> str:
    if value is None:
        return "–"
    words = said(value, unit, currency)  # type: ignore[arg-type]
    return f"{words} ({note})" if note else words


def _counted(value: Decimal | float, currency: str) -> str:
    return shown(value, currency) if isinstance(value, Decimal) else f"{value:,.1f}".removesuffix(".0")
