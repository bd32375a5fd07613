"""What a fine-tune is: its heading, its state in words, its settings and those that were chosen for it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.estimate.words import digits, said
from core.store.jobs import JobRecord
from core.training.config import base_model, parse_config
from core.training.launchers import command_lines
from core.training.table import recipe
from pages.widgets import finetune_yaml
from pages.widgets.words import count_of, plain

BADGES: dict[str, tuple[str, str, Any]] = {
    "queued": ("waiting", ":material/hourglass_empty:", "gray"),
    "running": ("training", ":material/model_training:", "blue"),
    "done": ("done", ":material/check_circle:", "green"),
    "failed": ("failed", ":material/error:", "red"),
    "cancelled": ("cancelled", ":material/cancel:", "gray"),
    "interrupted": ("interrupted", ":material/bolt:", "orange"),
}
"""Of each state: word, icon, colour."""
_WHY = {
    "stopped": "Stopped early by hand; the best checkpoint was kept.",
    "early": "Stopped early: its evaluation got no better.",
}


def draw_heading(job: JobRecord) -> None:
    """Title, state, one line of facts."""
    st.title(plain(job.title))
    word, icon, colour = BADGES[job.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(word, icon=icon, color=colour)
        st.caption(plain(" · ".join(facts(job))), width="content")
    if why := _WHY.get(str((job.result or {}).get("why"))):
        st.caption(why)


def facts(job: JobRecord) -> list[str]:
    """Recipe, base model, data, device, when, how long it took, how often it was taken up."""
    config = job.command.get("config", {})
    told = [recipe(str(config.get("recipe"))).title]
    if base := base_model(config):
        told.append(f"from {base}" + (" with LoRA" if config.get("lora") else ""))
    told.append(_data_words(config))
    told.append(str((job.result or {}).get("device") or job.queue.partition("/")[2]))
    begun = job.process_started_at or job.created_at
    told.append(f"{'started' if job.process_started_at else 'asked for'} {begun:%Y-%m-%d %H:%M} UTC")
    if words := took(job):
        told.append(words)
    elif job.attempts > 1:
        again = job.attempts - 1
        told.append("taken up again once" if again == 1 else f"taken up again {again} times")
    return [one for one in told if one]


def took(job: JobRecord) -> str:
    """How long a run that has ended took, in words; "" where nobody knows."""
    attempts = f" in {job.attempts} attempts" if job.attempts > 1 else ""
    known = seconds(job)
    if known is not None:
        return f"took {said(known, 's')}{attempts}"
    if job.attempts > 1 and job.finished_at is not None:  # with its time in the queue and between attempts
        return f"took at most {said((job.finished_at - job.created_at).total_seconds(), 's')}{attempts}"
    return ""


def seconds(job: JobRecord) -> float | None:
    """Of training and judging, over all attempts. None while it is not known."""
    kept = (job.result or {}).get("seconds")
    if isinstance(kept, int | float):
        return float(kept)
    if job.attempts == 1 and job.process_started_at is not None and job.finished_at is not None:
        return max(0.0, (job.finished_at - job.process_started_at).total_seconds())
    return None


def _data_words(config: dict[str, Any]) -> str:
    path = str(config.get("data", {}).get("path", ""))
    return f"the sample {path.removeprefix('sample:')}" if path.startswith("sample:") else path.rsplit("/", 1)[-1]


def draw_settings(job: JobRecord) -> None:
    """Its configuration as it ran, what of it was chosen for the reader, and the command that repeats it."""
    with st.expander("Settings, and what was chosen for you", icon=":material/tune:"):
        result = job.result or {}
        _draw_counts(result)
        choices = [one for one in result.get("choices", []) if isinstance(one, dict)]
        if choices:
            st.markdown("**Chosen for this device and this data**")
            rows = [{"Setting": one["key"], "Value": str(one["value"]), "Why": one["why"]} for one in choices]
            st.dataframe(rows, hide_index=True, alt="Settings that were chosen automatically, with reasons")
        st.markdown("**The configuration**")
        st.code(yaml_of(job), language="yaml", height=280)
        st.caption("Save it as run.yaml; this runs it again:")
        st.code(command_lines(finetune_yaml.FILE)["python"], language="bash", wrap_lines=True)


def yaml_of(job: JobRecord) -> str:
    """What was asked for, as a file that runs. Of a configuration of an older version, why it does not."""
    try:
        return finetune_yaml.yaml_of(parse_config(job.command.get("config", {}), job.title))
    except GroundworkError as error:
        return f"# {error}"


def _draw_counts(result: dict[str, Any]) -> None:
    rows, weights = result.get("rows") or {}, result.get("parameters") or {}
    told = []
    if rows:
        told.append(
            f"{count_of(rows['train'], 'row')} to train on, {rows['validation']:,} to choose the best checkpoint, "
            f"{rows['test']:,} to judge"
        )
    if weights:
        part = "" if weights["trained"] == weights["all"] else f", {digits(weights['trained'])} of them trained"
        told.append(f"{digits(weights['all'])} parameters{part}")
    if result.get("best_step") is not None:
        told.append(f"{int(result['step']):,} steps taken; the best, kept, was step {int(result['best_step']):,}")
    if told:
        st.markdown("\n".join(f"- {plain(one)}" for one in told))
