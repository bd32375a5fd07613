from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from core.estimate.report import KINDS as ESTIMATES
from core.store.database import Database
from core.store.scenarios import KINDS, ScenarioRepository
from exports.estimate_plain import plain_spec, report_of, scenario_of
from tests.exports.estimates import REPORT


def test_a_saved_estimate_comes_back_the_same(db: Database) -> None:
    saved = ScenarioRepository(db).save(scenario_of("mine", REPORT))
    assert report_of(ScenarioRepository(db).get(saved.id)) == REPORT
    assert saved.measurement_ids == ["a" * 32, "b" * 32]


def test_the_record_and_the_estimates_know_the_same_kinds() -> None:
    assert KINDS == ESTIMATES


def test_paths_and_tuples_of_a_configuration_become_plain() -> None:
    plain = plain_spec({"config": Path("a/config.json"), "hours": (1, 2), "own": {"path": Path("b")}})
    assert json.loads(json.dumps(plain)) == plain == {"config": "a/config.json", "hours": [1, 2], "own": {"path": "b"}}


def test_the_estimate_itself_is_left_alone() -> None:
    before = replace(REPORT)
    scenario_of("x", REPORT).spec["tokens"] = 1
    assert before.spec["tokens"] == 1.4e12
