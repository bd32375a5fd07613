"""`Trace`: one reading of a text, kept as what went into each layer; the attention of any layer is made from it anew.

All layers × heads × n² weights are never in memory (2,048 tokens of SmolLM2 would take 4.5 GB): a layer's take a
few hundredths of a second to compute again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.open_model import OpenModel
from core.interpret.subject import Subject, check_readable
from core.interpret.watched_attention import Attended, Enough, watching

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trace:
    """hidden: what went into each container, and last what came out of the last one before the final norm, each
    [token, hidden]; attention inputs: the arguments of each layer's attention module, by layer. logits: [vocabulary]
    after the last token (None where the model gives none). Hold `opened.lock` while you call."""

    opened: OpenModel
    subject: Subject
    hidden: tuple[torch.Tensor, ...]
    calls: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]

    @property
    def tokens(self) -> int:
        return len(self.subject.ids)

    @property
    def layers(self) -> int:
        return len(self.opened.layers)

    @property
    def heads(self) -> int:
        return self.opened.heads

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return 2 * sum(state.numel() * state.element_size() for state in self.hidden)

    def weights(self, layer: int, start: int = 0, stop: int | None = None) -> Floats:
        """[head, query, key] of the queries from start to stop (default: all), rows that sum to one."""
        return np.concatenate([block for _, block in self.blocks(layer, start, stop)], axis=1)

    def blocks(self, layer: int, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Floats]]:
        """The same a block of queries at a time, with the first query of each: memory for one block."""
        attended = self.attended(layer)
        end = attended.query.shape[2] if stop is None else min(stop, attended.query.shape[2])
        step = attended.block_rows()
        for first in range(start, end, step):
            with torch.inference_mode():
                _, weights = attended.rows(first, min(first + step, end))
            yield first, _floats(weights[0])

    def attended(self, layer: int) -> Attended:
        """q, k, v, mask and scaling of a layer's attention. Raises InvalidInput for a layer that is not there."""
        if not 0 <= layer < self.layers:
            raise InvalidInput(
                f"There is no layer {layer}.", allowed=f"{self.opened.card.id} has layers 0 to {self.layers - 1}."
            )
        arguments, named = self.calls[layer]
        catch = _Catch()
        with torch.inference_mode(), watching(catch), suppress(Enough):
            self.opened.layers[layer].attention(*arguments, **named)
        assert catch.attended is not None
        return catch.attended

    def value_norms(self, layer: int) -> Floats:
        """[head, key]: ‖W_O v‖, how much a key's transformed value has to say (Kobayashi et al. 2020, eq. 5). Raises
        InvalidInput where the model's output projection is not known."""
        projection = self.opened.layers[layer].projection
        if projection is None:
            raise InvalidInput(
                f"{self.opened.card.id} has no output projection of a known kind, so its values cannot be weighed.",
                next_step="Switch “weight by value norm” off.",
            )
        value = self.attended(layer).value[0].float()  # [kv head, key, d_v]
        weight = projection.weight.float()
        mixing = weight if type(projection).__name__ == "Linear" else weight.T  # [hidden, head · d_v]
        groups = self.heads // value.shape[0]
        with torch.inference_mode():
            per_head = mixing.reshape(mixing.shape[0], self.heads, -1)  # [hidden, head, d_v]
            norms = [(value[head // groups] @ per_head[:, head].T).norm(dim=-1) for head in range(self.heads)]
            return _floats(torch.stack(norms))

    def logits(self, position: int, layer: int | None = None) -> Floats:
        """[vocabulary] after the token at `position`; layer: read from what goes into that container, the logit lens
        (nostalgebraist 2020); default: from the end. Raises InvalidInput where a model gives none."""
        row: Floats = self.lens([position], layer)[0]
        return row

    def lens(self, positions: list[int], layer: int | None = None) -> Floats:
        """[position, vocabulary]: the same for several positions."""
        require_logits(self.opened)
        state = self.hidden[-1 if layer is None else layer][positions]
        with torch.inference_mode():
            made = self.opened.enter(len(self.opened.containers), state[None])
            return _floats(made.logits[0])


def require_logits(opened: OpenModel) -> None:
    """Raises InvalidInput for a model whose output is no distribution over tokens."""
    if not opened.writes_logits:
        raise InvalidInput(
            f"{opened.card.id} is a {opened.card.task.value} model: it predicts no tokens.",
            allowed="Models that write or fill in words.",
            next_step="Choose one of those for this view.",
        )


def trace(opened: OpenModel, subject: Subject, progress: Progress = no_progress) -> Trace:
    """Read a text once. Raises InvalidInput for a single token, what `progress` raises (to cancel), and the model's
    NaN as InvalidInput: its numbers overflow."""
    check_readable(subject)
    keeper = _Keeper(opened, progress)
    with opened.lock, torch.inference_mode(), keeper.attached():
        opened.forward(input_ids=opened.tensor(subject.ids), **({"logits_to_keep": 1} if opened.causal else {}))
    if not bool(torch.isfinite(keeper.hidden[-1]).all()):
        raise InvalidInput(
            f"{opened.card.id} computes NaN on this text in {opened.precision}: its numbers overflow.",
            next_step="Choose another model, or a machine that runs it in fp32.",
        )
    return Trace(opened, subject, tuple(keeper.hidden), tuple(keeper.calls))


def _floats(tensor: torch.Tensor) -> Floats:
    array: Floats = tensor.float().cpu().numpy()
    return array


class _Catch:
    def __init__(self) -> None:
        self.attended: Attended | None = None

    def attend(self, attended: Attended) -> torch.Tensor:
        self.attended = attended
        raise Enough


class _Keeper:
    """Keeps what goes into each layer and into its attention, by hooks."""

    def __init__(self, opened: OpenModel, progress: Progress) -> None:
        self._opened = opened
        self._progress = progress
        self.hidden: list[torch.Tensor] = []
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def attached(self) -> ExitStack:
        handles = ExitStack()
        for container in self._opened.containers:
            handles.callback(container.register_forward_pre_hook(self._on_layer, with_kwargs=True).remove)
        handles.callback(self._opened.containers[-1].register_forward_hook(self._on_end).remove)
        for layer in self._opened.layers:
            handles.callback(layer.attention.register_forward_pre_hook(self._on_attention, with_kwargs=True).remove)
        return handles

    def _on_layer(self, module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        total = len(self._opened.containers)
        self._progress(len(self.hidden) / total, f"Reading the text, layer {len(self.hidden) + 1} of {total}")
        self.hidden.append((arguments[0] if arguments else named["hidden_states"])[0])

    def _on_attention(self, module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.calls.append((arguments, {name: value for name, value in named.items() if name not in _CACHES}))

    def _on_end(self, module: Any, arguments: tuple[Any, ...], made: Any) -> None:
        self.hidden.append((made[0] if isinstance(made, tuple) else made)[0])


_CACHES = ("past_key_values", "past_key_value", "layer_past", "cache_position")
