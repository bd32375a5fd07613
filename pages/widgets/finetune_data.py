"""What it learns from: a sample set, an upload, a file of this machine; and what was found in it."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.training.data import spool
from core.training.data.samples import sample
from pages import state
from pages.widgets import finetune_cleaning, finetune_columns, finetune_form, finetune_preview, finetune_reading
from pages.widgets.finetune_fields import in_words
from pages.widgets.finetune_form import Asked
from pages.widgets.finetune_reading import Reading

UPLOAD_MB = 100
"""An upload sits in memory until it is on the disk; larger files are given by their path."""
WAYS = {"sample": "Sample set", "upload": "Upload", "path": "From this machine"}
TYPES = {"images": ["zip"], "gpt": ["txt", "md", "csv", "tsv", "jsonl", "json", "parquet"]}
TABLES = ["csv", "tsv", "jsonl", "json", "parquet", "txt", "md"]


def draw(asked: Asked) -> tuple[Asked, Reading | None]:
    """Inputs, then the rows. What is asked, with its choices once the rows are known; None while no file is named."""
    st.header("2 · From which data?", anchor="data")
    with st.container(border=True):
        _draw_source(asked)
        data = asked.data
        if data is None:
            st.error(in_words(str(asked.error)), icon=":material/error:")
            finetune_cleaning.draw_switches(asked)
            return asked, None
        if not data.path:
            return asked, None
        reading = finetune_reading.read(asked.recipe, data)
        if reading.table is not None:
            finetune_preview.draw_rows(reading.table)
            finetune_columns.draw(asked, reading.table, reading.prepared)
        elif reading.prepared is not None:
            finetune_preview.draw_pictures(data)
        if reading.error is not None:
            st.error(in_words(str(reading.error)), icon=":material/error:")
        if reading.prepared is not None:
            asked = finetune_reading.completed(asked, reading.prepared)
            finetune_preview.draw_record(asked, reading.prepared)
        finetune_cleaning.draw_switches(asked)
    return asked, reading


def _draw_source(asked: Asked) -> None:
    recipe = asked.recipe
    way = st.segmented_control(
        "Where it comes from",
        list(WAYS),
        format_func=WAYS.__getitem__,
        key=state.finetune_key(recipe, "way"),
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    if way == "sample":
        _draw_samples(recipe)
    elif way == "upload":
        _draw_upload(recipe)
    else:
        st.text_input(
            "File of this machine" if recipe != "images" else "Zip or folder of this machine",
            key=state.finetune_key(recipe, "typed"),
            persist_state="session",
            placeholder="/home/ada/data/tickets.csv" if recipe != "images" else "/home/ada/data/pictures",
            help="On the machine that Groundwork runs on. It is read, never changed.",
        )


def _draw_samples(recipe: str) -> None:
    sets = finetune_form.samples_of(recipe)
    titles = {one.name: one.title for one in sets}
    chosen = st.selectbox(
        "Sample set",
        list(titles),
        format_func=titles.__getitem__,
        key=state.finetune_key(recipe, "sample"),
        persist_state="session",
    )
    one = sample(chosen)
    st.caption(f"{one.told} {one.source} Licence: {one.licence}.")


def _draw_upload(recipe: str) -> None:
    """Spooled to the disk as soon as it is there."""
    kept = str(state.finetune_form(recipe).get("uploaded") or "")
    if kept:
        st.markdown(f":material/check_circle: `{kept.rsplit('/', 1)[-1]}` is on the disk.")
    st.file_uploader(
        "A zip with a folder of pictures for each class" if recipe == "images" else "A file with the rows",
        type=TYPES.get(recipe, TABLES),
        max_upload_size=UPLOAD_MB,
        key=state.finetune_upload_key(recipe),
        on_change=_keep_upload,
        args=(recipe,),
        help=f"Up to {UPLOAD_MB} MB. Larger files: put them on the machine and give their path.",
    )
    if fault := state.take_upload_fault():
        st.error(fault, icon=":material/error:")


def _keep_upload(recipe: str) -> None:
    file = state.uploaded_file(recipe)
    if file is None:
        return
    try:
        spool.sweep()
        state.put_finetune(recipe, "uploaded", str(spool.receive(file.name, file)))
    except GroundworkError as error:
        state.set_upload_fault(str(error))
