"""The models of this machine, one a box: what each does, how large it is, what is ready."""

from __future__ import annotations

import streamlit as st

from core.models import catalogue
from core.models.cards import ModelCard, SourceKind
from core.models.licences import UNKNOWN
from core.onnx.devices import resolve_device
from core.onnx.exports import list_exports
from pages import state
from pages.widgets.models import TASK_WORDS
from pages.widgets.words import bytes_words, count_words, plain

SOURCE_WORDS = {
    SourceKind.PACKAGE: "built in",
    SourceKind.HUB: "from the hub",
    SourceKind.FOLDER: "from a folder",
    SourceKind.GGUF: "from a GGUF file",
}


def draw() -> None:
    """All of them, built-in ones first."""
    cards = catalogue.list_models()
    st.subheader(f"On this machine · {len(cards)}")
    device = resolve_device()
    for card in cards:
        with st.container(border=True):
            ready = [export.precision for export in list_exports(card, device) if export.usable]
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                with st.container(horizontal=True, vertical_alignment="center", width="content"):
                    st.markdown(f"**{plain(card.title)}**", width="content")
                    st.badge(TASK_WORDS[card.task], color="blue")
                    if ready:
                        st.badge(f"proved in {', '.join(ready)}", icon=":material/verified:", color="green")
                st.button(
                    "Open",
                    key=f"show_{card.id}",
                    icon=":material/arrow_forward:",
                    help=f"Exports, measurements and files of {card.title}",
                    on_click=state.show_model,
                    args=(card.id,),
                )
            st.caption(facts_line(card))


def facts_line(card: ModelCard) -> str:
    """Size, licence, context and origin, in one line."""
    facts = card.architecture
    parts = [
        f"{count_words(facts.parameters)} parameters",
        "licence unknown" if card.licence == UNKNOWN else plain(card.licence),
        *([f"reads {facts.context:,} tokens"] if card.task.reads_text else []),
        SOURCE_WORDS[card.source.kind],
    ]
    if card.source.kind is SourceKind.HUB:
        parts[-1] += f" ({plain(card.source.location)}, commit {card.revision[:7] or 'newest'})"
    if card.weights_bytes:
        parts.append(f"{bytes_words(card.weights_bytes)} as it came")
    parts.append(f"id `{card.id}`")
    return " · ".join(parts)
