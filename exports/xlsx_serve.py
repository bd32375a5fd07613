"""The workbook of a served model: rooflines of prefill and decode, continuous batching, $ per million tokens.

What a pass multiplies and reads does not depend on how near it comes to the limits, so it stands on Calculation; what
does (`core.estimate.serving_point`) is worked out on Cases, once for each factor at each end.
"""

from __future__ import annotations

from core.estimate.inference_memory import CACHE_BYTES
from core.estimate.report import Report
from core.estimate.serve_estimate import ServeAnswer
from core.estimate.serve_setup import ACTIVATIONS, FACTOR_NAMES, ServeSetup
from core.estimate.serving_factors import JUDGEMENT, PUBLISHED
from core.estimate.serving_memory import (
    BYTES_PER_WEIGHT,
    MOST_BATCH,
    cache_split,
    head_bytes_per_weight,
    resident_weights_bytes,
    working_bytes,
)
from core.estimate.serving_point import TOGETHER_TOKENS
from exports.xlsx_book import Book, Cases, Row, Section
from exports.xlsx_rows import device_section, given, model_section, step
from exports.xlsx_serve_passes import cache_bytes, decode_work, pass_seconds, prefill_work

# Cells of factors whose own names say too little.
CELLS = {"compute": "compute_share", "bandwidth": "bandwidth_share", "wait": "wait_factor"}


def serve_book(report: Report, answer: ServeAnswer) -> Book:
    """report: whose figures are wanted; those in USD are left out of it where no price is known."""
    setup = answer.setup
    wanted = {figure.key for figure in report.figures}
    figures = {key: name for key, name in _figures(setup).items() if key in wanted}
    inputs = (_load(setup), _placing(setup), *_factors(setup, _price_source(answer)), model_section(setup.shape))
    cases = Cases(
        factors=tuple(CELLS.get(name, name) for name in setup.factors),
        steps=_cases(setup),
        figures=figures,
    )
    return Book(inputs=inputs, steps=_work(setup), cases=cases, notes=_notes(report, figures))


def _price_source(answer: ServeAnswer) -> str:
    return (
        answer.price.source
        if answer.price.usd_per_gpu_hour
        else "unknown: 1 stands in for it, and no figure in USD is given"
    )


def _notes(report: Report, figures: dict[str, str]) -> tuple[str, ...]:
    if len(report.figures) == len(figures):
        return ()
    return ("The replicas of a demand are searched for, not computed: their figures are values.",)


def _load(setup: ServeSetup) -> Section:
    load = setup.load
    rows = [
        Row(name="prompt_tokens", label="Tokens of a prompt", expected=load.prompt_tokens, unit="tokens"),
        Row(name="output_tokens", label="Tokens of an answer", expected=load.output_tokens, unit="tokens"),
        Row(name="concurrency", label="Requests at once", expected=load.batch),
        Row(name="cached_share", label="Of the prompt, in the prefix cache", expected=load.cached_share, unit="share"),
        Row(name="tensor_parallel", label="GPUs of a replica", expected=setup.tensor_parallel),
    ]
    return Section("The load", tuple(rows))


def _placing(setup: ServeSetup) -> Section:
    """The device, and the bytes of a number in this precision on it."""
    where, gpu, shape, precision = setup.placement, setup.gpu, setup.shape, setup.precision
    device = device_section(gpu, peak=gpu.flops_per_s(precision), peak_words=f"in {precision}")
    narrow = precision == "fp8" and where.cache != "fp8" and gpu.fp16_flops_per_s
    attention = gpu.fp16_flops_per_s if narrow else gpu.flops_per_s(precision)
    whole = cache_split(shape, 2) == 1 < shape.kv_heads
    rows = (
        ("attention_peak_flops_per_s", "Peak for the attention's products", attention, "FLOP/s"),
        ("bytes_per_weight", f"Of a weight in {precision}, its scales in it", BYTES_PER_WEIGHT[precision], "bytes"),
        ("head_bytes_per_weight", "Of a weight of the head", head_bytes_per_weight(precision, gpu), "bytes"),
        ("table_bytes_per_weight", "Of a weight of the embeddings", _table_bytes_per_weight(setup), "bytes"),
        ("cache_bytes_per_number", f"Of a number of the KV cache, {where.cache}", CACHE_BYTES[where.cache], "bytes"),
        ("cache_is_whole", "1 where each GPU holds the whole cache (a latent)", float(whole), ""),
        ("working_bytes", "Of a request without a cache", working_bytes(shape, _tokens(setup), precision), "bytes"),
        ("piece_tokens", "A prompt alone is read in pieces of; 0: whole", float(where.piece_tokens), "tokens"),
    )
    own = tuple(Row(name=name, label=label, expected=value, unit=unit) for name, label, value, unit in rows)
    return Section(device.title, (*device.rows, *own))


def _tokens(setup: ServeSetup) -> int:
    return setup.load.prompt_tokens + setup.load.output_tokens


def _table_bytes_per_weight(setup: ServeSetup) -> float:
    """What the engine counts for the embeddings; 0 without any."""
    shape, precision = setup.shape, setup.precision
    body = shape.parameters - shape.embedding_parameters - shape.head_parameters
    rest = body * BYTES_PER_WEIGHT[precision] + shape.head_parameters * head_bytes_per_weight(precision, setup.gpu)
    whole = resident_weights_bytes(shape, precision, setup.gpu)
    return (whole - rest) / shape.embedding_parameters if shape.embedding_parameters else 0.0


def _factors(setup: ServeSetup, price_source: str) -> tuple[Section, ...]:
    """Everything that has a range."""
    measured = setup.calibration.name if setup.calibration else PUBLISHED
    sources = {"usd_per_gpu_hour": price_source, "utilisation": "as given", ACTIVATIONS: JUDGEMENT}
    units = {"usd_per_gpu_hour": "USD/h", "utilisation": "share", ACTIVATIONS: "bytes"}
    rows = (
        given(
            CELLS.get(name, name),
            FACTOR_NAMES[name][0].upper() + FACTOR_NAMES[name][1:],
            value,
            units.get(name, "s" if name.endswith("_s") else ""),
            sources.get(name, measured),
        )
        for name, value in setup.factors.items()
    )
    return (Section("What is uncertain", tuple(rows)),)


def _work(setup: ServeSetup) -> tuple[Section, ...]:
    plain = (
        step("new_tokens", "Prompt tokens that are computed", "MAX(1,prompt_tokens*(1-cached_share))", "tokens"),
        step("held_tokens", "Prompt tokens from the cache", "prompt_tokens-new_tokens", "tokens"),
        step("matrix_parameters", "Weights that a token is multiplied by", "active_parameters-embedding_parameters"),
        step(
            "always_parameters",
            "Weights that every pass reads, but for the head",
            "parameters-embedding_parameters-head_parameters-expert_parameters",
        ),
        step("cache_split", "GPUs over which the cache divides", _SPLIT),
        step("tensor_parallel_link", "Link of an all-reduce", _LINK, "bytes/s"),
        step("resident_bytes", "Weights, all", _RESIDENT, "bytes"),
        step("request_bytes", "Of one request, on one GPU", _request_bytes(), "bytes"),
    )
    kind = setup.shape.kind
    if not setup.decodes:
        passes = prefill_work("alone", "The batch", "concurrency", kind)
        return Section("Placing", plain), Section("The pass", passes)
    together = f"MAX(1,MIN(concurrency,INT({TOGETHER_TOKENS}/new_tokens)))"
    shared = (
        step("together", "Prompts read together", together),
        *prefill_work("shared", "Prompts together", "together", kind),
    )
    return (
        Section("Placing", plain),
        Section("Reading one prompt", prefill_work("alone", "One prompt", "1", kind)),
        Section("Reading prompts together", shared),
        Section("One decode step", decode_work("decode", "A step")),
    )


_SPLIT = "IF(cache_is_whole=1,1,MAX(1,MIN(tensor_parallel,kv_heads)))"
_LINK = "IF(tensor_parallel>node_gpus,network_bandwidth,intra_node_bandwidth/2)"
_BODY = "(parameters-embedding_parameters-head_parameters)*bytes_per_weight"
_RESIDENT = f"{_BODY}+embedding_parameters*table_bytes_per_weight+head_parameters*head_bytes_per_weight"


def _request_bytes() -> str:
    cached = cache_bytes("(prompt_tokens+output_tokens)")
    return f"IF(kv_numbers_per_token>0,{cached}/cache_split,working_bytes)"


def _cases(setup: ServeSetup) -> tuple[Section, ...]:
    """What depends on the factors, in the order of `core.estimate.serving_point`."""
    cpu = setup.gpu.kind == "cpu"
    free = "usable_memory*gpu_memory_bytes-resident_bytes/tensor_parallel"
    each = ACTIVATIONS if setup.shape.kind == "other" else "request_bytes"
    most = f"IF({free}<=0,0,IF({each}>0,MIN({MOST_BATCH},INT(({free})/{each})),{MOST_BATCH}))"
    memory = Section("Memory", (step("most_requests", "Most requests at once", most),))
    if not setup.decodes:
        alone = pass_seconds("alone", "The pass", "concurrency", one_after_the_other=cpu)
        return Section("The pass", alone), Section("The answer", _one_pass(setup)), memory
    return (
        Section("Reading one prompt", pass_seconds("alone", "One prompt", "1", one_after_the_other=cpu)),
        Section("Reading prompts", pass_seconds("shared", "Prompts together", "together", one_after_the_other=cpu)),
        Section("One decode step", pass_seconds("decode", "A step", "concurrency", one_after_the_other=cpu)),
        Section("Continuous batching", _batching(setup)),
        memory,
    )


def _one_pass(setup: ServeSetup) -> tuple[Row, ...]:
    rows = [
        step("answer_s", "The answer", "alone_s+start_s", "s"),
        step("each_s", "Of one request", "alone_s/concurrency", "s"),
        step("rate", "Requests a second", "concurrency/alone_s", "requests/s"),
        *_money_and_power(setup, "prompt_tokens"),
        step("usd_input", "A million input tokens", "10^6*usd_per_s*each_s/prompt_tokens", "USD"),
        step("prefill_rate", "Prompt tokens a second", "prompt_tokens/each_s", "tokens/s"),
        step("usd_sample", "A million samples", "10^6*usd_per_s/rate", "USD"),
        step("samples_rate", "Samples a second and GPU", "rate/tensor_parallel", "samples/s"),
    ]
    return tuple(rows)


def _batching(setup: ServeSetup) -> tuple[Row, ...]:
    queue = "busy*each_s/(2*(1-busy))+(1-busy)*decode_s*others/2"
    return (
        step("each_s", "Reading a prompt among others", "shared_s/together", "s"),
        step("rate", "Requests a second", "1/(each_s+output_tokens*decode_s/concurrency)", "requests/s"),
        step("others", "Of the requests, the others", "(concurrency-1)/concurrency", "share"),
        step("busy", "Of the time, reading others' prompts", "MIN(rate*others*each_s,0.999)", "share"),
        step("queue_s", "Waiting behind them, even arrivals", queue, "s", "Pollaczek–Khinchine, M/D/1"),
        step("first_s", "Time to first token", "start_s+alone_s+wait_factor*queue_s", "s"),
        step("token_s", "Time per token", "decode_s+(concurrency-1)*each_s/output_tokens", "s"),
        step("whole_s", "A whole request", "first_s+(output_tokens-1)*token_s", "s"),
        *_money_and_power(setup, "output_tokens"),
        step("usd_input", "A million input tokens", "10^6*usd_per_s*each_s/prompt_tokens", "USD"),
        step("usd_output", "A million output tokens", "10^6*usd_per_s*decode_s/concurrency", "USD"),
        step("prefill_rate", "Prompt tokens a second", "prompt_tokens/each_s", "tokens/s"),
    )


def _money_and_power(setup: ServeSetup, counted: str) -> tuple[Row, ...]:
    rows = (
        step("usd_per_s", "A second of a replica that is used", _USED, "USD"),
        step("gpu_rate", "Tokens a second and GPU", f"rate*{counted}/tensor_parallel", "tokens/s"),
        step("usd_blended", "A million tokens", "10^6*usd_per_s/(rate*(prompt_tokens+output_tokens))", "USD"),
    )
    joules = step("joule_rate", "Tokens a joule", "gpu_rate/(power_share*tdp_watts)", "tokens/J")
    return (*rows, joules) if setup.gpu.tdp_watts else rows


_USED = "usd_per_gpu_hour*tensor_parallel/3600/utilisation"


def _figures(setup: ServeSetup) -> dict[str, str]:
    """Of each figure's key, the step on Cases that it is."""
    both = {
        "requests_per_s": "rate",
        "largest_batch": "most_requests",
        "prefill_s": "alone_s",
        "tokens_per_s_per_gpu": "gpu_rate",
        "prefill_tokens_per_s": "prefill_rate",
        "usd_per_million_input_tokens": "usd_input",
        "usd_per_million_tokens_blended": "usd_blended",
        "tokens_per_joule": "joule_rate",
    }
    if not setup.decodes:
        samples = {"samples_per_s_per_gpu": "samples_rate", "usd_per_million_samples": "usd_sample"}
        return both | samples | {"request_s": "answer_s", "ttft_s": "answer_s"}
    return both | {
        "ttft_s": "first_s",
        "step_s": "decode_s",
        "time_per_token_s": "token_s",
        "request_s": "whole_s",
        "usd_per_million_output_tokens": "usd_output",
    }
