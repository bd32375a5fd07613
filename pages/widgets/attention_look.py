"""`Look`: where the reader looks: the view, the token asked about, layer, heads, and how weights are shown.

It is read from the address at every run, and every control writes there: the link in the browser is what is on screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.interpret.shaping import SINKS, UNITS, Shaping
from core.interpret.subject import Subject
from pages import state

VIEWS = {
    "overview": "All heads",
    "head": "One head",
    "word": "Why this word",
    "steps": "Step by step",
    "layers": "Layers",
    "mattered": "What mattered",
    "knockout": "Knock-out",
    "how": "How it works",
}
QUESTIONS = {
    "overview": "What does each head look at? Click one to open it.",
    "head": "Who reads whom, in one head or several?",
    "word": "What did the model look at when it chose this token?",
    "steps": "What was read when each token was chosen?",
    "layers": "What would each layer have said?",
    "mattered": "Which words of the text made this token likely, and which method can be trusted here?",
    "knockout": "Does it matter? Switch off heads, MLPs or tokens, and see the answer change.",
    "how": "How is attention computed? One real token, number by number; then an example to play with.",
}
MOST_DRAWN = 4  # heads with lines of their own


@dataclass(frozen=True, slots=True)
class Look:
    """token: position asked about; len(tokens) is the one that would come next. heads: of `layer`. drawing: lines or
    map. off: what is knocked out, as links write it."""

    view: str
    token: int
    layer: int
    heads: tuple[int, ...]
    shaping: Shaping
    drawing: str
    off: str


def read(subject: Subject, layers: int, heads: int, *, writes_logits: bool) -> Look:
    """What the address says, within what the model has; anything else counts as not said."""
    layer = _whole(state.look("layer"), 0, layers - 1, layers // 2)
    chosen = sorted({_whole(part, 0, heads - 1, -1) for part in state.look("heads").split(".")} - {-1})
    sink, unit = state.look("sink"), state.look("unit")
    shaping = Shaping(
        sink=next((known for known in SINKS if known == sink), "keep"),
        by_norm=state.look("norm") == "yes",
        unit=next((known for known in UNITS if known == unit), "token"),
    )
    view = state.look("view")
    return Look(
        view if view in views_for(subject, writes_logits=writes_logits) else "word",
        _token(subject),
        layer,
        tuple(chosen) or (0,),
        shaping,
        "map" if state.look("draw") == "map" else "lines",
        state.look("off"),
    )


def views_for(subject: Subject, *, writes_logits: bool) -> list[str]:
    """An encoder takes no steps, and one that predicts no tokens has nothing to read off its layers."""
    left_out = ([] if subject.causal else ["steps"]) + ([] if writes_logits else ["layers"])
    return [view for view in VIEWS if view not in left_out]


def corrections(subject: Subject, look: Look, layers: int, heads: int) -> str:
    """What a link asks for that is not there, in words; "" when all of it is."""
    asked = {
        "view": (state.look("view"), look.view, ""),
        "layer": (state.look("layer"), str(look.layer), f" (0 to {layers - 1})"),
        "heads": (state.look("heads"), ".".join(map(str, look.heads)), f" (0 to {heads - 1})"),
    }
    wrong = [f"{name} “{told}”{known}" for name, (told, taken, known) in asked.items() if told and told != taken]
    token = state.look("token")
    if token and not token.startswith("answer") and token != str(look.token):
        wrong.append(f"token “{token}” (0 to {len(subject.ids) - 1})")
    return f"The link asks for {', '.join(wrong)}, which is not here." if wrong else ""


def _token(subject: Subject) -> int:
    """A link counts in the answer ("answer3") or in the whole text ("17")."""
    told = state.look("token")
    last = len(subject.ids) if subject.causal else len(subject.ids) - 1
    if told.startswith("answer") and subject.answer_start is not None:
        return _whole(told.removeprefix("answer"), 0, last - subject.answer_start, 0) + subject.answer_start
    if told:
        return _whole(told, 0, last, last)
    if subject.answer_start is not None:
        return subject.answer_start
    return last if subject.causal else next((i for i, one in enumerate(subject.special) if not one), 0)


def _whole(told: str, least: int, most: int, default: int) -> int:
    try:
        value = int(told)
    except ValueError:
        return default
    return value if least <= value <= most else default


def token_words(subject: Subject, position: int) -> str:
    """‘ Paris’ (17), or what would come next."""
    if position >= len(subject.pieces):
        return "the next token"
    return f"‘{subject.pieces[position]}’ ({position})"


def to_address(layer: int | None = None, heads: Sequence[int] | None = None, **parts: str | None) -> None:
    """Write what was picked into the address."""
    if layer is not None:
        parts["layer"] = str(layer)
    if heads is not None:
        parts["heads"] = ".".join(map(str, heads))
    state.look_at(**parts)


# ── controls ──


def pick_view(subject: Subject, look: Look, *, writes_logits: bool) -> None:
    st.segmented_control(
        "View",
        views_for(subject, writes_logits=writes_logits),
        format_func=VIEWS.__getitem__,
        key=state.look_key("view", look.view),
        required=True,
        label_visibility="collapsed",
        on_change=lambda: state.look_at(view=state.look_value("view")),
    )


def pick_place(look: Look, layers: int, heads: int) -> None:
    """Layer and heads."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        _pick_layer(look, layers)
    with right:
        _pick_heads(look, heads)


def _pick_layer(look: Look, layers: int) -> None:
    if layers > 1:
        st.slider(
            "Layer",
            0,
            layers - 1,
            key=state.look_key("layer", look.layer),
            on_change=lambda: state.look_at(layer=str(state.look_value("layer"))),
        )


def _pick_heads(look: Look, heads: int) -> None:
    """Which heads; none chosen means head 0 again."""
    st.pills(
        "Heads",
        range(heads),
        selection_mode="multi",
        format_func=str,
        key=state.look_key("heads", list(look.heads)),
        help=f"Up to {MOST_DRAWN} are drawn in colours of their own; more as their mean.",
        on_change=lambda: to_address(heads=sorted(state.look_value("heads") or [])),
    )


def by_token(look: Look) -> Shaping:
    """How weights are looked at where tokens stay apart."""
    return Shaping(look.shaping.sink, look.shaping.by_norm)


def pick_shaping(look: Look, *, unit: bool = True, norm: bool = True) -> None:
    """How weights are looked at, in a popover. unit, norm: whether the picture can be drawn so."""
    shown = Shaping(look.shaping.sink, look.shaping.by_norm and norm, look.shaping.unit if unit else "token").words
    with st.popover(f"Options · {shown}" if shown else "Options", icon=":material/tune:"):
        st.radio(
            "The first token",
            list(SINKS),
            format_func={
                "keep": "show it",
                "hide": "hide it",
                "renormalise": "leave it out, and scale the rest to 100 %",
            }.__getitem__,
            key=state.look_key("sink", look.shaping.sink),
            help="Heads put the attention that they have no use for on the first token, the “sink” (Xiao et al. 2023), "
            "or on an encoder's [CLS] and [SEP]. It says little, and hides the rest.",
            on_change=lambda: state.look_at(sink=state.look_value("sink")),
        )
        if norm:
            st.toggle(
                "Weigh by value norm",
                key=state.look_key("norm", look.shaping.by_norm),
                help="Weight × ‖W_O v‖: how much a token was looked at, times how much it had to say (Kobayashi et al. "
                "2020). The sink's values are small, so this takes it down for a reason.",
                on_change=lambda: state.look_at(norm="yes" if state.look_value("norm") else None),
            )
        if unit:
            st.radio(
                "Join into",
                list(UNITS),
                format_func=lambda one: f"{one}s",
                horizontal=True,
                key=state.look_key("unit", look.shaping.unit),
                help="What is read is summed, who reads is averaged.",
                on_change=lambda: state.look_at(unit=state.look_value("unit")),
            )
