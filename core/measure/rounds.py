"""Measures one export, in the process that runs this: load it, then read and answer prompts, and look at the clock.

A round opens a fresh context, reads the prompt as serving does, takes the likeliest token, and decodes. A prompt alone
is read in pieces of PREFILL_CHUNK tokens, the rows of a batch as a whole, together. Nothing is sampled, detokenised or
recorded. Tokens that end the text are passed over, so that every round decodes as many.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.generation.kv_cache import PREFILL_CHUNK
from core.measure.child import Tell
from core.measure.power import Meter, open_meter
from core.measure.watch import Watch, memory_of
from core.models.cards import Task
from core.models.tokenizer import Tokenizer, load_fast
from core.onnx.encoder import Encoder
from core.onnx.graph import GraphModel
from core.onnx.proof import PROOF_TEXT
from core.onnx.session import OnnxModel, open_model

Ids = npt.NDArray[np.int64]
ROW_STRIDE = 37  # tokens between the beginnings of two rows of a batch, in the text


@dataclass(frozen=True, slots=True)
class Wish:
    """What a process measures. cells: (prompt tokens, batch), in the order to take them. new_tokens: of each row, the
    first one from reading the prompt; not used for an encoder."""

    export: Path
    task: Task
    device: str
    threads: int
    cells: tuple[tuple[int, int], ...]
    new_tokens: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The export is in memory. load_s: with the libraries' own loading; files as the system's cache has them."""

    load_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds, and joules where the machine counts them. decode_s: of new_tokens - 1 steps; 0 for an encoder."""

    prefill_s: float
    ttft_s: float
    decode_s: float
    prefill_joules: float | None
    decode_joules: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A cell. The warm-up is not among its rounds. other_work: of `core.measure.watch.Watch`."""

    prompt_tokens: int
    batch: int
    rounds: tuple[Round, ...]
    peak_memory_bytes: int
    other_work: float
    power_source: str


def pieces(prompt_tokens: int, batch: int) -> tuple[int, ...]:
    """How many tokens each pass over a prompt reads."""
    if batch > 1:
        return (prompt_tokens,)
    whole, rest = divmod(prompt_tokens, PREFILL_CHUNK)
    return (PREFILL_CHUNK,) * whole + ((rest,) if rest else ())


def measure_export(tell: Tell, wish: Wish) -> None:
    """Tell `Loaded`, then `Measured` cell by cell. Raises InvalidInput for a batch that the export cannot take."""
    used = memory_of(wish.device)
    meter = open_meter(wish.device)
    started = time.perf_counter()
    one_round, text = _open_encoder(wish) if wish.task is not Task.TEXT_GENERATION else _open_decoder(wish)
    tell(Loaded(time.perf_counter() - started))
    for prompt_tokens, batch in wish.cells:
        prompt = rows_of(text, prompt_tokens, batch)
        with Watch(used) as watch:
            rounds = [one_round(prompt, meter) for _ in range(1 + wish.repeats)]
        tell(Measured(prompt_tokens, batch, tuple(rounds[1:]), watch.peak_bytes, watch.other_work, meter.source))


def rows_of(text: Sequence[int], length: int, batch: int) -> Ids:
    """[batch, length] token ids: the text over and over, each row from another place."""
    places = np.arange(length) + ROW_STRIDE * np.arange(batch)[:, None]
    rows: Ids = np.asarray(text, dtype=np.int64)[places % len(text)]
    return rows


def _open_encoder(wish: Wish) -> tuple[Callable[[Ids, Meter], Round], list[int]]:
    encoder = Encoder(wish.export, device=wish.device, threads=wish.threads)

    def one_round(prompt: Ids, meter: Meter) -> Round:
        joules = meter.read()
        started = time.perf_counter()
        encoder.read(prompt)
        took = time.perf_counter() - started
        return Round(took, took, 0.0, _since(meter, joules), None)

    text = load_fast(wish.export).encode(PROOF_TEXT.read_text(encoding="utf-8"), add_special_tokens=False)
    return one_round, text.ids


def _open_decoder(wish: Wish) -> tuple[Callable[[Ids, Meter], Round], list[int]]:
    model = open_model(wish.export, device=wish.device, threads=wish.threads)
    tokenizer = Tokenizer.load(wish.export)
    largest = max(batch for _, batch in wish.cells)
    if isinstance(model, GraphModel) and largest > 1:
        raise InvalidInput(
            f"A batch of {largest} cannot be measured: this model's graph reads one prompt at a time.",
            allowed="Batch 1.",
            next_step="Leave the larger batches out.",
        )

    def one_round(prompt: Ids, meter: Meter) -> Round:
        return _decoder_round(model, prompt, wish.new_tokens, tokenizer.eos_ids, meter)

    return one_round, tokenizer.encode(PROOF_TEXT.read_text(encoding="utf-8"))


def _decoder_round(
    model: OnnxModel | GraphModel, prompt: Ids, new_tokens: int, end_ids: Sequence[int], meter: Meter
) -> Round:
    batch, length = prompt.shape
    joules = meter.read()
    started = time.perf_counter()
    append, close, refused = _open_context(model, batch, length + new_tokens)
    banned = [one for one in {*refused, *end_ids} if one < model.vocabulary]
    opened = time.perf_counter()
    at = 0
    for tokens in pieces(length, batch):
        logits = append(prompt[:, at : at + tokens])
        at += tokens
    prefilled = time.perf_counter()
    chosen = _likeliest(logits, banned)
    first = time.perf_counter()
    prefill_joules = _since(meter, joules)
    joules = meter.read()
    decoding = time.perf_counter()
    for _ in range(new_tokens - 1):
        chosen = _likeliest(append(chosen), banned)
    ended = time.perf_counter()
    decode_joules = _since(meter, joules)
    close()
    return Round(prefilled - opened, first - started, ended - decoding, prefill_joules, decode_joules)


Append = Callable[[Ids], npt.NDArray[np.float32]]


def _open_context(
    model: OnnxModel | GraphModel, batch: int, capacity: int
) -> tuple[Append, Callable[[], None], frozenset[int]]:
    """(reads [batch, n] ids and gives [batch, vocabulary] logits, closes, tokens that it does not take)."""
    if batch > 1:
        assert isinstance(model, OnnxModel)
        several = model.open_batch(batch, capacity)
        return lambda ids: several.append(ids.astype(np.int32)), several.close, several.end_ids
    alone = model.open_context(capacity)
    return lambda ids: alone.append(ids[0].tolist())[None], alone.close, frozenset()


def _likeliest(logits: npt.NDArray[np.float32], banned: list[int]) -> Ids:
    """[batch, 1] of [batch, vocabulary]."""
    logits[:, banned] = -np.inf
    chosen: Ids = logits.argmax(axis=-1, keepdims=True)
    return chosen


def _since(meter: Meter, before: float | None) -> float | None:
    now = meter.read()
    return None if now is None or before is None else now - before
