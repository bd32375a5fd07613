"""Fine-tunes on record, as their jobs leave them: rows, points, reports. No training is run."""

from __future__ import annotations

from typing import Any

from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.store.training_points import PointKind, TrainingPointRepository
from core.training import queue
from core.training.config import parse_config, to_values
from core.training.evaluation.report import EvaluationReport
from core.training.run_folder import RunFolder

Point = tuple[int, PointKind, dict[str, Any]]


def values(recipe: str, **changes: Any) -> dict[str, Any]:
    return to_values(parse_config({"recipe": recipe, "data": {"path": "/data/tickets.csv"}, **changes}))


def points(steps: int = 100, *, texts: bool = False) -> list[Point]:
    found: list[Point] = []
    for step in range(1, steps + 1):
        figures = {"loss": 2 - step / steps, "learning_rate": 1e-4, "grad_norm": 1.0, "units_per_s": 800.0}
        found.append((step, "train", figures))
        if step % (steps // 5) == 0:
            found.append((step, "eval", {"loss": 2.1 - step / steps, "f1": step / steps}))
            if texts:
                found.append((step, "sample", {"texts": [{"prompt": "Hello <b>", "text": f"Answer at {step}"}]}))
    return found


def running(db: Database, recipe: str = "classification", **changes: Any) -> JobRecord:
    """A run that this very process holds."""
    jobs = JobRepository(db)
    job, _ = jobs.create(queue.KIND, "Tickets", {"config": values(recipe, **changes)}, queue=queue.queue_name("cpu"))
    jobs.start(job.id)
    figures = {"step": 100, "steps": 200, "loss": 1.0, "eval_loss": 1.1, "unit": "rows", "eta_s": 75.0, "best_step": 80}
    jobs.progress(job.id, 0.5, "Training, step 100 of 200", figures | {"best": 0.8, "memory_bytes": 1_200_000_000})
    TrainingPointRepository(db).add(job.id, points(texts=recipe == "causal"))
    return jobs.get(job.id)


def done(
    db: Database, report: EvaluationReport, recipe: str = "classification", title: str = "Tickets", **changes: Any
) -> JobRecord:
    jobs = JobRepository(db)
    job, _ = jobs.create(queue.KIND, title, {"config": values(recipe, **changes)}, queue=queue.queue_name("cpu"))
    jobs.start(job.id)
    TrainingPointRepository(db).add(job.id, points(texts=recipe == "causal"))
    RunFolder(job.id).set_report(report)
    result = {"headline": report.headline, "step": 100, "steps": 100, "best_step": 80, "why": "done", "device": "cpu"}
    rows = {"rows": {"train": 560, "validation": 80, "test": report.rows}, "parameters": {"all": 1_000, "trained": 10}}
    return jobs.finish(job.id, "done", result | rows)
