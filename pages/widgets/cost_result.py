"""An estimate as it is shown: the sentence, the figures that matter, all figures, and where each came from."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from core.errors import NotFound
from core.estimate.figures import Figure, Input
from core.estimate.report import Report
from core.estimate.words import large, said, said_range
from core.store.measurements import MeasurementRepository
from pages import state
from pages.services import services
from pages.widgets import page_links
from pages.widgets.words import plain

# The figures of each kind that stand above the picture.
FIRST = {
    "train": ("days", "cost_usd", "gpu_hours", "mfu"),
    "memory": ("memory_per_gpu_bytes", "weights_bytes", "largest_batch", "largest_context_tokens"),
    "serve": (
        "tokens_per_s_per_gpu",
        "time_per_token_s",
        "ttft_s",
        "usd_per_million_output_tokens",
        "samples_per_s_per_gpu",
        "usd_per_million_input_tokens",
    ),
    "breakeven": ("breakeven_tokens_per_month", "own_usd_per_month", "api_usd_per_month", "own_usd_per_million_tokens"),
}
MOST_CARDS = 4
WARNS = ("It does not fit", "It fits only", "No cost", "What would")  # how a note begins that warns
LONGEST = 11  # characters of a value on a card
_NUMBER = re.compile(r"\$?[\d.,]+(?: (?:million|billion|trillion))?")
CROSSING = "breakeven_tokens_per_month"


def draw_first(report: Report) -> None:
    """The sentence and the cards."""
    st.markdown(f"#### {plain(report.sentence)}")
    never = report.get(CROSSING) is None and CROSSING in report.more
    shown = [figure for key in FIRST[report.kind] if (figure := report.get(key)) is not None][: MOST_CARDS - never]
    columns = st.columns(len(shown) + never)
    if never:
        with columns[0], st.container(border=True, height="stretch"):
            _crossing(report.more[CROSSING])
    for column, figure in zip(columns[never:], shown, strict=True):
        with column, st.container(border=True, height="stretch"):
            number, unit = _apart(said(figure.value.expected, figure.unit))
            st.markdown(plain(figure.label))
            st.metric(figure.label, number, label_visibility="collapsed")
            exact = figure.value.low == figure.value.high
            st.caption(plain(f"{unit} · exact".strip(" ·") if exact else said_range(figure.value, figure.unit)))
            if st.button("Where from", key=f"c_from_{figure.key}", icon=":material/function:", type="tertiary"):
                origin(figure)


def _apart(words: str) -> tuple[str, str]:
    """A number and a unit that would not fit beside it on a card: the unit goes with the range below."""
    found = _NUMBER.match(words)
    if found is None or len(words) <= LONGEST:
        return words, ""
    unit = words[found.end() :].strip()
    return found[0], f"per {unit[1:]}" if unit.startswith("/") else unit


def _crossing(ends: dict[str, float | str | None]) -> None:
    """A break-even one end of which is "never", or "at any volume": no range can hold that."""
    words = [_volume(ends[name]) for name in ("low", "expected", "high")]
    st.markdown("Own hosting pays from")
    st.metric("Own hosting pays from", words[1], label_visibility="collapsed")
    st.caption(f"At best: {plain(words[0])}; at worst: {plain(words[2])}. Tokens a month.")


def _volume(end: float | str | None) -> str:
    if end is None:
        return "never"
    return large(float(end)) if end else "any volume"


def draw_all(report: Report) -> None:
    """Every figure; a click on a row opens where it came from."""
    rows = [
        {
            "Figure": figure.label,
            "Expected": said(figure.value.expected, figure.unit),
            "Low": "" if figure.value.low == figure.value.high else said(figure.value.low, figure.unit),
            "High": "" if figure.value.low == figure.value.high else said(figure.value.high, figure.unit),
        }
        for figure in report.figures
    ]
    picked = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=state.figures_key(report.kind),
        height="content",
        alt="All figures of this estimate",
    )
    chosen = picked.selection.rows
    st.caption("Choose a row to see its formula, its source, its inputs and what drives its range.")
    if chosen and chosen[0] < len(report.figures):
        state.renew_figures(report.kind)
        origin(report.figures[chosen[0]])


@st.dialog("Where this figure comes from", width="large")
def origin(figure: Figure) -> None:
    st.markdown(f"**{plain(figure.label)}: {plain(said(figure.value.expected, figure.unit))}**")
    if figure.value.low < figure.value.high:
        st.caption(f"From {plain(said_range(figure.value, figure.unit))}")
    st.latex(figure.formula)
    st.caption(f"Source: {plain(figure.source)}")
    if figure.drivers:
        st.markdown("**What its range comes from**, each alone:")
        widest = sorted(figure.drivers, key=lambda one: -abs(one.high - one.low))
        st.markdown(
            "\n".join(
                f"- {plain(one.name)}: {plain(said(min(one.low, one.high), figure.unit))} to "
                f"{plain(said(max(one.low, one.high), figure.unit))}"
                for one in widest
            )
        )
    if figure.inputs:
        st.markdown("**What went in**")
        st.dataframe([_input_row(one) for one in figure.inputs], hide_index=True, alt="Inputs of this figure")
    _measurements(figure.measurement_ids)


def draw_warnings(notes: Sequence[str]) -> None:
    """What changes the answer: it stands right under it."""
    for note in notes:
        if note.startswith(WARNS):
            st.warning(plain(note), icon=":material/info:")


def draw_notes(notes: Sequence[str]) -> None:
    """What was assumed, and what is unknown."""
    rest = [note for note in notes if not note.startswith(WARNS)]
    if rest:
        st.caption("  \n".join(plain(note) for note in rest))


def _input_row(one: Input) -> dict[str, str]:
    value = one.value if isinstance(one.value, str) else said(float(one.value), one.unit)
    return {"Input": one.name, "Value": value, "Source": one.source or "given"}


def model_of(measurement_id: str) -> str | None:
    """The model that was measured; None when the measurement is gone."""
    try:
        return MeasurementRepository(services().db).get(measurement_id).model_id
    except NotFound:
        return None


def _measurements(ids: Sequence[str]) -> None:
    if not ids:
        return
    st.markdown(f"**Measured**: {len(ids)} recorded cells, whose ids are")
    st.code("\n".join(ids), language=None)
    page_links.to_models("See them where they were measured", model_of(ids[0]))
