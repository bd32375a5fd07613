"""The head view on its way to the browser: what becomes a line, how it is packed, what is said, what is believed."""

from __future__ import annotations

import base64
import json

import numpy as np
import numpy.typing as npt
import pytest

from core.interpret.maps import AttentionMap
from pages.widgets import attention_lines as module
from pages.widgets.attention_lines import attention_lines, caption, checked_pick, packed, strongest

Square = npt.NDArray[np.float32]


def causal(count: int, seed: int = 0) -> Square:
    """Random softmax rows that read nothing ahead."""
    scores = np.random.default_rng(seed).normal(0, 2, (count, count)).astype(np.float32)
    scores[np.triu_indices(count, 1)] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def picture(weights: Square, head: int = 0, note: str = "") -> AttentionMap:
    pieces = tuple(f" word{place}" for place in range(len(weights)))
    return AttentionMap(3, (head,), weights, pieces, pieces, note)


def unpacked(text: str, scale: float = 1.0) -> tuple[list[int], list[int], npt.NDArray[np.float64]]:
    raw = base64.b64decode(text)
    count = len(raw) // 5
    ends = np.frombuffer(raw[: 4 * count], "<u2").tolist()
    return ends[:count], ends[count:], (np.frombuffer(raw[4 * count :], np.uint8) / 255) ** 2 * scale


class Sent:
    """Stands in for the component: keeps what is sent, and gives back what a browser might."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pick: object = None) -> None:
        self.pick = pick
        self.data: dict[str, object] = {}
        monkeypatch.setattr(module, "_component", self)

    def __call__(self, *, data: dict[str, object], **_: object) -> Sent:
        self.data = data
        return self


def test_lines_decode_back_to_the_weights() -> None:
    weights = causal(60)
    drawn = strongest([weights], 0.02)
    queries, keys, read = unpacked(packed(weights, drawn.places[0], drawn.scale))
    assert sorted(zip(queries, keys, strict=True)) == sorted(zip(*np.nonzero(weights >= 0.02), strict=True))
    off = np.abs(np.sqrt(read) - np.sqrt(weights[queries, keys]))
    assert off[read < 0.99].max() <= 0.5 / 255 + 1e-6
    assert off.max() <= 1 / 255 + 1e-6


def test_only_the_whole_reads_as_the_whole() -> None:
    weights = np.array([[1.0, 0.0], [0.001, 0.999]], np.float32)
    assert unpacked(packed(weights, strongest([weights], 0.5).places[0], 1.0))[2].tolist() == [1.0, (254 / 255) ** 2]


def test_the_far_corner_of_a_long_text_decodes() -> None:
    weights = np.zeros((3, 60_000), np.float32)
    weights[2, 59_999] = 0.25
    queries, keys, read = unpacked(packed(weights, strongest([weights], 0.1).places[0], 1.0))
    assert (queries, keys) == ([2], [59_999])
    assert read[0] == pytest.approx(0.25, abs=0.005)


def test_no_weight_of_zero_is_a_line_even_without_a_threshold() -> None:
    assert strongest([causal(10)], 0.0).count == 55


def test_too_many_lines_leave_the_largest_of_all_pictures() -> None:
    weak, strong = causal(80) * np.float32(0.1), causal(80, 1)
    drawn = strongest([weak, strong], 0.0, most=100)
    every = np.sort(np.concatenate([weak.ravel(), strong.ravel()]))[::-1]
    kept = np.concatenate([weak.ravel()[drawn.places[0]], strong.ravel()[drawn.places[1]]])
    assert np.array_equal(np.sort(kept)[::-1], every[:100])
    assert drawn.cut
    assert drawn.share == pytest.approx(every[:100].sum() / every.sum(), rel=1e-4)


def test_equal_weights_do_not_exceed_the_bound() -> None:
    drawn = strongest([np.full((50, 50), 0.02, np.float32)], 0.0, most=100)
    assert drawn.count == 100
    assert drawn.above == 2500


def test_not_a_number_is_no_line() -> None:
    weights = causal(5)
    weights[4, 2] = np.nan
    assert strongest([weights], 0.0).count == 14


def test_weights_above_one_keep_their_size() -> None:
    weights = np.array([[4.0, 0], [1.0, 2.0]], np.float32)
    drawn = strongest([weights], 0.1)
    assert drawn.scale == 4.0
    assert unpacked(packed(weights, drawn.places[0], drawn.scale), drawn.scale)[2] == pytest.approx([4, 1, 2], rel=0.01)


@pytest.mark.parametrize("heads", [1, 9])
def test_two_thousand_tokens_stay_below_400_kilobytes(monkeypatch: pytest.MonkeyPatch, heads: int) -> None:
    sent = Sent(monkeypatch)
    square = causal(2048)
    attention_lines([picture(square, head) for head in range(heads)], focus=None, threshold=0.0, key="lines")
    assert 250_000 < len(json.dumps(sent.data)) <= 400_000


def test_keys_travel_once_when_they_are_the_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(monkeypatch)
    attention_lines([picture(causal(4))], focus=9, threshold=0.1, key="lines")
    assert sent.data["keys"] is None
    assert sent.data["focus"] is None  # there is no token 9


def test_the_digest_changes_with_the_weights_and_not_with_the_focus(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, digests = Sent(monkeypatch), []
    for seed, focus in ((0, None), (0, 3), (1, 3)):
        attention_lines([picture(causal(12, seed))], focus=focus, threshold=0.1, key="lines")
        digests.append(sent.data["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_the_caption_counts_lines_and_their_share() -> None:
    weights = np.array([[1, 0], [0.3, 0.7]], np.float32)
    told = caption([picture(weights, note="first token hidden")], strongest([weights], 0.5), 0.5)
    assert told == (
        "2 of 3 weights are drawn, those of at least 0.5. They carry 85 % of all weight. First token hidden."
    )


def test_the_caption_says_that_more_would_reach_the_threshold() -> None:
    weights = causal(40)
    told = caption([picture(weights)], strongest([weights], 0.001, most=10), 0.001)
    assert told.startswith("10 of 820 weights are drawn, the largest; more reach 0.001.")


def test_the_caption_says_when_all_or_none_are_drawn() -> None:
    weights = causal(3)
    assert caption([picture(weights)], strongest([weights], 0.0), 0.0) == "All 6 weights are drawn."
    assert "lower the threshold" in caption([picture(weights)], strongest([weights], 2.0), 2.0)


def test_a_share_near_all_is_not_called_all() -> None:
    weights = np.array([[0.9999, 0.0001]], np.float32)
    assert "99.9 %" in caption([picture(weights)], strongest([weights], 0.5), 0.5)


@pytest.mark.parametrize("value", [None, -1, 12, 1.0, True, "3", {"query": 3}, [3], float("nan")])
def test_a_wrong_pick_is_ignored(value: object) -> None:
    assert checked_pick(value, 12) is None


@pytest.mark.parametrize("value", [0, 3])
def test_a_pick_comes_back(monkeypatch: pytest.MonkeyPatch, value: int) -> None:
    Sent(monkeypatch, pick=value)
    assert attention_lines([picture(causal(4))], focus=None, threshold=0.1, key="lines") == value
