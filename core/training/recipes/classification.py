"""Text classification: an encoder, or a decoder, with a new head learns the labels of a table.

All weights by default; LoRA trains low-rank updates and the head. The baseline beside it is TF-IDF with logistic
regression, fitted on the same rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.artefacts import Progress, part_of
from core.errors import InvalidInput
from core.training.config import ClassificationConfig
from core.training.data.prepared import PreparedData
from core.training.evaluation.baselines import text_baseline
from core.training.evaluation.classification import classification_report
from core.training.evaluation.report import EvaluationReport
from core.training.pretrained import load_model, load_tokenizer, save_pretrained, with_lora
from core.training.recipe import Built, Context

BATCH = 64
"""Texts judged at once."""


class Texts(torch.utils.data.Dataset[dict[str, Any]]):
    """Token ids and the class of each row. labels: index of each class name."""

    def __init__(self, frame: Any, labels: tuple[str, ...], tokenizer: Any, max_tokens: int) -> None:
        texts = [str(text) for text in frame["text"]]
        self._ids = tokenizer(texts, truncation=True, max_length=max_tokens)["input_ids"] if texts else []
        places = {label: place for place, label in enumerate(labels)}
        self._classes = [places[label] for label in frame["label"]]

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return {"input_ids": self._ids[place], "labels": self._classes[place]}


def build(config: ClassificationConfig, data: PreparedData, context: Context) -> Built:
    """The model with a head for the labels of the data. Raises InvalidInput for one class alone."""
    if len(data.labels) < 2:
        raise InvalidInput(
            f"The label column holds one class: {', '.join(data.labels)}.",
            allowed="Two classes or more.",
            next_step="Choose another column as the label.",
        )
    context.progress(0.1, f"Loading {config.model}")
    tokenizer = load_tokenizer(config.model)
    names = dict(enumerate(data.labels))
    model = load_model(
        config.model,
        "text-classification",
        tokenizer,
        num_labels=len(names),
        id2label=names,
        label2id={name: place for place, name in names.items()},
        problem_type="single_label_classification",
    )
    if config.lora is not None:
        model = with_lora(model, config.lora, "SEQ_CLS")
    tokens = config.max_tokens or 128
    return Built(
        model=model,
        train=Texts(data.train, data.labels, tokenizer, tokens),
        validation=Texts(data.validation, data.labels, tokenizer, tokens),
        collate=_collate(tokenizer),
        metric="f1",
        higher_is_better=True,
        measures=_measures,
        unit="rows",
        units=lambda batch: len(batch["labels"]),
        tokenizer=tokenizer,
        extra={"max_tokens": tokens},
    )


def evaluate(built: Built, config: ClassificationConfig, data: PreparedData, context: Context) -> EvaluationReport:
    """On the test rows, beside the baseline."""
    texts = [str(text) for text in data.test["text"]]
    places = {label: place for place, label in enumerate(data.labels)}
    stated = probabilities(built, texts, part_of(context.progress, 0.0, 0.7))
    context.progress(0.7, "Fitting the baseline")
    baseline = text_baseline(
        [str(text) for text in data.train["text"]],
        [places[label] for label in data.train["label"]],
        texts,
        len(data.labels),
    )
    context.progress(0.8, "Working out the figures")
    return classification_report(
        stated,
        np.array([places[label] for label in data.test["label"]]),
        data.labels,
        rows=[int(row) for row in data.test["row"]],
        texts=texts,
        groups=[str(group) for group in data.test["group"]] if "group" in data.test else None,
        baseline=baseline,
        baseline_words="TF-IDF of words and pairs of words with logistic regression, fitted on the same rows",
    )


def save(built: Built, config: ClassificationConfig, data: PreparedData, folder: Path) -> None:
    save_pretrained(built.model, built.tokenizer, folder, config.model)


def probabilities(built: Built, texts: list[str], progress: Progress) -> npt.NDArray[np.float64]:
    """[text, class]"""
    device = next(built.model.parameters()).device
    found = []
    for start in range(0, len(texts), BATCH):
        progress(start / len(texts), f"Judging text {start:,} of {len(texts):,}")
        batch = built.tokenizer(
            texts[start : start + BATCH],
            truncation=True,
            max_length=built.extra["max_tokens"],
            padding=True,
            return_tensors="pt",
        ).to(device)
        with torch.inference_mode():
            logits = built.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        found.append(torch.softmax(logits.float(), dim=-1).cpu().numpy().astype(np.float64))
    return np.concatenate(found)


def _measures(logits: npt.NDArray[Any], labels: npt.NDArray[Any]) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    said = np.asarray(logits).argmax(axis=-1)
    return {
        "accuracy": float(accuracy_score(labels, said)),
        "f1": float(f1_score(labels, said, average="macro", zero_division=0)),
    }


def _collate(tokenizer: Any) -> Any:
    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = tokenizer.pad({"input_ids": [row["input_ids"] for row in rows]}, return_tensors="pt")
        return {
            "input_ids": batch["input_ids"],
            "attention_mask": batch["attention_mask"],
            "labels": torch.tensor([row["labels"] for row in rows]),
        }

    return collate
