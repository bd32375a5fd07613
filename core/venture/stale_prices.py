"""What to know of a token price before it is planned with: its scenario was deleted or changed, or it is old."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.errors import InvalidInput, NotFound
from core.store.database import Database
from core.store.scenarios import ScenarioRepository
from core.venture.inference_cost import of_api, of_scenario
from core.venture.products import CostSpec, ProductSpec

OLD_DAYS = 183  # as the rental prices: past six months a price is to be looked up again


def told_stale(
    cost: CostSpec,
    db: Database,
    *,
    ask_prices: bool = False,
    product: ProductSpec | None = None,
    today: date | None = None,
) -> tuple[str, ...]:
    """() for a price that can be planned with. ask_prices: look an API's up again, at the size of the product's
    requests, which loads the price data."""
    found: list[str] = []
    if cost.scenario_id:
        found += _scenario_stale(cost, db)
    if ask_prices and cost.source == "api" and not cost.scenario_id:
        found += _api_stale(cost, product)
    age = ((today or date.today()) - cost.as_of).days if cost.as_of else 0
    if age > OLD_DAYS:
        found.append(f"This price is {age // 30} months old ({cost.as_of}). Look it up again.")
    return tuple(found)


def _scenario_stale(cost: CostSpec, db: Database) -> list[str]:
    named = f"The scenario “{cost.scenario_name}”"
    try:
        record = ScenarioRepository(db).get(cost.scenario_id)
    except NotFound:
        return [
            f"{named} was deleted since; its figures of {cost.as_of} are kept here. Choose another to refresh them."
        ]
    try:
        now = of_scenario(record, "api" if cost.source == "api" else "own")
    except InvalidInput:
        return [f"{named} was changed since, and tells no token price any more. Its figures of {cost.as_of} are kept."]
    if _prices(now) == _prices(cost):
        return []
    return [
        f"{named} was changed on {record.updated_at:%Y-%m-%d}: it says {_said(now)}, this product reckons with "
        f"{_said(cost)}. Take it again to refresh."
    ]


def _api_stale(cost: CostSpec, product: ProductSpec | None) -> list[str]:
    try:
        now = of_api(cost.provider, cost.model, product=product)
    except InvalidInput as error:
        return [str(error)]
    if (now.usd_per_million_input, now.cached_price) == (cost.usd_per_million_input, cost.cached_price):
        return []
    return [f"The price list says {_said(now)} now, this product reckons with {_said(cost)}. Take it again to refresh."]


def _prices(cost: CostSpec) -> tuple[Any, ...]:
    return cost.usd_per_million_input, cost.cached_price, cost.usd_per_million_output, cost.low_factor, cost.high_factor


def _said(cost: CostSpec) -> str:
    return f"${cost.usd_per_million_input:.4g} in and ${cost.usd_per_million_output:.4g} out a million tokens"
