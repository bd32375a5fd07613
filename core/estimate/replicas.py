"""How many replicas a demand takes under a latency target, and what they cost a month, fixed and autoscaled.

Each replica runs the largest batch whose steady state meets the target; its slots together are the servers of an M/M/m
queue (`erlang`), of which enough are taken that 19 of 20 requests get one in time. Service times are those of a full
batch, which errs on the safe side: a half-empty one is quicker.

The batch is a setting, chosen once at the expected factors, and kept at the ends of each (less only where the memory
does not hold it). At a bad end the target may then be missed, which the latency's range and a note say: a batch chosen
anew there would drop to one request where the target is barely met, and ask for forty times the GPUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from core.errors import InvalidInput
from core.estimate.demand import DAYS_PER_MONTH, HOURS, Demand
from core.estimate.erlang import LATE_SHARE, replicas_needed, waiting_share
from core.estimate.figures import Figure, Input
from core.estimate.propagation import propagate
from core.estimate.replica_figures import replica_figure
from core.estimate.serve_setup import ACTIVATIONS, FACTOR_NAMES, ServeSetup, check, largest_batch, setup_inputs
from core.estimate.serving_memory import BYTES_PER_WEIGHT
from core.estimate.serving_point import Point, operating_point
from core.estimate.words import said

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTarget:
    """Means to stay under; None: whatever it takes. Raises InvalidInput for what is not above 0."""

    ttft_s: float | None = None
    time_per_token_s: float | None = None

    def __post_init__(self) -> None:
        wrong = [
            f"{value:g} s" for value in (self.ttft_s, self.time_per_token_s) if value is not None and not value > 0
        ]
        if wrong:
            raise InvalidInput(f"A latency target of {wrong[0]} cannot be met.", allowed="More than 0 s, or none.")

    def met_by(self, point: Point) -> bool:
        return not (
            (self.ttft_s is not None and point.ttft_s > self.ttft_s)
            or (self.time_per_token_s is not None and point.time_per_token_s > self.time_per_token_s)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaEstimate:
    """time_per_token_s: of a decoder. usd_per_user_month: when the demand has users. hourly_replicas: of an autoscaled
    service, expected. notes: said beside the figures."""

    batch: Figure
    replicas: Figure
    gpus: Figure
    requests_per_s_per_replica: Figure
    ttft_s: Figure
    waiting_share_at_peak: Figure
    utilisation_at_peak: Figure
    mean_utilisation: Figure
    mean_utilisation_autoscaled: Figure
    usd_per_month: Figure
    usd_per_month_autoscaled: Figure
    usd_per_million_tokens: Figure
    usd_per_million_tokens_autoscaled: Figure
    time_per_token_s: Figure | None = None
    usd_per_user_month: Figure | None = None
    usd_per_user_month_autoscaled: Figure | None = None
    hourly_replicas: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if isinstance(value, Figure))


def replicas(setup: ServeSetup, *, demand: Demand, target: LatencyTarget) -> ReplicaEstimate:
    """setup: its concurrency and utilisation are not used; they come out of this. Raises InvalidInput as `serve`, and
    for a target out of reach: the best that can be had, and what would help."""
    setup = replace(setup, concurrency=1)
    check(setup)
    factors = {name: one for name, one in setup.factors.items() if name not in ("utilisation", "power_share")}
    expected = {name: one.expected for name, one in factors.items()}
    if not target.met_by(_point(setup, 1, expected)):
        raise _out_of_reach(setup, target, expected)
    batch = best_batch(setup, target, expected)
    spreads = propagate(lambda values: _plan(setup, demand, target, values, batch), factors, names=FACTOR_NAMES)
    given = (*setup_inputs(setup, setup.factors), *_inputs(demand, target, setup))
    ids = setup.calibration.measurement_ids if setup.calibration else ()
    made = {
        key: replica_figure(
            key, one, inputs=given, measurement_ids=ids, kind=setup.shape.kind, on_gpu=setup.counts_in_gpus
        )
        for key, one in spreads.items()
    }
    made["gpus"] = replace(made["gpus"], value=made["replicas"].value * setup.tensor_parallel)
    return ReplicaEstimate(
        **made,
        hourly_replicas=tuple(_needed(demand, target, _point(setup, batch, expected), batch)),
        notes=(
            *_misses(setup, target, made, batch),
            f"{1 - LATE_SHARE:.0%} of the requests of the busiest hour find a slot within what the target leaves.",
            "Autoscaling follows the hour's mean without delay and keeps one replica.",
        ),
    )


def best_batch(setup: ServeSetup, target: LatencyTarget, values: Values) -> int:
    """The largest that fits and meets the target; 1 when none does."""
    low, high = 1, max(1, largest_batch(setup, values["usable_memory"], values.get(ACTIVATIONS)))
    while low < high:
        middle = (low + high + 1) // 2
        if target.met_by(_point(setup, middle, values)):
            low = middle
        else:
            high = middle - 1
    return low


def _plan(setup: ServeSetup, demand: Demand, target: LatencyTarget, values: Values, planned: int) -> dict[str, float]:
    """Every figure at one value of each factor. planned: the batch, as long as the memory holds it."""
    batch = min(planned, max(1, largest_batch(setup, values["usable_memory"], values.get(ACTIVATIONS))))
    point = _point(setup, batch, values)
    loads = [rate * batch / point.requests_per_s for rate in demand.hourly_requests_per_s]
    needed = _needed(demand, target, point, batch)
    count, gpus = max(needed), setup.tensor_parallel
    usd = values["usd_per_gpu_hour"] * gpus * DAYS_PER_MONTH
    fixed, scaled = usd * HOURS * count, usd * sum(needed)
    tokens = demand.requests_per_month * (setup.load.prompt_tokens + setup.load.output_tokens)
    found = {
        "batch": float(batch),
        "replicas": float(count),
        "gpus": float(count * gpus),
        "requests_per_s_per_replica": point.requests_per_s,
        "ttft_s": point.ttft_s,
        "waiting_share_at_peak": waiting_share(count * batch, max(loads)),
        "utilisation_at_peak": max(loads) / (count * batch),
        "mean_utilisation": sum(loads) / (HOURS * count * batch),
        "mean_utilisation_autoscaled": sum(loads) / (sum(needed) * batch),
        "usd_per_month": fixed,
        "usd_per_month_autoscaled": scaled,
        "usd_per_million_tokens": 1e6 * fixed / tokens,
        "usd_per_million_tokens_autoscaled": 1e6 * scaled / tokens,
    }
    if point.step is not None:
        found["time_per_token_s"] = point.time_per_token_s
    if demand.users:
        found |= {
            "usd_per_user_month": fixed / demand.users,
            "usd_per_user_month_autoscaled": scaled / demand.users,
        }
    return found


def _needed(demand: Demand, target: LatencyTarget, point: Point, batch: int) -> list[int]:
    """Replicas of each hour."""
    service = batch / point.requests_per_s  # Little's law: a full batch over its rate
    limit = max(0.0, (target.ttft_s or 0.0) - point.ttft_s)
    return [
        replicas_needed(rate * service, batch, service, limit) if rate else 1 for rate in demand.hourly_requests_per_s
    ]


def _misses(setup: ServeSetup, target: LatencyTarget, made: Mapping[str, Figure], batch: int) -> list[str]:
    """By how much a target would be missed at the bad end of its figure's range."""
    notes = []
    for key, limit in (("ttft_s", target.ttft_s), ("time_per_token_s", target.time_per_token_s)):
        if limit is None or key not in made or made[key].value.high <= limit * 1.005:
            continue
        worst = made[key].value.high
        notes.append(
            f"The plan keeps its {batch:,} requests at once over the whole range: at its bad end the target of "
            f"{said(limit, 's')} {_what(key, setup)} would be missed by {worst / limit - 1:.0%} ({said(worst, 's')})."
        )
    return notes


def _what(key: str, setup: ServeSetup) -> str:
    if key == "time_per_token_s":
        return "per token"
    return "to the first token" if setup.decodes else "for a pass"


def _point(setup: ServeSetup, batch: int, values: Values) -> Point:
    return operating_point(setup.placement, setup.at_batch(batch).load, values)


def _out_of_reach(setup: ServeSetup, target: LatencyTarget, values: Values) -> InvalidInput:
    best = _point(setup, 1, values)
    wanted = [
        f"{limit:g} s {_what(key, setup)}"
        for key, limit in (("ttft_s", target.ttft_s), ("time_per_token_s", target.time_per_token_s))
        if limit is not None
    ]
    token = f" and {best.time_per_token_s:.3g} s per token" if setup.decodes else ""
    ways = _what_helps(setup, target)
    return InvalidInput(
        f"{' and '.join(wanted)} cannot be had from {setup.shape.name} in {setup.precision} on "
        f"{setup.tensor_parallel} × {setup.gpu.name}.",
        allowed=f"A request alone takes {best.ttft_s:.3g} s {_what('ttft_s', setup)}{token}.",
        next_step=(
            f"It would be met with {' or '.join(ways)}."
            if ways
            else "Take a smaller model, a shorter prompt or a GPU with more memory bandwidth, or relax the target."
        ),
    )


def _what_helps(setup: ServeSetup, target: LatencyTarget) -> list[str]:
    ways: list[str] = []
    for gpus in (2, 4, 8, 16):
        if gpus > setup.tensor_parallel and setup.gpu.node_gpus >= gpus and _meets(setup, target, tensor_parallel=gpus):
            ways.append(f"{gpus} GPUs a replica (tensor_parallel: {gpus})")
            break
    lighter = [one for one in ("fp8", "int8", "int4") if BYTES_PER_WEIGHT[one] < BYTES_PER_WEIGHT[setup.precision]]
    if setup.calibration is None:
        ways += [f"weights in {one}" for one in lighter if _meets(setup, target, precision=one)][:1]
    half = max(1, setup.prompt_tokens // 2)
    if _meets(setup, target, prompt_tokens=half):
        ways.append(f"prompts of {half:,} tokens, or as much from the prefix cache")
    return ways


def _meets(
    setup: ServeSetup,
    target: LatencyTarget,
    *,
    tensor_parallel: int | None = None,
    precision: str | None = None,
    prompt_tokens: int | None = None,
) -> bool:
    other = replace(
        setup,
        tensor_parallel=tensor_parallel or setup.tensor_parallel,
        precision=precision or setup.precision,
        prompt_tokens=prompt_tokens or setup.prompt_tokens,
    )
    try:
        check(other)
    except InvalidInput:
        return False
    return target.met_by(_point(other, 1, {name: one.expected for name, one in other.factors.items()}))


def _inputs(demand: Demand, target: LatencyTarget, setup: ServeSetup) -> tuple[Input, ...]:
    def told(limit: float | None) -> float | str:
        return "none" if limit is None else limit

    found = (
        Input("requests in the busiest hour", demand.peak_requests_per_s, "1/s"),
        Input("requests a month", demand.requests_per_month),
        Input("users", demand.users),
        Input(f"target {_what('ttft_s', setup)}", told(target.ttft_s), "s"),
    )
    return (*found, Input("target per token", told(target.time_per_token_s), "s")) if setup.decodes else found
