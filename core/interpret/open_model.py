"""`OpenModel`: a model in torch with its insides in reach: every attention watched, every layer enterable.

Nothing here knows an architecture. What the parts are is seen in one short pass: which modules ask for attention, which
list of layers they stand in, which projection follows, which part is the MLP.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from core.artefacts import Progress, no_progress, part_of
from core.errors import CorruptFile, GroundworkError, ModelRefused
from core.interpret.watched_attention import IMPLEMENTATION, Attended, register, watching
from core.models import catalogue
from core.models.architecture import auto_class
from core.models.cards import ModelCard, Task
from core.models.tokenizer import Tokenizer
from core.onnx.devices import resolve_device
from core.settings import Settings, get_settings

_MLP_NAMES = ("mlp", "feed_forward", "feedforward", "ffn", "block_sparse_moe", "moe", "output.dense", "fc2")


@dataclass(frozen=True, slots=True)
class LayerParts:
    """container: the layer, an entry of `OpenModel.containers`, at index. attention: the module that asks for
    attention. projection: what mixes its heads, with weight [hidden, heads · d_v] (None where none was seen). mlp: the
    part whose output, set to zero, switches the MLP off (None where the layer has none by a known name)."""

    index: int
    container: Any
    attention: Any
    projection: Any | None
    mlp: Any | None


@dataclass(frozen=True, slots=True)
class OpenModel:
    """One at a time may use it: hold `lock`. containers: all layers, in order. layers: those with attention, which is
    how layers are numbered. heads: of one layer. precision: of the weights in memory. tupled: layers return tuples."""

    card: ModelCard
    model: Any
    tokenizer: Tokenizer
    containers: tuple[Any, ...]
    layers: tuple[LayerParts, ...]
    heads: int
    device: str
    precision: str
    tupled: bool
    lock: threading.RLock

    @property
    def causal(self) -> bool:
        return self.card.task is Task.TEXT_GENERATION

    @property
    def writes_logits(self) -> bool:
        """Whether its output is a distribution over tokens: of a decoder or of a masked language model."""
        return self.card.task in (Task.TEXT_GENERATION, Task.FILL_MASK)

    def forward(self, **inputs: Any) -> Any:
        """One pass without a cache: what the transformers model returns."""
        extra = {"use_cache": False} if self.causal else {}
        return self.model(**inputs, **extra)

    def tensor(self, ids: Any) -> torch.Tensor:
        """[1, token] of token ids, where the model is."""
        return torch.tensor([list(ids)], device=self.device)

    def enter(self, layer: int, hidden: torch.Tensor, *, keep: int = 0, **inputs: Any) -> Any:
        """The rest of a pass, with `hidden` [batch, token, hidden] going into container `layer`; at len(containers),
        only what follows the last one. keep: logits of the last so many tokens (0: of all, or no decoder)."""
        batch, length = hidden.shape[:2]
        ids = inputs.pop("input_ids", None)
        ids = torch.zeros((1, length), dtype=torch.long, device=self.device) if ids is None else ids
        extra = {"logits_to_keep": keep} if keep and self.causal else {}
        with self._entered(layer, hidden):
            return self.forward(input_ids=ids.expand(batch, -1), **inputs, **extra)

    @contextmanager
    def _entered(self, layer: int, hidden: torch.Tensor) -> Iterator[None]:
        skipped = self.containers[:layer]
        with ExitStack() as undo:
            for position, container in enumerate(skipped):
                given = hidden if position == layer - 1 else None
                container.forward = _skip(given, tupled=self.tupled)
                undo.callback(container.__dict__.pop, "forward", None)
            if layer == 0:
                handle = self.containers[0].register_forward_pre_hook(_replace_input(hidden), with_kwargs=True)
                undo.callback(handle.remove)
            yield


def open_model(
    model_id: str,
    *,
    device: str = "auto",
    settings: Settings | None = None,
    progress: Progress = no_progress,
) -> OpenModel:
    """Load a model to look into. fp32 on the CPU; on a GPU fp32 where it fits twice over, else bf16.

    Raises ModelRefused where its attention cannot be watched, CorruptFile for damaged weights or ones that hold NaN,
    GroundworkError when it does not fit the memory.
    """
    settings = settings or get_settings()
    progress(0.0, "Preparing the model's files")
    folder = catalogue.prepare(model_id, part_of(progress, 0.0, 0.3))
    card = catalogue.get(model_id)
    where = resolve_device(device)
    dtype, precision = _dtype(card, where)
    _check_memory(card, dtype, where, settings)
    progress(0.3, "Loading the weights in torch")
    torch.set_num_threads(settings.threads)
    register()
    model = _load(folder, card, dtype).to(where).eval().requires_grad_(False)
    _check_finite(model, card)
    progress(0.9, "Finding its layers and heads")
    containers, layers, heads = _survey(model, card, where)
    tupled = _returns_tuple(model, containers[0], where)
    tokenizer = Tokenizer.load(folder)
    return OpenModel(card, model, tokenizer, containers, layers, heads, where, precision, tupled, threading.RLock())


def _dtype(card: ModelCard, device: str) -> tuple[torch.dtype, str]:
    if device == "cpu":
        return torch.float32, "fp32"
    memory = torch.cuda.get_device_properties(0).total_memory
    return (torch.float32, "fp32") if card.architecture.parameters * 4 * 2 < memory else (torch.bfloat16, "bf16")


def _check_memory(card: ModelCard, dtype: torch.dtype, device: str, settings: Settings) -> None:
    needed = card.architecture.parameters * dtype.itemsize
    budget = settings.memory_budget_bytes if device == "cpu" else torch.cuda.get_device_properties(0).total_memory
    if needed > budget:
        raise GroundworkError(
            f"To look inside, {card.id} takes {needed / 1e9:.1f} GB in {str(dtype).removeprefix('torch.')}.",
            allowed=f"There are {budget / 1e9:.1f} GB (GROUNDWORK_MEMORY_BUDGET_BYTES on the CPU).",
            next_step="Choose a smaller model, or a machine with more memory.",
        )


def _load(folder: Any, card: ModelCard, dtype: torch.dtype) -> Any:
    import transformers

    transformers.logging.disable_progress_bar()  # it would write into the progress of a command
    options = {"dtype": dtype, "local_files_only": True, "use_safetensors": True}
    try:
        return auto_class(card.task).from_pretrained(folder, attn_implementation=IMPLEMENTATION, **options)
    except (OSError, RuntimeError) as error:
        raise CorruptFile(
            f"The weights of {card.id} cannot be loaded: {error}.", next_step="Prepare the model again."
        ) from error
    except (ValueError, ImportError) as error:
        raise _unwatchable(card, str(error)) from error


def _check_finite(model: Any, card: ModelCard) -> None:
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight.sum()) and not bool(torch.isfinite(weight).all()):
            bad = int((~torch.isfinite(weight)).sum())
            raise CorruptFile(
                f"The weights of {card.id} hold {bad:,} values that are no numbers (NaN or infinite), first in {name}.",
                next_step="Nothing it says can be trusted: get the model again, or repeat the training that made it.",
            )


def _unwatchable(card: ModelCard, why: str) -> ModelRefused:
    return ModelRefused(
        f"The attention of {card.id} ({card.architecture.model_type}) cannot be had: {why}",
        allowed="Models whose attention goes through the attention interface of transformers: Llama, Qwen, Gemma, "
        "Mistral, GPT-2, GPT-NeoX, OPT, BERT, RoBERTa, DistilBERT and their like.",
        next_step="Choose another model for this page; the playground can still use this one.",
    )


class _Survey:
    """Notes which modules ask for attention, and which projection comes right after each."""

    def __init__(self) -> None:
        self.attentions: list[Any] = []
        self.heads: list[int] = []
        self.width: list[int] = []
        self.projections: dict[int, Any] = {}

    def attend(self, attended: Attended) -> torch.Tensor:
        output = attended.output()
        self.attentions.append(attended.module)
        self.heads.append(attended.query.shape[1])
        self.width.append(output.shape[2] * output.shape[3])
        return output

    def on_projection(self, module: Any, inputs: tuple[Any, ...]) -> None:
        last = len(self.attentions) - 1
        if last >= 0 and last not in self.projections and inputs and inputs[0].shape[-1] == self.width[last]:
            self.projections[last] = module


def _survey(model: Any, card: ModelCard, device: str) -> tuple[tuple[Any, ...], tuple[LayerParts, ...], int]:
    seen = _Survey()
    names = {id(module): name for name, module in model.named_modules()}
    with ExitStack() as undo, torch.inference_mode(), watching(seen):
        for module in model.modules():
            if type(module).__name__ in ("Linear", "Conv1D"):
                undo.callback(module.register_forward_pre_hook(seen.on_projection).remove)
        try:
            ids = torch.tensor([[1, 2, 3]], device=device) % card.architecture.vocabulary
            model(input_ids=ids)
        except LookupError as error:
            raise _unwatchable(card, f"{error}.") from error
    if not seen.attentions:
        raise _unwatchable(card, "it computes attention in a way of its own, or has none.")
    if len({id(module) for module in seen.attentions}) < len(seen.attentions) or len(set(seen.heads)) > 1:
        raise _unwatchable(card, "its layers share one attention, or differ in their number of heads.")
    containers, indices = _containers(model, card, [names[id(module)] for module in seen.attentions])
    layers = tuple(
        LayerParts(index, containers[index], module, seen.projections.get(place), _mlp(containers[index]))
        for place, (index, module) in enumerate(zip(indices, seen.attentions, strict=True))
    )
    return containers, layers, seen.heads[0]


def _containers(model: Any, card: ModelCard, names: list[str]) -> tuple[tuple[Any, ...], list[int]]:
    """The list of layers that the attentions stand in, and the place of each."""
    parts = names[0].split(".")
    for end in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:end])
        if isinstance(model.get_submodule(prefix), torch.nn.ModuleList) and parts[end].isdigit():
            if any(not name.startswith(f"{prefix}.") for name in names):
                break
            return tuple(model.get_submodule(prefix)), [int(name[len(prefix) + 1 :].split(".")[0]) for name in names]
    raise _unwatchable(card, "its layers do not stand in one list.")


def _mlp(container: Any) -> Any | None:
    for name in _MLP_NAMES:
        with contextlib.suppress(AttributeError):
            return container.get_submodule(name)
    return None


def _returns_tuple(model: Any, container: Any, device: str) -> bool:
    """Some layers return a tensor and some a tuple; a skipped one has to return what the others do."""
    kinds: list[bool] = []
    handle = container.register_forward_hook(lambda module, given, made: kinds.append(isinstance(made, tuple)))
    with torch.inference_mode():
        model(input_ids=torch.tensor([[1]], device=device))
    handle.remove()
    return kinds[0]


def _skip(given: torch.Tensor | None, *, tupled: bool) -> Callable[..., Any]:
    def forward(*arguments: Any, **named: Any) -> Any:
        hidden = given if given is not None else (arguments[0] if arguments else named["hidden_states"])
        return (hidden,) if tupled else hidden

    return forward


def _replace_input(hidden: torch.Tensor) -> Callable[..., Any]:
    def hook(module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if arguments:
            return (hidden, *arguments[1:]), named
        return arguments, named | {"hidden_states": hidden}

    return hook
