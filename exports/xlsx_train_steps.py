"""The formulas of a training run's workbook, in the order of `core.estimate.training`: operations, seconds, days,
dollars, energy."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.estimate.shape import ModelShape
from core.estimate.train_figures import CHINCHILLA_TOKENS_PER_PARAMETER, ROUNDED
from exports.formulas import Formula
from exports.xlsx_book import Result, Row, Section
from exports.xlsx_rows import attended, lora_parameters, product_step, ranged, step

RESULTS: Mapping[str, Result] = MappingProxyType(
    {
        "total_flops": Result(
            Formula(f"MIN(run_rule_flop,run_exact_flop)*{1 - ROUNDED}"),
            Formula("run_rule_flop"),
            Formula(f"MAX(run_rule_flop,run_exact_flop)*{1 + ROUNDED}"),
        ),
        "exact_flops": Result.exactly("run_exact_flop"),
        "hardware_flops": Result.exactly("run_hardware_flop"),
        "chinchilla_tokens": Result.exactly("optimal_tokens"),
        "hfu": Result.of("hfu"),
        "mfu": Result.of("model_share"),
        "tflops_per_gpu": Result.of("gpu_tflops"),
        "step_s": Result.of("step_seconds"),
        "tokens_per_s": Result.of("cluster_rate"),
        "days": Result.of("run_days"),
        "gpu_hours": Result.of("run_gpu_hours"),
        "cost_usd": Result.of("run_cost_usd"),
        "energy_kwh": Result.of("run_energy_kwh"),
        "co2e_kg": Result.of("run_co2e_kg"),
    }
)


def work(shape: ModelShape) -> list[Section]:
    """Of one token (of a network without layers, one sample), then of the run."""
    whole = Section(
        "Operations of the run",
        (
            step("run_rule_flop", "By the rule", 'tokens*rule_flop*IF(method="full",1,2/3)', "FLOP"),
            step("run_exact_flop", "Attention and logits counted", "tokens*exact_flop", "FLOP"),
            step("run_hardware_flop", "Done, with what is recomputed", "tokens*hardware_flop", "FLOP"),
            step(
                "optimal_tokens",
                "Tokens that are optimal for this size",
                f"{CHINCHILLA_TOKENS_PER_PARAMETER}*active_parameters",
                "tokens",
                "arXiv 2203.15556",
            ),
        ),
    )
    forward = _samples() if shape.kind == "other" else _layers(causal=shape.kind == "decoder")
    counted = "sample" if shape.kind == "other" else "token"
    return [Section(f"Operations of one {counted}", (*forward, *_backward())), whole]


def _samples() -> tuple[Row, ...]:
    """Of a network without layers that are known; it has no adapters."""
    return (
        step("forward_square", "Forward pass", "flop_per_sample", "FLOP"),
        step("forward_exact", "Forward pass", "flop_per_sample", "FLOP"),
        step("trainable_parameters", "Parameters that are trained", "parameters"),
        step("adapters_flop", "Adapters in place of the weights' gradients", "0", "FLOP"),
        step("selective_flop", "Recomputed, when selective", "0", "FLOP"),
        step("rule_flop", "By the rule", "3*flop_per_sample", "FLOP"),
    )


def _layers(*, causal: bool) -> tuple[Row, ...]:
    return (
        step("matrix_parameters", "Weights that it is multiplied by", "active_parameters-embedding_parameters"),
        attended("attended_square", "Layers × tokens attended to, whole square", "sequence_tokens", causal=False),
        attended("attended_exact", "Layers × tokens attended to", "sequence_tokens", causal=causal),
        step("attention_square", "Attention, whole square", "4*heads*head_dim*attended_square", "FLOP"),
        step("attention_exact", "Attention", "4*heads*head_dim*attended_exact", "FLOP"),
        step("forward_square", "Forward pass, whole square", "2*matrix_parameters+attention_square", "FLOP"),
        step("forward_exact", "Forward pass", "2*matrix_parameters+attention_exact", "FLOP"),
        *_adapters(),
        step("selective_flop", "Recomputed, when selective", "attention_square", "FLOP", "arXiv 2205.05198, § 5"),
        step("rule_flop", "By the rule 6N", "6*active_parameters", "FLOP", "arXiv 2001.08361, § 2.1"),
    )


def _adapters() -> tuple[Row, ...]:
    """LoRA's adapters have gradients of their own, and frozen weights none."""
    source, (width, every), (_, one) = (
        "arXiv 2106.09685",
        lora_parameters("experts"),
        lora_parameters("experts_per_token"),
    )
    replaced = 'IF(method="full",0,6*lora_of_token-2*matrix_parameters)'
    return (
        width,
        step(
            "trainable_parameters", "Parameters that are trained", f'IF(method="full",parameters,{every})', "", source
        ),
        step("lora_of_token", "Adapters that one token passes through", one, "", source),
        step("adapters_flop", "Adapters in place of the weights' gradients", replaced, "FLOP", source),
    )


def _backward() -> tuple[Row, ...]:
    """Twice the forward pass."""
    again = 'IF(recompute="selective",selective_flop,forward_square-2*head_parameters)'
    both = "Forward and backward"
    square = "3*forward_square+adapters_flop"
    return (
        step("model_flop", f"{both}, whole square", square, "FLOP", "arXiv 2104.04473, § 5.1"),
        step("exact_flop", both, "3*forward_exact+adapters_flop", "FLOP"),
        step("recomputed_flop", "Recomputed", f'IF(recompute="none",0,{again})', "FLOP"),
        step("hardware_flop", f"{both}, with what is recomputed", "model_flop+recomputed_flop", "FLOP"),
    )


def step_time() -> Section:
    """Arithmetic over what the GPUs reach, then update and what slow links add."""
    zero, megatron = "arXiv 1910.02054", "arXiv 1909.08053, § 3"
    gathered = "(4*parameters+2*trainable_parameters)/tensor_parallel*(replicas-1)/replicas"
    reduced = "16*layers*hidden*batch_tokens/replicas*(tensor_parallel-1)/tensor_parallel"
    intra, network = "MAX(reference_intra,intra_node_bandwidth)", "MAX(reference_network,network_bandwidth)"
    arithmetic = "hardware_flop*batch_tokens/(gpus*peak_flops_per_s)"
    update = "trainable_parameters/gpus*update_bytes/(memory_bandwidth*update_bandwidth_share)"
    here, there = _exposed("intra_node_bandwidth", "network_bandwidth"), _exposed(intra, network)
    return Section(
        "Time of a step",
        (
            step("arithmetic", "At the full peak", arithmetic, "s", "arXiv 2104.04473, § 5.1"),
            ranged("slower", "What the method makes of that", 'IF(method="qlora",qlora_slower{0},1)'),
            product_step("compute", "At what is reached", "slower", over=("hfu",), times="arithmetic", unit="s"),
            step("update_seconds", "Update of the weights", update, "s", zero),
            step("replicas", "Data-parallel replicas", "MAX(1,INT(gpus/tensor_parallel))"),
            step("exchanged", "Weights and gradients exchanged, one GPU", gathered, "bytes", zero),
            step("all_reduced", "All-reduced by tensor parallelism, one GPU", reduced, "bytes", megatron),
            step("exposed", "Waiting for these links", here, "s"),
            step("exposed_fitted", "Waiting in the fitted runs", there, "s"),
            step("links_seconds", "Added by slower links", "IF(gpus=1,0,MAX(0,exposed-exposed_fitted))", "s"),
            ranged("step_seconds", "One step", "compute{0}+update_seconds+links_seconds", unit="s"),
        ),
    )


def _exposed(intra: str, network: str) -> str:
    """Exchanges hide behind half of the arithmetic, tensor parallelism behind nothing."""
    data = f"exchanged/IF(gpus>node_gpus,{network},{intra}/2)"
    return f"all_reduced/({intra}/2)+MAX(0,{data}-hidden_share*arithmetic/hfu)"


def run_time(*, priced: bool) -> Section:
    """Steps, with what failures take; the rates; the cost."""
    times, model = "tokens/batch_tokens*gpus/3600", "cluster_rate{0}/gpus*model_flop/mfu_peak_flops_per_s"
    hardware = "cluster_rate{0}/gpus*hardware_flop/10^12"
    rows = (
        ranged("lost", "Of the time lost to restarts", "MIN(0.5,hours_lost{0}*gpus/failure_hours)"),
        ranged("lengthened", "Time for each hour of work", "1/(1-lost{0})"),
        product_step("run_gpu_hours", "GPU-hours", "step_seconds", "lengthened", times=times, unit="GPU-hours"),
        ranged("run_days", "The run", "run_gpu_hours{0}/(24*gpus)", unit="days"),
        ranged("cluster_rate", "Speed", "batch_tokens/step_seconds{0}", unit="tokens/s", falls=True),
        ranged("gpu_tflops", "Speed of one GPU", hardware, unit="TFLOP/s"),
        ranged("model_share", "Share of the peak that trains (MFU)", model, source="arXiv 2204.02311, appendix B"),
    )
    cost = product_step("run_cost_usd", "Cost", "run_gpu_hours", "usd_per_gpu_hour", unit="USD")
    return Section("The run", (*rows, cost) if priced else rows)


def energy(*, with_grid: bool) -> Section:
    factors = ("run_gpu_hours", "load_share", "host_factor", "pue")
    source = "arXiv 2104.10350, § 2.2"
    rows = [product_step("run_energy_kwh", "Energy", *factors, times="tdp_watts/1000", unit="kWh", source=source)]
    if with_grid:
        both = ("run_energy_kwh", "grid_g_per_kwh")
        rows.append(product_step("run_co2e_kg", "CO₂e", *both, times="1/1000", unit="kg", source=source))
    return Section("Energy", tuple(rows))
