"""`estimate breakeven`: the serving estimate against an API's prices, over the tokens of a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from core.estimate.api_prices import price as api_price
from core.estimate.breakeven import Breakeven, breakeven
from core.estimate.breakeven_question import ApiSide, Demand, OwnSide, Question
from core.estimate.config import parse
from core.estimate.ranges import Range
from core.estimate.report import Report
from core.estimate.sentence import sentence
from core.estimate.serve_estimate import ServeAnswer, serve_answer
from core.estimate.specs import BreakevenSpec
from core.estimate.tornado import Tornado, tornado
from core.estimate.words import ages_together
from core.store.measurements import MeasurementRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakevenAnswer:
    """The comparison, what moves it, and the serving estimate that the own side stands on."""

    breakeven: Breakeven
    tornado: Tornado
    serving: ServeAnswer


def estimate_breakeven(
    given: dict[str, Any], records: MeasurementRecords | None = None
) -> tuple[Report, BreakevenAnswer]:
    """given: as `BreakevenSpec`. Raises InvalidInput with every fault, and where a price is unknown."""
    spec = parse(BreakevenSpec, given)
    serving = serve_answer(spec, records)
    if serving.price.usd_per_gpu_hour is None:
        raise InvalidInput(
            f"No price of an hour of {serving.setup.gpu.name} is known: unknown is not free.",
            next_step="Give usd_per_gpu_hour, or own hardware under `own`.",
        )
    api, api_notes = _api(spec)
    question = Question(demand=_demand(spec), api=api, own=_own(spec, serving))
    found = breakeven(question)
    answer = BreakevenAnswer(breakeven=found, tornado=tornado(question, vary_exact=0.2), serving=serving)
    notes = ages_together((*found.notes, *api_notes, *serving.price.notes))
    report = Report(
        kind="breakeven",
        spec=given,
        sentence=sentence(found),
        figures=found.figures,
        notes=notes,
        more={found.saving.key: found.saving.to_json(), "breakeven_tokens_per_month": found.crossing.to_json()},
    )
    return report, answer


def _demand(spec: BreakevenSpec) -> Demand:
    share = spec.output_tokens / (spec.prompt_tokens + spec.output_tokens)
    return Demand(
        monthly_tokens=spec.monthly_tokens.range(),
        output_share=Range.exactly(share) if spec.output_share is None else spec.output_share.range(),
        cached_share=Range.exactly(spec.cached_share),
    )


def _api(spec: BreakevenSpec) -> tuple[ApiSide, tuple[str, ...]]:
    if spec.usd_per_million_input is not None and spec.usd_per_million_output is not None:
        cached = spec.usd_per_million_cached_input
        side = ApiSide(
            name=spec.api_model or "the API",
            usd_per_million_input=spec.usd_per_million_input.range(),
            usd_per_million_output=spec.usd_per_million_output.range(),
            usd_per_million_cached_input=None if cached is None else cached.range(),
            source="as given",
        )
        return side, ()
    assert spec.api_model is not None  # BreakevenSpec sees to it
    found = api_price(
        spec.api_provider or "",
        spec.api_model,
        input_tokens=spec.prompt_tokens,
        output_tokens=spec.output_tokens,
        cached_share=spec.cached_share,
        batch=spec.api_batch,
        batch_discount=spec.api_batch_discount,
    )
    return ApiSide.of(found, tokens_per_request=spec.prompt_tokens + spec.output_tokens), found.notes


def _own(spec: BreakevenSpec, serving: ServeAnswer) -> OwnSide:
    """Its capacity is the serving estimate's: prompt tokens over a prefill among others, batch over a decode step."""
    made, setup = serving.serving, serving.setup
    read, step = made.prefill_tokens_per_s, made.step_s
    if read is None:
        raise InvalidInput(
            f"{setup.shape.name} reads no tokens, and an API charges by the token.",
            next_step="Compare its price for a sample with the serving estimate's.",
        )
    written = read.value if step is None else step.value.inverse() * float(setup.concurrency)
    assert serving.price.usd_per_gpu_hour is not None  # checked by the caller
    return OwnSide(
        model=setup.shape.name,
        gpu=setup.gpu.name,
        usd_per_gpu_hour=serving.price.usd_per_gpu_hour,
        prefill_tokens_per_s=read.value,
        output_tokens_per_s=written,
        gpus_per_replica=setup.tensor_parallel,
        utilisation=spec.utilisation.range(),
        own_cache_ratio=Range.exactly(0.0),  # prefill_tokens_per_s counts what the cache serves
        minimum_replicas=spec.minimum_replicas,
        reserved_discount=spec.reserved_discount.range(),
        months_committed=spec.months_committed,
        people_usd=spec.people_usd_per_month.range(),
        other_usd=spec.other_usd_per_month.range(),
        source=serving.price.source,
        speed_source="computed: the serving estimate" + (", by measurements" if serving.calibration else ""),
        measurement_ids=serving.calibration.measurement_ids if serving.calibration else (),
    )
