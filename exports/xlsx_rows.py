"""Rows that the workbooks of several estimates share: ranges as inputs, the model, the device."""

from __future__ import annotations

from core.estimate.hardware import Accelerator
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from exports.formulas import Formula
from exports.xlsx_book import Row, Section, product


def given(name: str, label: str, value: Range, unit: str = "", source: str = "") -> Row:
    """An input that may have a range: three cells, even where they are equal."""
    return Row(
        name=name, label=label, unit=unit, low=value.low, expected=value.expected, high=value.high, source=source
    )


def step(name: str, label: str, formula: str, unit: str = "", source: str = "") -> Row:
    """A formula without a range."""
    return Row(name=name, label=label, unit=unit, expected=Formula(formula), source=source)


def ranged(name: str, label: str, formula: str, *, unit: str = "", source: str = "", falls: bool = False) -> Row:
    """The same formula over the low, expected and high cells of its factors, which are written `factor{0}`. falls: more
    of them makes less of it, so that its ends change places."""
    low, high = ("_high", "_low") if falls else ("_low", "_high")
    ends = {"low": Formula(formula.format(low)), "high": Formula(formula.format(high))}
    middle = Formula(formula.format(""))
    return Row(name=name, label=label, unit=unit, expected=middle, low=ends["low"], high=ends["high"], source=source)


def product_step(
    name: str, label: str, *factors: str, over: tuple[str, ...] = (), times: str = "1", unit: str = "", source: str = ""
) -> Row:
    """A product with a range, as `xlsx_book.product`."""
    low, expected, high = product(*factors, over=over, times=times)
    return Row(name=name, label=label, unit=unit, low=low, expected=expected, high=high, source=source)


def model_section(shape: ModelShape) -> Section:
    """The counts that the formulas need; those of layers are 0 in a network of which only totals are known."""
    counts = [
        ("parameters", "Parameters", shape.parameters),
        ("active_parameters", "Parameters that one token passes through", shape.active_parameters),
        ("embedding_parameters", "Embeddings: looked up, never multiplied", shape.embedding_parameters),
        ("head_parameters", "Head: the matrix that makes logits", shape.head_parameters),
        ("layers", "Layers", shape.layers),
        ("hidden", "Width", shape.hidden),
        ("heads", "Attention heads", shape.heads),
        ("kv_heads", "Heads of keys and values", shape.kv_heads),
        ("head_dim", "Width of a head", shape.head_dim),
        ("ffn", "Width of the FFN", shape.ffn),
        ("ffn_matrices", "Matrices of the FFN: 3 when gated", 3 if shape.gated else 2),
        ("vocabulary", "Vocabulary", shape.vocabulary),
        ("window_tokens", "Sliding window, tokens; 0 without", shape.window),
        ("window_layers", "Layers with a window", shape.window_layers),
        ("experts", "Experts of a layer; 0 when dense", shape.experts),
        ("experts_per_token", "Experts of one token", shape.experts_per_token),
        ("expert_parameters", "Parameters of all experts", shape.expert_parameters),
        ("kv_numbers_per_token", "Numbers that a token adds to the KV cache", shape.kv_elements_per_token),
        ("flop_per_sample", "Operations of a sample, where there are no layers", shape.flop_per_sample),
    ]
    source = shape.source or shape.name
    return Section(
        f"Model: {shape.name}",
        tuple(Row(name=name, label=label, expected=value, source=source) for name, label, value in counts),
    )


def attended(name: str, label: str, tokens: str, *, causal: bool) -> Row:
    """Layers times the tokens that one token attends to in each, mean over a sequence (`core.estimate.flops`)."""
    near = f"MIN(IF(window_tokens>0,window_tokens,{tokens}),{tokens})"
    if causal:
        whole = f"(({tokens})+1)/2"
        windowed = f"({near}*({near}+1)/2+(({tokens})-{near})*{near})/({tokens})"
    else:
        whole, windowed = f"({tokens})", f"IF(window_tokens>0,MIN(2*{near},{tokens}),{tokens})"
    return step(name, label, f"(layers-window_layers)*{whole}+window_layers*{windowed}", "tokens")


def device_section(gpu: Accelerator, *, peak: float, peak_words: str) -> Section:
    """One accelerator, its node and its links."""
    rows = (
        ("peak_flops_per_s", f"Peak of one {gpu.name}, {peak_words}", peak, "FLOP/s"),
        ("memory_bandwidth", "Memory bandwidth", gpu.memory_bandwidth_bytes_per_s, "bytes/s"),
        ("gpu_memory_bytes", "Memory", gpu.memory_bytes, "bytes"),
        ("node_gpus", "GPUs in a node", gpu.node_gpus, ""),
        ("intra_node_bandwidth", "Link within the node, both directions", gpu.intra_node_bytes_per_s, "bytes/s"),
        ("network_bandwidth", "Link out of the node, one direction", gpu.network_bytes_per_s, "bytes/s"),
        ("tdp_watts", "Rated power", gpu.tdp_watts, "W"),
    )
    return Section(
        "Hardware",
        tuple(Row(name=n, label=label, expected=value, unit=unit, source=gpu.source) for n, label, value, unit in rows),
    )


def held_by_gpu(table: str) -> str:
    """Parameters of one GPU, before ZeRO. table: those that a pipeline's stage holds beside its layers."""
    body = "(parameters-embedding_parameters-head_parameters)*ROUNDUP(layers/pipeline_parallel,0)/MAX(layers,1)"
    return f"IF(pipeline_parallel=1,parameters,{body}+{table})/tensor_parallel"


def lora_parameters(experts: str) -> tuple[Row, str]:
    """The row of an expert's width, and a formula: rank · (in + out) of every matrix (arXiv 2106.09685, § 4.1)."""
    width = "IF(experts>0,expert_parameters/MAX(layers*experts*ffn_matrices*hidden,1),ffn)"
    attention = "4*hidden+2*(heads+kv_heads)*head_dim"
    every = f"lora_rank*layers*({attention}+ffn_matrices*MAX({experts},1)*(hidden+lora_width))"
    return step("lora_width", "Width of one expert, or of the FFN", width), every
