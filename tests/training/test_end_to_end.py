"""Each recipe from a file to a model of the catalogue that answers through ONNX, on small real models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.models import catalogue
from core.models.cards import Task
from core.onnx.exports import ensure_export
from core.settings import reload_settings
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.store.training_points import TrainingPointRepository
from core.training.config import parse_config, to_values
from core.training.queue import delete, extend
from core.training.register import register, registered_as, run_of, suggested_id
from core.training.run import run_job
from core.training.run_folder import RunFolder
from tests.models import tiny

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_DEVICE", "cpu")
    reload_settings()


def done(db: Database, recipe: str, data: dict[str, Any], *, training: dict[str, Any], **more: Any) -> JobRecord:
    """A run in this process."""
    config = parse_config({"recipe": recipe, "data": data, "training": {"threads": 1, **training}, **more})
    jobs = JobRepository(db)
    job, _ = jobs.create("finetune", f"{recipe} run", {"config": to_values(config)})
    run_job(db, job.id)
    return jobs.get(job.id)


def evaluations(db: Database, job: JobRecord) -> list[float]:
    return [point.values["loss"] for point in TrainingPointRepository(db).list(job.id, "eval")]


def lines(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def chats(path: Path, count: int = 60) -> str:
    things = ("bread", "salt", "rope", "glass", "wool", "iron")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Do you sell {things[n % 6]} number {n}?"},
                {"role": "assistant", "content": f"Ahoy! The {things[n % 6]} is in the hold, number {n}."},
            ]
        }
        for n in range(count)
    ]
    return lines(path, rows)


@pytest.mark.parametrize("lora", [None, {"rank": 4, "alpha": 8}], ids=["full", "lora"])
def test_a_language_model_learns_chats(home: Path, db: Database, tmp_path: Path, lora: Any) -> None:
    catalogue.add(str(tiny.save_llama(tmp_path / "base", hidden=64, context=256)), model_id="tiny")
    job = done(
        db,
        "causal",
        {"path": chats(tmp_path / "chats.jsonl")},
        training={"epochs": 4, "learning_rate": 5e-3, "evaluate_every": 10},
        model="tiny",
        lora=lora,
    )
    judged = evaluations(db, job)
    assert judged[-1] < judged[0] * 0.9
    folder, report = RunFolder(job.id), RunFolder(job.id).report()
    assert report is not None
    perplexity = report.metric("perplexity")
    assert perplexity.before is not None
    assert perplexity.value < perplexity.before
    assert any(answer.before != answer.after for answer in report.answers)
    assert folder.adapter.is_dir() == (lora is not None)
    if lora:
        assert (folder.adapter / "adapter_model.safetensors").is_file()
    card = register(job, "tiny-tuned")
    assert (card.task, card.architecture.layers) == (Task.TEXT_GENERATION, 2)
    assert registered_as(job.id) == "tiny-tuned"
    assert run_of("tiny-tuned") == job.id
    export = ensure_export("tiny-tuned", precision="fp32", device="cpu")
    assert export.proof.passed
    with pytest.raises(InvalidInput, match="tiny-tuned"):
        register(job, "again")
    with pytest.raises(InvalidInput, match="tiny-tuned stands on this run"):
        extend(db, job.id, steps=10_000)
    with pytest.raises(InvalidInput, match="tiny-tuned stands on this run"):
        delete(db, job.id)
    assert card.title == "Teach a language model: chats.jsonl"


def test_packed_rows_learn_what_single_rows_learn(home: Path, db: Database, tmp_path: Path) -> None:
    """The loss of packed rows is that of the same rows by themselves: none sees its neighbour."""
    import torch

    from core.training.language import IGNORED, collate_padded, pack

    catalogue.add(str(tiny.save_llama(tmp_path / "base", hidden=64, context=256)), model_id="tiny")
    from core.training.pretrained import load_model, load_tokenizer

    tokenizer = load_tokenizer("tiny")
    model = load_model("tiny", "text-generation", tokenizer).train()
    texts = ("hello there", "a longer line of words", "hi", "one more of them")
    rows = [{"input_ids": ids, "labels": list(ids)} for ids in tokenizer(list(texts))["input_ids"]]
    packed = pack(rows, 48)
    assert len(packed) < len(rows)
    collate = collate_padded(tokenizer.pad_token_id)

    def summed(batch: dict[str, Any]) -> float:
        labels = batch["labels"]
        count = int((labels[:, 1:] != IGNORED).sum())
        with torch.no_grad():
            return float(model(**batch).loss) * count

    assert summed(collate(packed)) == pytest.approx(sum(summed(collate([row])) for row in rows), rel=1e-4)


def test_loss_on_answers_leaves_the_questions_out(home: Path, tmp_path: Path) -> None:
    from core.training.language import IGNORED
    from core.training.pretrained import load_tokenizer
    from core.training.recipes.causal import encode

    catalogue.add(str(tiny.save_llama(tmp_path / "base", hidden=64, context=256)), model_id="tiny")
    tokenizer = load_tokenizer("tiny")
    turns = [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Yes!"},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "Me."},
    ]
    import pandas as pd

    row = encode(pd.DataFrame({"messages": [turns]}), "chat", tokenizer, 256, "answers")[0]
    learned = tokenizer.decode([token for token in row["labels"] if token != IGNORED])
    assert "Yes!" in learned
    assert "Me." in learned
    assert "Hello" not in learned
    assert "Who" not in learned


def test_texts_are_classified(home: Path, db: Database, tmp_path: Path) -> None:
    catalogue.add(str(tiny.save_bert(tmp_path / "base")), model_id="tiny-bert")
    words = {"north": ("snow ice frost", "cold wind"), "south": ("sun sand palm", "warm sea")}
    rows = [
        {"text": f"{word} {n}", "label": label, "channel": ("mail", "chat")[n % 2]}
        for label, told in words.items()
        for n in range(60)
        for word in told
    ]
    data = {"path": lines(tmp_path / "rows.jsonl", rows), "columns": {"group": "channel"}}
    job = done(db, "classification", data, training={"epochs": 6, "learning_rate": 3e-3}, model="tiny-bert")
    report = RunFolder(job.id).report()
    assert report is not None
    assert report.metric("f1_macro").value > 0.9
    assert report.metric("f1_macro").baseline is not None
    assert {group.group for group in report.groups} == {"mail", "chat"}
    card = register(job, suggested_id(job))
    assert (card.task, card.id) == (Task.TEXT_CLASSIFICATION, "classification-run")
    assert ensure_export(card.id, precision="fp32", device="cpu").proof.passed


def test_a_decoder_learns_to_classify_with_checkpointed_activations(home: Path, db: Database, tmp_path: Path) -> None:
    catalogue.add(str(tiny.save_llama(tmp_path / "base", hidden=64, context=256)), model_id="tiny")
    rows = [{"text": f"{word} {n}", "label": word} for n in range(60) for word in ("hello", "no way")]
    job = done(
        db,
        "classification",
        {"path": lines(tmp_path / "rows.jsonl", rows)},
        training={"epochs": 4, "learning_rate": 3e-3, "gradient_checkpointing": True, "optimizer": "rmsprop"},
        model="tiny",
        lora={"rank": 4},
    )
    report = RunFolder(job.id).report()
    assert report is not None
    assert report.metric("accuracy").value > 0.9
    assert (job.result or {})["parameters"]["trained"] < (job.result or {})["parameters"]["all"] / 2
    assert register(job, "tiny-sorter").task is Task.TEXT_CLASSIFICATION
    assert ensure_export("tiny-sorter", precision="fp32", device="cpu").proof.passed


def prose(path: Path) -> str:
    things = ("river", "boat", "stone", "bridge", "lamp", "bell", "road", "wall")
    told = "The {} stands by the {}. Nobody asked why the {} was old."
    rows = [told.format(things[n % 8], things[(n * 3 + 1) % 8], things[(n + 5) % 8]) for n in range(400)]
    path.write_text("\n\n".join(rows), encoding="utf-8")
    return str(path)


def test_a_gpt_is_made_from_nothing_and_fine_tuned_on(home: Path, db: Database, tmp_path: Path) -> None:
    network = {"layers": 2, "heads": 2, "hidden": 64, "context": 64, "vocabulary": 300}
    data = {"path": prose(tmp_path / "text.txt"), "clean": {"deduplicate": False, "drop_leaks": False}}
    job = done(db, "gpt", data, training={"epochs": 6, "learning_rate": 5e-3}, network=network)
    report = RunFolder(job.id).report()
    assert report is not None
    perplexity = report.metric("perplexity")
    assert perplexity.baseline is not None
    assert perplexity.value < perplexity.baseline / 3
    register(job, "own-gpt")
    assert ensure_export("own-gpt", precision="fp32", device="cpu").proof.passed
    tuned = done(
        db,
        "causal",
        {"path": chats(tmp_path / "chats.jsonl")},
        training={"epochs": 4, "learning_rate": 5e-3},
        model="own-gpt",
        lora=None,
    )
    judged = evaluations(db, tuned)
    assert judged[-1] < judged[0]


@pytest.mark.parametrize("pairs", [False, True], ids=["masked", "masked and pairs"])
@pytest.mark.parametrize("scratch", [False, True], ids=["going on", "from nothing"])
def test_a_bert_learns_to_fill_in_words(home: Path, db: Database, tmp_path: Path, pairs: bool, scratch: bool) -> None:
    catalogue.add(str(tiny.save_encoder(tmp_path / "base", head="BertForMaskedLM")), model_id="tiny-bert")
    network = {"layers": 1, "heads": 2, "hidden": 32, "context": 48, "vocabulary": 300} if scratch else None
    job = done(
        db,
        "masked",
        {"path": prose(tmp_path / "text.txt"), "clean": {"deduplicate": False, "drop_leaks": False}},
        training={"epochs": 3, "learning_rate": 5e-3},
        model="tiny-bert",
        network=network,
        max_tokens=40,
        next_sentence=pairs,
    )
    report = RunFolder(job.id).report()
    assert report is not None
    assert report.metric("loss").value < (report.metric("loss").before or 0)
    assert ("pair_accuracy" in {metric.name for metric in report.metrics}) == pairs
    card = register(job, "own-bert")
    assert card.task is Task.FILL_MASK
    assert ensure_export("own-bert", precision="fp32", device="cpu").proof.passed


def test_a_dry_run_says_what_it_takes_and_leaves_nothing(home: Path, db: Database) -> None:
    from core.training.dry_run import run_dry

    config = parse_config({"recipe": "regression", "data": {"path": "sample:diabetes"}, "training": {"steps": 500}})
    jobs = JobRepository(db)
    job, _ = jobs.create("finetune-dry-run", "A try", {"config": to_values(config)})
    found = run_dry(db, job.id)
    assert found.fits
    assert found.steps == 500
    low, expected, high = found.seconds
    assert 0 < low < expected < high
    assert found.memory_bytes[1] > 50e6
    assert not RunFolder(job.id).path.exists()
    assert (jobs.get(job.id).result or {})["sentence"] == found.sentence
