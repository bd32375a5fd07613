"""`estimate serve`: a configuration becomes latency, throughput and $ per million tokens, and the replicas of a
demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.errors import InvalidInput
from core.estimate.calibration import Calibration
from core.estimate.choose_model import choose_model
from core.estimate.config import parse
from core.estimate.demand import Demand, demand_at_peak, demand_by_hour, demand_of_users
from core.estimate.figures import Figure
from core.estimate.hour_price import HourPrice
from core.estimate.local_machine import device
from core.estimate.ranges import Range
from core.estimate.replicas import LatencyTarget, ReplicaEstimate, replicas
from core.estimate.report import Report
from core.estimate.serve_setup import ServeSetup
from core.estimate.serving import ServeEstimate, estimate
from core.estimate.specs import ServeSpec
from core.estimate.words import ages_together, said, said_range
from core.store.measurements import MeasurementRecords

UNPRICED = Range.exactly(1.0)  # stands in for a price that is unknown; every figure in USD is left out then
NO_TARGET = LatencyTarget()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeAnswer:
    """fleet: None without a demand. calibration: of this machine; None for a table's GPU."""

    setup: ServeSetup
    serving: ServeEstimate
    fleet: ReplicaEstimate | None
    demand: Demand | None
    price: HourPrice
    calibration: Calibration | None
    target: LatencyTarget = NO_TARGET


def estimate_serve(given: dict[str, Any], records: MeasurementRecords | None = None) -> tuple[Report, ServeAnswer]:
    """given: as `ServeSpec`. records: measurements, default all. Raises InvalidInput with every fault."""
    answer = serve_answer(parse(ServeSpec, given), records)
    figures = [figure for figure in answer.serving.figures if answer.price.usd_per_gpu_hour or not _in_usd(figure)]
    if answer.fleet is not None:
        figures += [
            replace(figure, key=f"fleet_{figure.key}", label=_fleet_label(figure))
            for figure in answer.fleet.figures
            if answer.price.usd_per_gpu_hour or not _in_usd(figure)
        ]
    fleet_notes = answer.fleet.notes if answer.fleet else ()
    notes = ages_together((*_plan_notes(answer), *answer.serving.notes, *fleet_notes, *answer.price.notes))
    report = Report(kind="serve", spec=given, sentence=_sentence(answer), figures=tuple(figures), notes=notes)
    return report, answer


def serve_answer(spec: ServeSpec, records: MeasurementRecords | None = None) -> ServeAnswer:
    """The estimate itself; break-even stands on it."""
    gpu, calibration = device(spec.gpu, spec.precision, records)
    price = spec.price_of(gpu)
    setup = ServeSetup(
        shape=choose_model(spec),
        gpu=gpu,
        precision=spec.precision,
        prompt_tokens=spec.prompt_tokens,
        output_tokens=spec.output_tokens,
        usd_per_gpu_hour=price.usd_per_gpu_hour or UNPRICED,
        utilisation=spec.utilisation.range(),
        concurrency=spec.concurrency,
        cache_precision=spec.cache_precision,
        tensor_parallel=spec.tensor_parallel,
        cached_share=spec.cached_share,
        calibration=calibration,
    )
    demand = _demand(spec)
    fleet = None if demand is None else replicas(setup, demand=demand, target=_target(spec))
    return ServeAnswer(
        setup=setup,
        serving=estimate(setup),
        fleet=fleet,
        demand=demand,
        price=price,
        calibration=calibration,
        target=_target(spec),
    )


_FLEET_LABELS = {
    "replicas": "how many",
    "batch": "requests at once on each",
    "requests_per_s_per_replica": "requests a second, each",
}


def _fleet_label(figure: Figure) -> str:
    """A first word is in lower case unless it is none: GPUs, $."""
    label = _FLEET_LABELS.get(figure.key, figure.label)
    word = label.split()[0]
    plain = word[1:].islower() or len(word) == 1
    return f"All replicas: {label[0].lower() if plain else label[0]}{label[1:]}"


def _plan_notes(answer: ServeAnswer) -> list[str]:
    """Where the replicas run another number of requests at once than the figures of one replica are for."""
    fleet, at_once = answer.fleet, answer.setup.concurrency
    if fleet is None:
        return []
    batch = round(fleet.batch.value.expected)
    missed = [
        (said(mine.value.expected, "s"), said(limit, "s"), said(plan.value.expected, "s"), what)
        for mine, limit, plan, what in _limits(answer)
        if mine.value.expected > limit
    ]
    if missed:
        now = " and ".join(f"{mine} {what} against {limit}" for mine, limit, _, what in missed)
        planned = " and ".join(f"{plan} {what}" for _, _, plan, what in missed)
        return [
            f"What would meet the target: {batch:,} at once on a replica, with {planned}; the demand is planned so. At "
            f"{at_once:,} at once, which the figures of one replica are for, it is missed: {now}."
        ]
    if batch != at_once:
        return [
            f"The demand is planned with {batch:,} requests at once on a replica, the figures of one are for "
            f"{at_once:,}."
        ]
    return []


def _limits(answer: ServeAnswer) -> list[tuple[Figure, float, Figure, str]]:
    """(at the concurrency asked for, target, as planned, what) of each target."""
    serving, fleet, target = answer.serving, answer.fleet, answer.target
    assert fleet is not None  # the caller sees to it
    first = "to the first token" if answer.setup.decodes else "for a pass"
    found = (
        (serving.ttft_s or serving.request_s, target.ttft_s, fleet.ttft_s, first),
        (serving.time_per_token_s, target.time_per_token_s, fleet.time_per_token_s, "per token"),
    )
    return [(a, limit, b, what) for a, limit, b, what in found if a is not None and b is not None and limit is not None]


def _demand(spec: ServeSpec) -> Demand | None:
    if spec.users is not None:
        return demand_of_users(spec.users, spec.requests_per_user_and_day)
    if spec.hourly_requests_per_s is not None:
        return demand_by_hour(spec.hourly_requests_per_s)
    if spec.requests_per_s is not None:
        return demand_at_peak(spec.requests_per_s)
    if spec.ttft_target_s is not None or spec.time_per_token_target_s is not None:
        raise InvalidInput(
            "A latency target without a demand plans nothing.", next_step="Give users, or requests_per_s of the peak."
        )
    return None


def _target(spec: ServeSpec) -> LatencyTarget:
    return LatencyTarget(ttft_s=spec.ttft_target_s, time_per_token_s=spec.time_per_token_target_s)


def _in_usd(figure: Figure) -> bool:
    return figure.unit.startswith("USD") or figure.key.startswith("usd_")


def _sentence(answer: ServeAnswer) -> str:
    setup, serving = answer.setup, answer.serving
    where = f"{setup.tensor_parallel} × {setup.gpu.name}" if setup.tensor_parallel > 1 else setup.gpu.name
    begin = f"{setup.shape.name} in {setup.precision} on {where}"
    speed = serving.tokens_per_s_per_gpu or serving.samples_per_s_per_gpu
    assert speed is not None  # one of the two, by the kind of model
    unit, each = speed.unit, " a GPU" if setup.counts_in_gpus else ""
    reads = "reads " if setup.shape.kind == "encoder" else ""
    parts = [f"{reads}{said(speed.value.expected, unit)}{each} ({said_range(speed.value, unit)})"]
    if serving.time_per_token_s is not None and serving.ttft_s is not None:
        parts.append(f"first token after {said(serving.ttft_s.value.expected, 's')}")
    elif serving.ttft_s is not None:
        parts.append(f"a pass takes {said(serving.ttft_s.value.expected, 's')}")
    cost = serving.usd_per_million_output_tokens or serving.usd_per_million_input_tokens
    if cost is not None and answer.price.usd_per_gpu_hour:
        kind = "output" if serving.usd_per_million_output_tokens else "input"
        parts.append(f"{said(cost.value.expected, 'USD')} per million {kind} tokens ({said_range(cost.value, 'USD')})")
    more = "" if answer.fleet is None else f" The demand takes {_demand_words(answer, answer.fleet)}."
    return f"{begin}: {', '.join(parts)}.{more}"


def _demand_words(answer: ServeAnswer, fleet: ReplicaEstimate) -> str:
    """3 replicas (2 to 4), $0.32 per user and month ($0.20 to $0.45)."""
    value = fleet.replicas.value
    words = "1 replica" if value.expected == 1 else f"{value.expected:,.0f} replicas"
    if value.low < value.high:
        words += f" ({value.low:,.0f} to {value.high:,.0f})"
    user = fleet.usd_per_user_month
    if user is None or not answer.price.usd_per_gpu_hour:
        return words
    spread = f" ({said_range(user.value, 'USD')})" if user.value.low < user.value.high else ""
    return f"{words}, {said(user.value.expected, 'USD')} per user and month{spread}"
