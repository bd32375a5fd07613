"""How it is trained: what matters in sight, the rest behind "More"; what is left empty is chosen and told."""

from __future__ import annotations

import streamlit as st

from core.models import catalogue
from core.models.cards import ModelCard, Task
from core.training.data.prepared import PreparedData
from core.training.defaults import plan_steps
from pages import state
from pages.widgets.finetune_fields import in_words
from pages.widgets.finetune_form import Asked, draw_one
from pages.widgets.finetune_form import draw as fields
from pages.widgets.words import count_words

BASES = {
    "causal": (Task.TEXT_GENERATION,),
    "classification": (Task.FEATURE_EXTRACTION, Task.FILL_MASK, Task.TEXT_CLASSIFICATION, Task.TEXT_GENERATION),
    "masked": (Task.FILL_MASK, Task.FEATURE_EXTRACTION),
}
"""Tasks of the models that a recipe goes on from."""
METHODS = {"lora": "LoRA", "full": "All weights"}
BEGINS = {"base": "From a trained encoder", "nothing": "From nothing"}
_LORA = ("lora.rank", "lora.alpha", "lora.dropout", "lora.targets")
_GPT = ("network.layers", "network.heads", "network.hidden", "network.context", "network.vocabulary")
_SHARED = (
    *("training.optimizer", "training.schedule", "training.warmup", "training.accumulation"),
    *("training.steps", "training.weight_decay", "training.clip_norm", "training.mixed_precision"),
    *("training.evaluate_every", "training.early_stopping", "training.seed", "training.threads"),
)
MAIN = ("training.epochs", "training.learning_rate", "training.batch_size")


def draw(asked: Asked, prepared: PreparedData | None) -> None:
    """All inputs of the training and of the network."""
    st.header("3 · How?", anchor="settings")
    with st.container(border=True):
        _HEADS[asked.recipe](asked)
        if fault := asked.faults.get("network"):
            st.error(fault, icon=":material/error:")
        if prepared is not None and asked.config is not None and asked.recipe not in ("gpt", "masked"):
            _draw_length(asked, prepared)
        with st.expander("More: optimizer, schedule, precision, seeds, evaluation"):
            _draw_more(asked)
    _draw_other_faults(asked)


def _causal(asked: Asked) -> None:
    _draw_base(asked, methods=True)
    lora = state.finetune_form(asked.recipe)["method"] == "lora"
    fields(asked, *MAIN, "lora.rank" if lora else "max_tokens")


def _classification(asked: Asked) -> None:
    _causal(asked)


def _masked(asked: Asked) -> None:
    begin = _pick(asked, "begin", "Where it begins", BEGINS)
    if begin == "base":
        _draw_base(asked, methods=False)
    else:
        fields(asked, *_GPT)
    fields(asked, *MAIN, "mask_share")


def _gpt(asked: Asked) -> None:
    fields(asked, *_GPT[:4])
    fields(asked, *MAIN, "network.vocabulary")


def _images(asked: Asked) -> None:
    fields(asked, "network.channels", "network.dense", "network.dropout", "network.size")
    fields(asked, *MAIN)


def _regression(asked: Asked) -> None:
    fields(asked, "layers", *MAIN)
    if not asked.values.get("layers"):
        st.caption("No hidden layers: a linear model, whose descent is drawn step by step. Try 32, 16 for an MLP.")


_HEADS = {
    "causal": _causal,
    "classification": _classification,
    "masked": _masked,
    "gpt": _gpt,
    "images": _images,
    "regression": _regression,
}


def _draw_more(asked: Asked) -> None:
    form = state.finetune_form(asked.recipe)
    if form.get("method") == "lora":
        fields(asked, *_LORA[1:], "max_tokens")
    if asked.recipe == "causal":
        fields(asked, "loss_on", "packing")
    if asked.recipe == "masked":
        fields(asked, "max_tokens", "next_sentence")
        if form["begin"] == "nothing":
            fields(asked, "network.dropout")
    if asked.recipe == "gpt":
        fields(asked, "network.dropout")
    if asked.recipe == "images":
        fields(asked, "network.colour")
    fields(asked, *_SHARED)
    sliding = str(form["training.optimizer"]) in ("sgd", "rmsprop")
    fields(asked, "training.gradient_checkpointing", *(["training.momentum"] * sliding), columns=2)
    if asked.recipe in ("causal", "gpt"):
        draw_one(asked, "sample_prompts")


def _draw_base(asked: Asked, *, methods: bool) -> None:
    cards = {card.id: card for card in catalogue.list_models() if card.task in BASES[asked.recipe]}
    usual = sorted(cards.values(), key=lambda card: BASES[asked.recipe].index(card.task))
    options = {card.id: _told(card) for card in usual}
    chosen = str(asked.values.get("model", ""))
    if chosen and chosen not in options:
        options[chosen] = f"{chosen} (not for this recipe, or not here)"
    left, right = st.columns([2, 1])
    with left:
        draw_one(asked, "model", options=options)
    if methods:
        with right:
            _pick(asked, "method", "What is trained", METHODS)


def _told(card: ModelCard) -> str:
    return f"{card.title} · {count_words(card.architecture.parameters)} · {card.licence}"


def _pick(asked: Asked, name: str, label: str, options: dict[str, str]) -> str:
    found = st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        key=state.finetune_key(asked.recipe, name),
        persist_state="session",
        required=True,
    )
    return str(found)


def _draw_length(asked: Asked, prepared: PreparedData) -> None:
    assert asked.config is not None
    chosen = {choice.key.removeprefix("training."): choice.value for choice in asked.choices if "." in choice.key}
    steps, every = plan_steps(asked.config.training.model_copy(update=chosen), len(prepared.train))
    packed = " Packing makes it fewer." if asked.values.get("packing") else ""
    st.markdown(f"That is **{steps:,}** steps, judged every {every:,}.{packed}")


def _draw_other_faults(asked: Asked) -> None:
    """Faults that no input in sight may show, all together, at the place where one looks before going on."""
    if asked.error is not None and any(not name.startswith("data") for name in asked.faults):
        st.error(in_words(str(asked.error)), icon=":material/error:")
