"""Architecture facts out of a configuration: `optimum` knows the names, the meta device counts the parameters.

Nothing is allocated: on torch's meta device a model of any size is built from shapes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import ModelRefused
from core.models.cards import Architecture, Task
from core.models.network_config import CnnConfig, is_network, read_network_config

_LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers")
_HEADS = ("num_attention_heads", "num_heads", "n_head", "n_heads")
_HIDDEN = ("hidden_size", "n_embd", "d_model", "dim")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_kv_heads")
_INTERMEDIATE = ("intermediate_size", "ffn_dim", "n_inner", "d_ff", "hidden_dim", "ffn_hidden_size")
_CONTEXT = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "seq_length", "n_ctx")

# These count positions from the padding token's id on, so two of the table's rows are never used.
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "data2vec-text", "mpnet", "longformer"}


def config_object(config: dict[str, Any]) -> Any:
    """transformers' own configuration object for `config`. Raises ModelRefused when it does not accept it."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if is_network(config):
        raise ModelRefused(
            f"A {config['model_type']} is a small network that was trained here: it has no tokens and no attention.",
            allowed="Architectures that transformers has built in.",
            next_step="Use it in the playground.",
        )
    values = {key: value for key, value in config.items() if key != "auto_map"}
    try:
        return CONFIG_MAPPING[config["model_type"]].from_dict(values)
    except Exception as error:  # each architecture checks in its own way
        raise ModelRefused(
            f"transformers does not accept this {config.get('model_type')} configuration: {error}.",
            next_step="Check config.json, or get the model from its first publisher.",
        ) from error


def auto_class(task: Task) -> Any:
    """transformers' class that builds and loads models for a task."""
    import transformers

    return {
        Task.TEXT_GENERATION: transformers.AutoModelForCausalLM,
        Task.FILL_MASK: transformers.AutoModelForMaskedLM,
        Task.TEXT_CLASSIFICATION: transformers.AutoModelForSequenceClassification,
        Task.FEATURE_EXTRACTION: transformers.AutoModel,
    }[task]


def build_on_meta(config: Any, task: Task) -> Any:
    """The empty model (`nn.Module`) of a configuration object, on the meta device. Raises ModelRefused."""
    import torch

    try:
        with torch.device("meta"):
            return auto_class(task).from_config(config, trust_remote_code=False)
    except Exception as error:  # each architecture fails in its own way
        raise ModelRefused(
            f"transformers cannot build a {config.model_type} for {task.value}: {error}.",
            next_step="Check config.json, or choose a model made for that task.",
        ) from error


def describe(config: dict[str, Any], task: Task) -> Architecture:
    """The facts of the model that `config` describes, parameters counted. Raises ModelRefused if facts are missing."""
    if not task.reads_text:
        return _describe_network(config)
    whole = config_object(config)
    text = whole.get_text_config()
    normalized = _normalized(text)
    layers, heads, hidden = (
        _fact(text, normalized, name, names)
        for name, names in (("num_layers", _LAYERS), ("num_attention_heads", _HEADS), ("hidden_size", _HIDDEN))
    )
    vocabulary = _fact(text, normalized, "vocab_size", ("vocab_size",))
    return Architecture(
        model_type=str(whole.model_type),
        layers=layers,
        heads=heads,
        kv_heads=_kv_heads(text, heads),
        hidden=hidden,
        head_dim=_first(text, ("head_dim",)) or hidden // heads,
        intermediate=_first(text, _INTERMEDIATE) or 4 * hidden,  # GPT-2 and Bloom: four times the width, unsaid
        vocabulary=vocabulary,
        context=_context(text),
        parameters=count_parameters(build_on_meta(whole, task)),
    )


def _describe_network(config: dict[str, Any]) -> Architecture:
    """layers: those with weights, batch norms left out. hidden: the widest layer of an MLP, a CNN's dense one."""
    import torch

    from core.models.networks import build_network

    shape = read_network_config(config, "this model")
    with torch.device("meta"):
        network = build_network(shape)
    return Architecture(
        model_type=shape.model_type,
        layers=2 * len(shape.channels) + 2 if isinstance(shape, CnnConfig) else len(shape.layers) + 1,
        heads=0,
        kv_heads=0,
        hidden=shape.dense if isinstance(shape, CnnConfig) else max((len(shape.features), *shape.layers)),
        head_dim=0,
        intermediate=0,
        vocabulary=0,
        context=0,
        parameters=count_parameters(network),
    )


def count_parameters(model: Any) -> int:
    """Parameters of an `nn.Module`; tied weights once (`parameters()` gives each tensor once)."""
    return sum(parameter.numel() for parameter in model.parameters())


def _normalized(config: Any) -> Any:
    from optimum.utils import NormalizedConfigManager

    try:
        return NormalizedConfigManager.get_normalized_config_class(config.model_type)(config)
    except KeyError:
        return None


def _fact(config: Any, normalized: Any, name: str, names: Sequence[str]) -> int:
    if normalized is not None and normalized.has_attribute(name):
        return _largest(getattr(normalized, name))
    value = _first(config, names)
    if value is None:
        raise ModelRefused(
            f"The {config.model_type} configuration does not say its {name.replace('_', ' ').replace('num ', '')}.",
            allowed="Transformers with attention heads and a vocabulary.",
            next_step="Choose another model.",
        )
    return value


def _first(config: Any, names: Sequence[str]) -> int | None:
    for name in names:
        value = getattr(config, name, None)
        if value is not None and not isinstance(value, bool):
            return _largest(value)
    return None


def _largest(value: Any) -> int:
    """A width that differs from layer to layer counts with its largest."""
    return int(max(value)) if isinstance(value, (list, tuple)) else int(value)


def _kv_heads(config: Any, heads: int) -> int:
    if getattr(config, "multi_query", False) and not getattr(config, "new_decoder_architecture", False):
        return 1  # Falcon-7B, StarCoder
    return _first(config, _KV_HEADS) or heads


def _context(config: Any) -> int:
    value = _first(config, _CONTEXT)
    if value is None:
        return 2_048 if config.model_type == "bloom" else 512  # ALiBi and T5 have no table; what they were trained on
    if config.model_type in _OFFSET_POSITIONS:
        return value - (config.pad_token_id or 0) - 1
    return value
