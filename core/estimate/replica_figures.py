"""What each figure of a replica estimate is called, its unit, its formula and whose formula it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from core.estimate.figures import Figure, Input
from core.estimate.propagation import Spread
from core.estimate.ranges import Range
from core.estimate.serving_figures import BATCHING, WORDINGS, Wording, figure, worded

_ERLANG = "Erlang C for M/M/m: Kleinrock 1975, § 3.5; above 200 busy slots Halfin and Whitt 1981"
_BILL = "GPUs times hours times the price of a GPU-hour"
_USERS = "Monthly cost over the users of the month"
_TOKENS = "Monthly cost over the tokens of the month, input and output together"

REPLICA_WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "batch": Wording(
            "Requests at once on a replica",
            "",
            r"\max\{b : t_{\text{first}}(b) \le T_1,\ t_{\text{token}}(b) \le T_2,\ b \le b_{\text{memory}}\}",
            BATCHING,
        ),
        "replicas": Wording(
            "Replicas",
            "",
            r"\min\{r : C(rb, a)\,e^{-(rb-a)(T_1-t_{\text{first}})/s} \le 0.05\},\quad a=\lambda s",
            _ERLANG,
        ),
        "gpus": Wording("GPUs", "", r"r\,n_{\text{GPU}}", "Replicas times GPUs of one"),
        "requests_per_s_per_replica": WORDINGS["requests_per_s"],
        "ttft_s": WORDINGS["ttft_s"],
        "time_per_token_s": WORDINGS["time_per_token_s"],
        "waiting_share_at_peak": Wording(
            "Requests that wait for a slot in the busiest hour", "share", r"C(rb, a)", _ERLANG
        ),
        "utilisation_at_peak": Wording("Utilisation in the busiest hour", "share", r"a / (rb)", _ERLANG),
        "mean_utilisation": Wording("Mean utilisation, fixed", "share", r"\bar a / (rb)", "Little 1961"),
        "mean_utilisation_autoscaled": Wording(
            "Mean utilisation, autoscaled", "share", r"\sum_h a_h / \sum_h r_h b", "Little 1961"
        ),
        "usd_per_month": Wording("$ a month, fixed", "USD", r"730.5\,c\,r\,n_{\text{GPU}}", _BILL),
        "usd_per_month_autoscaled": Wording(
            "$ a month, autoscaled", "USD", r"30.44\,c\,n_{\text{GPU}}\sum_h r_h", _BILL
        ),
        "usd_per_million_tokens": Wording(
            "$ per million tokens, fixed", "USD", r"10^6\,\text{cost}/\text{tokens}", _TOKENS
        ),
        "usd_per_million_tokens_autoscaled": Wording(
            "$ per million tokens, autoscaled", "USD", r"10^6\,\text{cost}/\text{tokens}", _TOKENS
        ),
        "usd_per_user_month": Wording("$ per user and month, fixed", "USD", r"\text{cost}/\text{users}", _USERS),
        "usd_per_user_month_autoscaled": Wording(
            "$ per user and month, autoscaled", "USD", r"\text{cost}/\text{users}", _USERS
        ),
    }
)


def replica_figure(
    key: str,
    spread: Spread,
    *,
    inputs: tuple[Input, ...],
    measurement_ids: tuple[str, ...],
    kind: str = "decoder",
    on_gpu: bool = True,
) -> Figure:
    """kind, on_gpu: as `worded`."""
    wording = worded(key, kind=kind, on_gpu=on_gpu, wordings=REPLICA_WORDINGS)
    possible = replace(spread, value=_possible(key, wording.unit, spread.value))
    return figure(key, possible, inputs=inputs, measurement_ids=measurement_ids, wording=wording)


def _possible(key: str, unit: str, value: Range) -> Range:
    """Spreads add in quadrature, which knows no bounds: a share ends at 1, and what is counted is whole and at least
    one."""
    if unit == "share":
        return Range(value.low, value.expected, max(value.expected, min(1.0, value.high)))
    if key in _COUNTED:
        low, high = max(1, math.floor(value.low + 1e-9)), math.ceil(value.high - 1e-9)
        return Range(min(value.expected, low), value.expected, max(value.expected, high))
    return value


_COUNTED = ("batch", "replicas")
