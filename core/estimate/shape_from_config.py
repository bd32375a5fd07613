"""A `ModelShape` from any config.json that transformers knows, counted on the meta device; or from a catalogue card.

The network is built from shapes alone by transformers' own classes (never by code that comes with a model), and what an
estimate needs is read off its weights: routed experts, looked-up embeddings, the head, the largest block. Networks that
are not one stack of text layers (CNNs, image and sound encoders, encoder-decoders) are traced and become kind "other".
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import GroundworkError, InvalidInput, ModelRefused
from core.estimate import config_facts
from core.estimate.config_limits import BY_HAND, bounded_building, check_sizes
from core.estimate.config_network import Counts, build, count, is_decoder, is_text
from core.estimate.shape import Kind, ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.traced import sample_inputs, trace
from core.models import catalogue
from core.models.architecture import config_object
from core.models.builtin import find_builtin, packaged_files
from core.models.cards import Architecture, ModelCard, SourceKind, Task

_SOURCE = "config.json, counted on torch's meta device"
_NOT_SHAPE = ("quantization_config", "auto_map", "dtype", "torch_dtype", "use_pretrained_backbone", "use_kernels")


def shape_from_config(config: dict[str, Any], name: str = "") -> ModelShape:
    """config: as parsed. Raises InvalidInput for absurd sizes, ModelRefused for what transformers cannot build."""
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InvalidInput(
            "This is no config.json of a model: it does not say its model_type.",
            allowed="The config.json that transformers saves beside a model's weights.",
            next_step=BY_HAND,
        )
    check_sizes(config)
    _check_known(config)
    text = json.dumps(_shape_alone(config), sort_keys=True, default=str)
    return _shape(text, name or str(config.get("_name_or_path") or ""))


def shape_from_card(card: ModelCard) -> ModelShape:
    """From the card's config.json where one is on this machine, else from the card's own facts. Raises ModelRefused for
    a network that reads no tokens."""
    if not card.task.reads_text:
        raise ModelRefused(
            f"{card.id} reads no text (its task is {card.task.value}), and estimates are made for tokens.",
            next_step="Choose a model that reads text.",
        )
    path = _config_path(card)
    with contextlib.suppress(OSError, ValueError, GroundworkError):  # the card has the facts, from when it was read
        if path is not None:
            return shape_from_config(json.loads(path.read_text(encoding="utf-8")), card.title or card.id)
    return _shape_of_facts(card.architecture, card.task, card.title or card.id)


def _shape_alone(value: Any) -> Any:
    """Without what is not of the shape: how weights are packed, and what would fetch kernels, code or weights."""
    if isinstance(value, list):
        return [_shape_alone(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _shape_alone(one)
        for key, one in value.items()
        if key not in _NOT_SHAPE and not str(key).endswith("_implementation")
    }


def _check_known(config: dict[str, Any]) -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if config["model_type"] not in CONFIG_MAPPING_NAMES:
        why = "brings its own Python code, which is never run here" if config.get("auto_map") else "is not known"
        raise ModelRefused(
            f"The architecture {config['model_type']!r} {why}.",
            allowed="Architectures that transformers has built in.",
            next_step=BY_HAND,
        )


@lru_cache(maxsize=64)
def _shape(text: str, name: str) -> ModelShape:
    values: dict[str, Any] = json.loads(text)
    architectures = values.get("architectures") or [""]
    try:
        return _built_shape(values, name, str(architectures[0]))
    except ModelRefused as error:
        raise ModelRefused(error.happened, allowed=error.allowed, next_step=BY_HAND) from error
    except GroundworkError:
        raise
    except Exception as error:  # each architecture surprises in its own way
        raise ModelRefused(
            f"The shape of this {values['model_type']} cannot be read: {error}.", next_step=BY_HAND
        ) from error


def _built_shape(values: dict[str, Any], name: str, architecture: str) -> ModelShape:
    with bounded_building():
        config = config_object(values)
        text, name = is_text(config), name or str(config.model_type)
        try:
            network, whole = build(config, architecture), True
        except ModelRefused:
            if not text or config.get_text_config() is config:
                raise
            config = config.get_text_config()  # a tower that needs a library which is not here
            network, whole = build(config, ""), False
    _allow_global_values(config)
    if not text:
        return _traced_shape(network, config, name)
    shape = _text_shape(network, config, name)
    return shape if whole else dataclasses.replace(shape, exact=False, source=f"{_SOURCE}; the text part alone")


def _allow_global_values(config: Any) -> None:
    """Let a value that differs from layer to layer be read; what matters of it is counted on the built layers."""
    one: Any
    for one in (config, getattr(config, "text_config", None)):
        if hasattr(type(one), "allow_global_per_layer_attribute_access"):
            one.allow_global_per_layer_attribute_access = True


def _traced_shape(network: Any, config: Any, name: str) -> ModelShape:
    counts = count(network, config)
    sample = trace(network, sample_inputs(network, config))
    what = ", ".join(f"{key} {' × '.join(map(str, sizes))}" for key, sizes in sample.input_shapes)
    return ModelShape(
        name=name,
        kind="other",
        layers=0,
        hidden=0,
        heads=0,
        kv_heads=0,
        head_dim=0,
        ffn=0,
        vocabulary=0,
        context=1,
        parameters=counts.parameters,
        active_parameters=counts.parameters,
        embedding_parameters=counts.embedding,
        head_parameters=0,
        gated=False,
        largest_layer_parameters=counts.largest_block,
        flop_per_sample=sample.flop,
        activation_elements_per_sample=sample.activation_elements,
        source=f"{_SOURCE}; traced with one sample: {what}",
    )


def _text_shape(network: Any, config: Any, name: str) -> ModelShape:
    text = config.get_text_config()
    layers = config_facts.number(text, *config_facts.LAYERS)
    hidden = config_facts.number(text, *config_facts.HIDDEN)
    heads = config_facts.number(text, *config_facts.HEADS)
    vocabulary = config_facts.number(text, "vocab_size")
    if not (layers and hidden and vocabulary):
        raise ModelRefused(f"This {config.model_type} does not say its layers, width or vocabulary.", next_step=BY_HAND)
    counts, head_dim = count(network, config), config_facts.head_dim(text, hidden, heads)
    kv_heads = config_facts.kv_heads(text, heads)
    window, window_layers, stateful = config_facts.windows(text, layers, head_dim)
    return ModelShape(
        name=name,
        kind="decoder" if is_decoder(config, type(network).__name__) else "encoder",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        ffn=config_facts.number(text, *config_facts.FFN) or 4 * hidden,
        vocabulary=vocabulary,
        context=config_facts.number(text, *config_facts.CONTEXT) or 2_048,
        parameters=counts.parameters,
        active_parameters=_active(counts, text),
        embedding_parameters=counts.embedding,
        head_parameters=counts.head,
        gated=counts.gated,
        experts=config_facts.experts(text) if counts.routed else 0,
        experts_per_token=config_facts.experts_per_token(text) if counts.routed else 0,
        expert_parameters=counts.routed,
        window=window,
        window_layers=window_layers,
        kv_elements_per_token=config_facts.kv_elements(text, counts, layers - stateful, kv_heads * head_dim)
        if is_decoder(config, type(network).__name__)
        else 0,
        largest_layer_parameters=counts.largest_block,
        source=_SOURCE,
    )


def _active(counts: Counts, text: Any) -> int:
    """Parameters that a token of text passes through: k of E routed experts, and no tower of another kind."""
    if not counts.routed:
        return counts.text
    return counts.text - round(counts.routed * (1 - config_facts.experts_per_token(text) / config_facts.experts(text)))


def _config_path(card: ModelCard) -> Path | None:
    """config.json of a prepared folder, of a packaged folder or of the folder that the model was added from."""
    candidates: list[Path] = []
    with contextlib.suppress(GroundworkError):  # not prepared, or no longer of the catalogue
        candidates.append(catalogue.folder(card.id))
    if card.source.kind is SourceKind.FOLDER:
        candidates.append(Path(card.source.location))
    if (builtin := find_builtin(card.id)) and (files := packaged_files(builtin)):
        candidates.append(files.path)
    return next((folder / "config.json" for folder in candidates if (folder / "config.json").is_file()), None)


def _shape_of_facts(facts: Architecture, task: Task, name: str) -> ModelShape:
    """By hand, in the variant (tied, gated, biased) whose parameters come nearest to the card's exact count."""
    kind: Kind = "decoder" if task is Task.TEXT_GENERATION else "encoder"
    variants = [
        shape_by_hand(
            name=name,
            kind=kind,
            layers=facts.layers,
            hidden=facts.hidden,
            heads=facts.heads,
            kv_heads=facts.kv_heads,
            head_dim=facts.head_dim,
            ffn=facts.intermediate,
            vocabulary=facts.vocabulary,
            context=facts.context,
            gated=gated,
            tied=tied,
            bias=bias,
            qkv_bias=qkv_bias,
            positions=positions,
            source="the model's card",
        )
        for gated in (True, False)
        for tied in ((True, False) if kind == "decoder" else (False,))
        for bias in (False, True)
        for qkv_bias in ((False, True) if not bias else (False,))
        for positions in (0, facts.context)
    ]
    nearest = min(variants, key=lambda shape: abs(shape.parameters - facts.parameters))
    missed = facts.parameters - nearest.parameters
    return dataclasses.replace(
        nearest,
        parameters=facts.parameters,
        active_parameters=max(nearest.active_parameters + missed, nearest.embedding_parameters),
        exact=abs(missed) <= facts.parameters * 1e-3,
    )
