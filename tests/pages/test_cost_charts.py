"""The pictures of an estimate: what is drawn where, that it adds up to the estimate, and that no answer breaks it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from core.estimate.breakeven_estimate import BreakevenAnswer, estimate_breakeven
from core.estimate.hardware import find
from core.estimate.hour_price import HourPrice
from core.estimate.memory_estimate import MemoryAnswer, estimate_memory
from core.estimate.ranges import Range
from core.estimate.serve_estimate import ServeAnswer, estimate_serve
from core.estimate.serve_setup import ServeSetup
from core.estimate.serving import estimate
from core.estimate.shape import ModelShape
from core.estimate.train_estimate import estimate_train
from core.estimate.training import Training, TrainSetup, train
from pages.widgets import cost_breakeven_charts as breakeven_charts
from pages.widgets import cost_day_chart as day_chart
from pages.widgets import cost_memory_charts as memory_charts
from pages.widgets import cost_serve_charts as serve_charts
from pages.widgets import cost_train_charts as train_charts
from pages.widgets.chart_parts import Picture, dollars, even_axis, hover, log_axis, short

CNN = ModelShape(
    name="a CNN", kind="other", layers=0, hidden=0, heads=0, kv_heads=0, head_dim=0, ffn=0, vocabulary=0, context=0,
    parameters=25_600_000, active_parameters=25_600_000, embedding_parameters=0, head_parameters=0, gated=False,
    flop_per_sample=8.2e9, activation_elements_per_sample=11e6,
)  # fmt: skip
H100 = "h100-sxm-80gb"
HAND: dict[str, Any] = {"usd_per_million_input": 1.0, "usd_per_million_output": 4.0, "api_model": "<b>an API</b>"}


def training(**changes: Any) -> Training:
    given = {"model": "llama-2-7b", "tokens": "2T", "gpu": "a100-sxm-80gb", "gpus": 512}
    return estimate_train(given | changes)[1]


def memory(**changes: Any) -> MemoryAnswer:
    return estimate_memory({"model": "llama-3.1-8b", "gpu": H100} | changes)[1]


def serving(**changes: Any) -> ServeAnswer:
    return estimate_serve({"model": "llama-3.1-8b", "gpu": H100} | changes)[1]


def comparison(**changes: Any) -> BreakevenAnswer:
    return estimate_breakeven({"model": "llama-3.1-8b", "gpu": H100, "monthly_tokens": "2B"} | HAND | changes)[1]


def served_cnn() -> ServeAnswer:
    """A network of which only totals are known."""
    setup = ServeSetup(
        shape=CNN, gpu=find(H100), precision="bf16", prompt_tokens=0, output_tokens=0, concurrency=8,
        usd_per_gpu_hour=Range.exactly(1.0),
    )  # fmt: skip
    price = HourPrice(usd_per_gpu_hour=None, source="")
    return ServeAnswer(setup=setup, serving=estimate(setup), fleet=None, demand=None, price=price, calibration=None)


def words(figure: go.Figure) -> str:
    """All text that stands on a picture."""
    layout = figure.layout
    return " ".join([layout.title.text, layout.title.subtitle.text or "", *(one.text for one in layout.annotations)])


def bars(figure: go.Figure) -> list[tuple[int, float, float]]:
    """(row, start, length) of each bar."""
    [trace] = [trace for trace in figure.data if trace.type == "bar"]
    return list(zip((-row for row in trace.y), trace.base, trace.x, strict=True))


def test_the_plan_stands_on_the_curve_with_its_range_and_its_words() -> None:
    answer = training()
    figure = train_charts.gpus_figure(answer)
    band, line = figure.data
    place = list(line.x).index(512)
    assert line.y[place] == pytest.approx(answer.days.expected)
    assert max(band.y) == pytest.approx(train_charts.gpus_rows(answer)[0]["days_high"])
    assert (line.x[0], line.x[-1]) == (256, 8_192)
    assert "with 512 GPUs, as planned" in words(figure)
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.title.text == "days"


def test_a_price_draws_the_cost_below_the_time() -> None:
    answer = training()
    figure = train_charts.gpus_figure(answer, Range(1.0, 2.0, 3.0))
    below = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert len(below) == 2
    planned = next(row for row in train_charts.gpus_rows(answer, Range(1.0, 2.0, 3.0)) if row["planned"])
    assert planned["cost_usd_expected"] == pytest.approx(2 * answer.gpu_hours.expected)


@pytest.mark.parametrize("change", [{}, {"method": "qlora", "gpus": 1, "tokens": "5M"}, {"gpus": 8_192}])
def test_the_parts_of_the_time_add_up_to_the_run(change: dict[str, Any]) -> None:
    answer = training(**change)
    assert sum(seconds for _, seconds in train_charts.time_parts(answer)) == pytest.approx(
        answer.days.expected * 86_400, rel=1e-9
    )
    assert all(seconds >= -1e-9 for _, seconds in train_charts.time_parts(answer))


def test_gpus_that_the_tensor_parallelism_needs_are_not_halved() -> None:
    rows = train_charts.gpus_rows(training(gpus=8, tensor_parallel=8))
    assert min(row["gpus"] for row in rows) == 8


def test_more_gpus_than_sequences_of_a_step_is_told() -> None:
    answer = training(gpus=16, global_batch=16)
    told = [text for trace in train_charts.gpus_figure(answer).data for text in trace.hovertext or ()]
    assert "it takes a larger batch" in told[-1]
    assert "it takes a larger batch" not in told[0]


def test_the_stack_adds_up_and_each_part_lies_where_it_is_in_the_stack() -> None:
    answer = memory(purpose="train", model="llama-2-7b")
    figure = memory_charts.parts_picture(answer)
    stacked = [(start, length) for row, start, length in bars(figure) if row == 0]
    alone = [(start, length) for row, start, length in bars(figure) if row > 0]
    assert stacked == alone
    assert sum(length for _, length in stacked) == pytest.approx(answer.memory.total.value.expected / 1e9, rel=0.01)
    assert "which does not fit" in words(figure)
    assert figure.layout.xaxis.title.text == "GB"


def test_the_gpu_is_a_line_at_what_it_can_use_and_a_dotted_one_at_all_of_it() -> None:
    figure = memory_charts.parts_picture(memory(batch=16))
    lines = {shape.line.dash: shape.x0 for shape in figure.layout.shapes}
    assert lines == {"solid": pytest.approx(73.6), "dot": pytest.approx(80)}


def test_a_gpu_far_larger_than_the_need_does_not_flatten_the_picture() -> None:
    figure = memory_charts.parts_picture(memory(model="gpt2"))
    assert not figure.layout.shapes
    assert "73.6 GB of 80 GB can be used" in words(figure)


def test_machines_are_in_the_order_of_their_price_and_the_chosen_one_is_among_them() -> None:
    answer = memory()
    figure = memory_charts.machines_figure(answer)
    lengths = [length for _, _, length in bars(figure)]
    assert lengths == sorted(lengths)
    assert "NVIDIA H100 SXM5 80GB</b>, chosen" in words(figure)
    assert len(memory_charts.machines_rows(answer)) == len(answer.machines)


def test_machines_without_a_price_are_compared_by_their_memory() -> None:
    answer = memory(gpu=None)
    unpriced = tuple(one for one in answer.machines if one.usd_per_hour is None)[:3]
    figure = memory_charts.machines_figure(MemoryAnswer(
        shape=answer.shape, memory=answer.memory, gpu=None, fits=None, machines=unpriced, changes=(),
    ))  # fmt: skip
    assert "none has a known price" in words(figure)
    assert all(length > 0 for _, _, length in bars(figure))


def test_what_fits_nowhere_has_no_picture_of_machines() -> None:
    answer = memory(parameters="90T", model=None, gpu=None)
    assert [name for name, _, _ in memory_charts.pictures(answer)] == ["memory"]


def test_the_planned_requests_stand_on_the_curve_as_the_estimate_has_them() -> None:
    answer = serving(concurrency=16)
    row = next(row for row in serve_charts.throughput_rows(answer) if row["planned"])
    assert answer.serving.tokens_per_s_per_gpu is not None
    assert row["tokens_per_s_per_gpu"] == pytest.approx(answer.serving.tokens_per_s_per_gpu.value.expected)
    assert answer.serving.time_per_token_s is not None
    assert row["time_per_token_s"] == pytest.approx(answer.serving.time_per_token_s.value.expected)


def test_the_curve_goes_from_one_request_to_a_full_memory() -> None:
    answer = serving()
    points = serve_charts.curve(answer.setup)
    assert points[0].concurrency == 1
    assert points[-1].concurrency == answer.serving.largest_batch.value.expected
    assert [one.rate for one in points] == sorted(one.rate for one in points)
    assert "memory is full" in words(serve_charts.throughput_figure(answer))


def test_twelve_concurrencies_take_no_twelve_estimates() -> None:
    answer = serving()
    serve_charts.curve(answer.setup)
    begun = time.perf_counter()
    serve_charts.curve(answer.setup)
    assert time.perf_counter() - begun < 0.03


def test_an_encoder_and_a_network_of_samples_have_their_own_words() -> None:
    encoder = serving(model="bert-base-uncased", gpu="l4-24gb", prompt_tokens=128)
    figure = serve_charts.throughput_figure(encoder)
    assert figure.layout.xaxis.title.text == "time of an answer, ms"
    assert figure.layout.yaxis.title.text == "tokens/s of a GPU"
    assert "pass" in serve_charts.step_figure(encoder).layout.title.text
    assert serve_charts.throughput_figure(served_cnn()).layout.yaxis.title.text == "samples/s of a GPU"


def test_a_day_has_its_requests_and_its_replicas() -> None:
    answer = serving(users=2_000_000, ttft_target_s=1)
    rows = day_chart.day_rows(answer)
    assert len(rows) == 24
    assert max(row["replicas_autoscaled"] for row in rows) > min(row["replicas_autoscaled"] for row in rows)
    assert "running all day" in words(day_chart.day_figure(answer))
    assert [name for name, _, _ in serve_charts.pictures(serving())] == ["throughput", "step"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"concurrency": 128, "people_usd_per_month": 500}, "own pays from"),
        ({"usd_per_million_input": 0.001, "usd_per_million_output": 0.002, "concurrency": 1}, "does not pay"),
        ({"concurrency": 128, "minimum_replicas": 0}, "own hosting pays"),
    ],
)
def test_the_crossing_is_marked_or_said_not_to_be(change: dict[str, Any], said: str) -> None:
    answer = comparison(**change)
    figure = breakeven_charts.curve_figure(answer.breakeven)
    assert said in words(figure)
    assert "yours: <b>2 billion</b>" in words(figure)
    volumes = [shape.x0 for shape in figure.layout.shapes if shape.type == "line" and shape.line.dash == "solid"]
    assert volumes == [2e9]


def test_both_costs_at_the_readers_volume_are_those_of_the_estimate() -> None:
    found = comparison().breakeven
    marks = [trace for trace in breakeven_charts.curve_figure(found).data if trace.mode == "markers"]
    assert {mark.y[0] for mark in marks} == {
        found.api_usd_per_month.value.expected,
        found.own_usd_per_month.value.expected,
    }


def test_a_tornado_has_the_widest_bar_first_around_the_expected_saving() -> None:
    answer = comparison()
    figure = breakeven_charts.tornado_figure(answer.tornado)
    widths: dict[int, float] = {}
    for row, start, length in bars(figure):
        assert start == pytest.approx(answer.tornado.saving_usd_per_month)
        widths[row] = widths.get(row, 0.0) + abs(length)
    assert list(widths.values()) == sorted(widths.values(), reverse=True)
    assert "expected: " in words(figure)
    rows = breakeven_charts.tornado_rows(answer.tornado)
    assert len(rows) == len(answer.tornado.bars)
    assert all(value is None or math.isfinite(value) for row in rows for value in row.values() if type(value) is float)


def test_a_name_of_the_readers_stays_text() -> None:
    answer = comparison()
    assert "&lt;b&gt;an API&lt;/b&gt;" in words(breakeven_charts.curve_figure(answer.breakeven))
    assert hover("<i>", "") == "&lt;i&gt;"


def everything() -> list[tuple[str, tuple[Picture, ...]]]:
    return [
        ("train", train_charts.pictures(replace(training(), usd_per_gpu_hour=Range(1, 2, 3)))),
        ("one gpu", train_charts.pictures(training(gpus=1, tokens="1M"))),
        ("cnn", train_charts.pictures(train(TrainSetup(shape=CNN, gpu=find(H100), tokens=1e6, gpus=8)))),
        ("cnn", serve_charts.pictures(served_cnn())),
        ("memory", memory_charts.pictures(memory())),
        ("lora", memory_charts.pictures(memory(purpose="train", method="qlora"))),
        ("serve", serve_charts.pictures(serving(users=100, concurrency=1))),
        ("cpu", serve_charts.pictures(serving(gpu="epyc-9654", concurrency=2))),
        ("breakeven", breakeven_charts.pictures(comparison())),
        ("tiny", breakeven_charts.pictures(comparison(monthly_tokens="1000"))),
        ("huge", breakeven_charts.pictures(comparison(monthly_tokens="100T"))),
    ]


def test_every_picture_has_a_title_axes_and_rows_that_can_be_a_csv() -> None:
    for kind, pictures in everything():
        for name, figure, rows in pictures:
            assert figure.layout.title.text, (kind, name)
            assert len(figure.layout.title.text) <= 42, "a title on a narrow screen has one line"
            assert figure.layout.showlegend is False
            assert rows, (kind, name)
            assert len({tuple(row) for row in rows}) <= 2
            assert figure.to_json()


def test_pictures_leave_the_page_its_time() -> None:
    answer = training(), memory(), serving(users=100_000), comparison()
    makers = train_charts.pictures, memory_charts.pictures, serve_charts.pictures, breakeven_charts.pictures
    for make, one in zip(makers, answer, strict=True):
        make(one)  # type: ignore[arg-type]
        begun = time.perf_counter()
        make(one)  # type: ignore[arg-type]
        assert time.perf_counter() - begun < 0.1


def test_axes_have_few_round_values() -> None:
    assert log_axis(1, 1e12, short)["ticktext"] == ["1", "1K", "1M", "1B", "1T"]
    assert even_axis(0, 103, short)["tickvals"] == [0, 25, 50, 75, 100]
    assert (dollars(-2_500), dollars(0), short(1_500_000)) == ("−$2.5K", "$0", "1.5M")


@pytest.mark.parametrize(("low", "high"), [(1e-3, 2e-3), (0.5, 0.6), (7, 7), (1, 1e6)])
def test_an_axis_always_has_a_mark(low: float, high: float) -> None:
    assert 1 <= len(log_axis(low, high, short)["tickvals"]) <= 6


@pytest.mark.parametrize(
    "made", [served_cnn, lambda: serving(model="bert-base-uncased", gpu="l4-24gb", prompt_tokens=64)]
)
def test_parts_of_an_answer_without_decoding_fill_their_bar(made: Callable[[], ServeAnswer]) -> None:
    answer = made()
    whole = (answer.serving.prefill_s or answer.serving.request_s).value.expected
    assert sum(row["s"] for row in serve_charts.step_rows(answer)) == pytest.approx(whole)


def test_a_cpus_curve_is_not_of_a_gpu() -> None:
    figure = serve_charts.throughput_figure(serving(gpu="epyc-9654", concurrency=2))
    assert figure.layout.yaxis.title.text == "tokens/s"
