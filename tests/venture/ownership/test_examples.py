"""The example files are documented, run, and say what docs/captable.md says they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.estimate.config import read_file
from core.venture.ownership import csv_table
from core.venture.ownership.case import run_case
from core.venture.ownership.spec import OwnershipSpec, PreferenceSpec
from core.venture.ownership.terms import METHODS

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "core" / "venture" / "examples").glob("captable_*.yaml"))
DOCS = (ROOT / "docs" / "captable.md").read_text(encoding="utf-8")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_is_documented(path: Path) -> None:
    found = run_case(read_file(path))
    assert json.loads(json.dumps(found.to_json()))["total_shares"] == found.past.last.total
    assert len(found.lines()) > 4
    assert path.name in DOCS


def test_the_documentation_names_every_field_method_and_column() -> None:
    kinds = [OwnershipSpec, PreferenceSpec]
    kinds += [
        OwnershipSpec.model_fields[name].annotation.__args__[0]
        for name in ("holders", "classes", "safes", "notes", "rounds")
    ]  # type: ignore[union-attr]
    fields = {name for kind in kinds for name in kind.model_fields}
    missing = {name for name in (*fields, *METHODS, *csv_table.COLUMNS, *csv_table.RECORDS) if f"`{name}`" not in DOCS}
    assert not missing


def test_the_documented_two_rounds_come_out_as_they_are_told() -> None:
    found = run_case(read_file(ROOT / "core" / "venture" / "examples" / "captable_two_rounds.yaml")).to_json()
    seed, series_a = found["events"][1:]
    assert seed["conversion_method"] == "percent_ownership"
    assert seed["ownership"]["seed"] == pytest.approx(0.2, abs=1e-4)
    assert series_a["ownership"]["pool"] == pytest.approx(0.1, abs=1e-4)
    assert {row["name"]: row["terms_of"] for row in seed["conversions"]}["Early angel"] == "Accelerator"
