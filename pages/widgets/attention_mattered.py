"""What mattered: each word's part in one token, by several methods, and how far each of them can be trusted here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.artefacts import Progress, part_of
from core.errors import GroundworkError
from core.interpret.asked_token import token_named
from core.interpret.attribution import METHODS, Attribution, attribute
from core.interpret.faithfulness import Faithfulness, faithfulness
from core.interpret.target import Target, default_target
from core.interpret.trace import Trace
from exports.cells import Cell, rows_csv
from pages import state
from pages.widgets.attention_mattered_charts import curves_figure
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_tokens import attention_tokens
from pages.widgets.attention_view import View, draw_asked
from pages.widgets.chart_parts import TAKEN
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

QUICK = ("grad", "attention")  # a pass or two, on a text of any length
SHORT_CHOICE = ("grad", "occlusion", "attention")
ALL = ("grad", "ig", "occlusion", "attention")
SHORT = 64  # tokens up to which occlusion is quick enough to be worked out unasked
Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the methods say of one target. name: what is explained, in words."""

    target: Target
    name: str
    inputs: int
    attributions: tuple[Attribution, ...]


def draw(view: View) -> None:
    """The text tinted by each method's scores, and the curves that say which method to trust."""
    against = _draw_question(view)
    methods = _methods(view)
    key = f"attribution {view.look.token} {against} {'-'.join(methods)}"
    found = view.find(key, lambda trace, progress: _attribute(trace, view.look.token, against, methods, progress))
    if found is None:
        return
    _draw_scores(view, found)
    _draw_faithfulness(view, found, key)


def _draw_question(view: View) -> str:
    draw_asked(view)
    if not view.writes_logits:
        st.caption("This model predicts no tokens: what is explained is the text's embedding.")
        return ""
    return st.text_input(
        "Why this token and not …",
        key="a_against",
        placeholder="another token, e.g. London",
        width=320,
        help="With another token here, the scores say what speaks for the one and against the other (Yin & Neubig "
        "2022).",
    ).strip()


def _methods(view: View) -> tuple[str, ...]:
    """Those that the reader picks; at first the ones that are quick for a text of this length."""
    read = view.look.token if view.subject.causal else len(view.subject.ids)
    picked = st.pills(
        "Methods",
        ALL,
        selection_mode="multi",
        default=SHORT_CHOICE if read <= SHORT else QUICK,
        format_func=lambda method: METHODS[method].title,
        key=f"a_methods_{read <= SHORT}",
        help="Gradient × input and rollout take a pass or two. Integrated gradients takes dozens, occlusion one for "
        "each token: seconds for a short text, a minute for a few hundred tokens.",
    )
    return tuple(method for method in ALL if method in (picked or QUICK))


def _attribute(trace: Trace, token: int, against: str, methods: tuple[str, ...], progress: Progress) -> _Found:
    target = default_target(trace, token)
    if against and target.kind in ("next", "masked"):
        target = replace(target, against=token_named(trace.opened.tokenizer, against))
    made = tuple(
        attribute(trace, target, method, part_of(progress, number / len(methods), (number + 1) / len(methods)))
        for number, method in enumerate(methods)
    )
    return _Found(target, _name(trace, target), len(made[0].scores), made)


def _name(trace: Trace, target: Target) -> str:
    if target.kind == "embedding":
        return "the text's embedding"
    if target.kind == "class":
        labels = trace.opened.model.config.id2label or {}
        return f"the class {labels.get(target.token_id, target.token_id)}"
    name = piece_label(trace.opened.tokenizer.token_text(target.token_id))
    other = "" if target.against is None else piece_label(trace.opened.tokenizer.token_text(target.against))
    return f"{name} and not {other}" if other else name


def _draw_scores(view: View, found: _Found) -> None:
    pieces, special = view.subject.pieces[: found.inputs], view.subject.special[: found.inputs]
    st.markdown(f"What speaks for **{plain(found.name)}** (blue) and what against it (orange):")
    for made in found.attributions:
        picked = attention_tokens(
            pieces,
            special=special,
            focus=None,
            values=np.asarray(made.scores, np.float32)[None],
            bands=(METHODS[made.method].title,),
            band=0,
            signed=made.method != "attention",
            unit="score",
            legend=METHODS[made.method].title,
            key=f"a_scores_{made.method}",
        )
        st.caption(plain(made.told))
        if picked is not None:
            state.look_at(token=str(picked))
            st.rerun()
    csv_button("attribution", rows_csv(_rows(view, found)))


def _rows(view: View, found: _Found) -> list[Row]:
    rows: list[Row] = []
    for place in range(found.inputs):
        row: Row = {"position": place, "token": view.subject.pieces[place]}
        row.update({made.method: float(made.scores[place]) for made in found.attributions})
        rows.append(row)
    return rows


def _draw_faithfulness(view: View, found: _Found, key: str) -> None:
    st.markdown("**Which method can be trusted here?**")
    asked = st.button("Test the methods", icon=":material/fact_check:", key="a_faithful")
    what = f"faithfulness {key}"
    if not asked and not view.asked_before(what):
        st.caption(
            "Words are taken away, and given back, in the order that each method ranks them. If the ranking is right, "
            "the probability falls, or rises, faster than in a random order."
        )
        return
    try:
        made = view.find(what, lambda trace, progress: faithfulness(trace, found.target, found.attributions, progress))
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return
    if made is not None:
        _draw_curves(made)


def _draw_curves(made: Faithfulness) -> None:
    st.markdown(plain(made.verdict))
    left, right = st.columns(2)
    with left:
        st.plotly_chart(curves_figure(made, "deletion"), key="a_deletion", config=TAKEN)
    with right:
        st.plotly_chart(curves_figure(made, "insertion"), key="a_insertion", config=TAKEN)
    rows: list[Row] = [
        {"method": curve.method, "kind": curve.kind, "share": share, "value": float(value), "area": curve.area}
        for curve in made.curves
        for share, value in zip(curve.shares, curve.probabilities, strict=True)
    ]
    csv_button("faithfulness", rows_csv(rows))
