"""What the product holds as evidence: from real records and run folders, and what became of what was tied."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.store.readings import ReadingRepository
from core.store.runs import NewRun, RunRepository
from core.training import queue
from core.training.data.kept import RECORD, keep
from core.training.data.prepared import DataRecord, Kind, PreparedData, PrivacyFinding
from core.training.evaluation.report import EvaluationReport, GroupRow, Metric
from core.training.run_folder import RunFolder
from core.venture.evidence import (
    Evidence,
    bare_topics,
    held,
    rests_on_something,
    ties,
    unlicensed,
    without_evidence,
)
from core.venture.risks import TOPICS, EvidenceSpec, RiskSpec

SMALL, MINILM = "smollm2-135m-instruct", "minilm-l6"
EMAILS = PrivacyFinding("e-mail", 12, (1,), ("a…@….org",))


def run_with(db: Database, model_id: str) -> str:
    return RunRepository(db).start(NewRun(model_id, "r", "int8", "onnx", "cpu", {}, {"raw_prompt": "Once"}))


def tune(db: Database, title: str = "Tickets", model: str = MINILM, *, done: bool = True) -> JobRecord:
    jobs = JobRepository(db)
    config = {"recipe": "classification", "model": model}
    job, _ = jobs.create(queue.KIND, title, {"config": config}, queue=queue.queue_name("cpu"))
    jobs.start(job.id)
    return jobs.finish(job.id, "done", {}) if done else jobs.get(job.id)


def learned_from(job: JobRecord, *found: PrivacyFinding, done: str = "keep", kind: Kind = "labelled") -> None:
    record = DataRecord("tickets.csv", kind, "0" * 64, 100, 80, 10, 10, privacy=found, privacy_done=done)
    frame = pd.DataFrame({"text": ["Hello"], "label": ["a"], "row": [1]})
    folder = RunFolder(job.id).data_folder
    folder.mkdir(parents=True)
    keep(PreparedData(kind, frame, frame, frame, record, labels=("a",)), folder)


def judged(job: JobRecord, *groups: GroupRow) -> None:
    metric = Metric("accuracy", "Accuracy", 0.9)
    RunFolder(job.id).set_report(EvaluationReport("classification", "accuracy", 300, (metric,), groups=groups))


def of_kind(db: Database, kind: str) -> list[Evidence]:
    return [one for one in held(db) if one.kind == kind]


def risk(*evidence: EvidenceSpec, **more: object) -> RiskSpec:
    return RiskSpec.model_validate({"topic": "privacy", "title": "T", "evidence": evidence} | more)


def test_an_empty_record_holds_nothing(db: Database) -> None:
    assert held(db) == ()
    assert unlicensed(db) == ()


def test_a_model_that_wrote_an_answer_shows_its_licence(db: Database) -> None:
    run_with(db, SMALL)
    run_with(db, SMALL)
    (found,) = held(db)
    assert (found.kind, found.id, found.label, found.says) == (
        "model_licence",
        SMALL,
        "SmolLM2 135M Instruct: Apache-2.0",
        "clear",
    )
    assert "2 recorded uses" in found.detail
    assert found.at is not None


def test_the_base_of_a_fine_tune_is_in_use(db: Database) -> None:
    tune(db)
    assert [(one.id, one.detail.endswith("base of a fine-tune")) for one in of_kind(db, "model_licence")] == [
        (MINILM, True)
    ]


def test_a_model_in_use_without_a_known_licence_is_told(db: Database) -> None:
    run_with(db, SMALL)
    run_with(db, "server/their-model")
    tune(db, model="/models/gone")
    assert unlicensed(db) == ("server/their-model", "/models/gone")


def test_a_clean_scan_is_evidence(db: Database) -> None:
    job = tune(db)
    learned_from(job)
    (found,) = of_kind(db, "privacy_scan")
    assert (found.id, found.label, found.detail, found.says) == (
        job.id,
        "Tickets: nothing found",
        "100 rows of tickets.csv",
        "clear",
    )


@pytest.mark.parametrize(
    ("done", "words", "says"),
    [
        ("keep", "kept, and learned from", "look"),
        ("mask", "masked before training", "clear"),
        ("drop", "their rows left out", "clear"),
    ],
)
def test_a_scan_says_what_was_found_and_what_became_of_it(db: Database, done: str, words: str, says: str) -> None:
    learned_from(tune(db), EMAILS, done=done)
    (found,) = of_kind(db, "privacy_scan")
    assert "12 × e-mail" in found.label
    assert words in found.label
    assert found.says == says


def test_data_that_is_not_scanned_is_no_evidence(db: Database) -> None:
    learned_from(tune(db), kind="numbers")
    assert of_kind(db, "privacy_scan") == []


def test_a_group_served_worse_is_told(db: Database) -> None:
    judged(
        tune(db),
        GroupRow("mail", 200, 0.92, 0.9, 0.94, 0.02, -0.01, 0.05),
        GroupRow("phone", 100, 0.7, 0.6, 0.8, -0.2, -0.3, -0.1),
    )
    (found,) = of_kind(db, "subgroup_gaps")
    assert (found.says, found.label) == ("look", "Tickets: served worse beyond chance: phone")
    assert found.detail == "2 groups of 300 test rows, in Accuracy"


def test_groups_too_small_for_an_interval_answer_nothing(db: Database) -> None:
    judged(
        tune(db), GroupRow("mail", 299, 0.9, 0.8, 0.95, 0.0, -0.01, 0.01), GroupRow("phone", 1, 1.0, None, None, 0.1)
    )
    assert of_kind(db, "subgroup_gaps")[0].says == "unknown"


def test_a_report_without_groups_is_no_evidence(db: Database) -> None:
    judged(tune(db))
    assert of_kind(db, "subgroup_gaps") == []


def test_a_fine_tune_that_is_not_done_is_no_evidence(db: Database) -> None:
    job = tune(db, done=False)
    learned_from(job)
    assert held(db) == ()


def test_damaged_files_hide_nothing_else(db: Database) -> None:
    broken, whole = tune(db, "Broken"), tune(db, "Whole")
    learned_from(broken)
    learned_from(whole)
    (RunFolder(broken.id).data_folder / RECORD).write_text("{", encoding="utf-8")
    (RunFolder(broken.id).path / "report.json").write_text("{", encoding="utf-8")
    assert [one.id for one in of_kind(db, "privacy_scan")] == [whole.id]


def test_a_text_looked_into_is_evidence_shortened(db: Database) -> None:
    kept = ReadingRepository(db).keep(model_id=SMALL, revision="r", text="word " * 40, token_ids=[1, 2, 3])
    (found,) = of_kind(db, "attribution")
    assert (found.id, found.detail) == (kept.id, "3 tokens")
    assert len(found.label) < 100
    assert found.label.endswith("…")


def test_a_tie_shows_what_is_held_today(db: Database) -> None:
    job = tune(db)
    learned_from(job)
    found = held(db)
    (tie,) = ties(risk(EvidenceSpec(kind="privacy_scan", id=job.id)), found)
    assert tie.held is not None
    assert tie.held.says == "clear"
    assert not tie.missing


def test_a_tie_to_something_deleted_is_missing(db: Database) -> None:
    job = tune(db)
    learned_from(job)
    tied = risk(EvidenceSpec(kind="privacy_scan", id=job.id))
    RunFolder(job.id).delete()
    found = held(db)
    assert ties(tied, found)[0].missing
    assert not rests_on_something(tied, found)
    assert without_evidence([tied], found) == (tied,)


def test_a_link_counts_and_a_note_alone_does_not(home: Path) -> None:
    link = risk(EvidenceSpec(kind="link", id="https://example.org"))
    note = risk(EvidenceSpec(kind="note", id="We thought about it"))
    assert without_evidence([link, note], ()) == (note,)


def test_closed_items_need_no_evidence_and_the_heaviest_comes_first() -> None:
    light, heavy = risk(title="Light", likelihood=1), risk(title="Heavy", impact=5)
    assert without_evidence([light, heavy, risk(status="closed")], ()) == (heavy, light)


def test_topics_that_rest_on_nothing_are_named() -> None:
    tied = risk(EvidenceSpec(kind="link", id="https://example.org"))
    bare = replace_topic(tied, "security")
    assert bare_topics([tied, bare], ()) == tuple(one for one in TOPICS if one != "privacy")


def replace_topic(one: RiskSpec, topic: str) -> RiskSpec:
    return RiskSpec.model_validate(one.model_dump() | {"topic": topic, "evidence": ()})
