"""Pictures of the register: items by likelihood and impact, and what each topic rests on."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.venture.evidence import Evidence, rests_on_something, ties
from core.venture.risks import TOPICS, RiskSpec
from pages.widgets.chart_parts import GREY, Row, Sketch, even_axis, hover
from pages.widgets.part_bars import Bars
from pages.widgets.words import count_of, cut

HEIGHT = 380
GRADES = (1, 2, 3, 4, 5)
LIKELIHOOD = {1: "1 rare", 3: "3 possible", 5: "5 sure"}
IMPACT = {1: "1 slight", 3: "3 serious", 5: "5 fatal"}
_MOST_TOLD = 6


def matrix_figure(risks: Sequence[RiskSpec]) -> go.Figure:
    """How many items are in each cell; the colour is likelihood × impact. Closed items are not there."""
    sketch = Sketch()
    live = [one for one in risks if one.status != "closed"]
    cells = {
        (across, up): [one for one in live if (one.likelihood, one.impact) == (across, up)]
        for up in GRADES
        for across in GRADES
    }
    orange = sketch.colours[1]
    sketch.add(
        "heatmap",
        z=[[across * up for across in GRADES] for up in GRADES],
        x=GRADES,
        y=GRADES,
        colorscale=[[0.0, "rgba(128,128,128,0.1)"], [1.0, orange]],
        opacity=0.55,
        hovertext=[[_told(cells[across, up], across, up) for across in GRADES] for up in GRADES],
        hovertemplate="%{hovertext}<extra></extra>",
        hoverinfo="text",
        showscale=False,
        xgap=2,
        ygap=2,
    )
    for (across, up), here in cells.items():
        if here:
            text = f"<b>{len(here)}</b>"
            sketch.note(
                text,
                x=across,
                y=up,
                xref="x",
                yref="y",
                align="center",
                font={"size": 18, "color": sketch.ink},
                bgcolor="rgba(0,0,0,0)",
            )
    return sketch.figure(
        "Items by likelihood and impact",
        told="number: items that are not closed · colour: likelihood × impact",
        height=HEIGHT,
        xaxis=_graded("likelihood", LIKELIHOOD),
        yaxis=_graded("impact", IMPACT) | {"automargin": True},
        margin={"l": 16, "r": 12},
    )


def topics_figure(risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> go.Figure:
    """A bar a topic: items that rest on evidence, full, and those that do not, pale."""
    bars = Bars()
    blue = bars.sketch.colours[0]
    most = 1
    for topic in TOPICS:
        here = [one for one in risks if one.topic == topic and one.status != "closed"]
        tied = [one for one in here if rests_on_something(one, found)]
        most = max(most, len(here))
        words = f"{len(tied)} of {count_of(len(here), 'item')} on evidence" if here else "no item"
        row = bars.words(f"{topic.capitalize()} · <b>{words}</b>")
        bars.bar(row, 0, len(tied), blue, hover(topic, f"{len(tied)} on evidence"))
        bars.bar(
            row, len(tied), len(here) - len(tied), GREY, hover(topic, f"{len(here) - len(tied)} on none"), pale=True
        )
    axis = even_axis(0, most * 1.03, _count, title="items that are not closed")
    return bars.figure("What each topic rests on", axis, told="full: on evidence that is there · pale: on none")


def register_rows(risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> list[Row]:
    """The whole register, with what each item rests on today."""
    return [
        {
            "topic": one.topic,
            "title": one.title,
            "region": one.region,
            "likelihood": one.likelihood,
            "impact": one.impact,
            "weight": one.weight,
            "status": one.status,
            "owner": one.owner,
            "due": one.due.isoformat() if one.due else "",
            "mitigation": one.mitigation,
            "evidence": "; ".join(
                tie.held.label if tie.held else tie.spec.label or tie.spec.id for tie in ties(one, found)
            ),
            "evidence_gone": sum(tie.missing for tie in ties(one, found)),
            "rests_on_evidence": rests_on_something(one, found),
        }
        for one in risks
    ]


def _told(here: Sequence[RiskSpec], across: int, up: int) -> str:
    more = [f"and {len(here) - _MOST_TOLD} more"] if len(here) > _MOST_TOLD else []
    titles = [cut(one.title, 60) for one in here[:_MOST_TOLD]]
    return hover(f"likelihood {across} × impact {up} = {across * up}", *titles, *more)


def _graded(title: str, words: dict[int, str]) -> Row:
    return {
        "title": title,
        "tickvals": list(GRADES),
        "ticktext": [words.get(grade, str(grade)) for grade in GRADES],
        "showgrid": False,
        "zeroline": False,
    }


def _count(value: float) -> str:
    return f"{value:g}" if float(value).is_integer() else ""
