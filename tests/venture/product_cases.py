"""A product, a saved estimate and recorded runs to begin with, plausible in every field."""

from __future__ import annotations

import socket
from dataclasses import asdict, replace
from typing import Any

from core.estimate.serve_estimate import estimate_serve
from core.store.database import Database
from core.store.measurements import MeasurementRecord, MeasurementRepository, NewMeasurement
from core.store.runs import NewRun, RunRepository
from core.store.scenarios import NewScenario, ScenarioRecord, ScenarioRepository
from core.venture.products import ProductSpec
from tests.measurements import NEW

MODEL = "smollm2-135m-instruct"
PRO: dict[str, Any] = {
    "name": "Pro",
    "price": 49,
    "customers": 100,
    "users_per_customer": 5,
    "tasks": [
        {"name": "Answer", "runs_per_user": 200, "input_tokens": 1500, "output_tokens": 300, "cached_share": 0.4},
        {"name": "Summary", "runs_per_user": 20, "input_tokens": 8000, "output_tokens": 500},
    ],
    "cost": {
        "usd_per_million_input": "0.5",
        "usd_per_million_cached_input": "0.05",
        "usd_per_million_output": "2",
        "low_factor": 0.8,
        "high_factor": 1.5,
    },
    "hosting_per_customer": 2,
    "people_minutes_per_customer": 6,
    "people_hourly_cost": 30,
    "payment_fee": 0.029,
}


def pro(**changes: Any) -> ProductSpec:
    return ProductSpec.model_validate(PRO | changes)


def measured_here(db: Database, **changes: Any) -> MeasurementRecord:
    """Cells of this machine, which a serving estimate can stand on."""
    given: NewMeasurement = replace(NEW, host=socket.gethostname(), **changes)
    return MeasurementRepository(db).add(given)


def serving_scenario(db: Database, name: str = "135M here", **changes: Any) -> ScenarioRecord:
    """A saved serving estimate on this machine, by its measurements."""
    given = {
        "architecture": {
            "layers": 30, "hidden": 576, "heads": 9, "kv_heads": 3, "ffn": 1536, "vocabulary": 49152, "gated": True,
            "tied": True, "context": 8192,
        },
        "gpu": "this machine", "precision": "int8", "usd_per_gpu_hour": 0.1, "prompt_tokens": 1000,
        "output_tokens": 300, "concurrency": 1, "utilisation": "0.3 to 0.6",
    }  # fmt: skip
    report, _ = estimate_serve(given | changes)
    return ScenarioRepository(db).save(saved(name, report))


def saved(name: str, report: Any) -> NewScenario:
    """As the page saves it."""
    figures = [
        {key: value for key, value in asdict(one).items() if key != "value"} | one.to_json() for one in report.figures
    ]
    return NewScenario(
        name=name,
        kind=report.kind,
        spec=report.spec,
        sentence=report.sentence,
        figures=figures,
        notes=list(report.notes),
        measurement_ids=list(report.measurement_ids),
    )


def recorded_run(
    db: Database, prompt: int = 100, completion: int = 40, cached: int = 0, *, model: str = MODEL, status: Any = "done"
) -> str:
    runs = RunRepository(db)
    run_id = runs.start(NewRun(model, "r", "int8", "onnx", "cpu", {}, {"raw_prompt": "Once"}))
    runs.finish(
        run_id, status=status, finish_reason="stop", prompt_tokens=prompt, completion_tokens=completion,
        cached_tokens=cached, tokens_per_s=120.0,
    )  # fmt: skip
    return run_id
