"""Fine-tune: from a file to a better model: choose, look, try, start, watch."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from pages import state
from pages.services import Services, services
from pages.widgets import (
    finetune_compare,
    finetune_data,
    finetune_estimate,
    finetune_form,
    finetune_launch,
    finetune_queue,
    finetune_recipe,
    finetune_run,
    finetune_settings,
    finetune_yaml,
)


def render() -> None:
    """The builder below the list of runs, or one run, or several side by side."""
    try:
        shared = services()
        state.arrives_at("finetune")
        if compared := state.compared_runs():
            finetune_compare.draw(shared, compared)
        elif run := state.shown_run():
            finetune_run.draw(shared, run)
        else:
            _draw_all(shared)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


def _draw_all(shared: Services) -> None:
    st.title("Fine-tune")
    st.caption("Can I make it mine? Choose a recipe, give it your data, see what it takes, and watch it learn.")
    _take_links()
    finetune_queue.draw(shared.db)
    _draw_builder(shared, chosen=bool(state.finetune_recipe()))


def _take_links() -> None:
    """A base model or a configuration that another page or a run led here with."""
    try:
        if base := state.take_finetune_base():
            finetune_launch.begin_from(base)
        if draft := state.take_finetune_draft():
            finetune_form.fill(draft)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


@st.fragment
def _draw_builder(shared: Services, *, chosen: bool) -> None:
    """Only this runs again when an input changes. chosen: whether a recipe was when the list above was drawn."""
    if state.finetune_draft_waits() or (state.finetune_recipe() and not chosen):
        st.rerun(scope="app")
    recipe = finetune_recipe.draw()
    try:
        if recipe:
            _draw_steps(shared, recipe)
        else:
            finetune_yaml.draw(None)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


def _draw_steps(shared: Services, recipe: str) -> None:
    asked = finetune_form.read(recipe)
    asked, reading = finetune_data.draw(asked)
    prepared = reading.prepared if reading else None
    finetune_settings.draw(asked, prepared)
    finetune_yaml.draw(asked.config)
    reasons = finetune_estimate.draw(shared.db, asked, ready=prepared is not None)
    finetune_launch.draw(shared, asked, ready=prepared is not None, reasons=reasons)
