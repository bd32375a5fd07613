"""Pictures of the resources: from which money what is paid, who is there when, and what each kind of cost comes to."""

from __future__ import annotations

import plotly.graph_objects as go

from core.venture import months as calendar
from core.venture.flows import Flow, Flows
from core.venture.funding import KINDS
from core.venture.headcount import Seat, heads, seats
from core.venture.money import major, minor, short, shown
from core.venture.people import FUNCTIONS, Function
from core.venture.plan import Plan, compute_months
from core.venture.spec import CompanySpec
from pages.widgets.chart_parts import BAND, GREY, Row, Sketch, hover
from pages.widgets.dashboard_months_charts import Layer, legend, month_axis, stack_figure
from pages.widgets.words import cut

ROW = 42  # pixels of a role in the picture of the team
KINDS_OF_COMPUTE = {
    "fine-tune": "Fine-tunes",
    "experiments": "Experiments",
    "serving": "Serving",
    "data": "Data",
}


def flow_figure(found: Flows) -> go.Figure:
    """A Sankey: sources on the left, uses and what flows back on the right; thickness is money."""
    sketch = Sketch()
    colours = {"start": GREY, "funding": sketch.colours[0], "revenue": sketch.colours[2], "return": sketch.colours[1]}
    left = [*found.sources, *([Flow("Missing", "end", found.missing)] if found.missing else [])]
    right = [*found.uses, *found.returns]
    if found.closing > 0:
        right.append(Flow("Left in the bank", "start", found.closing))
    paint = [sketch.colours[1] if one.name == "Missing" else colours.get(one.group, sketch.colours[4]) for one in left]
    paint += [GREY]
    paint += [colours.get(one.group, sketch.colours[5]) for one in right]
    company = len(left)
    texts = [_flow_text(one, found) for one in (*left, *right)]
    sketch.traces.append(
        {
            "type": "sankey",
            "arrangement": "fixed",
            "node": {
                "label": [*(texts[: len(left)]), "", *(texts[len(left) :])],
                "color": paint,
                "pad": 15,
                "thickness": 12,
                "line": {"width": 0},
                "hoverinfo": "skip",
            },
            "link": {
                "source": [*range(len(left)), *(company for _ in right)],
                "target": [*(company for _ in left), *range(company + 1, company + 1 + len(right))],
                "value": [one.amount / 100 for one in (*left, *right)],
                "color": f"rgba(128, 128, 128, {BAND})",
                "customdata": texts,
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            "textfont": {"size": 12, "color": sketch.ink},
        }
    )
    rows = max(len(left), len(right))
    span = f"{calendar.said(found.first)} to {calendar.said(found.last)}"
    return sketch.figure(
        "Where the money comes from, and where it goes",
        told=f"{span}; thickness is money",
        height=150 + 34 * rows,
        margin={"l": 8, "r": 8, "b": 20},
    )


def _flow_text(one: Flow, found: Flows) -> str:
    return hover(f"{cut(one.name, 30)} {short(major(one.amount), found.currency)}")


def funding_figure(spec: CompanySpec, plan: Plan) -> go.Figure:
    """What comes in by kind, and below 0 what flows back."""
    sketch = Sketch()
    layers = [
        Layer(KINDS[kind], values, sketch.colours[(0, 5, 2, 3, 8, 4)[place]])
        for place, kind in enumerate(KINDS)
        if any(values := _came(spec, plan, kind))
    ]
    for name, line, colour in (
        ("Repayments", plan.repayments, sketch.colours[1]),
        ("Interest", plan.interest, sketch.colours[9 % len(sketch.colours)]),
    ):
        if line[0].any():
            layers.append(Layer(name, [-int(value) for value in line[0]], colour))
    total = short(major(int(plan.funding_in[0].sum())), plan.currency)
    return stack_figure("Money from outside", plan.months, layers, plan.currency, told=f"{total} in this plan")


def _came(spec: CompanySpec, plan: Plan, kind: str) -> list[int]:
    found = [0] * len(plan.months)
    for given, line in zip(spec.funding, plan.funding.values(), strict=True):
        if given.kind == kind:
            found = [before + int(value) for before, value in zip(found, line[0], strict=True)]
    return found


def funding_rows(spec: CompanySpec, plan: Plan) -> list[Row]:
    return [
        {"month": month, "currency": plan.currency}
        | {f"in_{kind}": _major(_came(spec, plan, kind)[place]) for kind in KINDS}
        | {
            "repayments": _major(plan.repayments[0, place]),
            "interest": _major(plan.interest[0, place]),
            "owed_at_month_end": _major(plan.owed[0, place]),
        }
        for place, month in enumerate(plan.months)
    ]


def team_figure(spec: CompanySpec, plan: Plan) -> go.Figure:
    """A bar a role from its start to its end, in the colour of its function; its cost a month stands in it."""
    sketch = Sketch()
    there = [one for one in seats(spec) if one.there]
    paint = _paint(sketch)
    for place, one in enumerate(there):
        sketch.add(
            "bar",
            [_seat_text(one, plan)],
            orientation="h",
            x=[one.end - one.first],
            base=[one.first - 0.5],
            y=[place + 0.2],
            width=0.45,
            marker={"color": paint[one.function], "line": {"width": 0}},
            name=FUNCTIONS[one.function],
            legendgroup=one.function,
            showlegend=one.function not in {before.function for before in there[:place]},
        )
        many = f" × {one.count:g}" if one.count != 1 else ""
        late = one.first > len(plan.months) * 0.4
        sketch.note(
            hover(f"{cut(one.role, 26)}{many}") + f"  <b>{short(major(one.monthly), plan.currency)}</b>",
            x=one.first - 0.6 if late else one.first,
            y=place - 0.23,
            xref="x",
            yref="y",
            xanchor="right" if late else "left",
            yanchor="middle",
            font={"size": 13, "color": sketch.ink},
            bgcolor="rgba(0,0,0,0)",
        )
    shown = legend(len({one.function for one in there}), 140 + ROW * len(there))
    return sketch.figure(
        "Who is there, from when",
        told="amounts: cost a month, taxes and benefits included",
        barmode="overlay",
        xaxis=month_axis(plan.months) | {"showgrid": True, "range": [-0.6, len(plan.months) - 0.4]},
        yaxis={"range": [len(there) - 0.4, -0.6], "showticklabels": False, "showgrid": False, "zeroline": False},
        **(shown | {"margin": {"l": 12} | shown.get("margin", {})}),
    )


def _seat_text(one: Seat, plan: Plan) -> str:
    return hover(
        f"{one.role}: {one.count:g}",
        FUNCTIONS[one.function],
        f"{calendar.said(plan.months[one.first])} to {calendar.said(plan.months[one.end - 1])}",
        f"{shown(major(one.monthly), plan.currency)} a month",
    )


def _paint(sketch: Sketch) -> dict[Function, str]:
    return {name: sketch.colours[(1, 0, 2, 6)[place]] for place, name in enumerate(FUNCTIONS)}


def team_cost_figure(spec: CompanySpec, plan: Plan) -> go.Figure:
    paint = _paint(Sketch())
    layers = [
        Layer(FUNCTIONS[name], [int(value) for value in plan.team[name][0]], paint[name])
        for name in FUNCTIONS
        if plan.team[name][0].any()
    ]
    first, last = plan.headcount[0, 0], plan.headcount[0, -1]
    return stack_figure(
        "Cost of people", plan.months, layers, plan.currency, told=f"{first:g} people at the start, {last:g} at the end"
    )


def team_rows(spec: CompanySpec, plan: Plan) -> list[Row]:
    counted = heads(spec)
    return [
        {"month": month, "currency": plan.currency, "headcount": float(plan.headcount[0, place])}
        | {f"people_{name}": counted[name][place] for name in FUNCTIONS}
        | {f"cost_{name}": _major(plan.team[name][0, place]) for name in FUNCTIONS}
        for place, month in enumerate(plan.months)
    ]


def compute_figure(spec: CompanySpec, plan: Plan) -> go.Figure:
    layers = [
        Layer(label, values) for kind, label in KINDS_OF_COMPUTE.items() if any(values := _compute(spec, plan, kind))
    ]
    tokens = [sum(int(one.inference[0, place]) for one in plan.products) for place in range(len(plan.months))]
    if any(tokens):
        layers.append(Layer("Inference of the products", tokens, GREY))
    total = sum(sum(one.values) for one in layers)
    return stack_figure(
        "Cost of compute", plan.months, layers, plan.currency, told=f"{short(major(total), plan.currency)} in this plan"
    )


def _compute(spec: CompanySpec, plan: Plan, kind: str) -> list[int]:
    found = [0] * len(plan.months)
    for one in spec.compute:
        if one.kind == kind:
            for month in compute_months(one, plan.months[0], len(plan.months)):
                found[month] += minor(one.amount)
    return found


def compute_rows(spec: CompanySpec, plan: Plan) -> list[Row]:
    """A row a month and line, with the estimate that it is from."""
    return [
        {
            "month": plan.months[month],
            "currency": plan.currency,
            "name": one.name,
            "kind": one.kind,
            "amount": float(one.amount),
            "estimate": one.scenario_name,
            "scenario_id": one.scenario_id,
        }
        for one in spec.compute
        for month in compute_months(one, plan.months[0], len(plan.months))
    ] + _inference_rows(plan)


def _inference_rows(plan: Plan) -> list[Row]:
    return [
        {
            "month": month,
            "currency": plan.currency,
            "name": f"Inference: {one.name}",
            "kind": "inference",
            "amount": _major(one.inference[0, place]),
        }
        for one in plan.products
        for place, month in enumerate(plan.months)
    ]


def expense_figure(plan: Plan) -> go.Figure:
    paint = _paint(Sketch())
    layers = [
        Layer(FUNCTIONS[name], [int(value) for value in plan.expenses[name][0]], paint[name])
        for name in FUNCTIONS
        if plan.expenses[name][0].any()
    ]
    total = sum(sum(one.values) for one in layers)
    return stack_figure(
        "Other expenses", plan.months, layers, plan.currency, told=f"{short(major(total), plan.currency)} in this plan"
    )


def expense_rows(plan: Plan) -> list[Row]:
    return [
        {"month": month, "currency": plan.currency}
        | {name: _major(plan.expenses[name][0, place]) for name in FUNCTIONS}
        for place, month in enumerate(plan.months)
    ]


def _major(units: int) -> float:
    return float(major(int(units)))
