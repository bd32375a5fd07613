"""The tinted text's way to the browser: numbers packed in two bytes, bounds, and what is believed."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pages.widgets import attention_tokens as module
from pages.widgets.attention_tokens import attention_tokens, checked_pick, packed


def unpacked(sent: dict[str, Any], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    halves = np.frombuffer(base64.b64decode(sent["halves"]), "<f2").astype(np.float64)
    return np.asarray(halves.reshape(shape) * np.array(sent["scales"])[:, None])


class Sent:
    """Stands in for the component: keeps what is sent, and gives back what a browser might."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pick: object = None) -> None:
        self.pick = pick
        self.data: dict[str, object] = {}
        monkeypatch.setattr(module, "_component", self)

    def __call__(self, *, data: dict[str, object], **_: object) -> Sent:
        self.data = data
        return self


def show(values: npt.NDArray[np.float32] | None, count: int = 4, **changes: Any) -> int | None:
    bands = [f"layer {band}" for band in range(0 if values is None else len(values))]
    arguments = {
        "special": [True] + [False] * (count - 1),
        "focus": None,
        "values": values,
        "bands": bands,
        "band": 0,
        "signed": False,
        "unit": "weight",
        "legend": "What it reads",
        "key": "tokens",
    }
    return attention_tokens([f" word{place}" for place in range(count)], **{**arguments, **changes})


def test_numbers_decode_back_to_three_digits() -> None:
    values = np.random.default_rng(0).normal(0, 3, (5, 40)).astype(np.float32)
    values[1] *= 1e-7  # a band of small numbers keeps its digits
    values[2] *= 1e6
    assert np.allclose(unpacked(packed(values), values.shape), values, rtol=6e-4, atol=0)


def test_a_weight_far_below_the_largest_keeps_its_digits() -> None:
    values = np.array([[0.97, 0.00031]], np.float32)
    assert unpacked(packed(values), (1, 2))[0, 1] == pytest.approx(0.00031, rel=1e-3)


def test_what_is_no_number_stays_none_and_spoils_no_scale() -> None:
    values = np.array([[0.5, np.nan, np.inf], [np.nan, np.nan, np.nan], [0, 0, 0]], np.float32)
    read = unpacked(packed(values), (3, 3))
    assert read[0, 0] == 0.5
    assert np.isnan(read[0, 1:]).all()
    assert np.isnan(read[1]).all()
    assert not read[2].any()
    json.dumps(packed(values), allow_nan=False)


def test_thirty_bands_of_two_thousand_tokens_stay_below_300_kilobytes(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(monkeypatch)
    show(np.random.default_rng(0).random((31, 2048), np.float32), count=2048)
    assert 150_000 < len(json.dumps(sent.data)) <= 300_000


def test_plain_text_sends_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(monkeypatch)
    show(None)
    assert sent.data["values"] is None
    assert sent.data["special"] == [0]


def test_another_number_is_another_digest_of_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, seen = Sent(monkeypatch), []
    for value in (0.1, 0.2):
        show(np.full((2, 4), value, np.float32))
        seen.append(sent.data)
    assert seen[0]["digest"] != seen[1]["digest"]
    assert seen[0]["text"] == seen[1]["text"]


@pytest.mark.parametrize(("band", "first"), [(-3, 0), (1, 1), (9, 1)])
def test_the_first_band_is_one_there_is(monkeypatch: pytest.MonkeyPatch, band: int, first: int) -> None:
    sent = Sent(monkeypatch)
    show(np.ones((2, 4), np.float32), band=band)
    assert sent.data["band"] == first


@pytest.mark.parametrize("focus", [-1, 4, None])
def test_a_focus_outside_the_text_is_none(monkeypatch: pytest.MonkeyPatch, focus: int | None) -> None:
    sent = Sent(monkeypatch)
    show(None, focus=focus)
    assert sent.data["focus"] is None


@pytest.mark.parametrize("value", [None, -1, 4, 1.0, True, "3", {"token": 3}, float("nan")])
def test_a_wrong_pick_is_ignored(value: object) -> None:
    assert checked_pick(value, 4) is None


@pytest.mark.parametrize("value", [0, 3])
def test_a_pick_comes_back(monkeypatch: pytest.MonkeyPatch, value: int) -> None:
    Sent(monkeypatch, pick=value)
    assert show(None) == value


def test_a_text_that_cannot_be_picked_from_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Sent(monkeypatch, pick=2)
    assert show(None, pickable=False) is None
