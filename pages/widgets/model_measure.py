"""Measure a model on this machine, and see how far each figure is from what the device could do at most."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.estimate.calibration import BUSY_SHARE
from core.jobs import launch
from core.measure.grid import Grid, default_grid, offered_precisions
from core.measure.roofline import share_of_limit
from core.models.cards import ModelCard, Task
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRepository
from core.store.measurements import MeasurementRecord, MeasurementRepository
from exports.measurements_csv import measurements_csv
from pages.widgets.job_watch import draw_end, watch
from pages.widgets.roofline import roofline_figure, speed_figure
from pages.widgets.take_away import csv_button

KIND = "measure"
KEPT = "Points that were measured are kept."
LENGTHS = (16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
BATCHES = (1, 2, 4, 8, 16, 32)
CHART = {"displayModeBar": False}


def draw(db: Database, card: ModelCard, device: str) -> None:
    """The last measurements as pictures, and a form for new ones."""
    st.subheader("Measured on this machine")
    st.caption(
        "How fast it reads a prompt (prefill) and writes an answer (decode), beside the limits of this machine's "
        "memory and processor, which are measured too."
    )
    job = JobRepository(db).last(KIND, f"{card.id}/measure")
    if job and job.state in ACTIVE:
        watch(db, job.id, f"**{job.title}**")
    else:
        draw_end(job, kept=KEPT)
    records = MeasurementRepository(db).list(model_id=card.id, limit=500)
    if records:
        _draw_pictures(card, records)
    if not job or job.state not in ACTIVE:
        _draw_form(db, card, device, first=not records)


def _draw_pictures(card: ModelCard, records: list[MeasurementRecord]) -> None:
    grids: dict[str, list[MeasurementRecord]] = {}
    for record in records:
        grids.setdefault(record.batch_id, []).append(record)
    chosen = next(iter(grids))
    if len(grids) > 1:
        chosen = st.selectbox(
            "Which measurement", list(grids), format_func=lambda i: _when(grids[i]), key=f"grid_{card.id}"
        )
    shown = sorted(grids[chosen], key=lambda r: (r.precision, r.batch, r.prompt_tokens))
    one = shown[0]
    st.caption(
        f"{one.device_name} · {one.threads} threads · {one.repeats} rounds a point, after one to warm up · "
        f"{one.created_at:%Y-%m-%d %H:%M} UTC"
    )
    busy = max(float(record.environment.get("other_work") or 0.0) for record in shown)
    if busy > BUSY_SHARE:
        st.warning(
            f"Other programs took up to {busy:.0%} of the processor while this was measured. Measure again when the "
            "machine is idle, before you reckon with these figures.",
            icon=":material/hourglass_disabled:",
        )
    st.plotly_chart(speed_figure(shown), key=f"speed_{chosen}", config=CHART)
    st.plotly_chart(roofline_figure(shown), key=f"roofline_{chosen}", config=CHART)
    st.caption(
        "A point on a line is as fast as this machine can be. Below the slope it waits for memory: a larger batch or a "
        "smaller precision moves it to the right. Below a flat line it waits for arithmetic."
    )
    st.dataframe(
        [_row(record) for record in shown], hide_index=True, column_config=_COLUMNS, alt="The measured figures"
    )
    csv_button(f"{card.id}-measurements", measurements_csv(shown), label="CSV, every column")


def _row(record: MeasurementRecord) -> dict[str, object]:
    return {
        "Precision": record.precision,
        "Prompt": record.prompt_tokens,
        "Batch": record.batch,
        "Prefill": record.prefill_tokens_per_s,
        "Decode": record.decode_tokens_per_s,
        "Of its limit": _percent(share_of_limit(record, "decode")),
        "First token p50": 1000 * record.ttft_p50_s,
        "First token p95": 1000 * record.ttft_p95_s,
        "Memory": record.peak_memory_bytes / 1e6,
        "Load": record.load_s,
        "Tokens per joule": record.tokens_per_joule,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


_COLUMNS = {
    "Prompt": st.column_config.NumberColumn("Prompt, tokens", format="%,d"),
    "Prefill": st.column_config.NumberColumn("Prefill, tokens/s", format="%,.0f"),
    "Decode": st.column_config.NumberColumn("Decode, tokens/s", format="%,.1f"),
    "Of its limit": st.column_config.NumberColumn(
        "Decode, of its limit", format="%.0f%%", help="Of what the machine's memory and processor would allow at most."
    ),
    "First token p50": st.column_config.NumberColumn("First token p50, ms", format="%,.0f"),
    "First token p95": st.column_config.NumberColumn("First token p95, ms", format="%,.0f"),
    "Memory": st.column_config.NumberColumn("Peak memory, MB", format="%,.0f"),
    "Load": st.column_config.NumberColumn("Load, s", format="%.2f"),
    "Tokens per joule": st.column_config.NumberColumn("Tokens per joule", format="%.2f"),
}


def _when(records: list[MeasurementRecord]) -> str:
    precisions = ", ".join(dict.fromkeys(record.precision for record in records))
    return f"{records[0].created_at:%Y-%m-%d %H:%M} UTC · {precisions} · {len(records)} points"


def _draw_form(db: Database, card: ModelCard, device: str, *, first: bool) -> None:
    writes = card.task is Task.TEXT_GENERATION
    usual = default_grid(card, device)
    lengths = [length for length in LENGTHS if length + (64 if writes else 0) <= card.architecture.context]
    with st.expander("Measure it" if first else "Measure again", icon=":material/speed:", expanded=first):
        with st.form(f"measure_{card.id}", border=False):
            precisions = st.multiselect(
                "Precisions",
                offered_precisions(card, device),
                default=list(usual.precisions),
                key=f"measured_precisions_{card.id}",
                persist_state="session",
            )
            prompts = st.multiselect(
                "Prompt lengths, tokens" if writes else "Text lengths, tokens",
                sorted({*lengths, *usual.prompt_tokens}),
                default=list(usual.prompt_tokens),
                key=f"measured_prompts_{card.id}",
                persist_state="session",
            )
            batches = st.multiselect(
                "Batches: how many are answered together" if writes else "Batches: how many texts together",
                BATCHES,
                default=list(usual.batches),
                key=f"measured_batches_{card.id}",
                persist_state="session",
            )
            with st.container(horizontal=True):
                tokens = st.number_input(
                    "New tokens",
                    min_value=2,
                    max_value=512,
                    value=32,
                    disabled=not writes,
                    help="Length of each answer.",
                )
                repeats = st.number_input(
                    "Rounds a point",
                    min_value=1,
                    max_value=100,
                    value=usual.repeats,
                    help="The figures are their medians.",
                )
            starting = st.form_submit_button("Measure on this machine", type="primary", icon=":material/play_arrow:")
        st.caption(
            f"{len(precisions) * len(prompts) * len(batches)} points. A precision that is not there yet is exported "
            "first. While it runs, answers are slower, and answers that are written make it slower."
        )
    if starting:
        try:
            _start(db, card, device, Grid(tuple(prompts), tuple(batches), tuple(precisions), int(tokens), int(repeats)))
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.rerun()


def _start(db: Database, card: ModelCard, device: str, grid: Grid) -> None:
    for what, chosen in (
        ("precision", grid.precisions),
        ("prompt length", grid.prompt_tokens),
        ("batch", grid.batches),
    ):
        if not chosen:
            raise InvalidInput(f"No {what} is chosen.", next_step="Choose at least one.")
    grid.validate(card, device)
    arguments = ["measure", "--model", card.id, "--device", device]
    for name, values in (
        ("--precision", grid.precisions),
        ("--prompt-tokens", grid.prompt_tokens),
        ("--batch", grid.batches),
    ):
        for value in values:
            arguments += [name, str(value)]
    arguments += ["--new-tokens", str(grid.new_tokens), "--repeats", str(grid.repeats)]
    launch(db, kind=KIND, key=f"{card.id}/measure", title=f"Measure {card.title}", arguments=arguments)
