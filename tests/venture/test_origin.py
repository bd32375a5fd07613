"""The thread: a margin leads to its runs and measurements, a broken link is shown, CSV and footnotes say the same."""

from __future__ import annotations

from typing import Any

import pytest

from core.store.database import Database
from core.store.measurements import MeasurementRepository
from core.store.scenarios import ScenarioRepository
from core.store.sessions import SessionRepository
from core.venture import inference_cost, usage
from core.venture.origin import (
    Origin,
    origin_of_cogs,
    origin_of_margin,
    origin_of_target,
    origin_of_token_price,
)
from core.venture.origin_records import MOST_SHOWN
from core.venture.products import CostSpec, ProductSpec
from tests.venture.product_cases import measured_here, pro, recorded_run, serving_scenario


@pytest.fixture
def threaded(db: Database) -> ProductSpec:
    """Tokens of recorded runs, and the price of a saved estimate of this machine."""
    measured_here(db)
    for completion in (30, 50):
        recorded_run(db, prompt=100, completion=completion)
    cost = inference_cost.of_scenario(serving_scenario(db))
    return pro(cost=cost, tasks=[usage.recorded(db).task("Answer", 200)])


def way(origin: Origin, *kinds: str) -> Origin:
    """Down by kinds; each must be a child of the one before."""
    for kind in kinds:
        origin = next(one for one in origin.children if one.kind == kind)
    return origin


def test_a_margin_leads_step_by_step_to_the_measured_rounds(threaded: ProductSpec, db: Database) -> None:
    margin = origin_of_margin(threaded, db)
    inference = way(margin, "cogs", "cogs")
    assert inference.label == "Inference"
    scenario = way(inference, "price", "estimate")
    assert scenario.label == "Scenario “135M here”"
    price = next(one for one in scenario.children if "output" in one.label)
    [measured] = [one for one in way(price, "figure").children if one.kind == "measurement"]
    facts = dict(measured.detail)
    assert measured.value == "140 tokens/s written"
    assert (facts["precision"], facts["model"]) == ("int8", "smollm2-135m-instruct")
    assert "AMD EPYC" in facts["machine"]
    assert facts["repeated by"] == "python -m core measure --model smollm2-135m-instruct"
    assert [one.value for one in measured.children] == [
        "reading 58 ms, to the first token 60 ms, writing 200 ms",
        "reading 59 ms, to the first token 70 ms, writing 210 ms",
    ]


def test_a_margin_leads_step_by_step_to_the_recorded_runs(threaded: ProductSpec, db: Database) -> None:
    task = way(origin_of_margin(threaded, db), "cogs", "cogs", "tokens", "tokens")
    assert task.label == "Task: Answer"
    assert [one.id for one in task.children] == list(threaded.tasks[0].run_ids)
    assert {one.value for one in task.children} == {"100 tokens in, 30 out", "100 tokens in, 50 out"}
    assert dict(task.children[0].detail)["precision"] == "int8"


def test_a_run_of_a_conversation_leads_to_the_conversation(threaded: ProductSpec, db: Database) -> None:
    sessions = SessionRepository(db)
    session = sessions.create()
    run = threaded.tasks[0].run_ids[0]
    sessions.add_message(session.id, None, "assistant", "Hi", run_id=run)
    links = {one.id: one.link for one in origin_of_cogs(threaded, db).find("run") if one.link}
    assert (links[run].page, links[run].about) == ("playground", session.id)
    assert links[threaded.tasks[0].run_ids[1]].page == "attention"


def test_the_whole_thread_is_measured_and_nothing_is_missing(threaded: ProductSpec, db: Database) -> None:
    origin = origin_of_margin(threaded, db)
    assert origin.is_measured
    assert origin.weak == ()


def test_what_was_typed_says_so_and_what_to_do(db: Database) -> None:
    origin = origin_of_margin(pro(), db)
    assert not origin.is_measured
    assert {one.label for one in origin.weak} == {"Tokens of a run", "Typed in by you"}
    assert all(one.advice for one in origin.weak)


def test_a_deleted_scenario_is_a_missing_link_that_keeps_its_measurements(threaded: ProductSpec, db: Database) -> None:
    ScenarioRepository(db).delete(threaded.cost.scenario_id)
    origin = origin_of_token_price(threaded, db)
    [missing] = [one for one in origin.weak if one.kind == "missing"]
    assert "was deleted" in missing.label
    assert [one.kind for one in missing.children] == ["measurement"]


def test_deleted_measurements_and_runs_are_missing_links(threaded: ProductSpec, db: Database) -> None:
    [cell] = threaded.cost.measurement_ids
    MeasurementRepository(db).delete(cell)
    task = threaded.tasks[0].model_copy(update={"run_ids": ("gone",)})
    origin = origin_of_margin(threaded.model_copy(update={"tasks": (task,)}), db)
    assert {one.id for one in origin.weak} == {cell, "gone"}
    assert all("deleted from the record" in one.label for one in origin.weak)


def test_an_estimate_by_published_efficiencies_says_what_to_measure(db: Database) -> None:
    cost = CostSpec(source="estimate", model="llama-3.1-8b", precision="int8", provider="H100")
    [missing] = origin_of_token_price(pro(cost=cost), db).find("missing")
    assert "python -m core measure --precision int8" in missing.advice


def test_an_api_price_leads_to_its_list(db: Database) -> None:
    product = pro(cost=inference_cost.of_api("openai", "gpt-4o-mini"))
    [api] = origin_of_token_price(product, db).find("api")
    assert "gpt-4o-mini" in api.label
    assert "genai-prices" in api.source


def test_another_model_than_the_measured_one_is_told(threaded: ProductSpec, db: Database) -> None:
    speed = next(one for one in origin_of_margin(threaded, db).find("figure") if "a second" in one.label)
    assert "Measured on smollm2-135m-instruct, and carried over to by hand" in speed.advice


def test_many_measurements_are_cut_and_their_ids_kept(db: Database) -> None:
    ids = tuple(measured_here(db).id for _ in range(MOST_SHOWN + 3))
    cost = CostSpec(source="estimate", measurement_ids=ids)
    origin = origin_of_token_price(pro(cost=cost), db)
    assert len(origin.find("measurement")) == MOST_SHOWN
    [rest] = [one for one in origin.find("figure") if "further measured cells" in one.label]
    assert dict(rest.detail)["ids"].split() == list(ids[MOST_SHOWN:])
    assert "17 further measurements" in origin.footnotes()[-1] or any("17 further" in one for one in origin.footnotes())


def test_the_rows_hold_every_step_in_its_place(threaded: ProductSpec, db: Database) -> None:
    origin = origin_of_margin(threaded, db)
    rows = origin.to_rows()
    assert [row["place"] for row in rows[:3]] == ["1", "1.1", "1.1.1"]
    assert len(rows) == len(list(origin.walk()))
    assert {row["id"] for row in rows} >= {*threaded.tasks[0].run_ids, *threaded.cost.measurement_ids}


def test_footnotes_are_numbered_and_name_each_end_once(threaded: ProductSpec, db: Database) -> None:
    notes = origin_of_margin(threaded, db).footnotes(first=4)
    assert [one.partition(".")[0] for one in notes] == [str(4 + place) for place in range(len(notes))]
    told = " ".join(notes)
    assert told.count(threaded.cost.measurement_ids[0]) == 1
    assert "the mean of 2 recorded runs" in told
    assert "scenario “135M here”" in told


@pytest.mark.parametrize("changes", [{}, {"payment_fee": 0.4}, {"tasks": []}, {"price": 0}])
def test_a_targets_price_leads_to_its_costs(db: Database, changes: dict[str, Any]) -> None:
    origin = origin_of_target(pro(**changes), db, currency="EUR", per_usd=0.9)
    assert way(origin, "cogs").value.startswith("€")
    assert (origin.value == "none") == bool(origin.advice)
