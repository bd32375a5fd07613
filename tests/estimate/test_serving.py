"""Serving figures against published measurements and arithmetic by hand."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.estimate.fitting import largest_batch
from core.estimate.hardware import find
from core.estimate.inference_memory import InferencePlan, cache_bytes, inference_memory
from core.estimate.published_serving import ServingRow, predicted, published_serving
from core.estimate.ranges import Range
from core.estimate.roofline_time import Factors, Placement, all_reduce_s, decode_time, decode_work, prefill_work
from core.estimate.serve_setup import ServeSetup
from core.estimate.serving import ServeEstimate, estimate, serve
from core.estimate.serving_memory import resident_weights_bytes, serving_memory, touched_experts_share
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand

A100 = find("a100-sxm-80gb")
H100 = find("h100-sxm-80gb")
LLAMA_8B = shape_by_hand(
    name="Llama 3.1 8B",
    layers=32,
    hidden=4096,
    heads=32,
    kv_heads=8,
    ffn=14336,
    vocabulary=128256,
    context=131_072,
)
ROWS = published_serving()


def setup(**changes: object) -> ServeSetup:
    made = ServeSetup(
        shape=LLAMA_8B,
        gpu=H100,
        precision="bf16",
        prompt_tokens=1_000,
        output_tokens=250,
        concurrency=16,
        usd_per_gpu_hour=Range(2.0, 3.0, 4.0),
        utilisation=Range(0.4, 0.5, 0.6),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def value(made: ServeEstimate, key: str) -> float:
    return next(one.value.expected for one in made.figures if one.key == key)


# --- against published rows


@pytest.mark.parametrize("row", ROWS[:3], ids=lambda row: f"{row.name} {row.measure}")
def test_the_three_base_rows_are_met_within_a_tenth(row: ServingRow) -> None:
    assert predicted(row).expected == pytest.approx(row.value, rel=0.10)


def of_today(row: ServingRow) -> bool:
    """Engines of 2023 read shared keys once for every head that shares them, and llama.cpp's products were slow."""
    shared_keys = row.setup.shape.kv_heads < row.setup.shape.heads
    old = row.engine in ("TensorRT-LLM 0.5", "TensorRT-LLM 0.6", "lmdeploy turbomind 0.1.0a1")
    return not (old and shared_keys) and row.engine != "llama.cpp 2023"


def test_published_rows_of_todays_engines_lie_in_their_ranges() -> None:
    rows = [(row, predicted(row)) for row in ROWS if of_today(row)]
    errors = [abs(found.expected / row.value - 1) for row, found in rows]
    inside = [found.low <= row.value <= found.high for row, found in rows]
    assert len(rows) >= 120
    assert statistics.median(errors) <= 0.08
    assert statistics.fmean(inside) >= 0.90
    assert statistics.median(found.spread for _, found in rows) <= 1.8


def test_of_all_published_rows_old_engines_too_most_lie_in_their_ranges() -> None:
    inside = [found.low <= row.value <= found.high for row in ROWS if (found := predicted(row))]
    assert statistics.fmean(inside) >= 0.85


def test_every_published_row_names_its_source() -> None:
    assert all(row.source and row.value > 0 for row in ROWS)


# --- against arithmetic by hand


def test_a_decode_step_reads_every_matrix_once_and_every_requests_cache() -> None:
    # 8,030,261,248 parameters less the looked-up table of 128,256 · 4,096; 2 · 32 · 8 · 128 numbers a token.
    work = decode_work(Placement(shape=LLAMA_8B, gpu=H100, precision="bf16"), batch=4, held=99)
    assert work.matrix_bytes == 2 * (8_030_261_248 - 128_256 * 4_096)
    assert work.attention_bytes == 4 * 100 * 2 * 32 * 8 * 128 * 2
    assert work.matrix_flop == 4 * 2 * (8_030_261_248 - 128_256 * 4_096)
    assert work.attention_flop == 4 * 4 * 32 * 32 * 128 * 100


def test_an_ideal_step_takes_bytes_over_bandwidth() -> None:
    where = Placement(shape=LLAMA_8B, gpu=H100, precision="bf16")
    ideal = decode_time(where, Factors(compute=1.0, bandwidth=1.0), batch=1, held=0)
    moved = 2 * (8_030_261_248 - 128_256 * 4_096) + 131_072
    assert ideal.seconds == pytest.approx(moved / 3350e9)
    assert ideal.bound == "memory"


def test_a_large_batch_waits_for_arithmetic() -> None:
    where = Placement(shape=LLAMA_8B, gpu=H100, precision="bf16")
    assert decode_time(where, Factors(compute=1.0, bandwidth=1.0), batch=2_000, held=0).bound == "compute"


def test_a_sliding_window_bounds_cache_and_attention() -> None:
    half = shape_by_hand(layers=4, hidden=64, heads=4, vocabulary=100, ffn=96, window=10, window_every=2, context=1_000)
    assert cache_bytes(half, 100, "fp16") == 2 * 64 * 2 * (2 * 100 + 2 * 10)
    where = Placement(shape=half, gpu=H100, precision="fp16")
    # Two layers attend to 1..100, two to at most 10: 5,050 and 55 + 90 · 10 pairs.
    assert prefill_work(where, tokens=100).attention_flop == 4 * 64 * (2 * 5_050 + 2 * 955)


def test_a_cached_prefix_is_attended_to_and_not_computed() -> None:
    where = Placement(shape=LLAMA_8B, gpu=H100, precision="bf16")
    whole, first, rest = (
        prefill_work(where, tokens=tokens, held=held) for tokens, held in ((100, 0), (60, 0), (40, 60))
    )
    assert rest.attention_flop == pytest.approx(whole.attention_flop - first.attention_flop)
    assert rest.matrix_flop < whole.matrix_flop / 2


def test_experts_touched_follow_from_chance() -> None:
    moe = shape_by_hand(
        layers=2, hidden=64, heads=4, vocabulary=100, ffn=96, experts=8, experts_per_token=2, expert_ffn=96
    )
    assert touched_experts_share(moe, 1) == pytest.approx(2 / 8)
    assert touched_experts_share(moe, 2) == pytest.approx(1 - 0.75**2)
    where = Placement(shape=moe, gpu=H100, precision="fp16")
    always = moe.parameters - moe.embedding_parameters - moe.expert_parameters
    assert decode_work(where, batch=1, held=0).matrix_bytes == pytest.approx(2 * (always + moe.expert_parameters / 4))


def test_a_latent_cache_is_held_whole_by_every_gpu() -> None:
    plain = serving_memory(LLAMA_8B, H100, precision="bf16", cache_precision="fp16", tokens=100, tensor_parallel=4)
    latent = replace(LLAMA_8B, kv_elements_per_token=32 * 576)
    mla = serving_memory(latent, H100, precision="bf16", cache_precision="fp16", tokens=100, tensor_parallel=4)
    assert plain.bytes_per_request == 100 * 65_536 * 2 / 4
    assert mla.bytes_per_request == 100 * 32 * 576 * 2


def test_more_gpus_than_heads_of_keys_repeat_the_cache() -> None:
    shared = replace(LLAMA_8B, kv_heads=2, kv_elements_per_token=2 * 32 * 2 * 128)
    need = serving_memory(shared, H100, precision="bf16", cache_precision="fp16", tokens=1, tensor_parallel=8)
    assert need.bytes_per_request == 2 * 32 * 2 * 128 * 2 / 2


def test_quantised_weights_shrink_and_keep_head_and_table_in_16_bits() -> None:
    body = 8_030_261_248 - 2 * 128_256 * 4_096
    tables = 2 * 2 * 128_256 * 4_096
    assert resident_weights_bytes(LLAMA_8B, "bf16", H100) == 2 * 8_030_261_248
    assert resident_weights_bytes(LLAMA_8B, "fp8", H100) == body + tables
    # AWQ's published file of this model has 5.73 GB.
    assert resident_weights_bytes(LLAMA_8B, "int4", H100) == pytest.approx(5.73e9, rel=0.02)


def test_two_all_reduces_a_layer_go_around_the_ring() -> None:
    gpu = replace(H100, intra_node_bytes_per_s=900e9)
    where = Placement(shape=LLAMA_8B, gpu=gpu, precision="bf16", tensor_parallel=4)
    once = 2 * 3 / 4 * 1_000 * 4_096 * 2 / 450e9
    assert all_reduce_s(where, 1_000, 10e-6) == pytest.approx(2 * 32 * (once + 10e-6))
    assert all_reduce_s(replace(where, tensor_parallel=1), 1_000, 10e-6) == 0


def test_capacity_is_one_prefill_and_a_share_of_the_steps() -> None:
    made = estimate(setup(concurrency=1))
    rate = 1 / (value(made, "prefill_s") + 250 * value(made, "step_s"))
    assert value(made, "requests_per_s") == pytest.approx(rate)
    assert value(made, "tokens_per_s_per_gpu") == pytest.approx(250 * rate)


def test_running_requests_are_rate_times_time_as_little_says() -> None:
    made = estimate(setup(concurrency=32, prompt_tokens=300, output_tokens=1_000))
    assert value(made, "requests_per_s") * value(made, "request_s") == pytest.approx(32, rel=0.02)


def test_input_and_output_cost_add_up_to_the_hours_bill() -> None:
    made = estimate(setup(tensor_parallel=2))
    a_request = (
        1_000 * value(made, "usd_per_million_input_tokens") + 250 * value(made, "usd_per_million_output_tokens")
    ) / 1e6
    assert a_request == pytest.approx(2 * 3.0 / 3600 / 0.5 / value(made, "requests_per_s"))
    assert value(made, "usd_per_million_tokens_blended") == pytest.approx(a_request / 1_250 * 1e6)


def test_a_batch_raises_throughput_and_latency() -> None:
    few, many = estimate(setup(concurrency=1)), estimate(setup(concurrency=64))
    assert value(many, "tokens_per_s_per_gpu") > 10 * value(few, "tokens_per_s_per_gpu")
    assert value(many, "time_per_token_s") > value(few, "time_per_token_s")
    assert value(many, "ttft_s") > value(few, "ttft_s")


def test_cached_prompts_make_input_cheaper_and_the_first_token_sooner() -> None:
    plain, cached = estimate(setup(prompt_tokens=8_000)), estimate(setup(prompt_tokens=8_000, cached_share=0.75))
    assert value(cached, "usd_per_million_input_tokens") < 0.35 * value(plain, "usd_per_million_input_tokens")
    assert value(cached, "ttft_s") < value(plain, "ttft_s")


def test_weight_only_quantisation_speeds_decoding_and_not_reading() -> None:
    plain, int4 = estimate(setup(concurrency=1)), estimate(setup(concurrency=1, precision="int4"))
    assert value(int4, "time_per_token_s") < 0.5 * value(plain, "time_per_token_s")
    assert value(int4, "prefill_s") == pytest.approx(value(plain, "prefill_s"), rel=0.02)


def test_largest_batch_fills_the_usable_memory() -> None:
    made = estimate(setup())
    each = 1_250 * 65_536 * 2
    assert value(made, "largest_batch") == (0.93 * 80e9 - 2 * 8_030_261_248) // each
    assert made.largest_batch.value.low < value(made, "largest_batch") < made.largest_batch.value.high


# --- encoders and other networks


def test_an_encoder_has_one_pass_and_no_output_tokens() -> None:
    bert = shape_by_hand(layers=12, hidden=768, heads=12, vocabulary=30_522, kind="encoder", positions=512, context=512)
    made = estimate(setup(shape=bert, precision="fp16", prompt_tokens=128, output_tokens=0, concurrency=32))
    assert made.time_per_token_s is None
    assert made.usd_per_million_output_tokens is None
    assert 1_000 < value(made, "largest_batch") < 1_000_000
    rate = value(made, "tokens_per_s_per_gpu")
    assert rate == pytest.approx(128 * value(made, "requests_per_s"))
    assert value(made, "usd_per_million_input_tokens") == pytest.approx(1e6 * 3.0 / 3600 / 0.5 / rate)


def resnet() -> ModelShape:
    return ModelShape(
        name="ResNet-50",
        kind="other",
        layers=0,
        hidden=0,
        heads=0,
        kv_heads=0,
        head_dim=0,
        ffn=0,
        vocabulary=0,
        context=0,
        parameters=25_557_032,
        active_parameters=25_557_032,
        embedding_parameters=0,
        head_parameters=0,
        gated=False,
        flop_per_sample=8.2e9,
    )


def test_a_cnn_is_priced_by_the_sample() -> None:
    made = estimate(
        setup(shape=resnet(), gpu=A100, precision="fp16", prompt_tokens=0, output_tokens=0, concurrency=256)
    )
    assert made.ttft_s is None
    assert made.samples_per_s_per_gpu
    assert made.usd_per_million_samples
    rate = made.samples_per_s_per_gpu.value
    assert rate.expected == pytest.approx(0.33 * 312e12 / 8.2e9, rel=0.05)
    assert rate.spread > 4  # nothing but totals is known of it


# --- ranges, provenance, speed


def test_every_figure_says_formula_source_inputs_and_what_drives_it() -> None:
    made = estimate(setup(tensor_parallel=2))
    for one in made.figures:
        assert all((one.formula, one.source, one.inputs, one.drivers)), one.key
        assert one.value.low < one.value.expected < one.value.high, one.key
        assert all(driver.low <= driver.high for driver in one.drivers), one.key
    assert made.figures[0].unit


def test_the_price_drives_cost_and_nothing_else() -> None:
    made = estimate(setup())
    assert made.usd_per_million_output_tokens
    assert made.step_s
    drivers = {one.name: one for one in made.usd_per_million_output_tokens.drivers}
    price = drivers["price of a GPU-hour"]
    assert price.high / price.low == pytest.approx(2.0)
    assert "price of a GPU-hour" not in {one.name for one in made.step_s.drivers}


def test_a_free_gpu_costs_nothing() -> None:
    assert value(estimate(setup(usd_per_gpu_hour=Range.exactly(0.0))), "usd_per_million_tokens_blended") == 0


def test_step_parts_add_up_to_the_step() -> None:
    made = estimate(setup(tensor_parallel=2))
    assert sum(one.seconds for one in made.step_parts) == pytest.approx(value(made, "step_s"))


def test_an_estimate_is_quick_enough_for_a_page() -> None:
    estimate(setup())
    started = time.perf_counter()
    estimate(setup(tensor_parallel=2, concurrency=64))
    assert time.perf_counter() - started < 0.05


# --- bad input


def test_all_faults_are_told_at_once() -> None:
    wrong = setup(prompt_tokens=0, concurrency=0, cached_share=1.0, tensor_parallel=3, precision="fp12")
    with pytest.raises(InvalidInput) as told:
        estimate(wrong)
    for word in ("prompt tokens", "requests at once", "cached share", "does not divide", "fp12"):
        assert word in str(told.value)


def test_what_does_not_fit_says_what_would() -> None:
    huge = shape_by_hand(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, vocabulary=128256, context=131_072)
    with pytest.raises(InvalidInput, match=r"2 GPUs together.*int8|2 GPUs together.*fp8"):
        estimate(setup(shape=huge, gpu=H100, concurrency=1))


def test_too_large_a_batch_says_the_largest() -> None:
    with pytest.raises(InvalidInput, match=r"It would fit: \d+ at once"):
        estimate(setup(concurrency=100_000))


def test_a_request_beyond_the_context_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reads 8,192"):
        estimate(setup(shape=replace(LLAMA_8B, context=8_192), prompt_tokens=8_192))


def test_a_precision_that_the_gpu_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="No fp8 peak"):
        estimate(setup(gpu=A100, precision="fp8"))


def test_a_utilisation_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="utilisation"):
        estimate(setup(utilisation=Range(0.0, 0.5, 1.0)))


def test_serve_takes_the_same_by_name() -> None:
    made = serve(
        LLAMA_8B,
        H100,
        precision="bf16",
        prompt_tokens=1_000,
        output_tokens=250,
        concurrency=16,
        usd_per_gpu_hour=Range(2.0, 3.0, 4.0),
        utilisation=Range(0.4, 0.5, 0.6),
    )
    assert made == estimate(setup())


def test_another_network_holds_what_the_memory_estimate_says() -> None:
    cnn = replace(resnet(), activation_elements_per_sample=22e6)
    made = estimate(setup(shape=cnn, precision="fp16", prompt_tokens=0, output_tokens=0, concurrency=8))
    held = inference_memory(cnn, precision="fp16", batch=1).part("activations_bytes").value
    most = made.largest_batch.value
    assert most.expected == (0.93 * 80e9 - 2 * 25_557_032) // held.expected
    assert 5 * most.expected == pytest.approx(largest_batch(cnn, InferencePlan(precision="fp16"), H100) * 5, rel=0.2)
    assert most.low < most.expected / 5  # how soon tensors are freed is not known
    assert any("activations" in driver.name for driver in made.largest_batch.drivers)


def test_parts_of_another_networks_answer_add_up_to_it() -> None:
    made = estimate(setup(shape=resnet(), precision="fp16", prompt_tokens=0, output_tokens=0, concurrency=8))
    assert sum(one.seconds for one in made.step_parts) == pytest.approx(value(made, "request_s"))


def test_this_machine_is_no_gpu_and_a_gpu_is_one() -> None:
    assert estimate(setup()).tokens_per_s_per_gpu.label == "Output tokens a second and GPU"  # type: ignore[union-attr]
    cpu = estimate(setup(gpu=find("epyc-9654"), concurrency=1))
    assert cpu.tokens_per_s_per_gpu.label == "Output tokens a second"  # type: ignore[union-attr]
