"""What it will take, from a few of its own steps: time, memory, money, and whether it fits."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.estimate import own_tables
from core.estimate.prices import rental_price
from core.estimate.ranges import Range
from core.estimate.words import said, said_range
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRecord, JobRepository
from core.training import queue
from core.training.config import AnyConfig, to_values
from pages import state
from pages.widgets.chart_parts import CONFIG
from pages.widgets.finetune_estimate_charts import memory_figure, time_figure
from pages.widgets.finetune_form import Asked
from pages.widgets.job_watch import draw_end, watch
from pages.widgets.words import count_words, plain

LOOKED_AT = 30
"""Dry runs among which the one of this configuration is looked for."""
RENTED = ("rtx4090-24gb", "l4-24gb", "a10g-24gb", "l40s-48gb", "a100-sxm-80gb", "h100-sxm-80gb")


def draw(db: Database, asked: Asked, *, ready: bool) -> tuple[str, ...]:
    """Why it cannot fit; () when it does or is not known. ready: whether the rows are."""
    st.header("4 · What will it take?", anchor="estimate")
    with st.container(border=True):
        job = _job(db, asked.recipe, asked.config)
        if job is not None and job.state in ACTIVE:
            watch(db, job.id, "**Trying a few steps on this machine.** The model is built as it will be.")
            return ()
        current = job is not None and _same(job, asked.config)
        if job is None:
            st.markdown(
                "Before you start: a few of its own steps are tried here, which takes from some seconds to a minute, "
                "and tell how long the whole takes, how much memory, and whether it fits."
            )
        elif job.state != "done":
            draw_end(job, kept="Nothing was left behind.")
        elif current:
            _draw_result(job.result or {})
        else:
            st.warning(
                "Outdated: the configuration was changed since. Try again.", icon=":material/history_toggle_off:"
            )
            with st.expander("What it would have taken before the change"):
                _draw_result(job.result or {}, outdated=True)
        st.button(
            "Try again" if job is not None else "Try a few steps",
            icon=":material/speed:",
            key="try_steps",
            disabled=asked.config is None or not ready,
            on_click=_try,
            args=(db, asked.config),
        )
        if fault := state.take_try_fault():
            st.error(fault, icon=":material/error:")
    done = current and job is not None and job.state == "done"
    return tuple((job.result or {}).get("reasons", ())) if done and job is not None else ()


def _try(db: Database, config: AnyConfig) -> None:
    try:
        state.set_finetune_try(queue.submit_dry_run(db, config).id)
    except GroundworkError as error:
        state.set_try_fault(str(error))


def _job(db: Database, recipe: str, config: AnyConfig | None) -> JobRecord | None:
    """The newest dry run of this configuration; else the one that this reader started last, for the same recipe."""
    jobs = JobRepository(db)
    jobs.mark_interrupted()
    known = jobs.list(limit=LOOKED_AT, kind=queue.DRY_RUN)
    own = [job for job in known if job.id == state.finetune_try() and _recipe(job) == recipe]
    return next((job for job in known if _same(job, config)), own[0] if own else None)


def _recipe(job: JobRecord) -> str:
    return str(job.command.get("config", {}).get("recipe", ""))


def _same(job: JobRecord, config: AnyConfig | None) -> bool:
    """Whether it was tried with this configuration; a name makes no difference."""
    return config is not None and job.command.get("config", {}) | {"name": ""} == to_values(config) | {"name": ""}


def _draw_result(found: dict[str, Any], *, outdated: bool = False) -> None:
    st.markdown(f"#### {plain(str(found['sentence']))}")
    for reason in found["reasons"]:
        st.error(reason, icon=":material/block:")
    seconds, memory = Range(*found["seconds"]), Range(*found["memory_bytes"])
    left, right = st.columns(2)
    with left:
        st.plotly_chart(time_figure(seconds), key="try_time", config=CONFIG)
    with right:
        st.plotly_chart(memory_figure(memory, found["memory_there_bytes"]), key="try_memory", config=CONFIG)
    st.caption(_facts(found))
    if found["busy"]:
        st.caption(
            ":material/hourglass_disabled: Other programs kept this machine busy meanwhile: alone it is quicker."
        )
    if not outdated:
        _draw_cost(seconds)


def _facts(found: dict[str, Any]) -> str:
    low, middle, high = found["step_s"]
    told = [
        f"{found['steps']:,} steps of {said(middle, 's')} ({said_range(Range(low, middle, high), 's')})",
        f"judged every {found['evaluate_every']:,}",
        f"{found['units_per_s']:,.0f} {found['unit']}/s" if found["units_per_s"] else "",
        f"{count_words(found['trained_parameters'])} of {count_words(found['parameters'])} weights are trained",
        f"up to {said(found['disk_bytes'], 'bytes')} on the disk",
    ]
    return " · ".join(one for one in told if one)


def _draw_cost(seconds: Range) -> None:
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        price = st.number_input(
            "Price of an hour, USD",
            min_value=0.0,
            value=0.0,
            step=0.1,
            key="finetune_price",
            persist_state="session",
            help="0 for a machine of your own whose power you do not count.",
        )
    cost = seconds * (price / 3600)
    with right:
        if price:
            st.markdown(f"About **{said(cost.expected, 'USD')}** ({said_range(cost, 'USD')}) for the whole run.")
        else:
            st.markdown("Nothing is charged for this machine.")
    with st.expander("What an hour of a GPU costs elsewhere"):
        st.dataframe(_rents(), hide_index=True, alt="Rental prices of GPUs")
        st.caption("On demand, from the table under Cost & compute. A GPU is also quicker than the times above.")


@st.cache_data(ttl=600, max_entries=1, show_spinner=False)
def _rents() -> list[dict[str, str]]:
    """Of the GPUs that small fine-tunes are run on."""
    rows = []
    for one in own_tables.hardware():
        if one.id not in RENTED:
            continue
        try:
            price = rental_price(one.id).usd_per_gpu_hour.value
        except GroundworkError:
            continue
        rows.append({"GPU": one.name, "USD an hour": said_range(price, "USD"), "Usual": said(price.expected, "USD")})
    return rows
