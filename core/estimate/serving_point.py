"""A replica under continuous batching, at one value of each factor: prefills and decode steps share its time.

In the steady state every request brings one prefill and output/batch decode steps, so that capacity is 1 / (prefill +
output · step / batch) requests a second (Orca, OSDI 2022; vLLM, arXiv 2309.06180). Its tokens are then held up by the
prefills of the others, which makes the figures agree with Little's law: running requests = rate · time in the system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.estimate.roofline_time import PassTime, Placement, decode_time, prefill_time
from core.estimate.serving_factors import at

TOGETHER_TOKENS = 8_192  # prompts are read together up to so many tokens a pass (vLLM's max_num_batched_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Of each request: prompt_tokens, of which cached_share lie in the prefix cache, and output_tokens, 0 without
    decoding. batch: requests that run at once."""

    prompt_tokens: int
    output_tokens: int
    batch: int
    cached_share: float = 0.0

    @property
    def new_tokens(self) -> float:
        """Prompt tokens that are computed; the last one always is."""
        return max(1.0, self.prompt_tokens * (1 - self.cached_share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Seconds, and requests a second of the replica. prefill: of one prompt alone; shared_prefill_s: of one among
    others; step: of the whole batch."""

    prefill: PassTime
    shared_prefill_s: float
    step: PassTime | None
    ttft_s: float
    time_per_token_s: float
    request_s: float
    requests_per_s: float


def operating_point(where: Placement, load: Load, values: Mapping[str, float]) -> Point:
    factors, new = at(values), load.new_tokens
    held = load.prompt_tokens - new
    alone = prefill_time(where, factors, tokens=new, held=held)
    if not load.output_tokens:
        return _one_pass(where, load, values)
    together = max(1, min(load.batch, int(TOGETHER_TOKENS // new)))
    shared = prefill_time(where, factors, tokens=new, held=held, batch=together).seconds / together
    step = decode_time(where, factors, batch=load.batch, held=load.prompt_tokens + load.output_tokens / 2)
    rate = 1 / (shared + load.output_tokens * step.seconds / load.batch)
    others = (load.batch - 1) / load.batch
    wait = values["wait"] * _wait_s(rate * others, shared, step.seconds * others)
    ttft = values["start_s"] + alone.seconds + wait
    per_token = step.seconds + (load.batch - 1) * shared / load.output_tokens
    return Point(
        prefill=alone,
        shared_prefill_s=shared,
        step=step,
        ttft_s=ttft,
        time_per_token_s=per_token,
        request_s=ttft + (load.output_tokens - 1) * per_token,
        requests_per_s=rate,
    )


def _one_pass(where: Placement, load: Load, values: Mapping[str, float]) -> Point:
    """An encoder, or a network of samples: the batch is read at once, and that is the answer."""
    whole = prefill_time(where, at(values), tokens=load.new_tokens, batch=load.batch)
    answer = whole.seconds + values["start_s"]
    return Point(
        prefill=whole,
        shared_prefill_s=whole.seconds / load.batch,
        step=None,
        ttft_s=answer,
        time_per_token_s=0.0,
        request_s=answer,
        requests_per_s=load.batch / whole.seconds,
    )


def _wait_s(arrivals_per_s: float, prefill_s: float, step_s: float) -> float:
    """Behind the prefills of others (Pollaczek–Khinchine for equal services, M/D/1: ρ · s / 2(1 − ρ)), or for the
    rest of the decode step that is running."""
    busy = min(arrivals_per_s * prefill_s, 0.999)
    return busy * prefill_s / (2 * (1 - busy)) + (1 - busy) * step_s / 2
