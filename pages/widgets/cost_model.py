"""Which model an estimate is for: one of this machine or a published one, a config.json, by hand, or a count alone."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from core.errors import InvalidInput
from core.estimate.known_models import known_models
from core.models import catalogue
from pages import state
from pages.widgets import cost_fields as fields

WAYS = {"name": "By name", "config": "config.json", "hand": "By hand", "count": "Parameters only"}
DEFAULT = "llama-3.1-8b"


def draw() -> dict[str, Any]:
    """Its part of the configuration. Raises InvalidInput for a config.json that is no JSON."""
    way = fields.pick("way", "Model", list(WAYS), "name", names=WAYS)
    if way == "name":
        return _by_name()
    if way == "config":
        return _by_config()
    if way == "hand":
        return _by_hand()
    left, right = st.columns(2)
    with left:
        parameters = fields.text("parameters", "Parameters", "7B", help="7B, 400M or 6.74e9.")
    with right:
        active = fields.text(
            "active_parameters",
            "Active for one token",
            placeholder="all",
            help="Less only with experts, e.g. 37B of 671B.",
        )
    return fields.filled(parameters=parameters, active_parameters=active)


def _by_name() -> dict[str, Any]:
    own = {card.id: card.title for card in catalogue.list_models() if card.task.reads_text}
    published = {key: shape.name for key, shape in known_models().items() if key not in own}
    names = {**published, **own}
    order = [*own, *sorted(published, key=lambda key: published[key].casefold())]
    chosen = fields.choice(
        "model",
        "Name",
        order,
        DEFAULT,
        names=names.__getitem__,
        help="Models of this machine first, then published ones. Type to search.",
    )
    return {"model": chosen}


def _by_config() -> dict[str, Any]:
    given = st.text_area(
        "config.json",
        key=state.cost_key("config"),
        placeholder='{"model_type": "llama", "hidden_size": 4096, …}',
        help="Paste the config.json of any model that transformers knows. Nothing is downloaded.",
        bind="query-params",
    )
    if not (given or "").strip():
        raise InvalidInput("No config.json yet.", next_step="Paste one, or choose a model by name.")
    try:
        found = json.loads(given or "")
    except ValueError as error:
        raise InvalidInput(f"The pasted text is no JSON: {error}.", next_step="Paste the whole file.") from error
    if not isinstance(found, dict):
        raise InvalidInput("The pasted text is no configuration.", allowed="A JSON object.")
    return {"config": found}


def _by_hand() -> dict[str, Any]:
    first = st.columns(4)
    with first[0]:
        layers = fields.number("layers", "Layers", 32, most=10_000)
    with first[1]:
        hidden = fields.number("hidden", "Hidden size", 4_096, most=1_000_000)
    with first[2]:
        heads = fields.number("heads", "Heads", 32, most=10_000)
    with first[3]:
        kv_heads = fields.number(
            "kv_heads", "KV heads", 8, most=10_000, help="Fewer than heads: grouped queries (GQA)."
        )
    second = st.columns(4)
    with second[0]:
        ffn = fields.number("ffn", "FFN size", 14_336, most=10_000_000)
    with second[1]:
        vocabulary = fields.number("vocabulary", "Vocabulary", 128_256, most=100_000_000)
    with second[2]:
        experts = fields.number("experts", "Experts", 0, least=0, most=100_000)
    with second[3]:
        per_token = fields.number("experts_per_token", "Experts a token", 0, least=0, most=100_000)
    with st.expander("More of the architecture"):
        kind, gated, tied = st.columns(3)
        with kind:
            which = fields.choice("kind", "Kind", ["decoder", "encoder"], "decoder")
        with gated:
            has_gate = fields.switch("gated", "Gated FFN (SwiGLU)", True)
        with tied:
            is_tied = fields.switch("tied", "Tied embeddings")
        window, every = st.columns(2)
        with window:
            looks_back = fields.number("window", "Sliding window, tokens", 0, least=0)
        with every:
            every_layer = fields.number("window_every", "Window in every … layer", 1, most=1_000)
    made = fields.filled(
        layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, ffn=ffn, vocabulary=vocabulary, experts=experts,
        experts_per_token=per_token, kind=which, gated=has_gate, tied=is_tied, window=looks_back,
        window_every=every_layer,
    )  # fmt: skip
    return {"architecture": made}
