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
from core.estimate.hardware import Accelerator
from core.estimate.hour_price import HourPrice, hour_price
from core.estimate.local_machine import device
from core.estimate.ranges import Range
from core.estimate.replicas import LatencyTarget, ReplicaEstimate, replicas
from core.estimate.report import Report
from core.estimate.serve_setup import ServeSetup
from core.estimate.serving import ServeEstimate, estimate
from core.estimate.specs import ServeSpec
from core.estimate.words import said, said_range
from core.store.measurements import MeasurementRecords

UNPRICED = Range.exactly(1.0)  # stands in for a price that is unknown; every figure in USD is left out then


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeAnswer:
    """fleet: None without a demand. calibration: of this machine; None for a table's GPU."""

    setup: ServeSetup
    serving: ServeEstimate
    fleet: ReplicaEstimate | None
    demand: Demand | None
    price: HourPrice
    calibration: Calibration | None


def estimate_serve(given: dict[str, Any], records: MeasurementRecords | None = None) -> tuple[Report, ServeAnswer]:
    """given: as `ServeSpec`. records: measurements, default all. Raises InvalidInput with every fault."""
    answer = serve_answer(parse(ServeSpec, given), records)
    figures = [figure for figure in answer.serving.figures if answer.price.usd_per_gpu_hour or not _in_usd(figure)]
    if answer.fleet is not None:
        figures += [
            replace(
                figure, key=f"fleet_{figure.key}", label=f"All replicas: {figure.label[0].lower()}{figure.label[1:]}"
            )
            for figure in answer.fleet.figures
            if answer.price.usd_per_gpu_hour or not _in_usd(figure)
        ]
    fleet_notes = answer.fleet.notes if answer.fleet else ()
    notes = (*answer.serving.notes, *fleet_notes, *answer.price.notes)
    report = Report(kind="serve", spec=given, sentence=_sentence(answer), figures=tuple(figures), notes=notes)
    return report, answer


def serve_answer(spec: ServeSpec, records: MeasurementRecords | None = None) -> ServeAnswer:
    """The estimate itself; break-even stands on it."""
    gpu, calibration = device(spec.gpu, spec.precision, records)
    price = _price(spec, gpu)
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
        setup=setup, serving=estimate(setup), fleet=fleet, demand=demand, price=price, calibration=calibration
    )


def _price(spec: ServeSpec, gpu: Accelerator) -> HourPrice:
    return hour_price(
        gpu,
        given=None if spec.usd_per_gpu_hour is None else spec.usd_per_gpu_hour.range(),
        own=None if spec.own is None else spec.own.ownership(),
        tier=spec.tier,
        term=spec.term,
        discount=spec.discount,
    )


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
    unit = speed.unit if speed.unit else "tokens/s"
    parts = [f"{said(speed.value.expected, unit)} a GPU ({said_range(speed.value, unit)})"]
    if serving.time_per_token_s is not None and serving.ttft_s is not None:
        parts.append(f"first token after {said(serving.ttft_s.value.expected, 's')}")
    cost = serving.usd_per_million_output_tokens or serving.usd_per_million_input_tokens
    if cost is not None and answer.price.usd_per_gpu_hour:
        kind = "output" if serving.usd_per_million_output_tokens else "input"
        parts.append(f"{said(cost.value.expected, 'USD')} per million {kind} tokens ({said_range(cost.value, 'USD')})")
    fleet = answer.fleet
    more = "" if fleet is None else f" The demand takes {_replicas(fleet)}."
    return f"{begin}: {', '.join(parts)}.{more}"


def _replicas(fleet: ReplicaEstimate) -> str:
    value = fleet.replicas.value
    return "1 replica" if value.high == 1 else said_range(value, "replicas")
