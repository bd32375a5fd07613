from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect

from core.errors import InvalidInput, NotFound
from core.store.columns import utc_now
from core.store.database import Database, close_databases, open_database
from core.store.presets import PresetRepository
from core.store.scenarios import NewScenario, ScenarioRepository
from core.store.upgrade import alembic_config
from core.store.urls import parse_url

FIGURE = {
    "key": "days",
    "label": "Time of the run",
    "unit": "days",
    "low": 8.5,
    "expected": 10.0,
    "high": 12.25,
    "formula": r"T = \frac{D}{B}",
    "source": "arXiv 2104.04473",
    "inputs": [{"name": "D", "value": 1.4e12, "unit": "tokens", "source": ""}],
    "drivers": [{"name": "efficiency", "low": 8.5, "high": 12.25}],
    "measurement_ids": ["a" * 32],
}
NEW = NewScenario(
    name="LLaMA 7B 🚀",
    kind="train",
    spec={"parameters": "7B", "tokens": 1.4e12, "gpu": "a100-sxm-80gb", "hfu": {"low": 0.4, "high": 0.5}},
    sentence="Training takes 10 days.",
    figures=[FIGURE],
    notes=["Assumed: sequences of 2,048 tokens."],
    measurement_ids=["a" * 32],
    form={"view": "train", "gpus": 8},
)


@pytest.fixture
def scenarios(db: Database) -> ScenarioRepository:
    return ScenarioRepository(db)


def test_a_scenario_comes_back_as_it_was(scenarios: ScenarioRepository) -> None:
    saved = scenarios.save(NEW)
    found = scenarios.get(saved.id)
    assert found == saved
    assert asdict(NEW).items() <= asdict(found).items()
    assert (utc_now() - found.created_at).total_seconds() < 60


def test_a_name_that_is_taken_is_found_and_kept_unless_it_may_go(scenarios: ScenarioRepository) -> None:
    assert scenarios.named(NEW.name) is None
    saved = scenarios.save(NEW, over=False)
    assert scenarios.named(f"  {NEW.name} ") == saved
    with pytest.raises(InvalidInput, match="saved scenario already"):
        scenarios.save(replace(NEW, kind="serve"), over=False)
    assert scenarios.list() == [saved]


def test_saving_under_a_taken_name_replaces_everything_but_the_id(scenarios: ScenarioRepository) -> None:
    first = scenarios.save(NEW)
    other = replace(
        NEW, name=f"  {NEW.name} ", kind="serve", spec={}, sentence="x", figures=[], notes=[], measurement_ids=[]
    )
    again = scenarios.save(other)
    assert (again.id, again.name, again.created_at) == (first.id, first.name, first.created_at)
    assert again.updated_at > first.updated_at
    assert (again.kind, again.spec, again.figures, again.measurement_ids) == ("serve", {}, [], [])
    assert scenarios.list() == [again]


def test_the_list_has_the_last_changed_first_and_one_kind_on_request(scenarios: ScenarioRepository) -> None:
    first = scenarios.save(NEW)
    second = scenarios.save(replace(NEW, name="b", kind="memory"))
    assert [one.id for one in scenarios.list()] == [second.id, first.id]
    assert [one.id for one in scenarios.list("train")] == [first.id]
    assert scenarios.list("breakeven") == []
    scenarios.rename(first.id, "changed")
    assert [one.id for one in scenarios.list()] == [first.id, second.id]


def test_a_scenario_can_be_renamed_but_not_to_anothers_name(scenarios: ScenarioRepository) -> None:
    first = scenarios.save(NEW)
    second = scenarios.save(replace(NEW, name="second"))
    assert scenarios.rename(second.id, " third ").name == "third"
    assert scenarios.rename(second.id, "third").name == "third"  # its own name is not taken
    with pytest.raises(InvalidInput, match="Another scenario"):
        scenarios.rename(second.id, first.name)
    assert scenarios.get(second.id).name == "third"


def test_what_is_deleted_is_not_found(scenarios: ScenarioRepository) -> None:
    saved = scenarios.save(NEW)
    scenarios.delete(saved.id)
    for call in (scenarios.get, scenarios.delete, lambda one: scenarios.rename(one, "x")):
        with pytest.raises(NotFound, match="no scenario"):
            call(saved.id)


@pytest.mark.parametrize("name", ["", " \n ", "x" * 81])
def test_names_out_of_bounds_are_refused(scenarios: ScenarioRepository, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 80"):
        scenarios.save(replace(NEW, name=name))


def test_every_fault_of_what_is_no_estimate_is_told(scenarios: ScenarioRepository) -> None:
    broken = {key: value for key, value in FIGURE.items() if key not in ("low", "drivers")}
    with pytest.raises(InvalidInput, match=r"kind is 'guess'.*'days' lacks drivers, low"):
        scenarios.save(replace(NEW, kind="guess", figures=[broken]))
    assert scenarios.list() == []


def test_text_that_a_database_refuses_is_made_storable(scenarios: ScenarioRepository) -> None:
    saved = scenarios.save(replace(NEW, name="a\0b", sentence="\ud83d", notes=["\0"], spec={"x": float("nan")}))
    found = scenarios.get(saved.id)
    assert (found.name, found.sentence, found.notes, found.spec) == ("a\ufffdb", "\ufffd", ["\0"], {"x": None})


def test_going_back_a_version_takes_the_scenarios_alone(database_url: str, home: Path) -> None:
    PresetRepository(open_database(database_url)).save("kept", {})
    close_databases()
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0002")
    assert "scenario" not in inspect(engine).get_table_names()
    db = open_database(database_url)
    assert [one.name for one in PresetRepository(db).list()] == ["kept"]
    assert ScenarioRepository(db).list() == []
