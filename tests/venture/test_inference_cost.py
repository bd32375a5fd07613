"""A token price from a saved estimate, an API, this machine or by hand; and what is told of one that is out of date."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.breakeven_estimate import estimate_breakeven
from core.estimate.memory_estimate import estimate_memory
from core.estimate.serve_estimate import estimate_serve
from core.store.database import Database
from core.store.scenarios import ScenarioRecord, ScenarioRepository
from core.venture import inference_cost
from core.venture.inference_cost import offers
from core.venture.price_offers import other_precisions
from core.venture.products import CostSpec, Tokens
from core.venture.stale_prices import told_stale
from tests.venture.product_cases import measured_here, pro, saved, serving_scenario

H100 = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "prompt_tokens": 2000, "output_tokens": 500}
API = {"usd_per_million_input": 1.0, "usd_per_million_output": 4.0, "usd_per_million_cached_input": 0.25}


def served(db: Database, name: str = "8B", **changes: Any) -> ScenarioRecord:
    return ScenarioRepository(db).save(saved(name, estimate_serve(H100 | changes)[0]))


def compared(db: Database, **changes: Any) -> ScenarioRecord:
    given = H100 | {"monthly_tokens": "2B", "api_model": "an API"} | API | changes
    return ScenarioRepository(db).save(saved("API or own", estimate_breakeven(given)[0]))


def value(record: ScenarioRecord, key: str) -> float:
    return float(next(one["expected"] for one in record.figures if one["key"] == key))


def test_a_serving_scenario_gives_its_prices_range_and_measurements(db: Database) -> None:
    cell = measured_here(db)
    record = serving_scenario(db)
    cost = inference_cost.of_scenario(record)
    assert float(cost.usd_per_million_output) == pytest.approx(value(record, "usd_per_million_output_tokens"), rel=1e-8)
    assert float(cost.usd_per_million_input) == pytest.approx(value(record, "usd_per_million_input_tokens"), rel=1e-8)
    assert cost.low_factor < 1 < cost.high_factor
    assert (cost.source, cost.precision, cost.scenario_id, cost.measurement_ids) == (
        "estimate",
        "int8",
        record.id,
        (cell.id,),
    )


def test_the_requests_of_the_scenario_cost_what_the_scenario_says(db: Database) -> None:
    """A request as it was estimated, priced with the cost, is its blended price: with a cache and without."""
    for share in (0.0, 0.6):
        record = served(db, f"{share}", cached_share=share)
        read = Decimal(2000)
        cached = read * Decimal(repr(share))
        usd = inference_cost.of_scenario(record).usd(Tokens(read - cached, cached, Decimal(500)))
        assert float(usd) * 1e6 / 2500 == pytest.approx(value(record, "usd_per_million_tokens_blended"), rel=1e-6)


def test_own_hosting_of_a_comparison_is_taken_apart_by_time(db: Database) -> None:
    record = compared(db)
    cost = inference_cost.of_scenario(record)
    blended = cost.usd(Tokens(Decimal(800_000), Decimal(0), Decimal(200_000)))
    assert float(blended) == pytest.approx(value(record, "own_usd_per_million_tokens"), rel=1e-6)
    assert cost.usd_per_million_output > cost.usd_per_million_input > 0


def test_the_api_of_a_comparison_is_its_price_list(db: Database) -> None:
    cost = inference_cost.of_scenario(compared(db), "api")
    assert (cost.source, cost.usd_per_million_input, cost.cached_price, cost.usd_per_million_output) == (
        "api",
        Decimal(1),
        Decimal("0.25"),
        Decimal(4),
    )


def test_an_estimate_without_a_token_price_is_refused_with_what_to_do(db: Database) -> None:
    memory = ScenarioRepository(db).save(saved("memory", estimate_memory({"model": "llama-3.1-8b"})[0]))
    with pytest.raises(InvalidInput, match="tells no token price"):
        inference_cost.of_scenario(memory)
    assert [one.cost.scenario_name for one in offers(db)] == []


def test_an_api_has_its_own_cached_price() -> None:
    cost = inference_cost.of_api("openai", "gpt-4o-mini", product=pro())
    assert cost.usd_per_million_cached_input is not None
    assert 0 < cost.usd_per_million_cached_input < cost.usd_per_million_input < cost.usd_per_million_output
    assert "genai-prices" in cost.note
    assert cost.as_of == date.today()


def test_an_unknown_api_is_told_with_the_nearest_names() -> None:
    with pytest.raises(InvalidInput, match="gpt-4o-mini"):
        inference_cost.of_api("openai", "gpt-4o-minni")


def test_a_typed_price_is_marked_as_typed() -> None:
    cost = inference_cost.typed("0.5", "2", note="an offer")
    assert (cost.source, cost.usd_per_million_output, cost.as_of, cost.measurement_ids) == (
        "typed",
        Decimal(2),
        date.today(),
        (),
    )


def test_measurements_of_this_machine_give_a_price_straight(db: Database) -> None:
    cell = measured_here(db)
    cost, report = inference_cost.of_this_machine(
        db, model="smollm2-135m", precision="int8", usd_per_hour=0.1, product=pro()
    )
    assert cost.measurement_ids == report.measurement_ids == (cell.id,)
    assert cost.usd_per_million_output > 0


def test_without_measurements_it_says_what_to_measure(db: Database) -> None:
    with pytest.raises(InvalidInput, match="python -m core measure"):
        inference_cost.of_this_machine(db, model="smollm2-135m", precision="int8", usd_per_hour=0.1)


def test_every_saved_price_is_on_offer(db: Database) -> None:
    compared(db)
    served(db)
    assert {one.label for one in offers(db)} == {
        "8B (bf16)",
        "API or own (own hosting, bf16)",
        "API or own (API)",
    }


def test_a_scenario_in_other_precisions_costs_less_with_fewer_bits(db: Database) -> None:
    now = inference_cost.of_scenario(served(db))
    found = {one.cost.precision: one.cost.usd_per_million_output for one in other_precisions(db, now)}
    assert set(found) == {"fp32", "fp8", "int8", "int4"}
    assert found["int4"] < found["fp8"] < now.usd_per_million_output < found["fp32"]


def test_a_fresh_price_has_nothing_to_tell(db: Database) -> None:
    assert told_stale(inference_cost.of_scenario(served(db)), db) == ()
    assert told_stale(CostSpec(), db) == ()


def test_a_deleted_scenario_is_told(db: Database) -> None:
    record = served(db)
    cost = inference_cost.of_scenario(record)
    ScenarioRepository(db).delete(record.id)
    assert "was deleted since" in told_stale(cost, db)[0]


def test_a_changed_scenario_is_told_with_both_prices(db: Database) -> None:
    cost = inference_cost.of_scenario(served(db))
    served(db, precision="fp8")
    [note] = told_stale(cost, db)
    assert "was changed on" in note
    assert f"{cost.usd_per_million_output:.4g} out" in note


def test_a_renamed_scenario_is_no_change(db: Database) -> None:
    record = served(db)
    ScenarioRepository(db).rename(record.id, "another name")
    assert told_stale(inference_cost.of_scenario(record), db) == ()


def test_an_old_price_is_told(db: Database) -> None:
    cost = inference_cost.typed(1, 2, as_of=date.today() - timedelta(days=400))
    assert "13 months old" in told_stale(cost, db)[0]


def test_an_api_price_that_moved_is_told_when_it_is_asked(db: Database) -> None:
    now = inference_cost.of_api("openai", "gpt-4o-mini")
    assert told_stale(now, db, ask_prices=True) == ()
    before = now.model_copy(update={"usd_per_million_input": now.usd_per_million_input * 2})
    assert "Take it again" in told_stale(before, db, ask_prices=True)[0]
