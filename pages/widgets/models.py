"""Which model answers, in which precision and on which backend, with its licence, size and proof in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.errors import GroundworkError
from core.models import catalogue
from core.models.cards import ModelCard, Task
from core.models.servers import RemoteModel, list_remote_models
from core.onnx.devices import OFFERED, TORCH_PRECISIONS, made_as, resolve_device
from core.onnx.exports import Export, list_exports
from core.onnx.proof import Proof
from pages import state
from pages.state import Key
from pages.widgets.words import bytes_words, count_words

Choice = tuple[Literal["onnx", "torch"], str]  # backend, precision

PRECISION_WORDS = {
    "fp32": "exact, slower",
    "fp16": "half precision",
    "bf16": "half precision, wide range",
    "int8": "close to exact, fast",
    "int4": "smallest, least exact",
}
TASK_WORDS = {
    Task.TEXT_GENERATION: "writes text",
    Task.FEATURE_EXTRACTION: "compares sentences",
    Task.TEXT_CLASSIFICATION: "classifies text",
    Task.FILL_MASK: "fills in words",
    Task.IMAGE_CLASSIFICATION: "classifies images",
    Task.TABULAR_REGRESSION: "predicts a number",
}


@dataclass(frozen=True, slots=True)
class Picked:
    """What the reader chose. card: None for a server's model. precision: "" where a server decides."""

    model_id: str
    title: str
    task: Task
    card: ModelCard | None
    backend: Literal["onnx", "torch", "remote"]
    precision: str
    device: Literal["cpu", "cuda"]
    remote: RemoteModel | None = None


def pick() -> Picked:
    """Draw the choice of model and precision."""
    cards, remotes = _known()
    left, right = st.columns([3, 2])
    with left:
        st.selectbox(
            "Model",
            [*cards, *remotes],
            format_func=lambda i: _label(cards[i]) if i in cards else remotes[i].id,
            key=Key.MODEL,
            persist_state="session",
            help="Models of this machine, and of servers that were added. The Models page adds others.",
        )
    model_id = state.get(Key.MODEL)
    if model_id in remotes:
        with right:
            st.text_input("Where it runs", f"server · {remotes[model_id].host}", disabled=True)
        picked = _remote(remotes[model_id])
        st.caption(
            f"A model of the server {remotes[model_id].server.name}: it decides on precision and context. "
            "Your prompts are sent there."
        )
        return picked
    card = cards[model_id]
    device = resolve_device()
    offered, failed = _offered(card, device)
    with right:
        st.selectbox(
            "Precision and backend",
            offered,
            format_func=lambda c: f"{c[1]} · {'ONNX' if c[0] == 'onnx' else 'torch'} — {_words(c)}",
            key=Key.PRECISION,
            persist_state="session",
            help="ONNX Runtime answers several times faster; torch in fp32 is what every export is proved against.",
        )
    picked = _local(card, state.get(Key.PRECISION), device)
    line, more = _facts(picked)
    st.caption(line, help=more)
    for export in failed:
        st.caption(
            f":material/block: {export.precision} is not offered, its difference to fp32 is past the bar: "
            f"{export.proof.words}."
        )
    if picked.precision == "int4":
        st.warning(_int4_words(card, device), icon=":material/warning:")
    return picked


def chosen() -> Picked:
    """What `pick` would give, without drawing: for callbacks. Raises ModelNotFound for a model that is gone."""
    _, remotes = _known()
    model_id = state.get(Key.MODEL)
    if model_id in remotes:
        return _remote(remotes[model_id])
    return _local(catalogue.get(model_id), state.get(Key.PRECISION), resolve_device())


def choose(model_id: str, choice: tuple[str, str] | None = None) -> None:
    """Set the choice for the next run; before `pick`, as in a callback. choice: (backend, precision)."""
    state.put(Key.MODEL, model_id)
    if choice is not None:
        state.put(Key.PRECISION, choice)


def forget_unknown_choice() -> str:
    """Drop a remembered model or precision that this machine does not offer any more; call before `pick`.

    The id of the model that is gone, "" when there is none. Of the precisions, one that is ready goes first.
    """
    gone = ""
    try:
        cards, remotes = _known()
        wished = state.get(Key.MODEL)
        if wished not in (*cards, *remotes):
            gone = wished or ""
            state.put(Key.MODEL, next(iter(cards)))
        if state.get(Key.MODEL) in remotes:
            return gone
        card, device = cards[state.get(Key.MODEL)], resolve_device()
        offered, _ = _offered(card, device)
        if state.get(Key.PRECISION) not in offered:
            made = {("onnx", export.precision) for export in list_exports(card, device) if export.usable}
            state.put(Key.PRECISION, next((choice for choice in offered if choice in made), offered[0]))
    except GroundworkError:
        pass
    return gone


def _known() -> tuple[dict[str, ModelCard], dict[str, RemoteModel]]:
    """By id: models of this machine, those that write first, and models of servers."""
    cards = sorted(catalogue.list_models(), key=lambda card: card.task is not Task.TEXT_GENERATION)
    return {card.id: card for card in cards}, {model.id: model for model in list_remote_models()}


def _label(card: ModelCard) -> str:
    name = card.title if card.builtin else f"{card.title} ({card.id})"
    return name if card.task is Task.TEXT_GENERATION else f"{name} — {TASK_WORDS[card.task]}"


def _local(card: ModelCard, choice: Choice, device: str) -> Picked:
    backend, precision = choice
    return Picked(card.id, card.title, card.task, card, backend, precision, "cuda" if device == "cuda" else "cpu")


def _remote(model: RemoteModel) -> Picked:
    return Picked(model.id, model.name, Task.TEXT_GENERATION, None, "remote", "", "cpu", model)


def _words(choice: Choice) -> str:
    return "the reference, slowest" if choice[0] == "torch" else PRECISION_WORDS[choice[1]]


def _offered(card: ModelCard, device: str) -> tuple[list[Choice], list[Export]]:
    """(choices, exports past their bar)."""
    exports = {export.precision: export for export in list_exports(card, device)}
    failed = [export for export in exports.values() if not export.usable]
    out = {export.precision for export in failed}
    writes = card.task is Task.TEXT_GENERATION
    precisions = OFFERED[made_as(card.task)][device]
    onnx: list[Choice] = [("onnx", precision) for precision in precisions if precision not in out]
    torch: list[Choice] = [("torch", precision) for precision in TORCH_PRECISIONS[device]] if writes else []
    return onnx + torch, failed


def _facts(picked: Picked) -> tuple[str, str]:
    """(one short line, the rest for whoever hovers)."""
    card = picked.card
    assert card is not None
    facts = card.architecture
    made = list_exports(card, picked.device)
    export = next((e for e in made if (picked.backend, picked.precision) == ("onnx", e.precision)), None)
    line = [f"{count_words(facts.parameters)} parameters", card.licence]
    if card.task.reads_text:
        line.append(f"reads {facts.context:,} tokens")
    more = [
        f"Source: {card.source.kind.value} {card.source.location}, revision {card.revision}. Runs on {picked.device}."
    ]
    if export:
        line.append(bytes_words(export.weights_bytes))
        line.append(f"proved: {export.proof.short}")
        more.append(export.proof.details)
    elif card.weights_bytes:
        line.append(f"{bytes_words(card.weights_bytes)} of weights")
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
