"""Kept KV caches of one model: a chat turn pays only for the tokens that the turns before it did not read.

A slot is a context and the tokens in it. A run takes the free slot that shares the longest prefix with its prompt and
rewinds it to there. Bounded by count and by bytes; the least recently used slot goes first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.generation.backend import Backend, Context

SMALLEST_CAPACITY = 2048  # tokens; a slot that must grow is read again, so it starts with room for several turns


@dataclass(slots=True)
class Slot:
    """A context, the tokens it has read, and when it was last used."""

    context: Context
    tokens: list[int] = field(default_factory=list)
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

    def acquire(self, prompt: Sequence[int], capacity: int) -> tuple[Slot, int]:
        """(slot, tokens already read). At least the last prompt token is left to read: its logits are needed."""
        with self._lock:
            best, shared = None, 0
            for slot in self._slots:
                if not slot.busy and slot.context.capacity >= min(capacity, self._backend.context_length):
                    common = min(common_prefix(slot.tokens, prompt), len(prompt) - 1)
                    if common > shared:
                        best, shared = slot, common
            if best is None:
                wanted = self._rounded(capacity)
                self._make_room(wanted)
                best = Slot(self._backend.open_context(wanted))
                self._slots.append(best)
            best.busy = True
        best.context.rewind(shared)
        del best.tokens[shared:]
        return best, shared

    def release(self, slot: Slot, tokens: Sequence[int]) -> None:
        """tokens: all that the context has read now."""
        with self._lock:
            slot.tokens = list(tokens)
            slot.used_at = time.monotonic()
            slot.busy = False

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

    def _rounded(self, capacity: int) -> int:
        """The next power of two: growing conversations are read again only when they double."""
        size = SMALLEST_CAPACITY
        while size < capacity:
            size *= 2
        return min(size, self._backend.context_length)

    def _make_room(self, capacity: int) -> None:
        idle = sorted((slot for slot in self._slots if not slot.busy), key=lambda slot: slot.used_at)
        needed = capacity * self._bytes_per_token
        while idle and (len(self._slots) >= self._max_slots or self.bytes + needed > self._max_bytes):
            oldest = idle.pop(0)
            oldest.context.close()
            self._slots.remove(oldest)


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
