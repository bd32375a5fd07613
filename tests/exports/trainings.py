"""Fine-tunes of each kind with real reports of made-up predictions, and with words that would like to be markup."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from core.store.training_points import PointKind, TrainingPoint
from core.training.config import parse_config, to_values
from core.training.data.prepared import CleaningStep, DataRecord, Finding, PrivacyFinding
from core.training.evaluation.classification import classification_report
from core.training.evaluation.language import language_report
from core.training.evaluation.regression import regression_report
from core.training.evaluation.report import Answer, EvaluationReport
from exports.attention_png import cells_png
from exports.training_document import RunFacts, TrainedRun

TAG = "<script>alert(1)</script>"
FORMULA = "=HYPERLINK(1)"
LABELS = ("billing", "shipping", TAG, FORMULA)
AT = datetime(2027, 1, 8, 9, 30, tzinfo=UTC)
PNG = base64.b64encode(cells_png(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4, 4)).decode()


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def classified(rows: int = 300) -> EvaluationReport:
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, rows)
    logits = random.normal(size=(rows, 4)) + 2.2 * np.eye(4)[truth]
    logits[: rows // 4] += random.normal(size=(rows // 4, 4)) * 2
    report = classification_report(
        softmax(logits),
        truth,
        LABELS,
        rows=range(1, rows + 1),
        texts=[f"{TAG} row {place} & more" for place in range(rows)],
        groups=["phone" if place < rows // 4 else TAG if place % 2 else "mail" for place in range(rows)],
        baseline=softmax(logits + random.normal(size=logits.shape) * 1.5),
        images=lambda place: PNG,
        baseline_words=f"TF-IDF {TAG}",
    )
    grid = [
        {"row": place, "image": PNG, "truth": LABELS[place % 4], "said": LABELS[place % 3], "probability": 0.5}
        for place in range(25)
    ]
    return replace(report, extra={"grid": grid})


def spoken() -> EvaluationReport:
    random = np.random.default_rng(0)
    tokens = random.integers(5, 60, 80)
    return language_report(
        tokens * random.normal(2.0, 0.2, 80),
        tokens,
        rows=range(1, 81),
        texts=[f"{TAG}\nline {place}" for place in range(80)],
        before=tokens * random.normal(2.6, 0.2, 80),
        answers=[Answer(f"Where is my order? {TAG}", "I do not know.\n```\n# no", f"On its way! {TAG}")],
        text_bytes=tokens * 4,
    )


def predicted() -> EvaluationReport:
    random = np.random.default_rng(0)
    actual = random.normal(150, 60, 120)
    report = regression_report(
        actual + random.normal(0, 20, 120),
        actual,
        rows=range(1, 121),
        shown=[f"age {place}, {TAG}" for place in range(120)],
        baseline=np.full(120, 150.0),
        unit="USD",
        baseline_words="the mean of the training rows",
    )
    return replace(report, extra={"descent": descent()})


def descent() -> dict[str, object]:
    """As the regression recipe tells it: a bowl, and a path from its edge to its middle."""
    places = np.linspace(-1.0, 1.0, 41)
    path = [
        {"step": step, "x": 0.8**step, "y": -(0.6**step), "mse": 0.8 ** (2 * step) + 0.6 ** (2 * step)}
        for step in range(30)
    ]
    return {
        "kind": "weights",
        "x": {"name": f"weight of {TAG}", "values": places.tolist()},
        "y": {"name": "bias", "values": places.tolist()},
        "mse": (places[None, :] ** 2 + places[:, None] ** 2 + 0.01).tolist(),
        "path": path,
        "names": ["weight of age", "bias"],
        "steps": [
            {"step": one["step"], "mse": one["mse"], "gradient": [2 * one["x"], 2 * one["y"]], "gradient_norm": 1.5}
            for one in path
        ],
        "kept": {"x": 0.0, "y": 0.0, "mse": 0.01},
    }


def _points() -> tuple[TrainingPoint, ...]:
    random = np.random.default_rng(1)
    found = []
    for step in range(5, 501, 5):
        loss = 1.3 * float(np.exp(-step / 150)) + 0.2
        kind: PointKind = "train"
        values = {"loss": loss + float(random.normal()) * 0.05, "learning_rate": 3e-4 * (1 - step / 500)}
        found.append((step, kind, values | {"grad_norm": 1 + loss, "units_per_s": 812.0}))
        if step % 50 == 0:
            found.append((step, "eval", {"loss": loss + 0.05 + max(step - 350, 0) / 2000, "f1": 1 - loss / 3}))
    found.append((500, "sample", {"texts": [{"prompt": "Hi", "text": "Hello"}]}))
    return tuple(TrainingPoint("j" * 32, place, *one, AT) for place, one in enumerate(found, 1))


DATA = DataRecord(
    source=f"tickets {TAG}.csv",
    kind="labelled",
    digest="ab" * 32,
    rows=1_000,
    train=560,
    validation=80,
    test=300,
    labels=dict(zip(LABELS, (280, 220, 300, 140), strict=True)),
    findings=(
        Finding("duplicates", "warning", f"40 rows stand twice {TAG}.", 40, tuple(range(1, 41)), "Look at them."),
    ),
    privacy=(PrivacyFinding("e-mail", 12, (3, 9), ("a…@e…", "=b…@e…")),),
    privacy_done="mask",
    steps=(CleaningStep("deduplicate", "Rows that stand twice", 0, 40),),
    licence="CC0-1.0",
)
FACTS = RunFacts(
    job_id="j" * 32,
    title=f"Tickets {TAG}",
    base_model="minilm-l6",
    base_source="sentence-transformers/all-MiniLM-L6-v2",
    licence="Apache-2.0",
    device="cpu",
    seconds=183.4,
    steps=500,
    best_step=350,
    parameters=22_713_216,
    trained=22_713_216,
    finished_at=AT,
)
POINTS = _points()


def config(recipe: str) -> dict[str, object]:
    return to_values(parse_config({"recipe": recipe, "name": f"My {TAG}", "data": {"path": f"/data/{TAG}.csv"}}))


CLASSIFIED = TrainedRun(FACTS, config("classification"), DATA, classified(), POINTS)
SPOKEN = TrainedRun(FACTS, config("causal"), replace(DATA, kind="chat", labels={}), spoken(), POINTS)
PREDICTED = TrainedRun(FACTS, config("regression"), replace(DATA, kind="numbers", labels={}), predicted(), POINTS)
BARE = TrainedRun(RunFacts(), config("images"))
EVERY = {"classification": CLASSIFIED, "language": SPOKEN, "regression": PREDICTED, "bare": BARE}
