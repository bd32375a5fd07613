"""Fine-tunes side by side: their evaluation losses in one picture, their figures, and where their settings differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from core.store.jobs import JobRecord
from core.store.training_points import TrainingPointRepository
from core.training import queue
from core.training.compare import ABSENT, ComparedRun, Comparison, MetricRow, compare
from core.training.run_folder import RunFolder
from exports.filenames import safe_filename
from exports.training_csv import comparison_csv
from exports.training_document import interval, value
from pages import state
from pages.services import Services
from pages.widgets.chart_parts import TAKEN
from pages.widgets.finetune_compare_charts import losses_figure, metric_figure
from pages.widgets.finetune_fields import FIELDS
from pages.widgets.words import count_of, cut, plain

MOST = 6
NAME_CHARACTERS = 28
CHOICES = 60  # runs to choose from
LEFT_OUT = ("_micro", "_weighted")  # averages that the CSV has
DIFFERS = "≠"


def draw(shared: Services, ids: Sequence[str]) -> None:
    """ids: of the runs, 2 to 6. Those that are gone are told; the reader can choose others."""
    st.button(
        "Back", icon=":material/arrow_back:", type="tertiary", key="r_compare_back", on_click=_compare, args=((),)
    )
    st.title("Runs side by side")
    st.caption("Which is better, and what was done differently?")
    jobs = _known(shared, ids)
    _draw_choice(shared, [job.id for job in jobs])
    if len(jobs) < 2:
        st.info("Choose two runs or more.", icon=":material/compare:")
        return
    try:
        _draw(shared, jobs[:MOST])
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _known(shared: Services, ids: Sequence[str]) -> list[JobRecord]:
    found, gone = [], []
    for job_id in dict.fromkeys(ids):
        try:
            job = shared.jobs.get(job_id)
        except GroundworkError:
            gone.append(job_id)
            continue
        if job.kind == queue.KIND:
            found.append(job)
        else:
            gone.append(job_id)
    if gone:
        st.warning(f"{count_of(len(gone), 'run')} of the link {'is' if len(gone) == 1 else 'are'} not here any more.")
    return found


def _draw_choice(shared: Services, chosen: list[str]) -> None:
    """A change goes into the address, from which the page is drawn."""
    known = {job.id: job for job in shared.jobs.list(limit=CHOICES, kind=queue.KIND)}
    known |= {job_id: shared.jobs.get(job_id) for job_id in chosen if job_id not in known}
    picked = st.multiselect(
        "Runs",
        list(known),
        default=chosen,
        format_func=lambda i: f"{cut(known[i].title, 40)} · {known[i].created_at:%Y-%m-%d %H:%M}",
        max_selections=MOST,
        key="r_compared",
    )
    if picked != chosen and picked:
        state.compare_runs(tuple(picked))
        st.rerun()


def _compare(ids: tuple[str, ...]) -> None:
    state.compare_runs(ids)


def _draw(shared: Services, jobs: list[JobRecord]) -> None:
    names = distinct([job.title for job in jobs])
    found = compare([_compared(job, name) for job, name in zip(jobs, names, strict=True)])
    for note in found.notes:
        st.warning(plain(note), icon=":material/info:")
    curves = TrainingPointRepository(shared.db).curves([job.id for job in jobs])
    best = [(job.result or job.metrics).get("best_step") for job in jobs]
    st.plotly_chart(losses_figure(names, [curves[job.id] for job in jobs], best), key="r_compare_loss", config=TAKEN)
    _draw_metrics(found, names)
    _draw_config(found, names)
    st.subheader("Take it away")
    with st.container(horizontal=True):
        st.download_button(
            "Comparison (CSV)",
            lambda: comparison_csv(found),
            safe_filename("runs side by side", "csv"),
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
            key="r_compare_csv",
        )
        with st.popover("Link", icon=":material/link:"):
            st.code(state.page_link(), language=None, wrap_lines=True)


def _compared(job: JobRecord, name: str) -> ComparedRun:
    report = RunFolder(job.id).report()
    config: dict[str, Any] = (job.result or {}).get("config") or job.command.get("config", {})
    return ComparedRun(job.id, name, config, None if report is None else report.to_json())


def _draw_metrics(found: Comparison, names: Sequence[str]) -> None:
    if not found.metrics:
        return
    st.subheader("Figures")
    st.plotly_chart(metric_figure(found.metrics[0], names), key="r_compare_metric", config=TAKEN)
    rows = [_metric_row(row, names) for row in found.metrics if not row.name.endswith(LEFT_OUT)]
    st.dataframe(rows, hide_index=True, height="content", alt="Figures of each run with their 95 % intervals")
    st.caption(
        "★ is the best of a row; ★★ is the best by more than its interval: those of all others lie apart from it. "
        "Figures in brackets are 95 % intervals over test rows."
    )


def _metric_row(row: MetricRow, names: Sequence[str]) -> dict[str, str]:
    cells = {"Figure": row.title + ("" if row.higher_is_better else " (less is better)")}
    for place, (name, one) in enumerate(zip(names, row.values, strict=True)):
        if one is None:
            cells[name] = ABSENT
            continue
        star = "" if row.best != place else "★★ " if row.clear else "★ "
        cells[name] = star + value(one) + (f" ({interval(one)})" if interval(one) else "")
    return cells


def _draw_config(found: Comparison, names: Sequence[str]) -> None:
    st.subheader("Settings")
    only = st.toggle("Only what differs", value=True, key="r_only_differs")
    shown = found.differing if only else found.config
    if not shown:
        st.caption("All settings are the same.")
        return
    table = pd.DataFrame(
        [
            {"": DIFFERS if row.differs else "", "Setting": _setting(row.key)}
            | {name: _cell(one) for name, one in zip(names, row.values, strict=True)}
            for row in shown
        ]
    )
    differs = [row.differs for row in shown]
    styled = table if only else table.style.apply(lambda row: _look(differs[row.name], len(row)), axis=1)
    st.dataframe(
        styled,
        hide_index=True,
        height="content" if len(shown) <= 30 else 600,
        column_config={"": st.column_config.TextColumn(width=30)},
        alt="Settings of each run",
    )
    st.caption(
        f"{len(found.differing)} of {len(found.config)} settings differ" + ("." if only else f", marked {DIFFERS}.")
    )


def _setting(key: str) -> str:
    """As the page calls it, with its place in the configuration."""
    return f"{FIELDS[key].label} ({key})" if key in FIELDS else key


def _look(differs: bool, cells: int) -> list[str]:
    """Pale orange under either theme's text."""
    return ["background-color: rgba(213, 94, 0, 0.18)" if differs else ""] * cells


def _cell(one: Any) -> str:
    if one is None:
        return "automatic"
    if isinstance(one, tuple):
        return ", ".join(str(part) for part in one) or "none"
    return str(one)


def distinct(titles: Sequence[str]) -> list[str]:
    """Short names, none twice: columns are told by them."""
    names: list[str] = []
    for title in titles:
        short = cut(" ".join(title.split()), NAME_CHARACTERS)
        number = 2
        name = short
        while name in names:
            name, number = f"{short} ({number})", number + 1
        names.append(name)
    return names
