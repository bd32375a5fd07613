"""Compute from saved estimates: the amount of the right figure, in the company's currency, with where it is from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.breakeven_estimate import estimate_breakeven
from core.estimate.memory_estimate import estimate_memory
from core.estimate.report import Report
from core.estimate.serve_estimate import estimate_serve
from core.estimate.train_estimate import estimate_train
from core.store.database import Database
from core.store.scenarios import ScenarioRecord, ScenarioRepository
from core.venture.compute_plan import compute_offers, compute_stale, of_estimate
from core.venture.plan import plan
from core.venture.spec import company
from exports.estimate_plain import scenario_of

MODEL = {"model": "meta-llama/Llama-3.1-8B"}
TRAIN = MODEL | {"tokens": "20M", "gpu": "h100-sxm", "gpus": 1}
SERVE = MODEL | {"gpu": "h100-sxm"}
BREAKEVEN = SERVE | {"monthly_tokens": "2B", "api_provider": "openai", "api_model": "gpt-4.1-mini"}


def saved(db: Database, name: str, report: Report) -> ScenarioRecord:
    return ScenarioRepository(db).save(scenario_of(name, report))


def expected(record: ScenarioRecord, key: str) -> Decimal:
    value = next(one["expected"] for one in record.figures if one["key"] == key)
    return Decimal(repr(value)).quantize(Decimal("0.01"))


def test_a_training_estimate_is_a_fine_tune_each_time(db: Database) -> None:
    record = saved(db, "Tune", estimate_train(TRAIN)[0])
    offer = of_estimate(record)
    assert (offer.every, offer.row.kind, offer.row.name) == ("time", "fine-tune", "Tune")
    assert offer.row.amount == expected(record, "cost_usd") > 0
    assert offer.low <= offer.row.amount <= offer.high
    assert (offer.row.scenario_id, offer.row.scenario_name) == (record.id, "Tune")
    assert offer.row.measurement_ids == tuple(record.measurement_ids)
    assert offer.row.as_of == record.updated_at.date()


def test_serving_with_a_demand_costs_a_month(db: Database) -> None:
    users = {"users": 1000, "requests_per_user_and_day": 10}
    record = saved(db, "Serve", estimate_serve(SERVE | users, [])[0])
    offers = compute_offers(db)
    assert {one.row.amount for one in offers} == {
        expected(record, "fleet_usd_per_month"),
        expected(record, "fleet_usd_per_month_autoscaled"),
    }
    assert all(one.every == "month" and one.row.function == "cogs" for one in offers)


def test_a_comparison_offers_both_sides(db: Database) -> None:
    record = saved(db, "Both", estimate_breakeven(BREAKEVEN)[0])
    own, api = of_estimate(record, side="own"), of_estimate(record, side="api")
    assert own.row.amount == expected(record, "own_usd_per_month")
    assert api.row.amount == expected(record, "api_usd_per_month")
    assert own.label != api.label


def test_dollars_become_the_companys_currency(db: Database) -> None:
    record = saved(db, "Tune", estimate_train(TRAIN)[0])
    dollars, euros = of_estimate(record).row.amount, of_estimate(record, 0.5).row.amount
    assert abs(euros * 2 - dollars) <= Decimal("0.02")


@pytest.mark.parametrize("report", [estimate_serve(SERVE, [])[0], estimate_memory(SERVE)[0]], ids=["serve", "memory"])
def test_an_estimate_without_a_cost_is_refused_and_not_offered(db: Database, report: Report) -> None:
    record = saved(db, "No cost", report)
    assert compute_offers(db) == ()
    with pytest.raises(InvalidInput, match="No cost"):
        of_estimate(record)


def test_an_offer_is_a_row_of_the_plan_in_its_months(db: Database) -> None:
    row: dict[str, Any] = of_estimate(saved(db, "Tune", estimate_train(TRAIN)[0])).row.model_dump(mode="json")
    row |= {"start": "2027-02", "every_months": 3}
    spec = company({"company": {"start": "2027-01", "months": 9}, "compute": [row]})
    paid = plan(spec).compute["research"][0]
    assert [int(one > 0) for one in paid] == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    assert int(paid[1]) == int(spec.compute[0].amount * 100)


def test_an_estimate_that_changed_or_went_is_told(db: Database) -> None:
    record = saved(db, "Tune", estimate_train(TRAIN)[0])
    row = of_estimate(record).row
    assert compute_stale(row, db) == ""
    saved(db, "Tune", estimate_train(TRAIN | {"tokens": "200M"})[0])
    assert "reckons with" in compute_stale(row, db)
    ScenarioRepository(db).delete(record.id)
    assert "deleted" in compute_stale(row, db)


def test_a_typed_row_is_never_stale(db: Database) -> None:
    spec = company({"compute": [{"name": "GPU", "amount": 100}]})
    assert compute_stale(spec.compute[0], db) == ""
