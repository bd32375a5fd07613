"""Pictures of the business: revenue by product, and one product's recurring revenue and how it moved."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.venture import months as calendar
from core.venture.money import major, short, shown
from core.venture.plan import Plan
from core.venture.product_plan import ProductPlan
from pages.widgets.chart_parts import GREY, Row, Sketch, hover
from pages.widgets.dashboard_months_charts import Layer, legend, money_axis, month_axis, stack_figure

MOVES = (  # name, what it is on ProductPlan, sign, place in the palette
    ("new", "mrr_new", 1, 0),
    ("reactivation", "mrr_reactivation", 1, 5),
    ("expansion", "mrr_expansion", 1, 2),
    ("contraction", "mrr_contraction", -1, 4),
    ("churn", "mrr_churn", -1, 1),
)


def mix_figure(plan: Plan) -> go.Figure:
    """Recurring revenue below, projects in grey on top: they are never MRR."""
    ordered = sorted(plan.products, key=lambda one: one.model == "project")
    projects = [one for one in ordered if one.model == "project"]
    layers = [
        Layer(
            f"{one.name} (not recurring)" if one in projects else one.name,
            [int(value) for value in one.revenue[0]],
            GREY if len(projects) == 1 and one in projects else None,
        )
        for one in ordered
    ]
    total, recurring = int(plan.revenue[0].sum()), int(plan.recurring[0].sum())
    share = f"{recurring / total:.0%} of it recurring" if total else "nothing is sold yet"
    return stack_figure(
        "Revenue by product", plan.months, layers, plan.currency, told=f"{share}; projects are never in MRR"
    )


def mix_rows(plan: Plan) -> list[Row]:
    return [
        {
            "month": month,
            "currency": plan.currency,
            "product": one.name,
            "model": one.model,
            "recurring": one.model != "project",
            "revenue": float(major(one.revenue[0, place])),
            "mrr": float(major(one.mrr[0, place])),
        }
        for one in plan.products
        for place, month in enumerate(plan.months)
    ]


def product_figure(plan: Plan, one: ProductPlan) -> go.Figure:
    """MRR, and the movements that made it; of projects, the revenue and how many are in work."""
    return _project_figure(plan, one) if one.model == "project" else _recurring_figure(plan, one)


def _recurring_figure(plan: Plan, one: ProductPlan) -> go.Figure:
    sketch, places = Sketch(), list(range(len(plan.months)))
    mrr = [int(value) for value in one.mrr[0]]
    _line(sketch, plan, mrr, "MRR")
    ends = list[int]()
    for name, field, sign, colour in MOVES:
        values = [sign * int(value) for value in getattr(one, field)[0]]
        ends += values
        sketch.add(
            "bar",
            _texts(plan, name, values),
            x=places,
            y=[value / 100 for value in values],
            name=name,
            marker={"color": sketch.colours[colour], "line": {"width": 0}},
            yaxis="y2",
        )
    gains, losses = _sums(one)
    return sketch.figure(
        "Monthly recurring revenue",
        told="below: how it moved",
        barmode="relative",
        bargap=0.15,
        xaxis=month_axis(plan.months, anchor="y2"),
        yaxis=money_axis(mrr, plan.currency, title=plan.currency, domain=[0.52, 1]),
        yaxis2=money_axis([*gains, *losses], plan.currency, title=f"{plan.currency} a month", domain=[0, 0.4]),
        **legend(len(MOVES), 450),
    )


def _project_figure(plan: Plan, one: ProductPlan) -> go.Figure:
    sketch, places = Sketch(), list(range(len(plan.months)))
    revenue = [int(value) for value in one.revenue[0]]
    _line(sketch, plan, revenue, "revenue")
    work = [float(value) for value in one.customers[0]]
    texts = [hover(calendar.said(name), f"in work: {value:.1f}") for name, value in zip(plan.months, work, strict=True)]
    sketch.add(
        "bar",
        texts,
        x=places,
        y=work,
        marker={"color": sketch.colours[2], "line": {"width": 0}},
        yaxis="y2",
    )
    return sketch.figure(
        "Revenue from projects",
        told="never in MRR; below: projects in work",
        height=430,
        bargap=0.15,
        xaxis=month_axis(plan.months, anchor="y2"),
        yaxis=money_axis(revenue, plan.currency, title=f"{plan.currency} a month", domain=[0.5, 1]),
        yaxis2={"title": "projects", "domain": [0, 0.38], "rangemode": "tozero", "nticks": 4},
    )


def _line(sketch: Sketch, plan: Plan, values: Sequence[int], name: str) -> None:
    places = list(range(len(values)))
    sketch.line(places, [value / 100 for value in values], sketch.colours[0], _texts(plan, name, values))
    sketch.traces[-1]["showlegend"] = False
    at = places[-1]
    sketch.label(
        at, values[at] / 100, f"<b>{short(major(values[at]), plan.currency)}</b>", xanchor="right", yanchor="bottom"
    )


def _texts(plan: Plan, name: str, values: Sequence[int]) -> list[str]:
    return [
        hover(calendar.said(month), f"{name}: {shown(major(value), plan.currency)}")
        for month, value in zip(plan.months, values, strict=True)
    ]


def _sums(one: ProductPlan) -> tuple[list[int], list[int]]:
    """What the bars reach above and below 0, a month."""
    gains = one.mrr_new[0] + one.mrr_reactivation[0] + one.mrr_expansion[0]
    losses = one.mrr_contraction[0] + one.mrr_churn[0]
    return [int(value) for value in gains], [-int(value) for value in losses]


def product_rows(plan: Plan, one: ProductPlan) -> list[Row]:
    counts = ("opening", "new", "reactivated", "churned", "customers")
    amounts = ("mrr_opening", *(field for _, field, _, _ in MOVES), "mrr", "revenue", "receipts")
    return [
        {"month": month, "product": one.name, "currency": plan.currency}
        | {f"customers_{name}" if name != "customers" else name: float(getattr(one, name)[0, place]) for name in counts}
        | {name: float(major(getattr(one, name)[0, place])) for name in amounts}
        for place, month in enumerate(plan.months)
    ]
