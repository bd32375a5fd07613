"""Who owns the company, what each round does to that, and who gets what when it is sold.

The tables save themselves as they are typed; what is wrong with a round is told above the pictures, which then show the
events before it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import InvalidInput
from core.venture.money import short
from core.venture.ownership.case import CaseResult, run
from core.venture.ownership.rounds import by_method
from core.venture.ownership.spec import OwnershipSpec
from core.venture.ownership.table import Snapshot
from core.venture.ownership.terms import METHODS
from pages import state
from pages.widgets import dashboard_ownership_charts as charts
from pages.widgets import dashboard_ownership_editor, dashboard_ownership_files, dashboard_ownership_waterfall
from pages.widgets.chart_parts import Row
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_months_charts import show
from pages.widgets.dashboard_ownership_editor import fresh
from pages.widgets.words import count_of, plain

TABS = ("Ownership", "Exit", "Cap table", "Import and export")
START: dict[str, Any] = {
    "holders": [
        {"name": "Founder 1", "kind": "founder", "shares": 4_500_000},
        {"name": "Founder 2", "kind": "founder", "shares": 4_500_000},
    ],
    "unissued_pool": 1_000_000,
}
METHOD_NAMES = {
    "pre_money": "Pre-money method",
    "percent_ownership": "Percent-ownership method",
    "dollars_invested": "Dollars-invested method",
}


def draw(desk: Desk) -> None:
    """Tables to edit when there is something; else the one thing to do first."""
    if desk.spec.ownership.empty:
        _draw_start(desk)
        return
    found, fault = answer(desk.spec.ownership)
    owned, sold, table, files = st.tabs(TABS, key=state.dashboard_key("ownership_tabs"))
    with owned:
        _draw_methods(desk)
        if fault:
            st.error(fault, icon=":material/error:")
        if found:
            _draw_owned(desk, found)
    with sold:
        if fault:
            st.error(fault, icon=":material/error:")
        if found:
            dashboard_ownership_waterfall.draw(desk, found)
    with table:
        dashboard_ownership_editor.draw(desk)
    with files:
        dashboard_ownership_files.draw(desk, found)


def answer(spec: OwnershipSpec) -> tuple[CaseResult | None, str]:
    """What comes of it. Where a round cannot be: what comes of the rounds before it, and why."""
    try:
        return run(spec), ""
    except InvalidInput as error:
        told = str(error)
    for count in range(len(spec.rounds) - 1, -1, -1):
        try:
            return run(spec.model_copy(update={"rounds": spec.rounds[:count]})), told
        except InvalidInput:
            continue
    return None, told


def _draw_start(desk: Desk) -> None:
    st.info(
        "Write down who holds how many shares. Then add SAFEs, notes and rounds, and see what is left of each share.",
        icon=":material/groups:",
    )
    if fault := state.dashboard_note("ownership_start"):
        st.error(fault, icon=":material/error:")
    st.button(
        "Two founders, 9,000,000 shares",
        type="primary",
        icon=":material/add:",
        key="d_ownership_start",
        on_click=_start,
        args=(desk,),
        help="And a pool of 1,000,000 for options. Change any of it afterwards.",
    )
    with st.expander("Bring a cap table"):
        dashboard_ownership_files.draw_import(desk)


def _start(desk: Desk) -> None:
    """What was typed before without any holder, such as exits, stays."""
    before = desk.spec.ownership.model_dump(mode="json", exclude_defaults=True)
    try:
        desk.put("ownership", before | START)
    except InvalidInput as error:
        state.set_dashboard_note("ownership_start", str(error))
    else:
        state.set_dashboard_note("ownership_start", "")


def _draw_methods(desk: Desk) -> None:
    """The conversion method of each round at which one is needed: an explicit choice, never a guess."""
    governed = by_method(desk.spec.ownership)
    for place, one in enumerate(desk.spec.ownership.rounds):
        if one.name not in governed:
            continue
        key = f"ownership_method_{place}"
        options = list(METHODS)
        fresh(key, (desk.id, one.name, one.conversion_method))
        st.radio(
            f"{plain(one.name)}: conversion of {plain(', '.join(governed[one.name]))}",
            options,
            index=options.index(one.conversion_method) if one.conversion_method else None,
            format_func=lambda name: METHOD_NAMES[name],
            captions=[f"{words[:1].upper()}{words[1:]}." for words in METHODS.values()],
            key=state.dashboard_key(key),
            on_change=_choose_method,
            args=(desk, place, key),
            help="Notes and pre-money SAFEs meet the pre-money valuation in one of three ways. Which one is "
            "negotiated: take it from the term sheet.",
        )


def _choose_method(desk: Desk, place: int, key: str) -> None:
    if chosen := state.dashboard_value(key):
        desk.put(f"ownership.rounds.{place}.conversion_method", chosen)
        one = desk.spec.ownership.rounds[place]
        state.set_dashboard_note(f"{key}_shown", (desk.id, one.name, one.conversion_method))


def _draw_owned(desk: Desk, found: CaseResult) -> None:
    last = found.past.last
    st.markdown(f"#### {plain(sentence(found))}")
    events = found.past.snapshots
    show(
        "ownership",
        charts.ownership_figure(events),
        charts.ownership_rows(events),
        alt="Fully diluted ownership after each event, as stacked bars",
    )
    rounds = [one for one in events if one.price is not None]
    if rounds:
        _draw_rounds(desk, rounds)
    _draw_dilution(events)
    for one in events:
        if one.shuffle:
            _draw_shuffle(desk, one)
    for note in found.notes()[:-1]:
        st.caption(plain(note))
    if not desk.spec.ownership.rounds:
        st.caption("No round is planned yet: add one under Cap table to see what it leaves to whom.")
    elif last.price is None:
        st.caption("The rounds are not shown before the fault above is mended.")


def sentence(found: CaseResult) -> str:
    """What the founders own, now and in the end."""
    first, last = found.past.snapshots[0], found.past.last
    now = _part(first)
    if last is first:
        return f"The founders own {now} of {first.total:,} shares, fully diluted."
    return f"The founders own {now} today and {_part(last)} after {last.event}."


def _part(one: Snapshot) -> str:
    return f"{100 * one.of_kind('founder') / (one.total or 1):.1f}%"


def _draw_rounds(desk: Desk, rounds: list[Snapshot]) -> None:
    columns = st.columns(len(rounds)) if len(rounds) < 4 else [st.container() for _ in rounds]
    for column, one in zip(columns, rounds, strict=True):
        with column, st.container(border=True):
            st.metric(
                f"{plain(one.event)}: price of a share",
                charts.price_words(one, desk.currency),
                help="Pre-money valuation ÷ fully diluted shares before the new money, with the pool increase and, as "
                "the method says, with what converts. Cut as term sheets print it.",
            )
            money, before = (short(charts.decimal(value or 0), desk.currency) for value in (one.money, one.pre_money))
            after = short(charts.decimal(one.post_money or 0), desk.currency)
            st.caption(
                plain(
                    f"{money} at {before} before the money; all shares are then worth {after}. "
                    f"{one.new_shares:,} new shares."
                )
            )
    made = charts.conversion_rows(rounds, desk.currency)
    if made:
        st.markdown("**What converts**")
        st.dataframe(
            made,
            hide_index=True,
            column_config=_conversion_columns(),
            placeholder="–",
            alt="SAFEs and notes that become shares",
        )


def _conversion_columns() -> Row:
    made = st.column_config
    return {
        "Shares": made.NumberColumn(format="localized"),
        "By": made.TextColumn(
            help="Which of its terms gave the most shares. Post-money cap: purchase × company capitalisation ÷ cap. "
            "Pre-money cap: on the shares before the converts. Discount: off the round's price."
        ),
        "Interest": made.TextColumn(help="Of a note, to the day of the round; it converts too."),
    }


def _draw_dilution(events: tuple[Snapshot, ...]) -> None:
    st.markdown("**Who owns how much, after each event**")
    rows = charts.dilution_rows(events)
    columns = {one.event: st.column_config.NumberColumn(one.event, format="%.2f %%") for one in events}
    st.dataframe(
        rows[: charts.MOST_TABLE],
        hide_index=True,
        column_config=columns | {"Holder": st.column_config.TextColumn("Holder", pinned=True)},
        placeholder="–",
        alt="Dilution table",
    )
    if len(rows) > charts.MOST_TABLE:
        st.caption(f"The first {charts.MOST_TABLE} of {count_of(len(rows), 'holder')}; the CSV has all of them.")
    st.caption("Fully diluted: all shares, options granted or promised, and the unissued pool.")


def _draw_shuffle(desk: Desk, one: Snapshot) -> None:
    assert one.shuffle is not None
    st.subheader(f"{plain(one.event)}: what the new pool costs", divider=False)
    show(
        f"pool-shuffle {one.event}",
        charts.shuffle_figure(one, desk.currency),
        charts.shuffle_rows(one),
        alt="What the pre-money valuation says, and what is left of it without the new pool",
    )
    kept, after = 100 * one.shuffle.kept, 100 * one.shuffle.kept_after
    st.caption(
        plain(
            f"The pool is made before the money, so those who held shares before pay for all of it: together they keep "
            f"{float(kept):.1f}%. Made after the money, the investors would pay their part, and they would keep "
            f"{float(after):.1f}%."
        ),
        help="The option pool shuffle: the pre-money valuation counts options that nobody holds yet. Effective "
        "pre-money = pre-money − new options × price (Venture Hacks).",
    )
