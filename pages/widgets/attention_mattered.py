"""What mattered: each word's part in one token, by several methods, and how far each of them can be trusted here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.artefacts import Progress, part_of
from core.errors import GroundworkError, InvalidInput
from core.interpret.asked_token import token_named
from core.interpret.attribution import METHODS, Attribution, attribute
from core.interpret.faithfulness import Faithfulness, faithfulness
from core.interpret.target import Target, default_target
from core.interpret.trace import Trace
from exports.cells import Cell, rows_csv
from pages import state
from pages.widgets.attention_look import token_words
from pages.widgets.attention_mattered_charts import curves_figure
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_tokens import attention_tokens
from pages.widgets.attention_view import SINK_TAKES_ALL, View, draw_asked, draw_caution
from pages.widgets.chart_parts import TAKEN
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

QUICK = ("grad",)  # a pass or two, on a text of any length; rollout is as quick, and says little of a decoder
SHORT_CHOICE = ("grad", "occlusion")
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

    def unit(self, method: str) -> str:
        """What a score of a method is, in words."""
        if method in ("grad", "attention"):
            return "gradient × input" if method == "grad" else "share"
        if self.target.kind == "embedding":
            return "similarity"
        return "log probability" if self.target.against is None else "log probability, the one less the other"


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
    named = st.text_input(
        "Why this token and not …",
        key=state.look_key("against", state.look("against")),
        on_change=lambda: state.look_at(against=state.look_value("against") or None),
        placeholder="another token, e.g. London",
        width=320,
        help="With another token here, the scores say what speaks for the one and against the other (Yin & Neubig "
        "2022).",
    ).strip()
    return named if named and _is_token(view, named) else ""


def _is_token(view: View, named: str) -> bool:
    """Whether the second token is one; what is wrong with it is told under its field, and the plain question stays."""
    token = view.look.token
    try:
        found = view.find(f"against {token} {named}", lambda trace, progress: _second_token(trace, token, named))
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    return found is not None


def _second_token(trace: Trace, token: int, named: str) -> int:
    """Raises InvalidInput for what is no token, and for the token that is asked about itself."""
    other = token_named(trace.opened.tokenizer, named)
    if token > 0 or not trace.subject.causal:  # nothing explains the first token: that is told once, below
        target = default_target(trace, token)
        if target.kind in ("next", "masked") and target.token_id == other:
            raise InvalidInput(
                f"“{named[:60]}” is the token that is asked about.", next_step="Name another one to set against it."
            )
    return other


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
        "each token: seconds for a short text, a minute for a few hundred tokens. Rollout often gives a decoder's "
        "first token nearly everything.",
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
    st.markdown(
        "Tokens that make the text's embedding what it is (blue) and those that pull away from it (orange):"
        if found.target.kind == "embedding"
        else f"What speaks for **{plain(found.name)}** (blue) and what against it (orange):"
    )
    for made in found.attributions:
        picked = attention_tokens(
            pieces,
            special=special,
            focus=None,
            values=np.asarray(made.scores, np.float32)[None],
            bands=(METHODS[made.method].title,),
            band=0,
            signed=made.method != "attention",
            unit=found.unit(made.method),
            legend=METHODS[made.method].title,
            key=f"a_scores_{made.method}",
        )
        st.caption(plain(made.told + (_told_sink(made) if made.method == "attention" else "")))
        if made.method == "attention":
            _draw_caution(view, made)
        if picked is not None:
            state.look_at(token=str(picked))
            st.rerun()
    csv_button("attribution", rows_csv(_rows(view, found)))


def _told_sink(made: Attribution) -> str:
    share = float(made.scores[0] / max(float(made.scores.sum()), 1e-12))
    return f" The first token takes {share:.0%} of it: it says next to nothing here." if share > SINK_TAKES_ALL else ""


def _draw_caution(view: View, made: Attribution) -> None:
    """The way to the knock-out of the token that rollout puts first, the sink left out, and in a decoder the place
    where the answer is made."""
    subject = view.subject
    stop = view.query if subject.causal else len(subject.ids)
    places = [place for place in range(1, stop) if not subject.special[place]]
    if places:
        top = max(places, key=lambda place: float(made.scores[place]))
        draw_caution(f"token{top}", f"reading {plain(token_words(subject, top))}")


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
        what = "likeness to the whole text's embedding" if found.target.kind == "embedding" else "probability"
        st.caption(
            "Words are taken away, and given back, in the order that each method ranks them. If the ranking is right, "
            f"the {what} falls, or rises, faster than in a random order. It takes several seconds, half a minute "
            "for some hundred tokens."
        )
        return
    try:
        made = view.find(what, lambda trace, progress: faithfulness(trace, found.target, found.attributions, progress))
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if made is not None:
        _draw_curves(made)


def _gains(made: Faithfulness) -> list[dict[str, str]]:
    return [
        {
            "Method": METHODS[method].title,
            "Gain": f"{gain:+.3f}".replace("-", "−"),
            "By chance": "0",
            "Needed to beat chance": f"more than {made.needed:.3f}",
            "Beats chance": "yes" if made.beats_chance(method) else "no",
        }
        for method, gain in sorted(made.gains.items(), key=lambda one: -one[1])
    ]


def _draw_curves(made: Faithfulness) -> None:
    st.markdown(plain(made.verdict))
    st.dataframe(_gains(made), hide_index=True, alt="The gain of each method, beside what chance gives")
    st.caption(
        "Gain: the area under “Words given back” less the area under “Words taken away”. A random order gains nothing "
        "on average; what has to be passed is what single ones gain by luck. The grey bands below are their luck at "
        "each point alone: a line within the band here and there may still win over its whole length."
    )
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
