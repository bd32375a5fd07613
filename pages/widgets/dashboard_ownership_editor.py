"""The tables of a cap table: holders, the option plan, SAFEs, notes, rounds, and preferred that is issued already."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from core.errors import InvalidInput
from core.venture.ownership.terms import METHODS
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_table import Column, edit

MOST_EDITED = 2_000  # rows of holders; a larger register is brought as a file
KINDS = {one: one.capitalize() for one in ("founder", "employee", "investor", "adviser", "other")}
METHOD_WORDS = {name: name.replace("_", " ").capitalize() for name in METHODS}
_PREFERENCE = (
    Column(
        field="multiple",
        label="Preference (×)",
        kind="money",
        default=1,
        help="Liquidation preference: what the class gets before common at an exit, times the money it paid in.",
    ),
    Column(
        field="participating",
        label="Participating",
        kind="yes",
        help="It takes its preference and a share of the rest too. Otherwise it takes the better of the two.",
    ),
    Column(
        field="participation_cap",
        label="Up to (×)",
        kind="money",
        help="Of participating preferred: all it may get, times the money it paid in. Empty: no cap.",
    ),
    Column(
        field="seniority",
        label="Rank",
        kind="whole",
        default=1,
        help="The higher rank is paid first; equal ranks share in proportion.",
    ),
)
HOLDERS = (
    Column(field="name", label="Holder", pinned=True),
    Column(field="shares", label="Shares", kind="whole"),
    Column(field="kind", label="Who", kind="choice", options=KINDS, default="Founder"),
    Column(
        field="share_class", label="Class", default="common", help="common, or the name of a class of preferred below."
    ),
)
SAFES = (
    Column(field="name", label="Investor", pinned=True),
    Column(field="purchase_usd", label="Purchase", kind="money"),
    Column(
        field="post_money_cap_usd",
        label="Post-money cap",
        kind="money",
        help="The SAFE owns purchase ÷ cap of the company after all SAFEs, before the new money. Today's usual form.",
    ),
    Column(
        field="pre_money_cap_usd",
        label="Pre-money cap",
        kind="money",
        help="The form before 2018: counted on the shares before any SAFE, with the round's pool increase.",
    ),
    Column(
        field="discount",
        label="Discount (%)",
        kind="percent",
        help="Off the round's price. The better of cap and discount applies.",
    ),
    Column(
        field="mfn",
        label="MFN",
        kind="yes",
        help="Most favoured nation: it takes the terms of a later SAFE where they give more shares.",
    ),
    Column(
        field="form",
        label="Form",
        kind="choice",
        options={"post_money": "Post-money", "pre_money": "Pre-money"},
        help="Only for a SAFE without a cap.",
    ),
    Column(field="date", label="Date", kind="date", help="Empty: it converts in the first round."),
)
NOTES = (
    Column(field="name", label="Lender", pinned=True),
    Column(field="principal_usd", label="Principal", kind="money"),
    Column(
        field="interest", label="Interest (%/year)", kind="percent", help="It converts into shares with the principal."
    ),
    Column(field="compound", label="Compound", kind="yes", help="Interest on interest, once a year. Otherwise simple."),
    Column(field="issued", label="Issued", kind="date", help="Interest runs from here to the round, on 365 days."),
    Column(field="months", label="Or months", kind="whole", help="How long it runs, where no dates are known."),
    Column(
        field="cap_usd", label="Cap", kind="money", help="Valuation above which it converts as if the round were at it."
    ),
    Column(field="discount", label="Discount (%)", kind="percent", help="Off the round's price."),
    Column(
        field="qualified_financing_usd",
        label="Converts from",
        kind="money",
        help="Qualified financing: a smaller round leaves the note as it is.",
    ),
)
ROUNDS = (
    Column(field="name", label="Round", pinned=True),
    Column(field="date", label="Date", kind="date"),
    Column(field="money_usd", label="New money", kind="money"),
    Column(
        field="pre_money_usd",
        label="Pre-money",
        kind="money",
        help="What the company is said to be worth before the new money.",
    ),
    Column(
        field="post_money_pool",
        label="Pool after (%)",
        kind="percent",
        help="Unissued options as a share of everything after the round. The increase counts as pre-money.",
    ),
    Column(field="pool_increase_shares", label="Or new options", kind="whole"),
    Column(
        field="conversion_method",
        label="Conversion",
        kind="choice",
        options=METHOD_WORDS,
        help="How notes and pre-money SAFEs meet the pre-money. Under Ownership each is explained.",
    ),
    *_PREFERENCE,
)
CLASSES = (
    Column(field="name", label="Class", pinned=True),
    Column(field="invested_usd", label="Paid in all", kind="money"),
    Column(field="price_usd", label="Or a share", kind="money"),
    *_PREFERENCE,
)
PLAN = (
    ("options_outstanding", "Options granted", "Granted and not yet exercised."),
    ("options_promised", "Options promised", "Promised in offers, not yet granted. Post-money SAFEs count them."),
    ("unissued_pool", "Unissued pool", "Reserved for options that nobody has been promised."),
)
AMOUNTS = (
    ("options_strike_usd", "Strike of an option", "What it costs to exercise, a share."),
    ("debt_usd", "Debt at an exit", "Repaid before any shareholder."),
    ("transaction_costs_usd", "Costs of an exit", "Bankers and lawyers, paid first."),
)


def draw(desk: Desk) -> None:
    st.caption("Every whole change is saved. + above a table adds a row; a row is deleted with its box at the left.")
    _draw_holders(desk)
    st.subheader("Option plan")
    _draw_numbers(desk)
    st.subheader("SAFEs", help="Simple agreement for future equity: money now, shares at the next priced round.")
    edit(desk, "ownership.safes", SAFES, label="SAFEs")
    st.subheader("Convertible notes", help="Loans that become shares at the next priced round, with their interest.")
    edit(desk, "ownership.notes", NOTES, label="Convertible notes")
    st.subheader("Rounds", help="Priced rounds, in order: new shares for new money.")
    edit(desk, "ownership.rounds", ROUNDS, label="Priced rounds")
    with st.expander("Preferred that is issued already", expanded=bool(desk.spec.ownership.classes)):
        st.caption("Add the class here, then give its name to a holder's shares above.")
        edit(desk, "ownership.classes", CLASSES, label="Classes of preferred")


def _draw_holders(desk: Desk) -> None:
    st.subheader("Holders")
    holders = desk.spec.ownership.holders
    if len(holders) > MOST_EDITED:
        st.caption(
            f"{len(holders):,} holders: change them in a file, under Import and export. The first {MOST_EDITED:,}:"
        )
        st.dataframe([one.model_dump() for one in holders[:MOST_EDITED]], hide_index=True, alt="Holders")
        return
    edit(desk, "ownership.holders", HOLDERS, label="Holders")


def fresh(name: str, saved: Any) -> None:
    """A field that shows what is saved begins anew when that was changed elsewhere, as by a file or another company."""
    if state.dashboard_note(f"{name}_shown") != saved:
        state.renew_dashboard(name)
        state.set_dashboard_note(f"{name}_shown", saved)


def _draw_numbers(desk: Desk) -> None:
    for field, _, _ in (*PLAN, *AMOUNTS):
        fresh(field, (desk.id, getattr(desk.spec.ownership, field)))
    columns = st.columns(3)
    for column, (field, label, words) in zip(columns, PLAN, strict=True):
        with column:
            st.number_input(
                label,
                min_value=0,
                max_value=10**12,
                value=int(getattr(desk.spec.ownership, field)),
                step=10_000,
                key=state.dashboard_key(field),
                help=words,
                on_change=_put_number,
                args=(desk, field),
            )
    with st.expander("Strike, debt and costs"):
        for field, label, words in AMOUNTS:
            st.number_input(
                f"{label}, {desk.currency}",
                min_value=0.0,
                max_value=1e12,
                value=float(getattr(desk.spec.ownership, field)),
                step=0.01 if field == "options_strike_usd" else 10_000.0,
                format="%.4f" if field == "options_strike_usd" else "%.2f",
                key=state.dashboard_key(field),
                help=words,
                on_change=_put_number,
                args=(desk, field),
            )
    if fault := state.dashboard_note("ownership_number"):
        st.error(f"Not saved yet: {fault}", icon=":material/error:")


def _put_number(desk: Desk, field: str) -> None:
    value = state.dashboard_value(field)
    try:
        desk.put(f"ownership.{field}", 0 if value is None else _exact(value))
    except InvalidInput as error:
        state.set_dashboard_note("ownership_number", str(error))
    else:
        state.set_dashboard_note("ownership_number", "")
        state.set_dashboard_note(f"{field}_shown", (desk.id, getattr(desk.spec.ownership, field)))


def _exact(value: float | int) -> float | int:
    return int(value) if Decimal(repr(value)) == int(value) else value
