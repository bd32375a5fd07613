"""The way from $ per million tokens down: the saved scenario and its figures, a price list, or who typed it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from core.errors import NotFound
from core.estimate.ranges import Range
from core.estimate.words import said, said_range
from core.store.database import Database
from core.store.scenarios import ScenarioRecord, ScenarioRepository
from core.venture import origin_records
from core.venture.economics import told
from core.venture.origin_tree import Link, Origin
from core.venture.products import CostSpec
from core.venture.stale_prices import told_stale

MEASURE = "Save a serving estimate under Cost & compute (on this machine: by its own measurements), and take its price."
# Of a scenario's figures, those that a token price is or stands on.
_PRICES = (
    *("usd_per_million_input_tokens", "usd_per_million_output_tokens"),
    *("own_usd_per_million_tokens", "api_usd_per_million_tokens"),
)
_SPEEDS = ("tokens_per_s_per_gpu", "prefill_tokens_per_s")


def origin_of_cost(cost: CostSpec, db: Database) -> Origin:
    """$ per million tokens → the scenario, the price list, or the hand that typed it."""
    return Origin(
        kind="price",
        label="$ per million tokens",
        value=f"{_usd(cost.usd_per_million_input)} in, {_usd(cost.cached_price)} cached, "
        f"{_usd(cost.usd_per_million_output)} out",
        detail=(("range", f"× {cost.low_factor:.3g} to × {cost.high_factor:.3g}"),)
        if cost.low_factor < cost.high_factor
        else (),
        advice=" ".join(told_stale(cost, db)),
        children=(_source(cost, db),),
    )


def _source(cost: CostSpec, db: Database) -> Origin:
    if cost.scenario_id:
        return _scenario(cost, db)
    if cost.source == "api":
        return _api(cost)
    if cost.source == "estimate":
        return _unsaved(cost, db)
    when = f" on {cost.as_of}" if cost.as_of else ""
    return Origin(
        kind="typed",
        label=f"Typed in by you{when}",
        detail=(("note", cost.note),) if cost.note else (),
        advice=MEASURE,
        footnote=f"$ per million tokens: typed in{when}, not measured.",
    )


def _api(cost: CostSpec) -> Origin:
    name = f"{cost.model} from {cost.provider}" if cost.provider else cost.model
    return Origin(
        kind="api",
        label=f"Price list: {name}",
        value=f"looked up {cost.as_of}" if cost.as_of else "",
        detail=(("note", cost.note),) if cost.note else (),
        source=cost.note.partition(". ")[0],
        footnote=f"$ per million tokens: API price of {name}, looked up {cost.as_of or 'at an unknown date'}.",
    )


def _unsaved(cost: CostSpec, db: Database) -> Origin:
    """An estimate of which only the price was kept, with its measurements."""
    where = " ".join(one for one in (cost.model, f"in {cost.precision}" if cost.precision else "") if one)
    missing = Origin(kind="missing", label="No measurement stands behind this estimate", advice=_measure(cost))
    return Origin(
        kind="estimate",
        label=f"Estimate of {_day(cost.as_of)}, not saved: {where}".strip(),
        detail=_told(("runs on", cost.provider), ("note", cost.note)),
        footnote=f"$ per million tokens: estimate of {_day(cost.as_of)} for {where or 'a model'} on {cost.provider}.",
        children=origin_records.measurements(db, cost.measurement_ids) if cost.measurement_ids else (missing,),
    )


def _scenario(cost: CostSpec, db: Database) -> Origin:
    try:
        record = ScenarioRepository(db).get(cost.scenario_id)
    except NotFound:
        gone = Origin(
            kind="missing",
            label=f"The scenario “{cost.scenario_name}” was deleted",
            id=cost.scenario_id,
            advice="Its price is kept here. Choose another scenario, or save this one again.",
            footnote=f"$ per million tokens: scenario “{cost.scenario_name}” of {cost.as_of}, deleted since.",
        )
        return replace(gone, children=origin_records.measurements(db, cost.measurement_ids))
    return Origin(
        kind="estimate",
        label=f"Scenario “{record.name}”",
        value=f"{record.updated_at:%Y-%m-%d}",
        detail=_told(("says", record.sentence), *(("assumes", note) for note in record.notes)),
        id=record.id,
        link=Link("cost", record.id),
        footnote=f"$ per million tokens: scenario “{record.name}” of {record.updated_at:%Y-%m-%d}. {record.sentence}",
        children=_scenario_figures(record, cost, db),
    )


def _scenario_figures(record: ScenarioRecord, cost: CostSpec, db: Database) -> tuple[Origin, ...]:
    """The prices; below the last of them the speeds that it comes from, and below the first speed what was measured."""
    by_key = {str(one["key"]): one for one in record.figures}
    wrong = "own_usd_per_million_tokens" if cost.source == "api" else "api_usd_per_million_tokens"
    prices = [_scenario_figure(by_key[key]) for key in _PRICES if key in by_key and key != wrong]
    if cost.source == "api":
        return tuple(prices)
    ids = tuple(record.measurement_ids) or cost.measurement_ids
    missing = Origin(kind="missing", label="Published efficiencies, no measurement of yours", advice=_measure(cost))
    below = origin_records.measurements(db, ids) if ids else (missing,)
    speeds = [_scenario_figure(by_key[key]) for key in _SPEEDS if key in by_key]
    if speeds:
        carried = _carried(cost, below)
        below = (replace(speeds[0], children=below, advice=carried), *speeds[1:])
    return (*prices[:-1], replace(prices[-1], children=below)) if prices else below


def _carried(cost: CostSpec, below: tuple[Origin, ...]) -> str:
    """Where another model was measured than the estimate is of."""
    measured = {one.link.about for one in below if one.kind == "measurement" and one.link}
    if not measured or not cost.model or cost.model in measured:
        return ""
    named = ", ".join(sorted(measured))
    return f"Measured on {named}, and carried over to {cost.model} by size: measure that itself to be surer."


def _scenario_figure(plain: dict[str, Any]) -> Origin:
    unit, value = str(plain["unit"]), Range(plain["low"], plain["expected"], plain["high"])
    ranged = (("range", said_range(value, unit)),) if value.low < value.high else ()
    return Origin(
        kind="figure",
        label=str(plain["label"]),
        value=said(value.expected, unit),
        detail=(*ranged, *(_input_words(one) for one in plain["inputs"])),
        formula=str(plain["formula"]),
        source=str(plain["source"]),
        id=str(plain["key"]),
    )


def _input_words(one: dict[str, Any]) -> tuple[str, str]:
    value = one["value"] if isinstance(one["value"], str) else said(float(one["value"]), str(one.get("unit") or ""))
    return str(one["name"]), f"{value} ({one['source']})" if one.get("source") else str(value)


def _measure(cost: CostSpec) -> str:
    precision = f" --precision {cost.precision}" if cost.precision in ("fp32", "fp16", "int8", "int4") else ""
    return (
        f"Measure the model on your machine (`python -m core measure{precision}`, or Measure on the Models page), then "
        "save a serving estimate on “this machine” under Cost & compute."
    )


def _usd(value: Decimal) -> str:
    return told(value, "USD")


def _day(value: date | None) -> str:
    return str(value) if value else "an unknown date"


def _told(*rows: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(row for row in rows if row[1])
