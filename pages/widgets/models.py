"""Which model answers, in which precision and on which backend, with its licence, size and proof in sight."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.models import catalogue
from core.models.cards import ModelCard, Task
from core.onnx.devices import PRECISIONS, TORCH_PRECISIONS, resolve_device
from core.onnx.exports import Export, list_exports
from core.onnx.proof import Proof
from pages import state
from pages.state import Key

Choice = tuple[str, str]  # backend, precision

_WORDS = {
    "fp32": "exact, slower",
    "fp16": "half precision",
    "bf16": "half precision, wide range",
    "int8": "close to exact, fast",
    "int4": "smallest, least exact",
}


def pick() -> tuple[ModelCard, Choice, str]:
    """(card, (backend, precision), device)."""
    cards = {card.id: card for card in catalogue.list_models() if card.task is Task.TEXT_GENERATION}
    device = resolve_device()
    left, right = st.columns([3, 2])
    with left:
        model_id = st.selectbox(
            "Model",
            list(cards),
            format_func=lambda i: cards[i].title,
            key=Key.MODEL,
            persist_state="session",
            help="Models that run on this machine. Add others with `python -m core models --add`.",
        )
    card = cards[model_id]
    offered, failed = _offered(card, device)
    with right:
        choice = st.selectbox(
            "Precision and backend",
            offered,
            format_func=lambda c: f"{c[1]} · {'ONNX' if c[0] == 'onnx' else 'torch'} — {_words(c)}",
            key=Key.PRECISION,
            persist_state="session",
            help="ONNX Runtime answers several times faster; torch in fp32 is what every export is proved against.",
        )
    line, more = _facts(card, choice, device)
    st.caption(line, help=more)
    for export in failed:
        st.caption(
            f":material/block: {export.precision} is not offered, its difference to fp32 is past the bar: "
            f"{export.proof.words}."
        )
    if choice[1] == "int4":
        st.warning(_int4_words(card, device), icon=":material/warning:")
    return card, choice, device


def chosen() -> tuple[ModelCard, Choice, str]:
    """What `pick` would give, without drawing: for callbacks."""
    forget_unknown_choice()
    return catalogue.get(state.get(Key.MODEL)), state.get(Key.PRECISION), resolve_device()


def _words(choice: Choice) -> str:
    return "the reference, slowest" if choice[0] == "torch" else _WORDS[choice[1]]


def _offered(card: ModelCard, device: str) -> tuple[list[Choice], list[Export]]:
    """(choices, exports past their bar)."""
    exports = {export.precision: export for export in list_exports(card, device)}
    failed = [export for export in exports.values() if not export.usable]
    out = {export.precision for export in failed}
    onnx: list[Choice] = [("onnx", precision) for precision in PRECISIONS[device] if precision not in out]
    return onnx + [("torch", precision) for precision in TORCH_PRECISIONS[device]], failed


def _facts(card: ModelCard, choice: Choice, device: str) -> tuple[str, str]:
    """(one short line, the rest for whoever hovers)."""
    facts = card.architecture
    export = next((e for e in list_exports(card, device) if choice == ("onnx", e.precision)), None)
    line = [f"{facts.parameters / 1e6:,.0f} M parameters", card.licence, f"reads {facts.context:,} tokens"]
    more = [f"Source: {card.source.kind.value} {card.source.location}, revision {card.revision}. Runs on {device}."]
    if export:
        line.append(f"{export.weights_bytes / 1e6:,.0f} MB")
        line.append(f"proved: {export.proof.short}")
        more.append(export.proof.details)
    elif card.weights_bytes:
        line.append(f"{card.weights_bytes / 1e6:,.0f} MB of weights")
    return " · ".join(line), " ".join(more)


def _int4_words(card: ModelCard, device: str) -> str:
    export = next((e for e in list_exports(card, device) if e.precision == "int4"), None)
    if export is None or not isinstance(export.proof, Proof):
        return "int4 is the smallest precision and the least exact. Its figures are measured when it is prepared."
    proof = export.proof
    return (
        f"int4 changes the answers: perplexity × {proof.perplexity_ratio:.2f}, the same first choice in "
        f"{proof.top1_agreement:.0%} of places, mean KL {proof.mean_kl:.2g} nats. Use int8 when quality matters."
    )


def forget_unknown_choice() -> None:
    """Drop a remembered model or precision that this machine does not offer any more; call before `pick`."""
    try:
        cards = {card.id: card for card in catalogue.list_models() if card.task is Task.TEXT_GENERATION}
        model_id = state.get(Key.MODEL)
        if model_id not in cards:
            state.put(Key.MODEL, next(iter(cards)))
        offered, _ = _offered(cards[state.get(Key.MODEL)], resolve_device())
        if state.get(Key.PRECISION) not in offered:
            state.put(Key.PRECISION, offered[0])
    except GroundworkError:
        return
