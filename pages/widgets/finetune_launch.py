"""The start: into the queue, and on to the run's own view. And the builder filled from a run or a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.models import catalogue
from core.models.cards import Task
from core.store.jobs import JobRepository
from core.training import queue
from core.training.place import RayPlace, ray_address, ray_place
from pages import state
from pages.services import Services
from pages.widgets import finetune_form
from pages.widgets.finetune_form import Asked
from pages.widgets.words import count_of

_HERE, _CLUSTER = "This machine", "Ray cluster"


def draw(shared: Services, asked: Asked, *, ready: bool, reasons: Sequence[str]) -> None:
    """ready: whether the rows are. reasons: why it cannot fit, after a try."""
    st.header("5 · Go", anchor="go")
    with st.container(border=True):
        finetune_form.draw(asked, "name", columns=2)
        where, fault = _where()
        active = [job for job in JobRepository(shared.db).list(limit=50, kind=queue.KIND) if job.state == "running"]
        ahead = 0 if where else len(active) + len(queue.waiting(shared.db))
        reasons = [] if where else reasons  # a try says what this machine can do
        for reason in reasons:
            st.error(reason, icon=":material/block:")
        missing = fault or _missing(asked, ready)
        if missing:
            st.caption(f":material/info: {missing}")
        starting = st.button(
            "Add to the queue" if ahead else "Start training",
            type="primary",
            icon=":material/playlist_add:" if ahead else ":material/rocket_launch:",
            disabled=bool(missing or reasons),
            key="start_training",
        )
        if ahead:
            st.caption(f"{count_of(ahead, 'run')} before it on this machine. It starts by itself when its turn comes.")
        else:
            st.caption("It runs in a process of its own: close this page when you like, it goes on.")
        if starting and asked.config is not None:
            _start(shared, asked, where)


def fill_from(values: Mapping[str, Any]) -> None:
    """Fill the builder from a run's configuration, and go there. For a callback."""
    state.finetune_draft(dict(values))
    state.show_run(None)


def begin_from(model_id: str) -> None:
    """Fill the builder with a base model, and the recipe that suits it. Raises ModelNotFound."""
    card = catalogue.get(model_id)
    recipe = {Task.TEXT_GENERATION: "causal", Task.FILL_MASK: "masked"}.get(card.task, "classification")
    state.choose_finetune_recipe(recipe)
    state.ensure_finetune(recipe, finetune_form.defaults(recipe))
    state.put_finetune(recipe, "model", card.id)


def _missing(asked: Asked, ready: bool) -> str:
    if asked.config is None:
        return "Correct the settings that are marked above."
    return "" if ready else "It needs data that can be learned from: see above."


def _where() -> tuple[RayPlace | None, str]:
    """(the cluster, or None for this machine; what is wrong with it). Asked only where a cluster is named."""
    if not ray_address():
        return None, ""
    left, right = st.columns(2)
    with left:
        chosen = st.segmented_control(
            "Where",
            [_HERE, _CLUSTER],
            default=_HERE,
            required=True,
            key="finetune_where",
            help="The Ray cluster that RAY_ADDRESS names. Its nodes share GROUNDWORK_HOME with this machine.",
        )
    if chosen != _CLUSTER:
        return None, ""
    with right:
        workers = st.number_input(
            "Workers",
            min_value=1,
            value=2,
            key="finetune_workers",
            help="Processes that train together, spread over the nodes. A batch is one worker's.",
        )
    try:
        return ray_place("", int(workers)), ""
    except GroundworkError as error:
        return None, str(error)


def _start(shared: Services, asked: Asked, where: RayPlace | None) -> None:
    assert asked.config is not None
    try:
        job = queue.submit(shared.db, asked.config, where=where)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return
    state.show_run(job.id)
    st.rerun(scope="app")
