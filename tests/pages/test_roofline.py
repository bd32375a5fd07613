"""The two pictures of measurements: what is drawn where, and what a point tells."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import plotly.graph_objects as go
import pytest

from core.store.measurements import MeasurementRecord
from pages.widgets.roofline import LIMIT_COLOUR, roofline_figure, speed_figure
from tests.measurements import record


@pytest.fixture
def records() -> list[MeasurementRecord]:
    return [
        record(precision=precision, prompt_tokens=tokens, batch=batch, flop_per_s_limit=roof, decode_tokens_per_s=speed)
        for precision, roof, speed in (("int8", 880e9, 140.0), ("fp32", 220e9, 50.0))
        for tokens in (64, 256)
        for batch in (1, 4)
    ]


def named(figure: go.Figure, name: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.name == name]


def colours(figure: go.Figure, word: str) -> set[str]:
    """Of the traces of one precision, whatever else their name says."""
    traces = [trace for trace in figure.data if trace.name and word in trace.name]
    return {trace.line.color or trace.marker.color for trace in traces}


def test_each_phase_of_each_precision_is_a_trace_with_a_point_a_record(records: list[MeasurementRecord]) -> None:
    figure = roofline_figure(records)
    for precision in ("int8", "fp32"):
        for phase, symbol in (("prefill", "diamond"), ("decode", "circle")):
            [trace] = named(figure, f"{precision} {phase}")
            assert len(trace.x) == 4
            assert trace.marker.symbol == symbol
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert "FLOP/byte" in figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text == "GFLOP/s"
    assert figure.layout.title.text


def test_a_point_stands_at_its_intensity_and_tells_what_it_is() -> None:
    figure = roofline_figure([record()])
    [decode] = named(figure, "int8 decode")
    assert decode.x[0] == pytest.approx(0.27 / 0.145)
    assert decode.y[0] == pytest.approx(0.27 * 140)
    what, tokens, batch, speed, share, mark = decode.customdata[0]
    assert (what, tokens, batch, speed) == ("smollm2-135m-instruct, int8, decode", 64, 1, 140.0)
    assert share == pytest.approx(140 * 0.145 / 40)
    assert mark == "a" * 8


def test_the_limits_are_drawn_in_grey_and_named_on_the_line(records: list[MeasurementRecord]) -> None:
    figure = roofline_figure(records)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert {trace.line.color for trace in lines} == {LIMIT_COLOUR}
    slope = min(lines, key=lambda trace: trace.x[0])
    assert slope.y[0] / slope.x[0] == pytest.approx(40)  # GFLOP/s over FLOP/byte: GB/s
    assert slope.y[1] == pytest.approx(880)
    assert {a.text for a in figure.layout.annotations} == {"memory 40 GB/s", "fp32 220", "int8 880"}
    roof = next(a for a in figure.layout.annotations if a.text.startswith("int8"))
    assert roof.y == pytest.approx(math.log10(880))


def test_precisions_under_one_roof_share_its_name() -> None:
    figure = roofline_figure([record(), record(precision="int4")])
    assert "int8, int4 880" in [a.text for a in figure.layout.annotations]


def test_each_device_has_its_own_limits() -> None:
    figure = roofline_figure([record(), record(device_name="Other <1>", bandwidth_bytes_per_s=80e9)])
    texts = [a.text for a in figure.layout.annotations]
    assert "AMD EPYC: memory 40 GB/s" in texts
    assert "Other &lt;1&gt;: memory 80 GB/s" in texts


def test_a_precision_keeps_its_colour_in_both_pictures(records: list[MeasurementRecord]) -> None:
    for word in ("int8", "fp32"):
        both = colours(roofline_figure(records), word) | colours(speed_figure(records), word)
        assert len(both) == 1
    palette = go.Figure().layout.template.layout.colorway
    assert colours(speed_figure(records), "fp32") == {palette[0]}


def test_speed_has_a_line_a_precision_and_batch_in_two_panels(records: list[MeasurementRecord]) -> None:
    figure = speed_figure(records)
    assert [a.text for a in figure.layout.annotations] == ["Decode", "Prefill"]
    for name in ("int8 × 1", "int8 × 4", "fp32 × 1", "fp32 × 4"):
        decode, prefill = named(figure, name)
        assert list(decode.x) == list(prefill.x) == [64, 256]
        assert (decode.showlegend, prefill.showlegend) == (True, False)
        assert decode.xaxis != prefill.xaxis
        [limit] = named(figure, f"limit of {name}")
        assert limit.line.dash == "dash"
        assert limit.xaxis == decode.xaxis
    assert list(figure.layout.xaxis.ticktext) == ["64", "256"]
    assert figure.layout.yaxis.title.text == "tokens/s"


def test_the_dashed_line_is_what_the_memory_leaves_to_decode() -> None:
    [limit] = named(speed_figure([record()]), "limit of int8 × 1")
    assert limit.y[0] == pytest.approx(40e9 / 0.145e9)


def test_the_newest_measurement_of_a_cell_counts() -> None:
    older = record(decode_tokens_per_s=1.0, created_at=datetime(2026, 11, 1, tzinfo=UTC))
    [line, _] = named(speed_figure([record(), older]), "int8 × 1")
    assert list(line.y) == [140.0]


def test_an_encoder_has_one_panel_and_no_decode() -> None:
    encoder = record(decode_tokens_per_s=None, decode_flop=None, decode_bytes=None)
    assert [a.text for a in speed_figure([encoder]).layout.annotations] == ["Prefill"]
    assert not named(roofline_figure([encoder]), "int8 decode")


def test_nothing_measured_draws_empty_axes() -> None:
    assert not roofline_figure([]).data
    assert not speed_figure([]).data
