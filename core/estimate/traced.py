"""Operations and saved activations of one sample of any network, by running it on torch's meta device: shapes alone.

Operations are counted by torch's `FlopCounterMode` (a multiplication and an addition are 2), saved activations by
`saved_tensors_hooks`: what autograd keeps for the backward pass, each storage once, parameters and buffers not among
them. Nothing is computed and nothing is allocated, so a network of any size takes the time of its Python alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput, ModelRefused

SAMPLE_TOKENS = 512  # of a sample of text, where a network reads any length
TRACE_SECONDS = 10.0  # the slowest of transformers' own default networks takes 3
_SAMPLE_SECONDS = 10
_SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedSample:
    """flop: of one forward pass. activation_elements: kept for the backward pass, in numbers of the network's own
    precision. input_shapes: what was put in, the sample first: name → sizes."""

    flop: float
    activation_elements: float
    input_shapes: tuple[tuple[str, tuple[int, ...]], ...]


def trace(model: Any, inputs: Mapping[str, Any]) -> TracedSample:
    """One forward pass of an `nn.Module` on the meta device. inputs: meta tensors by argument name, batch of 1.

    Raises InvalidInput for a model that is not on the meta device, ModelRefused when its pass cannot be followed.
    """
    import torch
    from torch.autograd.graph import saved_tensors_hooks
    from torch.utils.flop_counter import FlopCounterMode

    held = [*model.parameters(), *model.buffers()]
    if any(not tensor.is_meta for tensor in held):
        raise InvalidInput("The network holds real weights.", next_step="Build it under torch.device('meta').")
    own = {tensor.untyped_storage()._cdata for tensor in held}
    saved: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            saved[storage._cdata] = storage  # held, so that its address is not given to another
        return tensor

    model.train()  # a backward pass is only made in training: batch statistics and dropout masks are kept then
    counter = FlopCounterMode(display=False)
    try:
        with torch.device("meta"), torch.enable_grad(), counter, _zeros(), saved_tensors_hooks(keep, lambda kept: kept):
            model(**inputs)
    except Exception as error:  # each network fails in its own way
        raise ModelRefused(
            f"The forward pass of {type(model).__name__} cannot be followed without weights: {error}.",
            next_step="Give its operations and activations by hand.",
        ) from error
    width = next((tensor.element_size() for tensor in model.parameters()), 4)
    return TracedSample(
        flop=float(counter.get_total_flops()),
        activation_elements=sum(storage.nbytes() for storage in saved.values()) / width,
        input_shapes=tuple((name, tuple(value.shape)) for name, value in inputs.items()),
    )


def _zeros() -> Any:
    """A network that looks at a value (is the mask all ones?) sees the zeros that were put in, and one that has no end
    is stopped after TRACE_SECONDS."""
    import torch

    asked: set[Any] = {torch.Tensor.item, torch.Tensor.__bool__, torch.Tensor.__int__, torch.Tensor.__float__}
    asked |= {torch.Tensor.__index__, torch.is_nonzero}
    until = time.monotonic() + TRACE_SECONDS
    compared: set[Any] = {torch.equal, torch.allclose}

    class Zeros(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if time.monotonic() > until:
                raise TimeoutError(f"it was not through after {TRACE_SECONDS:g} s")
            if func in compared and args[0].is_meta:
                return False
            if func not in asked or not args[0].is_meta:
                return func(*args, **(kwargs or {}))
            yes_or_no = func in (torch.Tensor.__bool__, torch.is_nonzero) or args[0].dtype is torch.bool
            return False if yes_or_no else 0.0 if func is torch.Tensor.__float__ else 0

    return Zeros()


def sample_inputs(model: Any, config: Any) -> dict[str, Any]:
    """One sample as the network of a transformers configuration reads it, on the meta device: an image of its size,
    SAMPLE_TOKENS tokens, 10 s of sound, or several of them. Raises ModelRefused for other kinds of input."""
    import inspect

    import torch

    takes = inspect.signature(model.forward).parameters
    main = getattr(model, "main_input_name", "input_ids")
    wanted = [main, *(name for name in ("input_ids", "pixel_values", "decoder_input_ids") if name in takes)]
    shapes = {name: _sample_shape(name, config) for name in dict.fromkeys(wanted)}
    unknown = [name for name, shape in shapes.items() if shape is None]
    if unknown:
        raise ModelRefused(
            f"A {config.model_type} reads {', '.join(unknown)}, of which no sample can be made here.",
            allowed="Networks that read tokens, images or sound.",
            next_step="Give its operations and activations by hand.",
        )
    return {
        name: torch.zeros(shape, dtype=torch.long if name.endswith("_ids") else torch.float32, device="meta")
        for name, shape in shapes.items()
        if shape
    }


def _sample_shape(name: str, config: Any) -> tuple[int, ...] | None:
    if name.endswith("input_ids"):
        return (1, min(SAMPLE_TOKENS, _value(config, "max_position_embeddings", SAMPLE_TOKENS)))
    if name == "pixel_values":
        rows, columns = _image_size(config)
        image = (_value(config, "num_channels", 3), rows, columns)
        frames = _value(config, "num_frames", 0)
        return (1, frames, *image) if frames else (1, *image)
    if name == "input_features" and _value(config, "num_mel_bins", 0):
        return (1, _value(config, "num_mel_bins", 0), 2 * _value(config, "max_source_positions", 1_500))
    if name == "input_values":
        return (1, _SAMPLE_SECONDS * _SAMPLE_RATE)
    return None


def _image_size(config: Any) -> tuple[int, int]:
    vision = getattr(config, "vision_config", None) or config
    size = getattr(vision, "image_size", None)
    if isinstance(size, (list, tuple)) and len(size) == 2:
        return int(size[0]), int(size[1])
    side = int(size) if isinstance(size, int) else 224  # a CNN takes any size; 224 is what is published of them
    return side, side


def _value(config: Any, name: str, otherwise: int) -> int:
    parts = (config, *(getattr(config, part, None) for part in ("vision_config", "text_config")))
    found = (getattr(part, name, None) for part in parts if part is not None)
    return next((value for value in found if isinstance(value, int)), otherwise)
