"""The empty network of a transformers configuration, and what is counted on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import GroundworkError, ModelRefused
from core.estimate.config_limits import BY_HAND
from core.models.architecture import build_on_meta, count_parameters
from core.models.cards import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Parameters, tied weights once. text: those that text passes through, other towers left out. routed: of routed
    experts. embedding: looked up and never multiplied. head: of the matrix that makes logits. largest_block: the
    largest layer or matrix. gated: an FFN of three matrices. kv_width: numbers that all separate key and value
    projections give for a token, in kv_layers layers; 0 where they are made in one with the queries."""

    parameters: int
    text: int
    routed: int
    embedding: int
    head: int
    largest_block: int
    gated: bool
    kv_width: int
    kv_layers: int


def is_decoder(config: Any, class_name: str) -> bool:
    """Whether it is causal and keeps a KV cache."""
    from transformers.models.auto import modeling_auto as auto

    if any(mark in class_name for mark in ("CausalLM", "LMHead", "ConditionalGeneration")):
        return True
    kinds = (auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
    return any(config.model_type in kind for kind in kinds) and (
        config.model_type not in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def is_text(config: Any) -> bool:
    """Whether the network is one stack of text layers, with or without towers that feed it; CLIP's two are not."""
    text = config.get_text_config()
    if getattr(config, "is_encoder_decoder", False) or not isinstance(getattr(text, "vocab_size", None), int):
        return False
    from transformers.models.auto import modeling_auto as auto

    alone = text is config and not hasattr(config, "vision_config")
    names = (auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES)
    texts = any(config.model_type in kind for kind in (*names, auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES))
    return (alone and texts) or (not alone and is_decoder(config, ""))


def build(config: Any, architecture: str) -> Any:
    """The network on the meta device: of the class that config.json names, else of the one for its kind.

    Raises ModelRefused.
    """
    import torch
    import transformers

    named: Any = getattr(transformers, architecture, None) if architecture.isidentifier() else None
    known = isinstance(named, type) and issubclass(named, transformers.PreTrainedModel)
    if known and named.config_class is type(config):
        try:
            with torch.device("meta"):
                return named._from_config(config).to("meta")
        except Exception as error:  # each architecture fails in its own way
            raise ModelRefused(f"transformers cannot build this {architecture}: {error}.", next_step=BY_HAND) from error
    failure: GroundworkError | None = None
    for task in _tasks(config):
        try:
            return build_on_meta(config, task).to("meta")
        except GroundworkError as error:
            failure = failure or error
    raise ModelRefused(failure.happened if failure else "It cannot be built.", next_step=BY_HAND) from failure


def _tasks(config: Any) -> Iterator[Task]:
    from transformers.models.auto import modeling_auto as auto

    if getattr(config, "is_encoder_decoder", False):
        yield Task.FEATURE_EXTRACTION
        return
    if is_decoder(config, "") and config.model_type in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        yield Task.TEXT_GENERATION
    if config.model_type in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        yield Task.FILL_MASK
    yield Task.FEATURE_EXTRACTION


def count(network: Any, config: Any) -> Counts:
    """Everything that is counted on the weights."""
    from torch import nn

    head = _weight(network, "get_output_embeddings")
    tower = _text_tower(network, config)
    total = count_parameters(network)
    text = total if tower is network else count_parameters(tower)
    if tower is not network and head is not None and all(head is not one for one in tower.parameters()):
        text += head.numel()
    tables = {id(one.weight): one.weight for one in tower.modules() if isinstance(one, nn.Embedding)}
    if head is not None:
        tables.pop(id(head), None)
    names = [name for name, _ in tower.named_modules()]
    widths = _kv_widths(tower)
    return Counts(
        parameters=total,
        text=text,
        routed=_routed(tower),
        embedding=sum(table.numel() for table in tables.values()),
        head=head.numel() if head is not None else 0,
        largest_block=_largest_block(network),
        gated=any(name.endswith(_GATES) for name in names) or _has_fused_gate(tower),
        kv_width=sum(widths),
        kv_layers=len(widths) // 2,
    )


_GATES = (".gate_proj", ".gate_up_proj", ".w3", ".linear_v", ".up_gate_proj", ".gate_and_up_proj")


def _weight(network: Any, getter: str) -> Any:
    try:
        return getattr(getattr(network, getter)(), "weight", None)
    except (AttributeError, NotImplementedError, TypeError):
        return None


def _text_tower(network: Any, config: Any) -> Any:
    """The module of the text's own configuration: all of it, unless images or sound have towers beside it."""
    text = config.get_text_config()
    if text is config:
        return network
    inner = (one for one in network.modules() if type(getattr(one, "config", None)) is type(text))
    return next(inner, network)


def _routed(tower: Any) -> int:
    """Weights in modules of routed experts: `experts.0.up`, or one tensor [expert, …] for all of a layer."""
    named = {id(one): (name, one) for name, one in tower.named_parameters()}
    fused = {
        id(weight)
        for module in tower.modules()
        if "ParallelExperts" in type(module).__name__
        for weight in module.parameters()
    }
    return sum(
        one.numel()
        for key, (name, one) in named.items()
        if key in fused or (".experts." in f".{name}." and "shared" not in name)
    )


def _has_fused_gate(tower: Any) -> bool:
    """Gate and up in one matrix."""
    names = (name.removesuffix(".weight") for name, _ in tower.named_parameters())
    return any(name.endswith(("gate_up_proj", "mlp.Wi", "input_linear")) for name in names)


def _kv_widths(tower: Any) -> list[int]:
    ends = (".k_proj", ".v_proj")
    return [
        int(one.out_features)
        for name, one in tower.named_modules()
        if name.endswith(ends) and hasattr(one, "out_features")
    ]


def _largest_block(network: Any) -> int:
    from torch import nn

    lists = (child for one in network.modules() if isinstance(one, nn.ModuleList) for child in one)
    blocks = (count_parameters(child) for child in lists)
    leaves = (sum(weight.numel() for weight in one.parameters(recurse=False)) for one in network.modules())
    return max(max(blocks, default=0), max(leaves, default=0))
