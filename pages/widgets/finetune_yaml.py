"""The configuration to take away: as YAML that runs, as command lines, and back in again."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.training.config import AnyConfig, to_yaml, values_of
from core.training.launchers import command_lines
from exports.filenames import safe_filename
from pages import state
from pages.widgets import finetune_form

FILE = "run.yaml"
_TOLD = {
    "python": "On this machine, in the queue of this page's runs:",
    "accelerate": "On several GPUs or processes, with accelerate:",
    "torchrun": "The same with torchrun:",
    "ray": "On a Ray cluster:",
}


def draw(config: AnyConfig | None) -> None:
    """All of it in one expander; without a configuration one can be loaded still."""
    title = "The same as YAML and on the command line" if config is not None else "Begin from a YAML file"
    with st.expander(title, icon=":material/terminal:"):
        if config is not None:
            _draw_yaml(config)
        st.file_uploader(
            "Load a YAML",
            type=["yaml", "yml"],
            max_upload_size=1,
            key=state.finetune_upload_key("yaml"),
            on_change=_load,
            help="Fills all inputs above, the recipe too.",
        )
        if fault := state.take_yaml_fault():
            st.error(fault, icon=":material/error:")


def yaml_of(config: AnyConfig) -> str:
    """With the line that runs it on top. What is null is chosen when it runs."""
    return to_yaml(config, f"A fine-tune of Groundwork. Run it:\n{command_lines(FILE)['python']}")


def _draw_yaml(config: AnyConfig) -> None:
    text = yaml_of(config)
    st.code(text, language="yaml", height=300)
    st.download_button(
        "Download YAML",
        text,
        safe_filename(config.name or f"{config.recipe}-run", "yaml"),
        "application/yaml",
        icon=":material/download:",
        on_click="ignore",
    )
    for name, line in command_lines(FILE).items():
        st.caption(_TOLD.get(name, f"{name}:"))
        st.code(line, language="bash", wrap_lines=True)


def _load() -> None:
    file = state.uploaded_file("yaml")
    if file is None:
        return
    try:
        finetune_form.check(values := values_of(file.getvalue(), file.name))
        state.finetune_draft(values)
    except GroundworkError as error:
        state.set_yaml_fault(str(error))
