"""Kept KV caches on a backend that remembers how it was read: reuse, rewind, growth, bounds, exactness."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from core.generation.decode import _read
from core.generation.kv_cache import PREFILL_CHUNK, SMALLEST_CAPACITY, KvCachePool, Slot, common_prefix, whole_pieces

TOKEN_BYTES = 10


class FakeContext:
    """A context whose keys and values are the whole story of how they came to be: (token, place, length) a piece."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.length, self.closed = capacity, 0, False
        self.state: list[tuple[int, int, int]] = []
        self.read = 0

    def append(self, token_ids: Sequence[int]) -> np.ndarray:
        assert token_ids
        self.state += [(token, self.length, len(token_ids)) for token in token_ids]
        self.length += len(token_ids)
        self.read += len(token_ids)
        return np.zeros(8, dtype=np.float32)

    def rewind(self, length: int) -> None:
        assert length <= self.length
        del self.state[length:]
        self.length = length

    def close(self) -> None:
        self.closed = True


class FakeBackend:
    context_length = 8 * SMALLEST_CAPACITY
    vocabulary = 8
    weights_bytes = 0

    def __init__(self) -> None:
        self.opened: list[FakeContext] = []

    def open_context(self, capacity: int) -> FakeContext:
        self.opened.append(FakeContext(capacity))
        return self.opened[-1]


def pool(*, slots: int = 4, tokens: int = 100 * SMALLEST_CAPACITY) -> KvCachePool:
    return KvCachePool(FakeBackend(), bytes_per_token=TOKEN_BYTES, max_slots=slots, max_bytes=tokens * TOKEN_BYTES)


def run(
    cache: KvCachePool, prompt: Sequence[int], answer: Sequence[int] = (), *, exact: bool = False
) -> tuple[Slot, int]:
    """Read a prompt as `decode` does, answer token by token, give the slot back."""
    slot, cached = cache.acquire(prompt, len(prompt) + len(answer) + 1, exact=exact)
    _read(slot.context, prompt, cached, threading.Event())
    for token in answer:
        slot.context.append([token])
    cache.release(slot, [*prompt, *answer])
    return slot, cached


def tokens(start: int, count: int) -> list[int]:
    return list(range(start, start + count))


def test_a_follow_up_reads_only_what_is_new() -> None:
    cache = pool()
    first, cached = run(cache, tokens(0, 100), tokens(1000, 50))
    assert cached == 0
    again, cached = run(cache, [*tokens(0, 100), *tokens(1000, 50), *tokens(2000, 30)])
    assert again is first
    assert cached == 150
    assert first.context.read == 180


def test_the_last_prompt_token_is_always_read() -> None:
    cache = pool()
    run(cache, tokens(0, 100))
    slot, cached = cache.acquire(tokens(0, 100), 101, exact=False)
    assert cached == slot.context.length == 99


def test_another_branch_rewinds_to_the_common_prefix() -> None:
    cache = pool()
    run(cache, tokens(0, 100), tokens(1000, 50))
    slot, cached = cache.acquire([*tokens(0, 90), 7, 7, 7], 100, exact=False)
    assert cached == slot.context.length == 90
    assert slot.tokens == tokens(0, 90)


def test_a_new_conversation_does_not_take_the_slot_of_one_that_it_shares_little_with() -> None:
    cache = pool()
    talk, _ = run(cache, tokens(0, 500))
    other, cached = run(cache, [*tokens(0, 30), *tokens(5000, 20)])
    assert other is not talk
    assert cached == 0
    assert run(cache, [*tokens(0, 500), 9])[1] == 500


def test_a_busy_slot_is_left_alone() -> None:
    cache = pool()
    run(cache, tokens(0, 100))
    held, _ = cache.acquire(tokens(0, 100), 101, exact=False)
    other, cached = cache.acquire(tokens(0, 100), 101, exact=False)
    assert other is not held
    assert cached == 0


def test_a_conversation_that_outgrows_its_slot_gets_the_next_power_of_two() -> None:
    cache = pool()
    small, _ = run(cache, tokens(0, SMALLEST_CAPACITY - 10))
    large, cached = run(cache, tokens(0, SMALLEST_CAPACITY + 10))
    assert (small.context.capacity, large.context.capacity) == (SMALLEST_CAPACITY, 2 * SMALLEST_CAPACITY)
    assert cached == 0


def test_bounded_by_count_least_recently_used_first() -> None:
    cache = pool(slots=2)
    slots = [run(cache, tokens(1000 * n, 50))[0] for n in range(3)]
    assert cache.slots == 2
    assert [slot.context.closed for slot in slots] == [True, False, False]


def test_bounded_by_bytes() -> None:
    cache = pool(tokens=2 * SMALLEST_CAPACITY)
    slots = [run(cache, tokens(1000 * n, 50))[0] for n in range(3)]
    assert cache.bytes == 2 * SMALLEST_CAPACITY * TOKEN_BYTES
    assert [slot.context.closed for slot in slots] == [True, False, False]


def test_a_slot_larger_than_the_bound_runs_and_is_not_kept() -> None:
    cache = pool(tokens=SMALLEST_CAPACITY - 1)
    slot, _ = run(cache, tokens(0, 50))
    assert cache.slots == 0
    assert slot.context.closed


def test_runs_at_once_may_pass_the_bound_and_are_trimmed_after() -> None:
    cache = pool(slots=1)
    held = [cache.acquire(tokens(1000 * n, 50), 60, exact=False)[0] for n in range(2)]
    for slot in held:
        cache.release(slot, slot.tokens)
    assert cache.slots == 1


def test_a_slot_that_cannot_be_rewound_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = pool()
    slot, _ = run(cache, tokens(0, 100))

    def refuse(length: int) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(slot.context, "rewind", refuse)
    with pytest.raises(RuntimeError):
        cache.acquire(tokens(0, 100), 101, exact=False)
    assert cache.slots == 0


def test_close_gives_everything_back() -> None:
    cache = pool()
    slot, _ = run(cache, tokens(0, 50))
    cache.close()
    assert slot.context.closed
    assert cache.bytes == 0


@pytest.mark.parametrize("first_exact", [True, False])
@pytest.mark.parametrize("first", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("added", [0, 1, 40, 64, 130])
def test_an_exact_run_on_a_warm_cache_finds_what_an_empty_one_would_give(
    first: int, added: int, first_exact: bool
) -> None:
    cache = pool()
    talk = [*tokens(0, first), *tokens(1000, 90)]
    run(cache, tokens(0, first), tokens(1000, 90), exact=first_exact)
    run(cache, [*talk, 1, 2], tokens(3000, 10))  # between them, one that takes over all that it can
    prompt = [*talk, *tokens(2000, added)]
    warm, cached = run(cache, prompt, exact=True)
    cold, _ = run(pool(), prompt, exact=True)
    assert warm.context.state == cold.context.state
    assert cached <= whole_pieces(len(prompt) - 1)


def test_an_exact_conversation_pays_for_its_last_turn_only() -> None:
    cache, history, read = pool(), tokens(0, 60), []
    for turn in range(10):
        before = sum(context.read for context in cache._backend.opened)  # type: ignore[attr-defined]
        slot, cached = cache.acquire(history, len(history) + 101, exact=True)
        _read(slot.context, history, cached, threading.Event())
        read.append(sum(context.read for context in cache._backend.opened) - before)  # type: ignore[attr-defined]
        answer = tokens(10_000 + 1000 * turn, 100)
        for token in answer:
            slot.context.append([token])
        cache.release(slot, [*history, *answer])
        history = [*history, *answer, *tokens(50_000 + 1000 * turn, 20)]
    assert max(read) < 100 + 20 + PREFILL_CHUNK  # the answer before, the new question, a piece begun
    assert len(history) > 1000


def test_common_prefix() -> None:
    assert [common_prefix([1, 2, 3], other) for other in ([], [1], [1, 2, 3, 4], [1, 9, 3], [9])] == [0, 1, 3, 1, 0]
