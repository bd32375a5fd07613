"""Formulas of one pass of a served model: what it multiplies and reads (`core.estimate.roofline_time`), and the seconds
that takes. Each of a pass's cells begins with the pass's name: alone_flop, shared_flop, step_flop."""

from __future__ import annotations

from exports.xlsx_book import Row
from exports.xlsx_rows import step

ROOFLINE = "doi 10.1145/1498765.1498785"


def prefill_work(name: str, words: str, batch: str, kind: str) -> tuple[Row, ...]:
    """Of `batch` prompts' new tokens, behind those whose keys and values are held."""
    in_pieces = f"IF(AND(piece_tokens>0,{batch}=1),ROUNDUP(new_tokens/piece_tokens,0),1)"
    flop = f"{batch}*(2*(matrix_parameters-head_parameters)*new_tokens+2*head_parameters)"
    if kind == "other":
        flop = f"{batch}*flop_per_sample*new_tokens"
    pairs = _pairs("held_tokens", "new_tokens") if kind == "decoder" else _pairs_both_ways()
    return (
        step(f"{name}_passes", f"{words}: passes over the weights", in_pieces if kind == "decoder" else "1"),
        *_work(name, words, batch, flop=flop, tokens=f"{batch}*new_tokens", pairs=pairs, held="prompt_tokens"),
    )


def decode_work(name: str, words: str) -> tuple[Row, ...]:
    """One token for each request, which holds its prompt and half of its answer on the mean."""
    held = "prompt_tokens+output_tokens/2"
    flop, pairs = "2*matrix_parameters*concurrency", _pairs(f"({held})", "1")
    return (
        step(f"{name}_passes", f"{words}: passes over the weights", "1"),
        *_work(name, words, "concurrency", flop=flop, tokens="concurrency", pairs=pairs, held=f"{held}+1"),
    )


def pass_seconds(name: str, words: str, requests: str, *, one_after_the_other: bool) -> tuple[Row, ...]:
    """one_after_the_other: a CPU loads, then multiplies; an accelerator does both at once, and the longer counts."""
    longer = "{}+{}" if one_after_the_other else "MAX({},{})"
    reached = "memory_bandwidth*bandwidth_share"
    matrices = longer.format(
        f"{name}_flop/(peak_flops_per_s*compute_share*tensor_parallel)", f"{name}_bytes/tensor_parallel/({reached})"
    )
    attention = longer.format(
        f"{name}_attention_flop/(attention_peak_flops_per_s*compute_share*tensor_parallel)",
        f"{name}_attention_bytes/cache_split/({reached})",
    )
    moved = f"2*(tensor_parallel-1)/tensor_parallel*{name}_tokens*hidden*2/tensor_parallel_link"
    reduce = f"IF(tensor_parallel=1,0,2*layers*({moved}+{name}_passes*all_reduce_latency_s))"
    launch = f"{name}_passes*(MAX(layers,1)*layer_overhead_s+step_overhead_s)+({requests})*request_overhead_s"
    parts = [f"{name}_{part}" for part in ("matrices_s", "attention_s", "all_reduce_s", "overhead_s")]
    return (
        step(parts[0], f"{words}: matrices", matrices, "s", ROOFLINE),
        step(parts[1], f"{words}: attention and KV cache", attention, "s", ROOFLINE),
        step(parts[2], f"{words}: all-reduces", reduce, "s", "arXiv 1909.08053, § 3"),
        step(parts[3], f"{words}: launching and host", launch, "s"),
        step(f"{name}_s", words, "+".join(parts), "s"),
    )


def cache_bytes(tokens: str) -> str:
    """Of one request; a sliding-window layer holds no more than its window."""
    short = f"MIN({tokens},IF(window_tokens>0,window_tokens,{tokens}))"
    held = f"((layers-window_layers)*({tokens})+window_layers*{short})"
    return f"IF(layers>0,kv_numbers_per_token/MAX(layers,1)*{held}*cache_bytes_per_number,0)"


def _work(name: str, words: str, batch: str, *, flop: str, tokens: str, pairs: str, held: str) -> tuple[Row, ...]:
    # 1 − (1 − k/E)^tokens, without a power so small that spreadsheets call it an error.
    left = f"EXP(MAX(-700,{name}_tokens/{name}_passes*LN(1-experts_per_token/experts)))"
    chosen = f"IF(experts>experts_per_token,1-{left},IF(experts>0,1,0))"
    read = f"(always_parameters+expert_parameters*{name}_chosen)*bytes_per_weight+head_parameters*head_bytes_per_weight"
    return (
        step(f"{name}_tokens", f"{words}: tokens through the layers", tokens, "tokens"),
        step(f"{name}_flop", f"{words}: matrices", flop, "FLOP"),
        step(f"{name}_chosen", f"{words}: of the experts, those that are read", chosen, "share"),
        step(f"{name}_bytes", f"{words}: weights", f"{name}_passes*({read})", "bytes"),
        step(f"{name}_attention_flop", f"{words}: attention", f"{batch}*4*heads*head_dim*({pairs})", "FLOP"),
        step(f"{name}_attention_bytes", f"{words}: KV cache", f"{batch}*{cache_bytes(held)}", "bytes"),
    )


def _pairs(held: str, new: str) -> str:
    """Layers times pairs of a new token and one that it attends to, in a causal model."""

    def up_to(length: str, window: str) -> str:
        near = f"MIN({length},{window})"
        return f"({near}*({near}+1)/2+({length}-{near})*{near})"

    whole = f"({held}+{new})"
    plain = f"({whole}*({whole}+1)/2-{held}*({held}+1)/2)"
    window = f"IF(window_tokens>0,window_tokens,{whole})"
    return f"(layers-window_layers)*{plain}+window_layers*({up_to(whole, window)}-{up_to(held, window)})"


def _pairs_both_ways() -> str:
    """In an encoder, whose tokens attend to those before and after them."""
    length = "MAX(INT(new_tokens),1)"
    windowed = f"IF(window_tokens>0,MIN(2*MIN(window_tokens,{length}),{length}),{length})"
    return f"new_tokens*((layers-window_layers)*{length}+window_layers*{windowed})"
