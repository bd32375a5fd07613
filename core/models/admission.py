"""Which configurations are let in: known architectures, whole weights, one of the tasks that the product does.

Code from a model's repository is never run: a configuration is read as data and handed to transformers' own classes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import CorruptFile, ModelRefused
from core.models.cards import Task
from core.models.network_config import TASKS, is_network, read_network_config

_HEADS = {
    "ForCausalLM": Task.TEXT_GENERATION,
    "LMHeadModel": Task.TEXT_GENERATION,
    "ForMaskedLM": Task.FILL_MASK,
    "ForSequenceClassification": Task.TEXT_CLASSIFICATION,
    "Model": Task.FEATURE_EXTRACTION,
}


def read_config(path: Path) -> dict[str, Any]:
    """config.json as data. Raises ModelRefused when it is not there, CorruptFile when it does not read."""
    if not path.is_file():
        raise ModelRefused(
            f"There is no {path.name} in {path.parent}.",
            allowed="A model as transformers saves it: config.json, model.safetensors and tokenizer files.",
            next_step="Check that this is the model's own folder.",
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptFile(f"{path} is not JSON: {error}.", next_step="Get the file again.") from error
    if not isinstance(config, dict):
        raise CorruptFile(f"{path} holds no configuration.", next_step="Get the file again.")
    return config


def admit(config: dict[str, Any], where: str, *, embeds: bool = False) -> Task:
    """The task of the model that `config` describes. embeds: it is packed as a sentence encoder.

    Raises ModelRefused for custom code, unknown architectures, packed weights and tasks that the product does not do,
    CorruptFile for a small network's config that describes none.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    model_type = config.get("model_type")
    if is_network(config):
        return TASKS[read_network_config(config, where).model_type]
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING_NAMES:
        if config.get("auto_map"):
            raise ModelRefused(
                f"{where} (architecture {model_type!r}) brings its own Python code, which is never run here.",
                allowed="Architectures that transformers has built in.",
                next_step="Look for a version of the model converted to a built-in architecture.",
            )
        raise ModelRefused(
            f"{where} has the architecture {model_type!r}, which transformers does not know.",
            allowed="Architectures that transformers has built in.",
            next_step="Update transformers if the model is newer than it, or choose another model.",
        )
    if isinstance(packed := config.get("quantization_config"), dict):
        raise ModelRefused(
            f"The weights of {where} are packed ({packed.get('quant_method', 'unknown method')}).",
            allowed="Plain fp32, fp16 or bf16 weights; int8 and int4 are made here, and proved.",
            next_step="Add the model that it was packed from.",
        )
    return Task.FEATURE_EXTRACTION if embeds else _task(config, model_type, where)


def _task(config: dict[str, Any], model_type: str, where: str) -> Task:
    architectures = config.get("architectures") or []
    if not architectures:
        return _task_by_type(model_type)
    name = str(architectures[0])
    for ending, task in _HEADS.items():
        if name.endswith(ending):
            return task
    raise ModelRefused(
        f"{where} is a {name}, a kind of model that nothing here can run.",
        allowed=", ".join(task.value for task in Task) + ".",
        next_step="Choose a model for one of these tasks.",
    )


def _task_by_type(model_type: str) -> Task:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES:  # BERT is in both tables, and predicts masks
        return Task.FILL_MASK
    if model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return Task.TEXT_GENERATION
    return Task.FEATURE_EXTRACTION
