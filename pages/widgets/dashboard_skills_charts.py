"""Pictures of skills: who has which at what level beside what is needed, and the people missing month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from core.venture.months import said
from core.venture.skills import LEVELS, Gap, SkillMatrix
from pages.widgets.chart_parts import Row, Sketch, hover
from pages.widgets.words import cut

ROW_PIXELS = 34
NEEDED = "needed"
_TICKS = 5
_LABEL = 20
_FADE = 0.55


def matrix_figure(found: SkillMatrix) -> go.Figure:
    """Skills down, roles across, the level that is needed last; a skill that somebody is missing of says so."""
    sketch = Sketch()
    columns = [
        *(_unlike(escape(cut(role, _LABEL)), place) for place, role in enumerate(found.roles)),
        _unlike(NEEDED, len(found.roles)),
    ]
    names = [_unlike(_named(row.skill, row.short), place) for place, row in enumerate(found.rows)]
    cells = [[*row.levels, row.needed] for row in found.rows]
    told = [
        [
            hover(row.skill, role, f"level {level}: {LEVELS[level]}" if level else "not there")
            for role, level in zip((*found.roles, NEEDED), levels, strict=True)
        ]
        for row, levels in zip(found.rows, cells, strict=True)
    ]
    _heat(sketch, columns, names, cells, told, top=5, colour=sketch.colours[0])
    for down, levels in enumerate(cells):
        for across, level in enumerate(levels):
            if level:
                _write(sketch, columns[across], names[down], str(level), bold=across == len(columns) - 1)
    return sketch.figure(
        "Skills of the team beside those needed",
        told="number: level, from 1 knows it to 5 could teach it<br>−1 beside a skill: one person missing",
        height=168 + ROW_PIXELS * len(names),
        xaxis={"type": "category", "side": "top", "showgrid": False, "tickangle": -30 if len(columns) > 3 else 0},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False, "automargin": True},
        margin={"l": 12, "r": 12, "t": 138 if len(columns) > 3 else 114, "b": 16},
    )


def gaps_figure(missing: Mapping[tuple[str, int], Sequence[float]], months: Sequence[str]) -> go.Figure:
    """People missing of each skill and level that is needed, month by month; empty where it is covered."""
    sketch = Sketch()
    names = [
        _unlike(f"{escape(cut(skill, _LABEL))}, level {level}", place) for place, (skill, level) in enumerate(missing)
    ]
    cells = [[max(value, 0.0) for value in row] for row in missing.values()]
    top = max((value for row in cells for value in row), default=0.0) or 1.0
    told = [
        [
            hover(f"{skill}, level {level}", said(month), f"{value:g} missing" if value else "covered")
            for month, value in zip(months, row, strict=True)
        ]
        for (skill, level), row in zip(missing, cells, strict=True)
    ]
    x = list(range(len(months)))
    _heat(sketch, x, names, cells, told, top=top, colour=sketch.colours[1])
    step = max(1, -(-len(months) // _TICKS))
    return sketch.figure(
        "People missing, month by month",
        told=f"the deeper, the more; at most {top:g}" if any(any(row) for row in cells) else "all is covered",
        height=130 + ROW_PIXELS * len(names),
        xaxis={"tickvals": x[::step], "ticktext": [said(month) for month in months[::step]], "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False, "automargin": True},
        margin={"l": 12, "r": 12, "b": 40},
    )


def matrix_rows(found: SkillMatrix) -> list[Row]:
    return [
        {
            "skill": row.skill,
            "needed_level": row.needed or None,
            "needed_people": row.people or None,
            "most_missing": row.short,
            **{f"level of {role}": level for role, level in zip(found.roles, row.levels, strict=True)},
        }
        for row in found.rows
    ]


def gap_rows(found: Sequence[Gap]) -> list[Row]:
    return [
        {
            "skill": one.skill,
            "level": one.level,
            "from": one.since,
            "until_before": one.until or "",
            "needed": one.needed,
            "there": one.have,
            "missing": one.missing,
        }
        for one in found
    ]


def _heat(
    sketch: Sketch,
    x: Sequence[Any],
    y: Sequence[str],
    cells: Sequence[Sequence[float]],
    told: Sequence[Sequence[str]],
    *,
    top: float,
    colour: str,
) -> None:
    """Pale enough for the page's text colour to be read on it, in light and dark."""
    sketch.add(
        "heatmap",
        z=cells,
        x=x,
        y=y,
        zmin=0,
        zmax=top,
        colorscale=[[0.0, "rgba(128,128,128,0.08)"], [1.0, colour]],
        opacity=_FADE,
        hovertext=told,
        hovertemplate="%{hovertext}<extra></extra>",
        hoverinfo="text",
        showscale=False,
        xgap=2,
        ygap=2,
    )


def _write(sketch: Sketch, x: str, y: str, text: str, *, bold: bool) -> None:
    words = f"<b>{text}</b>" if bold else text
    sketch.note(words, x=x, y=y, xref="x", yref="y", align="center", bgcolor="rgba(0,0,0,0)")


def _named(skill: str, short: float) -> str:
    return f"{escape(cut(skill, _LABEL))}  −{short:g}" if short > 0 else escape(cut(skill, _LABEL))


def _unlike(name: str, place: int) -> str:
    """Two may be cut to the same: spaces, which nobody sees, keep them apart."""
    return f"{name}{' ' * place}"
