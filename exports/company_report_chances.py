"""Sections of a company's report on what may come instead: scenarios, chances (Monte Carlo), and what matters most."""

from __future__ import annotations

from core.venture import months
from core.venture.comparing import compare
from core.venture.drivers import DRIVERS
from core.venture.monte_carlo import MonteCarlo
from core.venture.sensitivity import tornado
from exports import company_pictures as pictures
from exports.company_pictures import Bar, Series
from exports.company_report_parts import Picture, Row, Section, Text, grid
from exports.company_report_source import Source, amounts

NO_PLAN = "Nothing is planned yet: no product, no people, no costs and no cash."
MOST_SCENARIOS = 6


def scenarios(of: Source) -> Section:
    title = "Scenarios"
    if of.is_blank or not of.spec.scenarios:
        return Section("scenarios", title, missing=NO_PLAN if of.is_blank else "No scenario is defined.")
    found = compare(of.spec)
    rows = [Row((one.label, *one.words)) for one in found.rows]
    set_to = [
        (
            DRIVERS[name].label,
            *(_factor(getattr(one, name), name == "hiring_delay") for one in found.scenarios),
        )
        for name in DRIVERS
        if len({getattr(one, name) for one in found.scenarios}) > 1
    ]
    heads = ("", *found.names)
    return Section(
        "scenarios",
        title,
        (
            cash_picture(of, scenarios=True),
            *grid(f"Key figures by scenario; metrics of {found.period.label}", heads, rows),
            *grid("What the scenarios set", ("Driver", *found.names), set_to),
        ),
    )


def chances(of: Source) -> Section:
    """Monte Carlo."""
    title = "Chances"
    if of.is_blank:
        return Section("chances", title, missing=NO_PLAN)
    found, say = of.chances, pictures.money(of.currency)
    ends = {level: (found.cash.at(level) / 100).tolist() for level in (5, 25, 50, 75, 95)}
    told = (
        f"Of {found.runs:,} runs of the plan under drawn drivers (seed {found.seed}), half end between "
        f"{of.short(found.cash.at(25)[-1])} and {of.short(found.cash.at(75)[-1])}, and nine in ten between "
        f"{of.short(found.cash.at(5)[-1])} and {of.short(found.cash.at(95)[-1])}."
    )
    drawing = pictures.lines(
        f"Cash at the end of each month. {told}",
        found.months,
        [Series("middle", ends[50], 0)],
        say,
        bands=[(Series("", ends[5]), Series("", ends[95])), (Series("", ends[25]), Series("", ends[75]))],
    )
    lasts = [
        ("A bad course (one in ten is worse)", found.runway_words(10), _start(found, 10)),
        ("A middling course", found.runway_words(50), _start(found, 50)),
        ("A good course (one in ten is better)", found.runway_words(90), ""),
    ]
    risk = [(months.said(found.months[one.end - 1]), f"{found.chance_out[one.end - 1]:.1%}") for one in of.years]
    drivers = [
        (DRIVERS[one.name].label, f"{one.correlation:+.2f}".replace("-", "−"), f"{one.share:.0%}")
        for one in found.influences
        if one.share >= 0.005
    ]
    picture = Picture(
        "Cash: the middle, half, and nine in ten of the runs",
        drawing,
        told,
        ((0, "the middle run of each month"),),
        note="Dark: half of all runs. Light: nine in ten.",
    )
    return Section(
        "chances",
        title,
        (
            Text(told),
            picture,
            *grid("How long the cash lasts", ("Course", "Runway", "Start raising"), lasts, words=(1, 2)),
            *grid("Chance that the cash was below 0", ("By the end of", "Chance"), risk),
            *grid("What the spread hangs on", ("Driver", "Correlation", "Share of the spread"), drivers),
        ),
    )


def sensitivity(of: Source) -> Section:
    title = "What matters most"
    if of.is_blank:
        return Section("sensitivity", title, missing=NO_PLAN)
    found = tornado(of.spec)
    base = found.base or 0.0
    rows = [one for one in found.bars if one.swing]
    if not rows:
        return Section("sensitivity", title, missing="No driver moves the cash of this plan.")
    drawn = [
        Bar(
            one.label,
            min(_or(one.at_low, base), _or(one.at_high, base)) / 100,
            max(_or(one.at_low, base), _or(one.at_high, base)) / 100,
            f"± {of.short(round(one.swing / 2))}",
        )
        for one in rows
    ]
    told = f"{found.label} as planned: {of.short(round(base))}. {rows[0].label} moves it most."
    heads = ("Driver", "Low", "High", f"{found.label} at low", f"{found.label} at high")
    table = [
        (
            one.label,
            _factor(one.low, one.name == "hiring_delay"),
            _factor(one.high, one.name == "hiring_delay"),
            "" if one.at_low is None else of.money(round(one.at_low)),
            "" if one.at_high is None else of.money(round(one.at_high)),
        )
        for one in rows
    ]
    picture = Picture(
        f"{found.label}, each driver alone at its low and high",
        pictures.bars(told, drawn, base=base / 100),
        told,
        note=f"The upright line is the plan: {of.short(round(base))}. Beside each bar: half its length.",
    )
    return Section("sensitivity", title, (Text(told), picture, *grid("", heads, table)))


def cash_picture(of: Source, *, scenarios: bool) -> Picture:
    found, say = of.plan, pictures.money(of.currency)
    cash = {"base": found.cash[0]}
    if scenarios:
        compared = compare(of.spec)
        cash = {name: compared.cash(name) for name in compared.names[:MOST_SCENARIOS]}
    series = [Series(name, amounts(values), place) for place, (name, values) in enumerate(cash.items())]
    told = "Cash at the end of each month: " + "; ".join(
        f"{name + ': ' if scenarios else ''}{of.short(values[0])} in {months.said(found.months[0])}, "
        f"{of.short(values[-1])} in {months.said(found.months[-1])}"
        for name, values in cash.items()
    )
    key = tuple((one.style, one.name) for one in series) if scenarios else ()
    title = "Cash by scenario" if scenarios else "Cash at the end of each month"
    return Picture(f"{title} ({of.currency})", pictures.lines(told, found.months, series, say), told, key)


def _factor(value: float, is_delay: bool) -> str:
    return f"{value:g} months" if is_delay else f"× {value:g}"


def _start(found: MonteCarlo, level: int) -> str:
    month = found.start[level]
    return "no need" if month is None else "now, it is late" if found.late[level] else f"by {months.said(month)}"


def _or(value: float | None, base: float) -> float:
    return base if value is None else value
