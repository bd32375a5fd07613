"""Risk and duty on the dashboard: the register as a picture, evidence tied from what is held, and what has none."""

from __future__ import annotations

import pytest

from core.store.database import Database
from core.store.runs import NewRun, RunRepository
from core.venture.evidence import held
from core.venture.risks import RiskSpec
from core.venture.starter_risks import starter_risks
from pages.widgets import dashboard_risks_charts as charts
from tests.pages.dashboard_sections import saved, section, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

MODEL = "smollm2-135m-instruct"
LICENCES = {"topic": "licences", "title": "May we sell it? <b>", "likelihood": 2, "impact": 5}
LAW = {"topic": "law", "title": "Which class?", "region": "EU"}


def answered(db: Database) -> None:
    RunRepository(db).start(NewRun(MODEL, "r", "int8", "onnx", "cpu", {}, {"raw_prompt": "Once"}))


def test_an_empty_register_begins_with_questions(db: Database) -> None:
    at, company_id = section(db, "dashboard_risks")
    assert not at.exception
    assert "The register is empty" in words(at)
    at.button(key="d_starter_risks").click().run()
    assert not at.exception
    assert saved(db, company_id).risks == starter_risks()
    assert "All grades are still 3 × 3" in words(at)


def test_items_without_evidence_are_listed_the_heaviest_first(db: Database) -> None:
    at, _ = section(db, "dashboard_risks", risks=[LAW, LICENCES])
    assert not at.exception
    told = words(at)
    assert "0 of 2 items not closed rest on evidence" in told
    assert told.index("Licences (10)") < told.index("Law (9)")
    assert "Topics without any: privacy, security, licences" in told


def test_what_the_product_holds_can_be_tied_and_taken_off(db: Database) -> None:
    answered(db)
    at, company_id = section(db, "dashboard_risks", risks=[LICENCES])
    choice = next(one for one in at.selectbox if one.label == "What the product holds")
    choice.select_index(0).run()
    assert not at.exception
    (tied,) = saved(db, company_id).risks[0].evidence
    assert (tied.kind, tied.id) == ("model_licence", MODEL)
    assert "1 of 1 item not closed rests on evidence" in words(at)
    assert "Apache" in words(at)
    at.button(key="d_untie_0_0").click().run()
    assert not at.exception
    assert saved(db, company_id).risks[0].evidence == ()


def test_evidence_that_is_gone_is_marked(db: Database) -> None:
    gone = {"kind": "privacy_scan", "id": "f" * 32, "label": "Tickets: nothing found"}
    at, _ = section(db, "dashboard_risks", risks=[LICENCES | {"evidence": [gone]}])
    assert not at.exception
    assert ":red-badge[gone]" in words(at)
    assert "0 of 1 item" in words(at)


def test_a_link_counts_and_a_note_does_not(db: Database) -> None:
    at, company_id = section(db, "dashboard_risks", risks=[LAW])
    field = next(one for one in at.text_input if one.label.startswith("A link"))
    field.input("We asked a friend").run()
    assert "0 of 1 item" in words(at)
    field = next(one for one in at.text_input if one.label.startswith("A link"))
    field.input("https://example.org/audit").run()
    assert not at.exception
    assert [one.kind for one in saved(db, company_id).risks[0].evidence] == ["note", "link"]
    assert "1 of 1 item not closed rests on evidence" in words(at)


def test_a_broken_link_is_told_and_loses_nothing(db: Database) -> None:
    at, company_id = section(db, "dashboard_risks", risks=[LAW])
    next(one for one in at.text_input if one.label.startswith("A link")).input("https://a b").run()
    assert not at.exception
    assert any("is no address" in one.value for one in at.error)
    assert saved(db, company_id).risks[0].evidence == ()


def test_a_model_in_use_without_a_licence_is_warned_of(db: Database) -> None:
    RunRepository(db).start(NewRun("server/theirs", "r", "fp16", "remote", "cpu", {}, {"raw_prompt": "Once"}))
    at, _ = section(db, "dashboard_risks", risks=[LAW])
    assert any("no licence is known" in one.value and "theirs" in one.value for one in at.warning)


def test_the_matrix_counts_items_that_are_not_closed() -> None:
    risks = [RiskSpec.model_validate(one) for one in (LAW, LAW | {"status": "closed"}, LICENCES)]
    figure = charts.matrix_figure(risks)
    counts = {(note.x, note.y): note.text for note in figure.layout.annotations}
    assert counts == {(3, 3): "<b>1</b>", (2, 5): "<b>1</b>"}
    assert figure.data[0].z[4][1] == 10
    assert "&lt;b&gt;" in figure.data[0].hovertext[4][1]


def test_the_register_leaves_with_what_it_rests_on(db: Database) -> None:
    answered(db)
    tied = RiskSpec.model_validate(LICENCES | {"evidence": [{"kind": "model_licence", "id": MODEL, "label": "old"}]})
    (row,) = charts.register_rows([tied], held(db))
    assert row["evidence"] == "SmolLM2 135M Instruct: Apache-2.0"
    assert (row["weight"], row["rests_on_evidence"], row["evidence_gone"]) == (10, True, 0)
