"""A GGUF file becomes a folder as transformers saves one: fp32 safetensors, config.json and a tokenizer.

The mapping of names and layouts is transformers' own (`modeling_gguf_pytorch_utils`), applied tensor by tensor, so that
progress can be shown, the work cancelled, and memory holds one shard (2 GB) at a time. Nothing is dropped silently: a
tensor without a place, or a place without a tensor, refuses the file.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from core.artefacts import Progress, write_json
from core.errors import CorruptFile, ModelRefused
from core.models.architecture import build_on_meta
from core.models.cards import Task
from core.models.gguf_header import GgufHeader, GgufTensor
from core.models.tokenizer_gguf import write_tokenizer
from core.models.weights import INDEX, SINGLE

SHARD_BYTES = 2 * 1024**3
_ROPE_FACTORS = "rope_freqs.weight"


def check_architecture(header: GgufHeader) -> None:
    """Refuse an architecture that transformers does not map to one of its own."""
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    # the list holds transformers' names; a file spells some of them in llama.cpp's way
    known = set(GGUF_SUPPORTED_ARCHITECTURES) - {"general", "tokenizer"}
    spelled = header.architecture.replace("-", "_").replace("moe", "_moe").replace("__", "_")
    if header.architecture not in known and spelled not in known:
        raise ModelRefused(
            f"{header.path} has the GGUF architecture {header.architecture!r}, which transformers does not map.",
            allowed=f"{', '.join(sorted(known))}.",
            next_step="Add the model's safetensors folder or hub id instead.",
        )


def fp32_bytes(header: GgufHeader) -> int:
    """Bytes that the unpacked weights take on disk."""
    return sum(math.prod(tensor.shape) * 4 for tensor in header.tensors)


def convert_gguf(header: GgufHeader, folder: Path, progress: Progress) -> str:
    """Fill `folder` from a checked GGUF file; return a note for the card ("" when there is nothing to say).

    Raises ModelRefused for what cannot be carried over, and whatever `progress` raises.
    """
    check_architecture(header)
    progress(0.0, "Reading the model's description")
    from transformers import AutoConfig
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    try:
        parsed: dict[str, Any] = load_gguf_checkpoint(str(header.path))
        values = dict(parsed["config"])
        values.pop("_model_name_or_path", None)
        config = AutoConfig.for_model(values.pop("model_type"), **values)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ModelRefused(
            f"{header.path} does not describe its {header.architecture!r} network in a way transformers reads: "
            f"{error!r}.",
            next_step="Add the model's safetensors folder or hub id instead.",
        ) from error
    _carry_rope(header, config)
    model = build_on_meta(config, Task.TEXT_GENERATION)
    config.architectures = [type(model).__name__]
    config.dtype = "float32"
    progress(0.05, "Reading the model's vocabulary")
    note, end_ids = write_tokenizer(header, folder)
    config.save_pretrained(str(folder))
    if end_ids:
        write_json(folder / "generation_config.json", {"eos_token_id": end_ids, "bos_token_id": config.bos_token_id})
    _write_weights(header, model, parsed, folder, progress)
    return note


def _write_weights(header: GgufHeader, model: Any, parsed: dict[str, Any], folder: Path, progress: Progress) -> None:
    import numpy as np
    from transformers.modeling_gguf_pytorch_utils import (
        TENSOR_PROCESSORS,
        TensorProcessor,
        get_gguf_hf_weights_map,
    )

    processor = TENSOR_PROCESSORS.get(header.architecture, TensorProcessor)(config=parsed["config"])
    names: dict[str, str] = get_gguf_hf_weights_map(_Flat(model), processor)
    merged: dict[str, Any] = {}  # mixtures of experts: processors gather several tensors into one here
    parsed["tensors"] = merged
    shards = _Shards(folder, {name: tuple(value.shape) for name, value in model.state_dict().items()})
    unplaced: list[str] = []
    raw = np.memmap(header.path, mode="r", dtype=np.uint8)
    for count, tensor in enumerate(header.tensors, 1):
        progress(0.1 + 0.85 * count / len(header.tensors), f"Unpacking weights {count}/{len(header.tensors)}")
        if tensor.name == _ROPE_FACTORS:
            continue  # carried over in the configuration
        result = processor.process(
            weights=_unpack(raw, tensor, header.path),
            name=tensor.name,
            tensor_key_mapping=names,
            parsed_parameters=parsed,
        )
        if result.name is None:
            continue
        if result.name in names:
            shards.add(names[result.name], result.weights)
        else:
            unplaced.append(tensor.name)
    for name, value in merged.items():
        shards.add(name, value.numpy())
    if unplaced:
        raise ModelRefused(
            f"{header.path} has weights that transformers' {header.architecture!r} has no place for: "
            f"{', '.join(unplaced[:3])}{' …' if len(unplaced) > 3 else ''}.",
            next_step="Add the model's safetensors folder or hub id instead.",
        )
    progress(0.97, "Writing weights")
    shards.close(tied=set(getattr(model, "_tied_weights_keys", None) or ()) if _is_tied(model) else set())


def _unpack(raw: Any, tensor: GgufTensor, path: Path) -> Any:
    """One tensor as fp32 numpy array."""
    import gguf

    kind = gguf.GGMLQuantizationType(tensor.kind)
    block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    rows = raw[tensor.start : tensor.start + tensor.nbytes]
    try:
        packed = rows.reshape(*tensor.shape[:-1], tensor.shape[-1] // block * block_bytes)
        return gguf.dequantize(packed, kind)
    except (NotImplementedError, ValueError, IndexError) as error:
        raise ModelRefused(
            f"{path} stores {tensor.name!r} as {kind.name}, which cannot be unpacked here: {error}.",
            next_step="Get the model in another quantisation, such as Q8_0 or Q4_K_M.",
        ) from error


def _is_tied(model: Any) -> bool:
    return bool(getattr(model.config, "tie_word_embeddings", False))


class _Flat:
    """A model as the mapping sees it, with its first level of modules only (Bloom needs that one).

    The mapping builds its table of names anew for every module below: 397 times for SmolLM2, 6 s of nothing.
    """

    def __init__(self, model: Any, depth: int = 1) -> None:
        self._model, self._depth = model, depth
        self.config = getattr(model, "config", None)

    def state_dict(self) -> Any:
        return self._model.state_dict()

    def named_children(self) -> list[tuple[str, _Flat]]:
        return [(name, _Flat(child, 0)) for name, child in self._model.named_children()] if self._depth else []


class _Shards:
    """Writes tensors to safetensors files of at most SHARD_BYTES, checked against the model's own shapes."""

    def __init__(self, folder: Path, shapes: dict[str, tuple[int, ...]]) -> None:
        self._folder, self._shapes = folder, shapes
        self._open: dict[str, Any] = {}
        self._open_bytes = 0
        self._written: list[list[str]] = []
        self._total_bytes = 0

    def add(self, name: str, weights: Any) -> None:
        import numpy as np

        array = np.ascontiguousarray(weights, dtype=np.float32)
        if name in self._shapes and tuple(array.shape) != self._shapes[name]:
            raise CorruptFile(
                f"The weights {name!r} have the shape {tuple(array.shape)} where the description asks for "
                f"{self._shapes[name]}.",
                next_step="Get the file again, from another source if this one came whole.",
            )
        if self._open and self._open_bytes + array.nbytes > SHARD_BYTES:
            self._flush()
        # a copy: what is a view of the mapped file must not outlive it
        self._open[name] = array.copy() if array.base is not None else array
        self._open_bytes += array.nbytes

    def close(self, tied: set[str]) -> None:
        """Write what is open; refuse if the model still lacks weights (other than `tied` ones)."""
        if self._open:
            self._flush()
        held = {name for names in self._written for name in names}
        missing = sorted(set(self._shapes) - held - tied)
        if missing:
            raise CorruptFile(
                f"The file lacks {len(missing)} weights that its description asks for: {', '.join(missing[:3])}"
                f"{' …' if len(missing) > 3 else ''}.",
                next_step="Get the model from another source.",
            )
        if len(self._written) == 1:
            self._part(1).rename(self._folder / SINGLE)
            return
        weight_map: dict[str, str] = {}
        for number, names in enumerate(self._written, 1):
            final = f"model-{number:05d}-of-{len(self._written):05d}.safetensors"
            self._part(number).rename(self._folder / final)
            weight_map |= dict.fromkeys(names, final)
        index = {"metadata": {"total_size": self._total_bytes}, "weight_map": weight_map}
        (self._folder / INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")

    def _part(self, number: int) -> Path:
        return self._folder / f"part-{number:05d}.safetensors"

    def _flush(self) -> None:
        from safetensors.numpy import save_file

        save_file(self._open, str(self._part(len(self._written) + 1)), metadata={"format": "pt"})
        self._written.append(list(self._open))
        self._total_bytes += self._open_bytes
        self._open, self._open_bytes = {}, 0


def _carry_rope(header: GgufHeader, config: Any) -> None:
    """Stretched rotary positions, which transformers' mapping leaves out. Raises ModelRefused for unknown kinds.

    Llama 3.1 and later store the outcome of their formula as a table; here the formula is found again (transformers
    `modeling_rope_utils._compute_llama3_parameters`) and accepted only if it gives that table.
    """
    kind = header.metadata.get(f"{header.architecture}.rope.scaling.type", "none")
    mapped = header.architecture in ("gpt-oss", "gpt_oss")
    factors = next((tensor for tensor in header.tensors if tensor.name == _ROPE_FACTORS), None)
    if kind not in ("none", "") and not mapped:
        raise ModelRefused(
            f"{header.path} stretches its positions ({kind}), which cannot be carried over from GGUF.",
            next_step="Add the model's safetensors folder or hub id instead.",
        )
    if factors is None:
        return
    import numpy as np

    table = _unpack(np.memmap(header.path, mode="r", dtype=np.uint8), factors, header.path)
    rope = dict(getattr(config, "rope_parameters", None) or {})
    theta, factor, trained = float(rope.get("rope_theta", 10_000.0)), float(table.max()), 8_192
    low, high = 1.0, 4.0
    frequencies = theta ** -(np.arange(len(table)) / len(table))
    turns = trained * frequencies / (2 * np.pi)
    smooth = np.clip((turns - low) / (high - low), 0.0, 1.0)
    if not np.allclose(1 / ((1 - smooth) / factor + smooth), table, rtol=1e-3):
        raise ModelRefused(
            f"{header.path} stretches its positions with a table that is not Llama 3's.",
            next_step="Add the model's safetensors folder or hub id instead.",
        )
    config.rope_parameters = rope | {
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": trained,
    }
