"""Sections of a company's report on who owns it, and on what is to be raised and what for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from core.errors import InvalidInput
from core.venture import months
from core.venture.dilution import at_valuations, choose, course, differences
from core.venture.money import major, short, shown
from core.venture.ownership.case import CaseResult, run
from core.venture.ownership.table import Snapshot, rounded
from core.venture.pipeline import weigh
from core.venture.raising import Bought, bought, demands, milestones, when_to_start
from exports import company_pictures as pictures
from exports.company_pictures import Bar, Series
from exports.company_report_parts import Block, Bullets, Picture, Row, Section, Text, grid
from exports.company_report_source import Source

KINDS = {
    "founder": "Founders",
    "employee": "Employees",
    "options": "Options",
    "pool": "Pool",
    "adviser": "Advisers",
    "safe": "SAFEs",
    "note": "Notes",
    "investor": "Investors",
    "other": "Others",
}
MOST_HOLDERS = 60


def ownership(of: Source) -> Section:
    """The cap table today and after each round, what converted, and what exits pay."""
    title = "Ownership"
    if of.spec.ownership.empty:
        return Section("ownership", title, missing="No shares are given.")
    found = run(of.spec.ownership)
    events = found.past.snapshots
    heads = ("Holder", *(one.event for one in events))
    parts = [rounded(one.ownership()) for one in events]
    holders = list(dict.fromkeys(name for one in parts for name in one))
    rows = [(name, *(_percent(one.get(name)) for one in parts)) for name in holders[:MOST_HOLDERS]]
    sums = Row(("Shares in all", *(f"{one.total:,}" for one in events)), strong=True)
    blocks: list[Block] = [*grid("Fully diluted", heads, [*rows, sums])]
    if len(holders) > MOST_HOLDERS:
        blocks.append(Text(f"The first {MOST_HOLDERS} of {len(holders)} holders; the CSV has all of them."))
    blocks.append(_dilution_picture(events))
    blocks += _rounds(of, events)
    blocks += _exits(of, found)
    blocks.append(Bullets(found.notes()))
    return Section("ownership", title, tuple(blocks))


def fundraising(of: Source) -> Section:
    """When to start, what each round buys, what its money is for. The pipeline is the board's alone."""
    title = "Fundraising"
    asked, found, money = of.spec.fundraising, of.plan, of.currency
    if not asked.planned and not (of.board and asked.pipeline):
        return Section("fundraising", title, missing="No round is planned.")
    cash = [int(one) for one in found.cash[0]]
    timing = when_to_start(cash, found.months, months_to_close=asked.months_to_close, buffer_months=asked.buffer_months)
    blocks: list[Block] = []
    if timing.start and timing.needed:
        start = "now, it is late" if timing.late else f"by {months.said(timing.start)}"
        blocks.append(
            Text(
                f"For the cash, start raising {start}: the buffer of {asked.buffer_months} months of burn is touched "
                "in "
                f"{months.said(timing.needed)}, and closing takes {asked.months_to_close} months. Planned rounds are "
                "not counted in."
            )
        )
    blocks += _round_demands(of, cash)
    reached = bought(asked, cash, found.months)
    paid = bought(asked, cash, found.months, with_milestones=True)
    rows = [
        (
            one.name,
            months.said(one.month),
            shown(one.amount, money),
            _range([shown(value, money) for value in dict.fromkeys(one.valuations())]),
            _runs_out(buys.without, buys),
            _runs_out(buys.with_round, buys, with_it=True),
            _runs_out(costs.with_round, costs, with_it=True),
        )
        for one, buys, costs in zip(asked.planned, reached, paid, strict=True)
    ]
    heads = ("Round", "Month", "Amount", "Pre-money", "Cash is gone without it", "With it", "And its milestones paid")
    blocks += grid("Rounds that are planned", heads, rows, words=(1, 4, 5, 6))
    if reached:
        burn = f" at {of.short(reached[0].burn)} of burn a month" if reached[0].burn else ""
        blocks.append(
            Text(
                "What milestones cost is not added to the plan; the last column pays it when it is due, on top of the "
                f"plan. After the plan's end it goes on{burn}, for a year at most."
            )
        )
    blocks += _planned_dilution(of)
    blocks += _use_of_funds(of)
    if of.board and asked.pipeline:
        blocks += _pipeline(of)
    return Section("fundraising", title, tuple(blocks))


def _dilution_picture(events: Sequence[Snapshot]) -> Picture:
    """Groups of holders, stacked to one, at each event."""
    series: list[Series] = []
    for kind, name in KINDS.items():
        values = [one.of_kind(kind) / one.total if one.total else 0.0 for one in events]
        if any(values):
            series.append(Series(name, values, len(series)))
    told = "; ".join(
        f"{event.event}: " + ", ".join(f"{one.name} {one.values[at]:.1%}" for one in series if one.values[at])
        for at, event in enumerate(events)
    )
    drawing = pictures.columns(told, [one.event for one in events], series, pictures.share, stacked=True)
    key = tuple((one.style, one.name) for one in series)
    return Picture("Who owns the company, fully diluted", drawing, told, key, areas=True)


def _rounds(of: Source, events: Sequence[Snapshot]) -> tuple[Block, ...]:
    money = of.currency
    priced = [one for one in events if one.price is not None]
    rows = [
        (
            one.event,
            _amount(one.money, money),
            _amount(one.pre_money, money),
            _price(one.price, money),
            f"{one.new_shares:,}",
            f"{one.pool_increase:,}",
        )
        for one in priced
    ]
    converts = [
        (one.name, event.event, _amount(one.amount, money), one.basis, _price(one.price, money), f"{one.shares:,}")
        for event in events
        for one in event.conversions
    ]
    return (
        *grid("Rounds", ("Round", "Money", "Pre-money", "Price a share", "New shares", "Added to the pool"), rows),
        *grid(
            "What converts",
            ("SAFE or note", "In", "Amount", "At", "Price a share", "Shares"),
            converts,
            words=(1, 3),
        ),
    )


def _exits(of: Source, found: CaseResult) -> tuple[Block, ...]:
    if not found.exits:
        return ()
    names = list(dict.fromkeys(name for one in found.exits for name in one.holders()))
    heads = ("Holder", *(short(major(one.value_cents), of.currency) for one in found.exits))
    paid = [one.holders() for one in found.exits]
    rows = [(name, *(of.money(one.get(name, 0)) for one in paid)) for name in names[:MOST_HOLDERS]]
    return grid("What an exit pays, by its value", heads, rows)


def _round_demands(of: Source, cash: Sequence[int]) -> tuple[Block, ...]:
    """When each round's talks start, and whether that is early enough for the cash."""
    asked = of.spec.fundraising
    told = []
    for one in demands(asked, cash, of.plan.months):
        start = f"talks {'should have started' if one.before_plan else 'start'} in {months.said(one.talks)}"
        words = (
            f"{one.name} is planned for {months.said(one.month)}: with {asked.months_to_close} months to close, {start}"
        )
        if one.after_need and one.needed:
            words += f". That is later than the cash allows, which needs it by {months.said(one.needed)}"
        told.append(f"{words}.")
    return (Bullets(tuple(told)),) if told else ()


def _planned_dilution(of: Source) -> tuple[Block, ...]:
    """Of the planned rounds, at their low, expected and high valuations: the calculation of the section Ownership."""
    asked, table = of.spec.fundraising.planned, of.spec.ownership
    rows, told = [], list[str]()
    for place, planned in enumerate(asked):
        found = course(table, asked, place)
        try:
            ends = at_valuations(found)
        except InvalidInput as fault:
            told.append(str(fault))
            break
        rows.append((planned.name, *(f"{one.kept:.1%}" for one in (ends.low, ends.expected, ends.high))))
        if found.undecided:
            told.append(f"{planned.name} without the SAFEs and notes: {choose(found)}")
        if other := differences(table, planned, of.currency):
            told.append(f"The cap table has {planned.name} on other terms: {'; '.join(other)}.")
    if not rows:
        return tuple(Text(one) for one in told)
    words = "Founders keep, at the low, the expected and the high valuation; rounds before at the expected one"
    return (*grid(words, ("After", "Low", "Expected", "High"), rows), *(Text(one) for one in told))


def _use_of_funds(of: Source) -> tuple[Block, ...]:
    blocks: list[Block] = []
    reached = bought(of.spec.fundraising, [int(one) for one in of.plan.cash[0]], of.plan.months)
    for planned, buys in zip(of.spec.fundraising.planned, reached, strict=True):
        found = milestones(planned, buys.with_round)
        if not found:
            continue
        bars = [
            Bar(one.name, 0.0, float(major(one.cost)), short(major(one.cost), of.currency)) for one in found if one.cost
        ]
        words = f"Use of the {planned.name} round: " + "; ".join(f"{one.name} {one.told}" for one in bars)
        if bars:
            blocks.append(Picture(f"Use of funds: {planned.name}", pictures.bars(words, bars), words))
        rows = [
            (
                one.name,
                months.said(one.due),
                of.money(one.cost),
                of.money(one.so_far),
                "yes" if one.inside else "no",
                "yes" if one.in_time else "no",
            )
            for one in found
        ]
        heads = ("Milestone", "Due", "Costs", "So far", "Covered by the round", "Before the cash is gone")
        blocks += grid(f"Milestones of {planned.name}", heads, rows, words=(1, 4, 5))
    return tuple(blocks)


def _pipeline(of: Source) -> tuple[Block, ...]:
    asked = of.spec.fundraising
    target = asked.planned[0].amount if asked.planned else Decimal(0)
    found = weigh(asked.pipeline, target)
    rows = [
        Row((one.stage.capitalize(), str(one.investors), of.money(one.amount), of.money(one.weighted)))
        for one in found.stages
        if one.investors
    ]
    rows.append(Row(("All but passed", "", of.money(found.amount), of.money(found.weighted)), strong=True))
    words = "Pipeline of investors; weighted by how likely each is, which is an expectation and no promise"
    return grid(words, ("Stage", "Investors", "Amount", "Weighted"), rows)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def _amount(value: Fraction | None, currency: str) -> str:
    return "" if value is None else shown(Decimal(value.numerator) / value.denominator, currency)


def _price(value: Fraction | None, currency: str) -> str:
    if value is None:
        return ""
    text = f"{float(value):,.6f}".rstrip("0")
    return f"{currency} {text}{'0' * max(0, 2 - len(text.partition('.')[2]))}"


def _runs_out(month: str | None, one: Bought, *, with_it: bool = False) -> str:
    if one.too_late:
        return "" if with_it else "the cash is gone before"
    if month:
        return months.said(month)
    return f"beyond {months.said(one.horizon)}" if one.burn else "not in sight"


def _range(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{words[0]} to {words[-1]}"
