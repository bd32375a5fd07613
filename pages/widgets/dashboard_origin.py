"""Where a figure comes from, to be clicked through: each step opens the next, down to the runs that were recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zlib import crc32

import streamlit as st

from core.errors import GroundworkError, NotFound
from core.store.scenarios import ScenarioRepository
from core.venture.origin import Link, Origin
from core.venture.origin_tree import NAMES
from exports.cells import rows_csv
from pages import state
from pages.services import services
from pages.widgets import page_links
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

ICONS = {
    "margin": ":material/percent:",
    "revenue": ":material/sell:",
    "cogs": ":material/receipt_long:",
    "price": ":material/payments:",
    "tokens": ":material/token:",
    "estimate": ":material/calculate:",
    "api": ":material/list_alt:",
    "typed": ":material/edit:",
    "measurement": ":material/speed:",
    "run": ":material/play_circle:",
    "figure": ":material/function:",
    "missing": ":material/link_off:",
}
MOST_ROWS = 5


def button(label: str, make: Callable[[], Origin], *, key: str) -> None:
    """The small mark of a figure: it opens where that comes from. make: called when it is pressed."""
    if st.button(label, key=key, icon=":material/account_tree:", type="tertiary"):
        _open(make)


@st.dialog("Where this figure comes from", width="large")
def _open(make: Callable[[], Origin]) -> None:
    try:
        draw(make())
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


def draw(origin: Origin) -> None:
    """The figure, what it is made of, and below it each step that is chosen; and all of it as CSV."""
    st.caption(_summary(origin))
    _step(origin, "1")
    csv_button(f"origin {origin.label}", rows_csv(origin.to_rows()), label="CSV: all steps")


def _summary(origin: Origin) -> str:
    """Whether the way ends at something measured."""
    measured, runs, weak = len(origin.find("measurement")), len(origin.find("run")), len(origin.weak)
    told = []
    if measured or runs:
        told.append(f":material/verified: Leads to {count_of(measured, 'measurement')} and {count_of(runs, 'run')}.")
    if weak:
        told.append(f":material/edit: {count_of(weak, 'step')} typed in or missing: each says what to do.")
    return " ".join(told) or "Nothing behind it was measured."


def _step(one: Origin, place: str) -> None:
    """One step in a frame, then the one that is chosen of what it is made of: the way stays in sight from the top."""
    steps = [child for child in one.children if _opens(child)]
    with st.container(border=True):
        st.markdown(_line(one))
        _body(one, place)
        for child in one.children:
            if not _opens(child):
                st.markdown(_line(child))
                _advice(child)
        chosen = _choose(one, steps, place) if steps else None
    if chosen is not None:
        _step(steps[chosen], f"{place}.{chosen + 1}")


def _opens(one: Origin) -> bool:
    """Whether there is more to it than a line."""
    return bool(one.children or one.detail or one.formula or one.link)


def _line(one: Origin) -> str:
    return f"{ICONS[one.kind]} {plain(one.label)}" + (f": **{plain(one.value)}**" if one.value else "")


def _choose(one: Origin, steps: list[Origin], place: str) -> int | None:
    """The next step down; the only one is open at once."""
    stamp = crc32(f"{one.kind} {one.label} {len(steps)}".encode())
    names = _names(steps)
    chosen = st.radio(
        "It comes from",
        range(len(steps)),
        index=0 if len(steps) == 1 else None,
        format_func=names.__getitem__,
        captions=[plain(step.value) for step in steps],
        key=state.dashboard_key(f"origin_{place}_{stamp:08x}"),
    )
    return None if chosen is None else int(chosen)


def _names(steps: Sequence[Origin]) -> list[str]:
    """Each its own: of options with the same words, Streamlit takes the last, whichever was chosen."""
    labels = [f"{ICONS[one.kind]} {plain(one.label)}" for one in steps]
    return [f"{one} · {place}" if labels.count(one) > 1 else one for place, one in enumerate(labels, start=1)]


def _body(one: Origin, place: str) -> None:
    _advice(one)
    if one.formula:
        st.latex(one.formula)
    rows = [f"- {plain(name)}: {plain(value)}" for name, value in one.detail]
    if rows:
        st.markdown("\n".join(rows[:MOST_ROWS]))
    if rows[MOST_ROWS:]:
        with st.expander(f"{len(rows) - MOST_ROWS} more that went in"):
            st.markdown("\n".join(rows[MOST_ROWS:]))
    if one.source:
        st.caption(f"Source: {plain(one.source)}")
    if one.id and one.kind in ("measurement", "run", "estimate"):
        st.caption(f"{NAMES[one.kind]} `{one.id}`")
    if one.link:
        _link(one.link, place)


def _advice(one: Origin) -> None:
    if one.advice:
        st.caption(f":material/info: {plain(one.advice)}")


def _link(link: Link, place: str) -> None:
    if link.page == "models":
        page_links.to_models("Where it was measured", link.about)
    elif link.page == "attention":
        page_links.to_attention("This run, token by token", link.about)
    elif link.page == "playground":
        to_page("playground", "The conversation", ":material/forum:", state.session_shown_as(link.about))
    else:
        _to_scenario(link.about, place)


def _to_scenario(scenario_id: str, place: str) -> None:
    """Its inputs are put into Cost & compute by a button, because they are many; the link leads there."""
    try:
        record = ScenarioRepository(services().db).get(scenario_id)
    except NotFound:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if record.form:
            st.button(
                "Fill Cost & compute with it",
                key=state.dashboard_key(f"origin_fill_{place}"),
                icon=":material/input:",
                type="tertiary",
                on_click=state.fill_cost,
                args=(record.form,),
            )
    to_page("cost", "Open Cost & compute", ":material/calculate:")


def to_page(name: str, label: str, icon: str, query: dict[str, str] | None = None) -> None:
    """Nothing where a page is drawn without the navigation."""
    page = state.page_or_none(name)
    if page is not None:
        st.page_link(page, label=label, icon=icon, query_params=query or {})
