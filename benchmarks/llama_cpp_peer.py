"""llama.cpp as a peer: a Q8_0 GGUF made from the very weights that we run, decoded greedily by llama-cpp-python.

Not a dependency: `pip install llama-cpp-python` beside the project to see the row in the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import gguf
import llama_cpp

from core.errors import InvalidInput
from core.models import catalogue
from core.models.builtin import BUILTINS

_SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def open_peer(model_id: str, *, threads: int, prompt_ids: list[int], banned: tuple[int, ...]) -> Callable[[int], float]:
    """A contender: new tokens → decode tokens/s. Raises InvalidInput for a model that has no GGUF source."""
    target = catalogue.folder(model_id).parent / "peer-q8_0.gguf"
    if not target.is_file():
        _requantise(_source(model_id), target)
    llama_cpp.llama_log_set(_SILENT, None)
    parameters = llama_cpp.llama_model_default_params()
    parameters.use_extra_bufts = False  # its AMX buffers crash on virtual machines that announce AMX and forbid it
    model = llama_cpp.llama_model_load_from_file(str(target).encode(), parameters)
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx, settings.n_threads, settings.n_threads_batch = 2048, threads, threads
    context = llama_cpp.llama_init_from_model(model, settings)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))

    def contender(tokens: int) -> float:
        import numpy as np

        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        next_ids = list(prompt_ids)
        started = 0.0
        for step in range(tokens):
            array = (llama_cpp.llama_token * len(next_ids))(*next_ids)
            llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, len(next_ids)))
            logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, -1), shape=(vocabulary,))
            logits[list(banned)] = -np.inf
            next_ids = [int(logits.argmax())]
            if step == 0:
                started = time.perf_counter()
        return (tokens - 1) / (time.perf_counter() - started)

    return contender


def _source(model_id: str) -> Path:
    """The GGUF that a model was unpacked from."""
    from importlib.metadata import distribution

    for builtin in BUILTINS:
        if builtin.id == model_id and builtin.inside.endswith(".gguf"):
            return Path(str(distribution(builtin.package).locate_file(builtin.inside)))
    source = catalogue.get(model_id).source
    if source.location.endswith(".gguf"):
        return Path(source.location)
    raise InvalidInput(f"{model_id} was not unpacked from a GGUF file, so llama.cpp cannot run the same weights.")


def _requantise(source: Path, target: Path) -> None:
    """Every matrix as Q8_0, vectors as they are, all metadata copied."""
    reader = gguf.GGUFReader(source)
    partial = target.with_name(target.name + ".partial")
    writer = gguf.GGUFWriter(partial, reader.get_field("general.architecture").contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        writer.add_key_value(
            name, field.contents(), kind, field.types[-1] if kind is gguf.GGUFValueType.ARRAY else None
        )
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        matrix = values.ndim == 2
        data = gguf.quantize(values, gguf.GGMLQuantizationType.Q8_0) if matrix else values
        writer.add_tensor(tensor.name, data, raw_dtype=gguf.GGMLQuantizationType.Q8_0 if matrix else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.rename(target)
