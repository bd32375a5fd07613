"""A model card of a fine-tune: Markdown with the header that model hubs read.

https://huggingface.co/docs/hub/model-cards says which keys a header has; results stand in `model-index` as
https://github.com/huggingface/hub-docs/blob/main/modelcard.md lays them out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from core.training.data.prepared import DataRecord
from core.training.evaluation.report import EvaluationReport
from exports.estimate_markdown import escaped
from exports.training_document import RunFacts, TrainedRun, answer, made, title
from exports.training_markdown import sections

TASKS = {
    "causal": "text-generation",
    "gpt": "text-generation",
    "classification": "text-classification",
    "masked": "fill-mask",
    "images": "image-classification",
    "regression": "tabular-regression",
}
_TRANSFORMERS = ("causal", "gpt", "classification", "masked")  # the others are networks of our own
_KINDS = {"f1_macro": "f1", "r2": "r_squared"}  # names that hubs know figures by
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9.-]*")
_LEFT_OUT = ("micro", "weighted")  # averages that a card has no use for


def model_card(
    config: Mapping[str, Any], data: DataRecord | None, report: EvaluationReport | None, facts: RunFacts
) -> str:
    """config: as `to_values` gives it. The card says what the record knows, and leaves out what it does not."""
    run = TrainedRun(facts, config, data, report)
    parts = [
        f"---\n{_header(run)}---",
        f"# {escaped(title(run))}",
        escaped(answer(report)),
        *sections(run),
        f"Made with {made(facts.finished_at)}." if facts.finished_at else "Made with Groundwork.",
    ]
    return "\n\n".join(parts).encode("utf-8", errors="replace").decode() + "\n"


def _header(run: TrainedRun) -> str:
    recipe = str(run.config["recipe"])
    header: dict[str, Any] = {"license": _licence(run.facts.licence), "pipeline_tag": TASKS[recipe]}
    if header["license"] == "other":
        header["license_name"] = run.facts.licence
    if recipe in _TRANSFORMERS:
        header["library_name"] = "transformers"
    if run.facts.base_source.count("/") == 1 and " " not in run.facts.base_source:
        header["base_model"] = run.facts.base_source
        header["base_model_relation"] = "finetune"
    header["tags"] = ["groundwork", recipe]
    if run.report is not None:
        header["model-index"] = [{"name": title(run), "results": [_result(run, run.report)]}]
    text: str = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=120)
    return text


def _result(run: TrainedRun, report: EvaluationReport) -> dict[str, Any]:
    task = TASKS[str(run.config["recipe"])]
    source = run.data.source if run.data is not None else "its own data"
    return {
        "task": {"type": task},
        "dataset": {"name": source, "type": _slug(source), "split": "test"},
        "metrics": [
            {"type": _KINDS.get(one.name, one.name), "name": one.title, "value": round(one.value, 6)}
            for one in report.metrics
            if not one.name.endswith(_LEFT_OUT)
        ],
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"


def _licence(name: str) -> str:
    """As hubs write it: `apache-2.0`; "unknown" for none, "other" for what is a name and no identifier."""
    plain = name.strip().lower()
    if not plain:
        return "unknown"
    return plain if _IDENTIFIER.fullmatch(plain) else "other"
