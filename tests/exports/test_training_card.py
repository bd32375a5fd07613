from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from core.training.evaluation.report import Answer
from exports.training_card import TASKS, model_card
from exports.training_document import RunFacts, TrainedRun
from exports.training_markdown import training_markdown
from tests.exports.trainings import AT, BARE, CLASSIFIED, EVERY, SPOKEN, TAG


def card(run: TrainedRun) -> str:
    return model_card(run.config, run.data, run.report, run.facts)


def header(run: TrainedRun) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(card(run).split("---\n")[1])
    return found


def test_the_header_is_what_hubs_read() -> None:
    from huggingface_hub import ModelCard, ModelCardData

    found = ModelCard(card(CLASSIFIED)).data
    assert isinstance(found, ModelCardData)
    assert (found.license, found.pipeline_tag, found.library_name) == (
        "apache-2.0",
        "text-classification",
        "transformers",
    )
    assert found.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    results = {one.metric_type: one.metric_value for one in found.eval_results or []}
    assert CLASSIFIED.report is not None
    assert results["f1"] == pytest.approx(CLASSIFIED.report.metric("f1_macro").value, abs=1e-6)
    assert "accuracy" in results


def test_every_recipe_has_a_task() -> None:
    from core.training.table import ALL

    assert set(TASKS) == {one.name for one in ALL}


@pytest.mark.parametrize(
    ("licence", "expected"),
    [("MIT", "mit"), ("", "unknown"), ("Gemma terms of use", "other"), ("CC-BY-4.0", "cc-by-4.0")],
)
def test_a_licence_is_an_identifier_or_other(licence: str, expected: str) -> None:
    found = header(replace(CLASSIFIED, facts=replace(CLASSIFIED.facts, licence=licence)))
    assert found["license"] == expected
    assert found.get("license_name") == (licence if expected == "other" else None)


def test_a_base_model_that_no_hub_has_is_not_linked() -> None:
    assert "base_model" not in header(replace(CLASSIFIED, facts=replace(CLASSIFIED.facts, base_source="a folder")))


def test_it_tells_data_config_figures_privacy_and_limits() -> None:
    text = card(CLASSIFIED)
    for words in (
        "## Data",
        "ab" * 32,
        "560 to train on",
        "## Privacy",
        "found 12 pieces",
        "masked before training",
        "## Evaluation",
        "### By class",
        "### By subgroup",
        "## Limits",
        "knows these classes alone",
        "optimizer: adamw",
        "python -m core finetune CONFIG.yaml",
    ):
        assert words in text, words


def test_a_card_holds_no_example_of_what_the_scan_found() -> None:
    assert "a…@e…" not in card(CLASSIFIED)


def test_kept_personal_data_is_a_limit() -> None:
    assert CLASSIFIED.data is not None
    kept = replace(CLASSIFIED, data=replace(CLASSIFIED.data, privacy_done="keep"))
    assert "the model may repeat them" in card(kept)
    assert "the model may repeat them" not in card(CLASSIFIED)


@pytest.mark.parametrize("name", EVERY)
def test_what_a_user_wrote_stays_text(name: str) -> None:
    run = EVERY[name]
    outside = [part for place, part in enumerate(card(run).split("```")) if place % 2 == 0]
    assert TAG not in "".join(outside).split("---\n", 2)[2]


def test_an_answer_cannot_end_its_block() -> None:
    text = training_markdown(SPOKEN, at=AT).decode()
    assert "````\nI do not know.\n```\n# no\n````" in text


def test_the_report_has_answers_examples_and_when_it_was_made() -> None:
    text = training_markdown(SPOKEN, at=AT).decode()
    for words in ("## Answers before and after", "## Worst examples", "2027-01-08 09:30 UTC", "Bits a byte"):
        assert words in text


def test_half_a_surrogate_pair_does_not_stop_it() -> None:
    assert SPOKEN.report is not None
    odd = replace(SPOKEN, report=replace(SPOKEN.report, answers=(Answer("\ud83d", "\ud83d", ""),)))
    assert b"### ?" in training_markdown(odd)
    model_card(SPOKEN.config, None, None, RunFacts(title="\ud83d")).encode()


def test_a_run_without_anything_has_a_card() -> None:
    text = card(BARE)
    assert header(BARE) == {
        "license": "unknown",
        "pipeline_tag": "image-classification",
        "tags": ["groundwork", "images"],
    }
    assert "no evaluation yet" in text
