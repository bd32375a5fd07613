"""Take a fine-tune away: report, model card, curves, tables, configuration, link. Each file is made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.errors import GroundworkError
from core.models import catalogue
from core.models.cards import SourceKind
from core.store.jobs import JobRecord
from core.store.training_points import TrainingPoint
from core.training.config import base_model
from core.training.data.prepared import DataRecord
from core.training.evaluation.report import EvaluationReport
from core.training.run_folder import RunFolder
from exports import training_csv
from exports.filenames import safe_filename
from exports.training_card import model_card
from exports.training_document import RunFacts, TrainedRun
from exports.training_html import training_html
from pages import state
from pages.widgets.finetune_run_facts import seconds, yaml_of

Make = Callable[[], bytes | str]


def draw(job: JobRecord, report: EvaluationReport | None, points: Sequence[TrainingPoint]) -> None:
    """A row of downloads."""
    st.subheader("Take it away")
    with st.container(horizontal=True):
        if report is not None:
            whole = partial(trained_run, job, report, points)
            _button(job, "Report (HTML)", "html", "text/html", ":material/article:", lambda: training_html(whole()))
            _button(job, "Model card", "md", "text/markdown", ":material/markdown:", lambda: _card(whole()))
        if points:
            _button(job, "Curves (CSV)", "csv", "text/csv", ":material/table:", lambda: training_csv.points_csv(points))
        _button(job, "Configuration", "yaml", "application/yaml", ":material/tune:", lambda: yaml_of(job))
        if report is not None:
            with st.popover("Tables (CSV)", icon=":material/table_view:"):
                for name, make in _tables(job, report):
                    _button(job, name, "csv", "text/csv", ":material/table:", make)
        with st.popover("Link", icon=":material/link:"):
            st.code(state.page_link(), language=None, wrap_lines=True)
            st.caption("It opens this run, for whoever can reach this app.")


def _button(job: JobRecord, label: str, suffix: str, kind: str, icon: str, make: Make) -> None:
    name = job.title if suffix in ("html", "yaml") else f"{job.title} {label.removesuffix(' (CSV)').lower()}"
    st.download_button(
        label,
        make,
        safe_filename(name, suffix, fallback="run"),
        kind,
        icon=icon,
        on_click="ignore",
        key=f"r_take_{label}_{job.id}",
    )


def _tables(job: JobRecord, report: EvaluationReport) -> list[tuple[str, Make]]:
    """Those that the report has something for."""
    found: list[tuple[str, object, Make]] = [
        ("Figures", report.metrics, lambda: training_csv.metrics_csv(report)),
        ("Classes", report.classes, lambda: training_csv.classes_csv(report)),
        ("Confusion", report.confusion, lambda: training_csv.confusion_csv(report)),
        ("Points of the curves", report.curves or report.points, lambda: training_csv.curves_csv(report)),
        ("Subgroups", report.groups, lambda: training_csv.groups_csv(report)),
        ("Examples", report.examples, lambda: training_csv.examples_csv(report)),
        ("Answers", report.answers, lambda: training_csv.answers_csv(report)),
    ]
    tables = [(name, make) for name, content, make in found if content]
    record = data_record(job.id)
    return [*tables, *([("Findings in the data", partial(training_csv.findings_csv, record))] if record else [])]


def _card(run: TrainedRun) -> str:
    return model_card(run.config, run.data, run.report, run.facts)


def trained_run(job: JobRecord, report: EvaluationReport | None, points: Sequence[TrainingPoint]) -> TrainedRun:
    """All that documents tell of a run."""
    config = (job.result or {}).get("config") or job.command.get("config", {})
    return TrainedRun(run_facts(job), config, data_record(job.id), report, points)


def run_facts(job: JobRecord) -> RunFacts:
    """What the record knows."""
    result = job.result or {}
    weights = result.get("parameters") or {}
    base = base_model(job.command.get("config", {}))
    source, licence = _base_facts(base)
    return RunFacts(
        job_id=job.id,
        title=job.title,
        base_model=base,
        base_source=source,
        licence=licence,
        device=str(result.get("device") or ""),
        seconds=seconds(job),
        attempts=job.attempts,
        steps=result.get("step"),
        best_step=result.get("best_step"),
        parameters=weights.get("all"),
        trained=weights.get("trained"),
        finished_at=job.finished_at,
    )


def _base_facts(model_id: str) -> tuple[str, str]:
    """(where a model is from, its licence); "" for what is not known."""
    if not model_id:
        return "", ""
    try:
        card = catalogue.get(model_id)
    except GroundworkError:
        return "", ""
    return (card.source.location if card.source.kind is SourceKind.HUB else ""), card.licence


def data_record(job_id: str) -> DataRecord | None:
    """What it learned from; None where that is gone."""
    try:
        return RunFolder(job_id).data_record()
    except GroundworkError:
        return None
