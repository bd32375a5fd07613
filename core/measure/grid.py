"""What to measure: a grid of prompt lengths, batches and precisions, and whether this model and machine can take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from core.errors import InvalidInput, ModelRefused
from core.generation.kv_cache import PREFILL_CHUNK
from core.models.cards import ModelCard, Task
from core.onnx.devices import OFFERED, made_as
from core.onnx.exports import list_exports
from core.onnx.graph import GRAPH_FACTS

MOST_BATCH = 256  # of an encoder
MOST_BATCH_DECODED = 32  # GenAI takes no more
MOST_NEW_TOKENS = 4096
MOST_REPEATS = 1000
DEFAULT_PROMPTS = (32, 128, 512)  # tokens
DEFAULT_BATCHES = (1, 4)
DEFAULT_NEW_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Grid:
    """prompt_tokens, new_tokens: of each row of a batch; an encoder makes no new ones. repeats: counted rounds of each
    cell."""

    prompt_tokens: tuple[int, ...]
    batches: tuple[int, ...]
    precisions: tuple[str, ...]
    new_tokens: int = DEFAULT_NEW_TOKENS
    repeats: int = 5

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """(prompt tokens, batch) for each precision, every one once, those of fewest tokens first."""
        every = {(tokens, batch) for tokens in self.prompt_tokens for batch in self.batches}
        return tuple(sorted(every, key=lambda cell: (cell[0] * cell[1], cell)))

    def validate(self, card: ModelCard, device: str) -> None:
        """Raises InvalidInput, which names everything that is out of bounds for this model on "cpu" or "cuda", and
        ModelRefused for a model that reads no tokens."""
        _must_read_text(card)
        decoder = card.task is Task.TEXT_GENERATION
        context = card.architecture.context
        longest = max(1, context - self.new_tokens) if decoder else context
        offered = offered_precisions(card, device)
        faults = [
            *_out_of("prompt tokens", self.prompt_tokens, 1, longest),
            *_out_of("batch", self.batches, 1, MOST_BATCH_DECODED if decoder else MOST_BATCH),
            *_out_of("repeats", (self.repeats,), 1, MOST_REPEATS),
            *([] if self.precisions else ["no precision"]),
            *[f"precision {p} ({', '.join(offered)} on {device})" for p in self.precisions if p not in offered],
        ]
        if decoder:
            faults += _out_of("new tokens", (self.new_tokens,), 2, min(MOST_NEW_TOKENS, context - 1))
        if faults:
            raise InvalidInput(
                f"The grid cannot be measured: {'; '.join(faults)}.",
                allowed=f"{card.id} reads {context:,} tokens, new ones included." if decoder else "",
                next_step="Change these.",
            )
        _check_memory(card, self, device)


def default_grid(card: ModelCard, device: str, new_tokens: int = DEFAULT_NEW_TOKENS) -> Grid:
    """Short to long prompts, alone and four together, in the precisions that are exported already: minutes' worth."""
    _must_read_text(card)
    decoder = card.task is Task.TEXT_GENERATION
    longest = max(1, card.architecture.context - (new_tokens if decoder else 0))
    made = [export for export in list_exports(card, device) if export.usable]
    alone = decoder and any((export.path / GRAPH_FACTS).is_file() for export in made)
    return Grid(
        prompt_tokens=tuple(dict.fromkeys(min(tokens, longest) for tokens in DEFAULT_PROMPTS)),
        batches=(1,) if alone else DEFAULT_BATCHES,
        precisions=tuple(export.precision for export in made) or offered_precisions(card, device)[:1],
        new_tokens=new_tokens,
    )


def offered_precisions(card: ModelCard, device: str) -> tuple[str, ...]:
    """Of this model's exports on "cpu" or "cuda", the default first."""
    return OFFERED[made_as(card.task)][device]


def _must_read_text(card: ModelCard) -> None:
    if not card.task.reads_text:
        raise ModelRefused(
            f"{card.id} reads no text: its task is {card.task.value}.",
            allowed="Models with tokens, whose speed depends on how many there are.",
            next_step="Choose another model.",
        )


def _out_of(name: str, values: Sequence[int], low: int, high: int) -> list[str]:
    """The fault of these values in words, if there is one."""
    if not values:
        return [f"no {name}"]
    wrong = [f"{value:,}" for value in values if not low <= value <= high]
    return [f"{name} {', '.join(wrong)} ({low:,} to {high:,})"] if wrong else []


def _check_memory(card: ModelCard, grid: Grid, device: str) -> None:
    """Raises InvalidInput when KV cache and attention scores of a cell alone would not fit."""
    if device != "cpu":
        return  # a GPU's memory is told by what runs there
    needed = max(_cell_bytes(card, tokens, batch, grid.new_tokens) for tokens, batch in grid.cells)
    free = int(psutil.virtual_memory().available)
    if needed > free:
        raise InvalidInput(
            f"The largest cell needs {needed / 1e9:,.1f} GB of memory beside the weights.",
            allowed=f"{free / 1e9:,.1f} GB are free.",
            next_step="Choose smaller batches or shorter prompts.",
        )


def _cell_bytes(card: ModelCard, prompt_tokens: int, batch: int, new_tokens: int) -> int:
    """Keys and values of all rows in fp32, and one layer's attention scores [batch, head, query, key]."""
    facts = card.architecture
    decoder = card.task is Task.TEXT_GENERATION
    queries = min(PREFILL_CHUNK, prompt_tokens) if decoder and batch == 1 else prompt_tokens
    cache = (prompt_tokens + new_tokens) * facts.kv_cache_bytes_per_token if decoder else 0
    return batch * (cache + facts.heads * queries * prompt_tokens * 4)
