"""The compute plan's amounts from saved estimates: what a fine-tune costs each time, what serving costs a month.

The row keeps the estimate's id, its measurements and the day, so that the figure can be followed back to the runs it
rests on, and told when the estimate has changed since.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.errors import InvalidInput, NotFound
from core.store.database import Database
from core.store.scenarios import ScenarioRecord, ScenarioRepository
from core.venture.money import major, minor
from core.venture.people import ComputeSpec

Side = Literal["own", "api", "fixed", "autoscaled", "run"]
# Figure of an estimate, by kind: what it is, and how a row of it reads.
_FIGURES: dict[str, dict[Side, tuple[str, str]]] = {
    "train": {"run": ("cost_usd", "")},
    "serve": {
        "fixed": ("fleet_usd_per_month", ", replicas that run all day"),
        "autoscaled": ("fleet_usd_per_month_autoscaled", ", replicas that follow the demand"),
    },
    "breakeven": {
        "own": ("own_usd_per_month", ", own hosting"),
        "api": ("api_usd_per_month", ", API"),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOffer:
    """A row that the compute plan could have. low, high: of the amount. every: month, or time."""

    label: str
    row: ComputeSpec
    low: Decimal
    high: Decimal
    every: Literal["month", "time"]


def compute_offers(db: Database, per_usd: float = 1.0) -> tuple[ComputeOffer, ...]:
    """Of every saved estimate that tells a cost of a run or of a month, the last changed first.

    per_usd: what a dollar costs in the company's currency.
    """
    found = list[ComputeOffer]()
    for record in ScenarioRepository(db).list():
        for side in _FIGURES.get(record.kind, {}):
            if (one := _offer(record, side, per_usd)) is not None:
                found.append(one)
    return tuple(found)


def of_estimate(record: ScenarioRecord, per_usd: float = 1.0, side: Side | None = None) -> ComputeOffer:
    """side: of an estimate with two; default, the first. Raises InvalidInput for one that tells no cost."""
    sides = _FIGURES.get(record.kind, {})
    wanted = [side] if side is not None else list(sides)
    found = next((one for one in (_offer(record, name, per_usd) for name in wanted if name in sides) if one), None)
    if found is None:
        raise InvalidInput(
            f"“{record.name}” tells no cost of a fine-tune and none of a month.",
            allowed="An estimate of training, of serving with users or requests, or of API or own, with a price.",
            next_step="Give the price of an hour, and the demand, under Cost & compute, and save it again.",
        )
    return found


def compute_stale(one: ComputeSpec, db: Database, per_usd: float = 1.0) -> str:
    """ "" for a row that still is what its estimate says; else what has happened to that."""
    if not one.scenario_id:
        return ""
    named = f"The estimate “{one.scenario_name}” behind “{one.name}”"
    try:
        record = ScenarioRepository(db).get(one.scenario_id)
    except NotFound:
        return f"{named} was deleted since; its figure of {one.as_of} is kept."
    offers = [_offer(record, side, per_usd) for side in _FIGURES.get(record.kind, {})]
    amounts = [offer.row.amount for offer in offers if offer is not None]
    if one.amount in amounts:
        return ""
    if not amounts:
        return f"{named} was changed since, and tells no cost any more; its figure of {one.as_of} is kept."
    now = " or ".join(f"{amount:,.2f}" for amount in amounts)
    return f"{named} says {now} now, and this plan reckons with {one.amount:,.2f}. Take it again to refresh."


def _offer(record: ScenarioRecord, side: Side, per_usd: float) -> ComputeOffer | None:
    key, words = _FIGURES[record.kind][side]
    figure = next((one for one in record.figures if one["key"] == key), None)
    if figure is None:
        return None
    low, expected, high = (_money(figure[end], per_usd) for end in ("low", "expected", "high"))
    training = record.kind == "train"
    row = ComputeSpec(
        name=record.name[:80],
        kind="fine-tune" if training else "serving",
        amount=expected,
        scenario_id=record.id,
        scenario_name=record.name,
        measurement_ids=tuple(record.measurement_ids),
        as_of=record.updated_at.date(),
    )
    return ComputeOffer(
        label=f"{record.name}{words}", row=row, low=low, high=high, every="time" if training else "month"
    )


def _money(usd: float, per_usd: float) -> Decimal:
    """To the cent."""
    return major(minor(Decimal(repr(float(usd))) * Decimal(repr(per_usd))))
