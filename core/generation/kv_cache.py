"""Kept KV caches of one model: a chat turn pays only for the tokens that the turns before it did not read.

A slot is a context and the tokens in it. A run takes the free slot that shares the longest prefix with its prompt and
rewinds it to there, unless that would forget more than it saves. Bounded by count and by bytes; the least recently used
slot goes first.

Kernels for one token and for many round differently (int8: up to 0.8 in a logit after 100 tokens), so what a token's
keys and values are depends on how it was read. Prompts are read in pieces that end at multiples of PREFILL_CHUNK; a
slot's first `settled` tokens were read in whole such pieces, as any run would read them. A run that has to repeat
exactly takes over those alone, so that a warm cache and an empty one give it the same bits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.generation.backend import Backend, Context

PREFILL_CHUNK = 64  # tokens; longer pieces are no faster (SmolLM2 int8, 2 cores: 615 tokens/s with 64, 620 with 128)
SMALLEST_CAPACITY = 2048  # tokens; a slot that must grow is read again, so it starts with room for several turns


@dataclass(slots=True)
class Slot:
    """A context, the tokens it has read, and when it was last used. settled: of its tokens, the leading ones that were
    read in whole pieces. prompt_tokens: of the run that holds it."""

    context: Context
    tokens: list[int] = field(default_factory=list)
    settled: int = 0
    prompt_tokens: int = 0
    used_at: float = 0.0
    busy: bool = False


class KvCachePool:
    """Slots of one loaded model. bytes_per_token: of keys and values; max_bytes, max_slots: bounds on what is kept."""

    def __init__(self, backend: Backend, *, bytes_per_token: int, max_slots: int, max_bytes: int) -> None:
        self._backend = backend
        self._bytes_per_token = max(bytes_per_token, 1)
        self._max_slots = max_slots
        self._max_bytes = max_bytes
        self._slots: list[Slot] = []
        self._lock = threading.Lock()

    def acquire(self, prompt: Sequence[int], capacity: int, *, exact: bool) -> tuple[Slot, int]:
        """(slot, tokens already read). At least the last prompt token is left to read: its logits are needed.

        exact: take over settled tokens only.
        """
        with self._lock:
            best, shared = self._best(prompt, min(capacity, self._backend.context_length), exact)
            if best is None:
                wanted = self._rounded(capacity)
                self._make_room(wanted)
                best = Slot(self._backend.open_context(wanted))
                self._slots.append(best)
            best.busy = True
        try:
            best.context.rewind(shared)
        except BaseException:
            self.discard(best)
            raise
        del best.tokens[shared:]
        best.settled = whole_pieces(min(best.settled, shared))
        best.prompt_tokens = len(prompt)
        return best, shared

    def release(self, slot: Slot, tokens: Sequence[int]) -> None:
        """tokens: all that the context has read now."""
        with self._lock:
            if slot.settled == len(slot.tokens):  # the run began where settled tokens end, so its prompt settles too
                slot.settled = whole_pieces(min(slot.prompt_tokens, len(tokens)))
            slot.tokens = list(tokens)
            slot.used_at = time.monotonic()
            slot.busy = False
            self._make_room(0)

    def discard(self, slot: Slot) -> None:
        """Drop a slot whose state is not known any more (its run failed)."""
        with self._lock:
            if slot in self._slots:
                self._slots.remove(slot)
            slot.context.close()

    @property
    def bytes(self) -> int:
        """Memory of all slots."""
        return sum(slot.context.capacity for slot in self._slots) * self._bytes_per_token

    @property
    def slots(self) -> int:
        return len(self._slots)

    def close(self) -> None:
        with self._lock:
            for slot in self._slots:
                slot.context.close()
            self._slots.clear()

    def _best(self, prompt: Sequence[int], capacity: int, exact: bool) -> tuple[Slot | None, int]:
        """The free slot that saves most, and how many tokens; None where each would forget more than it saves."""
        best, shared = None, 0
        for slot in self._slots:
            if slot.busy or slot.context.capacity < capacity:
                continue
            common = min(common_prefix(slot.tokens, prompt), len(prompt) - 1)
            saved = whole_pieces(min(common, slot.settled)) if exact else common
            if saved > shared and 2 * common >= len(slot.tokens):
                best, shared = slot, saved
        return best, shared

    def _rounded(self, capacity: int) -> int:
        """The next power of two: growing conversations are read again only when they double."""
        size = SMALLEST_CAPACITY
        while size < capacity:
            size *= 2
        return min(size, self._backend.context_length)

    def _make_room(self, capacity: int) -> None:
        """Close idle slots, oldest first, until a new one of `capacity` fits; 0: until what is kept is in bounds."""
        idle = sorted((slot for slot in self._slots if not slot.busy), key=lambda slot: slot.used_at)
        needed = capacity * self._bytes_per_token
        most = self._max_slots - (1 if capacity else 0)
        while idle and (len(self._slots) > most or self.bytes + needed > self._max_bytes):
            oldest = idle.pop(0)
            oldest.context.close()
            self._slots.remove(oldest)


def whole_pieces(tokens: int) -> int:
    """`tokens` rounded down to where a piece of the prompt ends."""
    return tokens - tokens % PREFILL_CHUNK


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
