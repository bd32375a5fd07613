"""Attainable speed, and how much of it a record reached, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.measure.roofline import attainable, point, share_of_limit
from core.measure.table import as_table
from core.store.measurements import MeasurementRecord
from tests.measurements import record


def test_the_roof_is_the_lower_of_memory_and_arithmetic() -> None:
    assert attainable(2, flop_per_s=100e9, bandwidth_bytes_per_s=10e9) == 20e9
    assert attainable(10, flop_per_s=100e9, bandwidth_bytes_per_s=10e9) == 100e9
    assert attainable(500, flop_per_s=100e9, bandwidth_bytes_per_s=10e9) == 100e9


@pytest.fixture
def one() -> MeasurementRecord:
    """10 GB/s, 100 GFLOP/s; prefill 8e9 operations on 0.1e9 bytes, a decode step 0.4e9 on 0.2e9."""
    return record(
        prompt_tokens=100,
        batch=2,
        bandwidth_bytes_per_s=10e9,
        flop_per_s_limit=100e9,
        prefill_tokens_per_s=1_250.0,
        prefill_flop=8e9,
        prefill_bytes=0.1e9,
        decode_tokens_per_s=50.0,
        decode_flop=0.4e9,
        decode_bytes=0.2e9,
    )


def test_prefill_under_the_arithmetics_roof(one: MeasurementRecord) -> None:
    found = point(one, "prefill")
    assert found
    assert found.intensity == 80
    assert found.flop_per_s == pytest.approx(50e9)  # 200 tokens in 0.16 s
    assert found.limit_flop_per_s == 100e9
    assert (found.tokens_per_s, found.limit_tokens_per_s) == (1_250, pytest.approx(2_500))
    assert found.share == pytest.approx(0.5)


def test_decode_under_the_memorys_slope(one: MeasurementRecord) -> None:
    found = point(one, "decode")
    assert found
    assert found.intensity == 2
    assert found.flop_per_s == pytest.approx(10e9)  # 25 steps a second
    assert found.limit_flop_per_s == 20e9
    assert found.limit_tokens_per_s == pytest.approx(100)  # 10e9 / 0.2e9 = 50 steps of two tokens
    assert share_of_limit(one, "decode") == pytest.approx(0.5)


def test_an_encoder_does_not_decode(one: MeasurementRecord) -> None:
    encoder = replace(one, decode_tokens_per_s=None, decode_flop=None, decode_bytes=None, new_tokens=0)
    assert point(encoder, "decode") is None
    assert share_of_limit(encoder, "decode") is None
    assert share_of_limit(encoder, "prefill") == share_of_limit(one, "prefill")


def test_the_table_has_a_line_a_row_and_leaves_out_what_there_is_not(one: MeasurementRecord) -> None:
    encoder = replace(one, decode_tokens_per_s=None, decode_flop=None, decode_bytes=None, tokens_per_joule=3.25)
    lines = as_table([one, encoder]).splitlines()
    rows = [line for line in lines if line.startswith("| int8")]
    assert "| 50%, 50% |" in rows[0]
    assert "| 50% |" in rows[1]
    assert "| 3.25 |" in rows[1]
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert as_table([]) == "Nothing was measured."
