"""Models of the catalogue as a training takes them up, and as the catalogue takes them back.

Loaded from the prepared folder's safetensors by transformers' own classes; saved with the tokenizer files of the base,
so that the fine-tuned model reads texts exactly as the base does.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from core.errors import ModelRefused
from core.models import catalogue
from core.models.architecture import auto_class
from core.models.cards import Task
from core.models.folder_source import LICENCE_FILES, SMALL_FILES
from core.training.config import Lora

_OWN = {"config.json", "generation_config.json"}
"""Written by `save_pretrained` of the trained model."""
_NOT_OF_A_HEAD = {"modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"}
"""Say that a folder is a sentence encoder, which one with a head is not any more."""


def load_tokenizer(model_id: str) -> Any:
    """transformers' tokenizer of a model, with a padding token."""
    from transformers import AutoTokenizer

    folder = catalogue.prepare(model_id)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def load_model(model_id: str, task: str, tokenizer: Any, **config: Any) -> Any:
    """An fp32 model of that task out of a model of any, heads made anew where it has none. Raises ModelRefused."""
    import torch

    folder = catalogue.prepare(model_id)
    try:
        model = auto_class(Task(task)).from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True, dtype=torch.float32, **config
        )
    except (ValueError, KeyError, ImportError) as error:
        raise ModelRefused(
            f"{model_id} cannot be trained for {task}: {' '.join(str(error).split())[:200]}.",
            next_step="Choose another base model.",
        ) from error
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    model.config.use_cache = False  # a cache in training hides from transformers where packed rows begin
    return model


def with_lora(model: Any, lora: Lora, task: str, context: str = "") -> Any:
    """The model with low-rank updates that train, and all else held. task: peft's name of it. Raises ModelRefused for
    targets that the model does not have."""
    from peft import LoraConfig, get_peft_model

    try:
        return get_peft_model(
            model,
            LoraConfig(
                task_type=task,
                r=lora.rank,
                lora_alpha=lora.alpha,
                lora_dropout=lora.dropout,
                target_modules=list(lora.targets) or "all-linear",
            ),
        )
    except ValueError as error:
        linear = sorted({name.rsplit(".", 1)[-1] for name, part in model.named_modules() if _is_linear(part)})
        raise ModelRefused(
            f"LoRA finds no layers {', '.join(lora.targets) or 'to train'} in this model.",
            allowed=f"It has: {', '.join(linear)}.",
            next_step="Leave lora.targets empty to train all of them.",
        ) from error


def save_pretrained(model: Any, tokenizer: Any, folder: Path, base: str, *, adapter: Path | None = None) -> None:
    """Fill `folder` with the model, LoRA merged; `adapter` with what LoRA trained alone."""
    whole = model
    if hasattr(model, "merge_and_unload"):
        place = adapter or folder.with_name("adapter")
        shutil.rmtree(place, ignore_errors=True)
        model.save_pretrained(str(place), safe_serialization=True)
        whole = model.merge_and_unload()
    whole.config.use_cache = True
    whole.to("cpu").save_pretrained(str(folder), safe_serialization=True)
    (folder / "training_args.bin").unlink(missing_ok=True)
    _copy_reading_files(catalogue.prepare(base), folder)


def _copy_reading_files(source: Path, folder: Path) -> None:
    """Tokenizer, chat template and licence of the base."""
    for name in (*SMALL_FILES, *LICENCE_FILES):
        if name in _OWN or name in _NOT_OF_A_HEAD or name.startswith("1_Pooling") or not (source / name).is_file():
            continue
        shutil.copyfile(source / name, folder / name)


def _is_linear(part: Any) -> bool:
    import torch

    return isinstance(part, torch.nn.Linear)
