"""The rows behind the builder: read, prepared and counted once for each file and configuration.

The frames are shared and never changed. A fault is kept like a result, so that a bad file is not read at every click.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from core.errors import GroundworkError
from core.models import catalogue
from core.training.config import AnyConfig, parse_config
from core.training.data.lengths import LengthReport, length_report, token_lengths
from core.training.data.prepare import prepare
from core.training.data.prepared import PreparedData
from core.training.data.read import Table, read_table
from core.training.data.source import SAMPLE, source_of
from core.training.data_config import DataConfig
from core.training.defaults import Facts, complete
from core.training.device import has_bf16, training_device
from core.training.facts import facts_of, texts_of
from pages.widgets.finetune_form import Asked

Stamp = tuple[tuple[str, int, int], ...]
COUNTED_ROWS = 5_000
THUMBNAIL = 72  # pixels


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of the data. table: as it is in the file, None for images; error: why there are no rows."""

    table: Table | None = None
    prepared: PreparedData | None = None
    error: GroundworkError | None = None


def read(recipe: str, data: DataConfig) -> Reading:
    """Says what it does while it takes long."""
    try:
        with st.spinner("Making the sample set ready" if data.path.startswith(SAMPLE) else "Looking for the file"):
            stamp = _stamp(data)
    except GroundworkError as error:
        return Reading(error=error)
    table: Table | None = None
    if recipe != "images":
        found = _table(stamp)
        if isinstance(found, GroundworkError):
            return Reading(error=found)
        table = found
    prepared = _prepared(recipe, data.model_dump_json(), stamp)
    if isinstance(prepared, GroundworkError):
        return Reading(table, error=prepared)
    return Reading(table, prepared)


def facts(config: AnyConfig, prepared: PreparedData) -> Facts:
    """What the defaults want to know. Tokens are counted once the base model is unpacked, which takes half a minute."""
    if not _counts_tokens(config):
        device = training_device()
        return Facts(rows=len(prepared.train), bf16=has_bf16(device))
    alone = config.model_copy(update={"training": type(config.training)()})
    return _facts(alone.model_dump_json(), _stamp(config.data))


def completed(asked: Asked, prepared: PreparedData) -> Asked:
    """What is asked, with what is chosen for what was left open; as it was while it has faults."""
    if asked.config is None:
        return asked
    return replace(asked, choices=complete(asked.config, training_device(), facts(asked.config, prepared))[1])


def lengths(config: AnyConfig, prepared: PreparedData, max_tokens: int | None) -> LengthReport | None:
    """Tokens of the first rows to learn from, and what the bound would cut; None while they cannot be counted."""
    if not _counts_tokens(config):
        return None
    counted = _tokens(config.recipe, config.data.model_dump_json(), _model(config), _stamp(config.data))
    return length_report(counted, max_tokens) if len(counted) else None


def _model(config: AnyConfig) -> str:
    return str(getattr(config, "model", ""))


def _counts_tokens(config: AnyConfig) -> bool:
    """Whether rows are texts of a model whose tokenizer is at hand."""
    if config.recipe == "masked" and getattr(config, "network", None) is not None:
        return False
    try:
        return bool(_model(config)) and catalogue.is_prepared(_model(config))
    except GroundworkError:
        return False


def _stamp(data: DataConfig) -> Stamp:
    """Which files, as they are now. Raises InvalidInput for one that is not there."""
    place = source_of(data)
    return tuple(_of(path) for path in (place.path, place.judges) if path is not None)


def _of(path: Path) -> tuple[str, int, int]:
    looked = [path, *(child for child in path.iterdir() if child.is_dir())] if path.is_dir() else [path]
    found = [one.stat() for one in looked]
    return str(path), max(one.st_mtime_ns for one in found), sum(one.st_size for one in found)


@st.cache_resource(max_entries=3, show_spinner="Reading the file")
def _table(stamp: Stamp) -> Table | GroundworkError:
    try:
        return read_table(Path(stamp[0][0]))
    except GroundworkError as error:
        return error


@st.cache_resource(max_entries=4, show_spinner="Checking the rows: faults, duplicates, personal data, the split")
def _prepared(recipe: str, data: str, stamp: Stamp) -> PreparedData | GroundworkError:
    try:
        return prepare(recipe, DataConfig.model_validate_json(data), None)
    except GroundworkError as error:
        return error


@st.cache_data(max_entries=32, show_spinner="Counting the tokens")
def _facts(config: str, stamp: Stamp) -> Facts:
    import json

    asked = parse_config(json.loads(config))
    prepared = _prepared(asked.recipe, asked.data.model_dump_json(), stamp)
    assert isinstance(prepared, PreparedData)  # `facts` is asked of rows that are there
    return facts_of(asked, prepared, training_device())


@st.cache_data(max_entries=8, show_spinner="Counting the tokens")
def _tokens(recipe: str, data: str, model: str, stamp: Stamp):  # type: ignore[no-untyped-def]  # numpy, counted in core
    prepared = _prepared(recipe, data, stamp)
    assert isinstance(prepared, PreparedData)
    return token_lengths(texts_of(prepared.train.head(COUNTED_ROWS)), catalogue.folder(model))


@st.cache_data(max_entries=16, show_spinner="Opening the pictures")
def thumbnails(recipe: str, data: str, stamp: Stamp, most: int) -> list[tuple[bytes, str]]:
    """(PNG, label) of the first picture of each class."""
    prepared = _prepared(recipe, data, stamp)
    if isinstance(prepared, GroundworkError) or prepared.folder is None:
        return []
    first = prepared.train.groupby("label", sort=False).head(max(1, most // max(1, len(prepared.labels)))).head(most)
    return [(_thumbnail(prepared.folder / row.image), str(row.label)) for row in first.itertuples()]


def pictures(data: DataConfig, most: int = 20) -> list[tuple[bytes, str]]:
    """The same, of the file as it is now."""
    return thumbnails("images", data.model_dump_json(), _stamp(data), most)


def _thumbnail(path: Path) -> bytes:
    """Small pictures keep their pixels, large ones are brought down."""
    from PIL import Image

    with Image.open(path) as opened:
        picture = opened.convert("RGB")
        near = max(picture.size) < THUMBNAIL
        scale = THUMBNAIL / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        buffer = io.BytesIO()
        picture.resize(size, Image.Resampling.NEAREST if near else Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()
