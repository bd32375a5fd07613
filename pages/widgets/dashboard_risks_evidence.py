"""What one item of the register rests on: tie what the product holds, a link or a note; take it off again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.venture.evidence import FOR, KINDS, Evidence, Tie, ties
from core.venture.risks import EvidenceSpec, RiskSpec, Topic
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.page_links import to_models
from pages.widgets.words import cut, plain

SAYS = {"clear": "", "look": " :orange-badge[something to see to]", "unknown": " :gray-badge[does not answer]"}
_FAULT = "tie_fault"


def draw(desk: Desk, place: int, risk: RiskSpec, found: Sequence[Evidence]) -> None:
    """place: of the item in the register."""
    own = ties(risk, found)
    if not own:
        st.markdown(":orange-badge[no evidence] Nothing is tied to this item yet.")
    for number, tie in enumerate(own):
        _draw_tie(desk, place, risk, number, tie)
    if fault := state.dashboard_note(_FAULT):
        st.error(fault, icon=":material/error:")
    left, right = st.columns(2)
    with left:
        _draw_held(desk, place, risk, found)
    with right:
        _draw_own(desk, place, risk)


def _draw_tie(desk: Desk, place: int, risk: RiskSpec, number: int, tie: Tie) -> None:
    spec, kind = tie.spec, KINDS[tie.spec.kind]
    with st.container(horizontal=True, vertical_alignment="center"):
        if tie.missing:
            st.markdown(
                f":red-badge[gone] {kind}: {plain(spec.label or spec.id)}. It was deleted, or is on another machine."
            )
        elif tie.held is not None:
            st.markdown(f":green-badge[tied] {kind}: {plain(tie.held.label)}{SAYS[tie.held.says]}")
            _link_to(tie.held)
        elif spec.kind == "link":
            st.markdown(f":green-badge[tied] {kind}:")
            st.page_link(spec.id, label=plain(spec.label or cut(spec.id, 60)), icon=":material/link:")
        else:
            st.markdown(f":gray-badge[note] {plain(spec.id)}")
        st.button(
            "Take off",
            key=f"d_untie_{place}_{number}",
            type="tertiary",
            icon=":material/link_off:",
            on_click=_put,
            args=(desk, place, [one for at, one in enumerate(risk.evidence) if at != number]),
        )


def _draw_held(desk: Desk, place: int, risk: RiskSpec, found: Sequence[Evidence]) -> None:
    """What the product holds on the item's topic first."""
    tied = {(one.kind, one.id) for one in risk.evidence}
    wanted = FOR[risk.topic]
    free = sorted((one for one in found if (one.kind, one.id) not in tied), key=lambda one: one.kind not in wanted)
    if not free:
        st.caption("The product holds nothing more that could be tied. " + HOW[risk.topic])
        draw_way(risk.topic)
        return
    name = f"evidence_{place}"
    st.selectbox(
        "What the product holds",
        range(len(free)),
        format_func=lambda at: f"{KINDS[free[at].kind]}: {cut(free[at].label, 90)}",
        key=state.dashboard_key(name),
        index=None,
        placeholder="Choose evidence",
        help="Licences of models in use, privacy scans and subgroup gaps of fine-tunes, texts looked into.",
        on_change=_tie_held,
        args=(desk, place, risk, tuple(free), name),
    )


def _tie_held(desk: Desk, place: int, risk: RiskSpec, free: Sequence[Evidence], name: str) -> None:
    at = state.dashboard_value(name)
    if at is None:
        return
    chosen = free[at]
    made = EvidenceSpec(kind=chosen.kind, id=chosen.id, label=cut(chosen.label, 300))
    _put(desk, place, [*risk.evidence, made])
    state.renew_dashboard(name)


def _draw_own(desk: Desk, place: int, risk: RiskSpec) -> None:
    name = f"own_evidence_{place}"
    st.text_input(
        "A link, or a note in your words",
        key=state.dashboard_key(name),
        placeholder="https://… or a sentence",
        help="A link counts as evidence; a note is kept and does not.",
        on_change=_tie_own,
        args=(desk, place, risk, name),
    )


def _tie_own(desk: Desk, place: int, risk: RiskSpec, name: str) -> None:
    text = str(state.dashboard_value(name) or "").strip()
    if not text:
        return
    kind = "link" if text.startswith(("https://", "http://")) else "note"
    _put(desk, place, [*risk.evidence, {"kind": kind, "id": text}])
    if not state.dashboard_note(_FAULT):
        state.renew_dashboard(name)


def _put(desk: Desk, place: int, evidence: Sequence[Any]) -> None:
    state.set_dashboard_note(_FAULT, "")
    try:
        desk.put(f"risks.{place}.evidence", list(evidence))
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, f"Not saved: {error}")


HOW: dict[Topic, str] = {
    "privacy": "A fine-tune on text scans its data for personal data.",
    "security": "On security it holds nothing: give a link to a test or a policy.",
    "licences": "Use a model, or add one to the catalogue: its licence is read from its files.",
    "fairness": "A fine-tune with a column of subgroups reports their gaps.",
    "transparency": "Look into a text on the Attention page.",
    "law": "Give a link to the assessment; fine-tunes and texts looked into can be tied too.",
    "supplier": "Give a link to a contract or a second offer; licences of open models can be tied.",
    "talent": "On talent it holds nothing: give a link, and see the skills matrix under Resources.",
}


def draw_way(topic: Topic) -> None:
    """A link to the page where evidence of a topic is made; nothing where a page is drawn without the navigation."""
    if topic in ("licences", "supplier"):
        to_models("Models and their licences")
    elif topic in ("privacy", "fairness", "law"):
        _page("finetune", "Fine-tune a model", ":material/model_training:", {})
    elif topic == "transparency":
        _page("attention", "Look into a text", ":material/visibility:", {})


def _link_to(one: Evidence) -> None:
    if one.kind == "model_licence":
        to_models("The model", one.id)
    elif one.kind in ("privacy_scan", "subgroup_gaps"):
        _page("finetune", "The fine-tune", ":material/model_training:", state.run_shown_as(one.id))
    elif one.kind == "attribution":
        _page("attention", "The text", ":material/visibility:", {"reading": one.id})


def _page(name: str, label: str, icon: str, query: dict[str, str]) -> None:
    page = state.page_or_none(name)
    if page is not None:
        st.page_link(page, label=label, icon=icon, query_params=query)
