"""What each figure of a serving estimate is called, its unit, its formula and whose formula it is.

A model that writes nothing answers in one pass: its figures have words of their own, and none of output tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.estimate.figures import Figure, Input
from core.estimate.propagation import Spread

ROOFLINE = "Roofline: Williams, Waterman and Patterson 2009, doi 10.1145/1498765.1498785"
ALL_REDUCE = "tensor parallelism: arXiv 1909.08053, § 3"
BATCHING = "Continuous batching: Orca, OSDI 2022; vLLM, arXiv 2309.06180"
COST_SPLIT = "The hourly cost is split between input and output tokens by the GPU time that prefill and decode take."


@dataclass(frozen=True, slots=True)
class Wording:
    """label: for people. formula: LaTeX."""

    label: str
    unit: str
    formula: str
    source: str


_PASS = (
    r"t = \sum_{p\,\in\,\{\text{matrices, attention}\}} \max\!\left(\frac{F_p}{e_c P}, \frac{B_p}{e_b W}\right)"
    r" + 2L\left(\frac{2(n-1)}{n}\frac{2\,b\,h}{w} + \ell\right) + L\,o"
)
WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "prefill_s": Wording("Reading one prompt", "s", _PASS, f"{ROOFLINE}; {ALL_REDUCE}"),
        "step_s": Wording("One decode step of the batch", "s", _PASS, f"{ROOFLINE}; {ALL_REDUCE}"),
        "ttft_s": Wording(
            "Time to first token",
            "s",
            r"t_{\text{start}} + t_{\text{prefill}} + k\left(\frac{\rho\,t_{\text{prefill}}}{2(1-\rho)}"
            r" + (1-\rho)\frac{t_{\text{step}}}{2}\right)",
            "Prefill by the roofline; wait behind others' prefills by Pollaczek–Khinchine for M/D/1 (Kleinrock 1975)",
        ),
        "time_per_token_s": Wording(
            "Time per output token",
            "s",
            r"t_{\text{step}} + (b-1)\,t_{\text{prefill}} / n_{\text{out}}",
            f"{BATCHING}; {ROOFLINE}",
        ),
        "request_s": Wording(
            "A whole request",
            "s",
            r"t_{\text{first}} + (n_{\text{out}}-1)\,t_{\text{token}}",
            "By definition of its parts",
        ),
        "requests_per_s": Wording(
            "Requests a second, one replica",
            "requests/s",
            r"\frac{1}{t_{\text{prefill}} + n_{\text{out}}\,t_{\text{step}}(b)/b}",
            BATCHING,
        ),
        "tokens_per_s_per_gpu": Wording(
            "Output tokens a second and GPU", "tokens/s", r"n_{\text{out}}\,X / n_{\text{GPU}}", BATCHING
        ),
        "prefill_tokens_per_s": Wording(
            "Prompt tokens a second while reading", "tokens/s", r"n_{\text{in}} / t_{\text{prefill}}", ROOFLINE
        ),
        "usd_per_million_input_tokens": Wording(
            "$ per million input tokens",
            "USD",
            r"10^6 \cdot \frac{c\,n_{\text{GPU}}}{3600\,u}\cdot\frac{t_{\text{prefill}}}{n_{\text{in}}}",
            COST_SPLIT,
        ),
        "usd_per_million_output_tokens": Wording(
            "$ per million output tokens",
            "USD",
            r"10^6 \cdot \frac{c\,n_{\text{GPU}}}{3600\,u}\cdot\frac{t_{\text{step}}(b)}{b}",
            COST_SPLIT,
        ),
        "usd_per_million_tokens_blended": Wording(
            "$ per million tokens, input and output together",
            "USD",
            r"10^6 \cdot \frac{c\,n_{\text{GPU}}}{3600\,u\,X\,(n_{\text{in}}+n_{\text{out}})}",
            "Hourly cost over the tokens of the hour",
        ),
        "largest_batch": Wording(
            "Most requests at once",
            "",
            r"\left\lfloor \frac{s M - W/n_{\text{GPU}}}{\text{KV}(n_{\text{in}}+n_{\text{out}})} \right\rfloor",
            "Weights and KV cache within the usable share of the memory (vLLM, arXiv 2309.06180: 0.9)",
        ),
        "tokens_per_joule": Wording(
            "Output tokens per joule of the GPUs",
            "tokens/J",
            r"\frac{n_{\text{out}} X}{n_{\text{GPU}}\,q\,\text{TDP}}",
            "Rated power times the share drawn under load (arXiv 2308.12908); the rest of the server is not counted",
        ),
        "samples_per_s_per_gpu": Wording("Samples a second and GPU", "samples/s", r"b / (t\,n_{\text{GPU}})", ROOFLINE),
        "usd_per_million_samples": Wording(
            "$ per million samples",
            "USD",
            r"10^6 \cdot \frac{c\,t}{3600\,u\,b}",
            "Hourly cost over the samples of the hour",
        ),
    }
)
_ONE_PASS = "Roofline of the batch's pass, which is the answer"
ONE_PASS_WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "prefill_s": replace(WORDINGS["prefill_s"], label="Reading the batch"),
        "ttft_s": Wording("Time of a pass", "s", r"t_{\text{start}} + t", _ONE_PASS),
        "request_s": Wording("A whole request", "s", r"t_{\text{start}} + t", _ONE_PASS),
        "requests_per_s": Wording("Requests a second, one replica", "requests/s", r"X = b / t", _ONE_PASS),
        "requests_per_s_per_replica": Wording("Requests a second, one replica", "requests/s", r"X = b / t", _ONE_PASS),
        "tokens_per_s_per_gpu": Wording(
            "Tokens read a second and GPU", "tokens/s", r"n_{\text{in}}\,X / n_{\text{GPU}}", _ONE_PASS
        ),
        "prefill_tokens_per_s": Wording(
            "Tokens read a second, one replica", "tokens/s", r"n_{\text{in}}\,b / t", _ONE_PASS
        ),
        "usd_per_million_tokens_blended": Wording(
            "$ per million tokens, all of them read",
            "USD",
            r"10^6 \cdot \frac{c\,n_{\text{GPU}}}{3600\,u\,X\,n_{\text{in}}}",
            "Hourly cost over the tokens of the hour",
        ),
        "usd_per_million_input_tokens": replace(
            WORDINGS["usd_per_million_input_tokens"], source="Hourly cost over the tokens of the hour"
        ),
        "largest_batch": Wording(
            "Most requests at once",
            "",
            r"\left\lfloor \frac{s M - W/n_{\text{GPU}}}{A} \right\rfloor",
            "Weights and activations A of a request within the usable share of the memory",
        ),
        "tokens_per_joule": replace(
            WORDINGS["tokens_per_joule"],
            label="Tokens read per joule of the GPUs",
            formula=r"\frac{n_{\text{in}} X}{n_{\text{GPU}}\,q\,\text{TDP}}",
        ),
    }
)


def worded(key: str, *, kind: str, on_gpu: bool = True, wordings: Mapping[str, Wording] = WORDINGS) -> Wording:
    """kind: of the model. on_gpu: not a CPU, and not this machine, where no one counts in GPUs."""
    found = wordings[key] if kind == "decoder" else ONE_PASS_WORDINGS.get(key, wordings[key])
    if kind == "other":
        found = replace(
            found, label=found.label.replace("tokens, all of them read", "tokens").replace("tokens", "samples")
        )
    if on_gpu:
        return found
    label = found.label.replace(" and GPU", "").replace(" of the GPUs", "")
    return replace(found, label="Machines" if label == "GPUs" else label)


def figure(
    key: str,
    spread: Spread,
    *,
    inputs: tuple[Input, ...],
    measurement_ids: tuple[str, ...],
    wording: Wording,
) -> Figure:
    """wording: as `worded` gives it."""
    return Figure(
        key=key,
        label=wording.label,
        unit=wording.unit,
        value=spread.value,
        formula=wording.formula,
        source=wording.source,
        inputs=inputs,
        drivers=spread.drivers,
        measurement_ids=measurement_ids,
    )
