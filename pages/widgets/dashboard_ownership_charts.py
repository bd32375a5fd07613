"""Pictures of ownership: stacked bars after each event, and what a pool increase leaves of a pre-money valuation."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from html import escape

import plotly.graph_objects as go

from core.venture.money import short, sign
from core.venture.ownership.table import Snapshot
from pages.widgets.chart_parts import Row, Sketch, even_axis, hover
from pages.widgets.words import cut

ROW_PIXELS = 62
BAR = 0.42  # of a row
LEAST_LABEL = 0.085  # of the width: a narrower part has no words on it
MOST_TABLE = 500
FOUNDERS, OTHERS, PLAN, CONVERTS = "Founders", "Other holders", "Options and pool", "SAFEs and notes"
_GROUPS = {"founder": FOUNDERS, "options": PLAN, "pool": PLAN, "safe": CONVERTS, "note": CONVERTS}
LONGEST = 24


def grouped(one: Snapshot, rounds: Sequence[str]) -> dict[str, int]:
    """Shares by what is drawn: the founders, the plan, what converted, each round's investors, everybody else."""
    found: dict[str, int] = {}
    for position in one.positions:
        if position.kind == "investor" and position.holder in rounds:
            name = position.holder
        else:
            name = _GROUPS.get(position.kind, OTHERS)
        found[name] = found.get(name, 0) + position.shares
    return {name: count for name, count in found.items() if count}


def names_of(events: Sequence[Snapshot]) -> list[str]:
    """All groups, in the order in which they lie in a bar."""
    rounds = [one.event for one in events if one.price is not None]
    there = {name for one in events for name in grouped(one, rounds)}
    return [name for name in (FOUNDERS, OTHERS, PLAN, CONVERTS, *rounds) if name in there]


def ownership_figure(events: Sequence[Snapshot]) -> go.Figure:
    """A bar an event, the first on top."""
    sketch = Sketch()
    rounds = [one.event for one in events if one.price is not None]
    shares = [grouped(one, rounds) for one in events]
    starts = [0.0] * len(events)
    for place, name in enumerate(names_of(events)):
        parts = [100 * found.get(name, 0) / (one.total or 1) for one, found in zip(events, shares, strict=True)]
        colour = sketch.colours[place % len(sketch.colours)]
        texts = [
            hover(one.event, f"{name}: {part:.2f}%", f"{found.get(name, 0):,} shares")
            for one, part, found in zip(events, parts, shares, strict=True)
        ]
        _segments(sketch, name, colour, starts, parts, texts, [_percent(part) for part in parts])
        starts = [start + part for start, part in zip(starts, parts, strict=True)]
    for place, one in enumerate(events):
        _above(sketch, place, f"<b>{escape(cut(one.event, LONGEST))}</b> · {one.total:,} shares")
    return _stacked(
        sketch, "Who owns the company, after each event", len(events), even_axis(0, 100, _percent), names_of(events)
    )


def _segments(
    sketch: Sketch,
    name: str,
    colour: str,
    starts: Sequence[float],
    parts: Sequence[float],
    texts: Sequence[str],
    words: Sequence[str],
) -> None:
    """One colour of all bars. Words stand on a part that is wide enough for them."""
    whole = max((start + part for start, part in zip(starts, parts, strict=True)), default=1.0) or 1.0
    sketch.add(
        "bar",
        texts,
        y=[-place for place in range(len(parts))],
        x=list(parts),
        base=list(starts),
        orientation="h",
        width=BAR,
        name=escape(cut(name, LONGEST)),
        text=[word if part >= LEAST_LABEL * max(whole, 1.0) else "" for word, part in zip(words, parts, strict=True)],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        cliponaxis=False,
        marker={"color": colour, "line": {"width": 0}},
    )


def _above(sketch: Sketch, place: int, words: str) -> None:
    lift = ROW_PIXELS * BAR / 2
    sketch.note(words, x=0, xref="paper", y=-place, yref="y", xanchor="left", yanchor="bottom", yshift=lift)


def _stacked(sketch: Sketch, title: str, rows: int, axis: Row, names: Sequence[str], *, told: str = "") -> go.Figure:
    made = legend(len(names), rows * ROW_PIXELS)
    below = made.get("margin", {}).get("b", 56)
    above = 48 + (18 * (told.count("<br>") + 1) if told else 0)
    height = above + rows * ROW_PIXELS + below + 16
    return sketch.figure(
        title,
        told=told,
        height=height,
        barmode="overlay",
        margin={"l": 16, "r": 16, "t": above, "b": below},
        xaxis=axis | {"fixedrange": True},
        yaxis={"visible": False, "range": [0.45 - rows, 0.75], "fixedrange": True},
        **{key: value for key, value in made.items() if key != "margin"},
    )


def legend(series: int, plot: int) -> Row:
    """Below the picture, two names a line on a narrow screen. plot: pixels of the part that has the bars or lines."""
    if series < 2:
        return {}
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": -52 / plot, "yanchor": "top", "traceorder": "normal"}
    return {"showlegend": True, "legend": place, "margin": {"b": 64 + 20 * ((series + 1) // 2)}}


def ownership_rows(events: Sequence[Snapshot]) -> list[Row]:
    """A row an event and holder."""
    found = []
    for one in events:
        for name, count in one.shares().items():
            found.append(
                {
                    "event": one.event,
                    "date": one.day.isoformat() if one.day else None,
                    "holder": name,
                    "shares": count,
                    "ownership": float(Fraction(count, one.total)),
                    "price": None if one.price is None else float(one.price),
                }
            )
    return found


def dilution_rows(events: Sequence[Snapshot]) -> list[Row]:
    """A row a holder, a column an event, in percent; the largest of the last event first."""
    parts = [one.ownership() for one in events]
    names = list(dict.fromkeys(name for found in parts for name in found))
    last = parts[-1]
    names.sort(key=lambda name: -last.get(name, Fraction(0)))
    return [
        {"Holder": name}
        | {
            one.event: float(100 * found[name]) if name in found else None
            for one, found in zip(events, parts, strict=True)
        }
        for name in names
    ]


def conversion_rows(rounds: Sequence[Snapshot], currency: str) -> list[Row]:
    return [
        {
            "Round": one.event,
            "SAFE or note": made.name,
            "Amount": short(decimal(made.amount), currency),
            "Interest": short(decimal(made.interest), currency) if made.interest else None,
            "Price": f"{sign(currency)}{digits(made.price)}",
            "Shares": made.shares,
            "By": f"{made.basis}{f' of {made.terms_of}' if made.terms_of else ''}",
        }
        for one in rounds
        for made in one.conversions
    ]


def shuffle_figure(one: Snapshot, currency: str) -> go.Figure:
    """What the term sheet says beside what it does."""
    assert one.shuffle is not None
    sketch = Sketch()
    pre, money = float(one.pre_money or 0), float(one.money or 0)
    kept = float(one.shuffle.effective_pre_money)
    names = ("Today's company", "New pool", "New money")
    parts = ((pre, kept), (0.0, pre - kept), (money, money))
    starts = [0.0, 0.0]
    for place, (name, both) in enumerate(zip(names, parts, strict=True)):
        words = [short(decimal(value), currency) for value in both]
        texts = [hover(name, word) for word in words]
        _segments(sketch, name, sketch.colours[(0, 2, 1)[place]], starts, both, texts, words)
        starts = [start + value for start, value in zip(starts, both, strict=True)]
    whole = pre + money
    _above(sketch, 0, f"<b>What it looks like</b> · {short(decimal(pre), currency)} before the money")
    _above(sketch, 1, f"<b>What it does</b> · {short(decimal(kept), currency)} for what is there today")
    axis = even_axis(0, whole, lambda value: short(decimal(value), currency), most=4)
    return _stacked(sketch, "The pool inside the pre-money", 2, axis, names)


def shuffle_rows(one: Snapshot) -> list[Row]:
    assert one.shuffle is not None
    shuffle = one.shuffle
    return [
        {
            "round": one.event,
            "pre_money": float(one.pre_money or 0),
            "new_options": shuffle.increase,
            "price": float(one.price or 0),
            "effective_pre_money": float(round(shuffle.effective_pre_money, 2)),
            "pool_share": float(shuffle.pool),
            "holders_share": float(shuffle.kept),
            "holders_share_if_after_the_money": float(shuffle.kept_after),
            "investors_share": float(shuffle.investors),
            "investors_share_if_after_the_money": float(shuffle.investors_after),
        }
    ]


def decimal(value: Fraction | Decimal | float | int) -> Decimal:
    """To the cent."""
    return Decimal(round(Fraction(value) * 100)) / 100


def digits(price: Fraction) -> str:
    """As it is printed: no zeros behind it but two decimals."""
    text = f"{float(price):,.10f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}"


def price_words(one: Snapshot, currency: str) -> str:
    return f"{sign(currency)}{digits(one.price or Fraction(0))}"


def _percent(value: float) -> str:
    return f"{value:.0f}%" if value >= 9.95 or not value else f"{value:.1f}%"
