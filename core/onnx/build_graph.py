"""Models that the GenAI builder does not make become ONNX graphs through transformers' exporter.

Encoders, classifiers, masked language models, and decoders of architectures that the builder does not know. Runs torch,
so it is only called from `core export`. Batch and sequence are dynamic; ONNX Runtime's fusions are those of the device.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.artefacts import Progress
from core.errors import ExportFailed
from core.models.cards import Task
from core.onnx.build import quiet
from core.onnx.graph import GRAPH_FACTS

_SENTENCE = ("sentence_bert_config.json", "1_Pooling/config.json")  # of sentence-transformers
_COMPANIONS = ("config.json", "tokenizer.json", "tokenizer_config.json", *_SENTENCE)


def build_graph(
    source: Path,
    target: Path,
    *,
    task: Task,
    context_length: int,
    precision: str,
    device: str,
    model: Any,
    progress: Progress,
) -> None:
    """Write model.onnx, its data, and what inference needs beside it, into `target`.

    model: of `load_reference`; fp16 is made from a copy of it. int8 is dynamic: int8 weights, a scale a channel,
    activations quantised while it runs. Raises ExportFailed when the exporter cannot trace the architecture.
    """
    progress(0.05, f"Tracing the model for a {precision} graph")
    with quiet():
        import torch
        from transformers.exporters import OnnxConfig, OnnxRuntimeDynamicConfig, OnnxRuntimeQuantizer
        from transformers.exporters.exporter_onnx import OnnxExporter

        traced = copy.deepcopy(model).to(torch.float16) if precision == "fp16" else model
        config = OnnxConfig(
            dynamic=True,
            ort_fusions="cuda" if device == "cuda" else "cpu",
            quantizer=OnnxRuntimeQuantizer(OnnxRuntimeDynamicConfig(per_channel=True)) if precision == "int8" else None,
        )
        with tracing(model, "Run this model with the torch backend, or choose another precision."):
            exported = OnnxExporter().export(traced, sample_inputs(traced, task), config=config)
            exported.save_pretrained(target)
    for name in _COMPANIONS:
        if (source / name).is_file():
            (target / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(source / name, target / name)
    (target / "export.json").unlink(missing_ok=True)  # the exporter's own; ours of the same name is written last
    facts = {"task": task.value, "context_length": context_length}
    (target / GRAPH_FACTS).write_text(json.dumps(facts), encoding="utf-8")


@contextlib.contextmanager
def tracing(model: Any, next_step: str) -> Iterator[None]:
    """Tell in the user's words why a module cannot become a graph."""
    try:
        yield
    except OSError:  # a full disk is not a fault of the model
        raise
    except Exception as error:  # torch.export and onnxscript raise types of their own for what they cannot do
        raise ExportFailed(
            f"The {type(model).__name__} could not be turned into a graph: {' '.join(str(error).split())[:300]}",
            next_step=next_step,
        ) from error


def sample_inputs(model: Any, task: Task, *, batch: int = 2, sequence: int = 16) -> dict[str, Any]:
    """Inputs to trace `model` with, from optimum's generators; for a decoder also a KV cache that holds something."""
    from optimum.utils import NormalizedConfigManager
    from optimum.utils.input_generators import DummyTextInputGenerator

    facts = NormalizedConfigManager.get_normalized_config_class(model.config.model_type)(model.config)
    batch = 1 if task is Task.TEXT_GENERATION else batch
    generator = DummyTextInputGenerator(task.value, facts, batch_size=batch, sequence_length=sequence)
    taken = inspect.signature(model.forward).parameters
    names = ["input_ids", "attention_mask"]
    if "token_type_ids" in taken and getattr(model.config, "type_vocab_size", 0) > 1:
        names.append("token_type_ids")
    inputs = {name: generator.generate(name, framework="pt") for name in names}
    if task is Task.TEXT_GENERATION:
        import torch

        held = sequence // 2
        with torch.inference_mode():
            past = model(input_ids=inputs["input_ids"][:, :held], use_cache=True).past_key_values
        inputs["attention_mask"] = torch.ones((1, held + sequence), dtype=torch.long)
        inputs["past_key_values"] = past
    return inputs
