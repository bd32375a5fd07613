"""What a model that predicts a number is for: one row by hand, and how each feature moves it; or a whole table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from core.models.cards import ModelCard
from core.onnx.exports import find_export
from core.onnx.network import NumberPredictor
from core.settings import get_settings
from core.training.predictions import PredictedTable, predict_upload
from exports.cells import csv_bytes
from exports.predictions_csv import predictions_csv
from pages.widgets import network_charts
from pages.widgets.encoder_charts import CONFIG
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

KINDS = ["csv", "tsv", "jsonl", "json", "parquet"]
UPLOAD_MB = 200
MOST_FIELDS = 60  # features of a form; tables with more come as files
POINTS = 101  # of the line along a feature
ROWS_SHOWN = 1_000
ONE, MANY = "One row", "A table"


def draw(card: ModelCard, precision: str, device: str) -> None:
    """The panel: a form with a field for each feature, or a file."""
    try:
        export = find_export(card, precision, device)
        if export is None:
            return
        digest = export.sha256.get("model.onnx", "")
        predictor = _load(str(export.path), digest, device)
        ways = [ONE, MANY] if len(predictor.shape.features) <= MOST_FIELDS else [MANY]
        way = st.segmented_control(
            "What to predict", ways, default=ways[0], required=True, key=f"way_{card.id}", persist_state="session"
        )
        if way == ONE:
            _draw_one(card, predictor)
        else:
            _draw_table(card, predictor, digest)
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def _load(path: str, digest: str, device: str) -> NumberPredictor:
    """digest: a model that was exported anew is loaded anew."""
    return NumberPredictor(Path(path), device=device, threads=get_settings().threads)


def _draw_one(card: ModelCard, predictor: NumberPredictor) -> None:
    shape = predictor.shape
    row = _form(card, predictor)
    [value] = predictor.predict([row]).tolist()
    [usual] = predictor.predict([_defaults(predictor)]).tolist()
    st.metric(
        f"Predicted {plain(shape.target)}",
        _number(value),
        delta=f"{_number(value - usual, sign=True)} to the mean row" if value != usual else None,
        delta_color="off",
        help="The mean row has the mean of every feature in what the model learned from.",
    )
    if outside := predictor.outside(row):
        st.caption(
            f":material/warning: Outside of what it learned from, so it guesses on: {', '.join(map(plain, outside))}."
        )
    feature = st.selectbox(
        "See it along", shape.features, key=f"along_{card.id}", help="The other features stay as you set them."
    )
    place = shape.features.index(feature)
    values = np.linspace(shape.lowest[place], shape.highest[place], POINTS)
    rows = np.tile(np.array(row), (POINTS, 1))
    rows[:, place] = values
    predicted = predictor.predict(rows).tolist()
    st.plotly_chart(
        network_charts.along_feature(feature, values.tolist(), predicted, shape.target, (row[place], value)),
        key="along_feature",
        config=CONFIG,
    )
    st.caption(f"{card.id} · ONNX Runtime")
    header = (*shape.features, f"predicted {shape.target}")
    csv_button(
        f"{card.id}-along-{feature}",
        csv_bytes(header, [(*r, p) for r, p in zip(rows.tolist(), predicted, strict=True)]),
    )


def _form(card: ModelCard, predictor: NumberPredictor) -> list[float]:
    """A value for each feature, the mean of what was learned from until it is changed."""
    shape = predictor.shape
    columns = st.columns(3)
    defaults = _defaults(predictor)
    found = []
    for place, name in enumerate(shape.features):
        low, high = shape.lowest[place], shape.highest[place]
        with columns[place % 3]:
            found.append(
                float(
                    st.number_input(
                        plain(name),
                        value=defaults[place],
                        step=_step(high - low),
                        format="%.6g",
                        key=f"feature_{card.id}_{card.revision[:8]}_{place}",
                        help=f"It learned from {low:.6g} to {high:.6g}.",
                        persist_state="session",
                    )
                )
            )
    return found


def _draw_table(card: ModelCard, predictor: NumberPredictor, digest: str) -> None:
    names = ", ".join(f"`{name}`" for name in predictor.shape.features[:12])
    more = " …" if len(predictor.shape.features) > 12 else ""
    st.caption(f"A table with these columns: {names}{more}. Others are left as they are.")
    st.download_button(
        "A table to fill in",
        csv_bytes(predictor.shape.features, [predictor.shape.typical]),
        f"{card.id}-features.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
    file = st.file_uploader("Table", type=KINDS, max_upload_size=UPLOAD_MB, key=f"table_{card.id}")
    if file is None:
        return
    found = _predicted(str(file.file_id), digest, predictor, file.name, file.getvalue())
    for told in found.told:
        st.caption(f":material/info: {plain(told)}")
    st.dataframe(
        _shown(found),
        hide_index=True,
        column_config={_column(found): st.column_config.NumberColumn(format="%.6g")},
        alt="The table with its predictions",
    )
    more = f", the first {ROWS_SHOWN:,} are shown" if len(found.rows) > ROWS_SHOWN else ""
    st.caption(f"{count_of(len(found.rows), 'row')}{more} · {card.id} · ONNX Runtime")
    csv_button(f"{card.id}-predictions", predictions_csv(found))


@st.cache_data(max_entries=4, show_spinner="Predicting")
def _predicted(file_id: str, digest: str, _predictor: NumberPredictor, name: str, _content: bytes) -> PredictedTable:
    """file_id: of the upload. digest: of the model."""
    return predict_upload(_predictor, name, _content)


def _shown(found: PredictedTable) -> pd.DataFrame:
    """The prediction first: a narrow screen shows the first columns."""
    frame = found.frame.head(ROWS_SHOWN).copy()
    frame.insert(0, _column(found), list(found.predicted[:ROWS_SHOWN]), allow_duplicates=False)
    return frame


def _column(found: PredictedTable) -> str:
    name = f"predicted {found.target}"
    while name in found.frame.columns:
        name += " "
    return name


def _defaults(predictor: NumberPredictor) -> list[float]:
    """The mean row, to a thousandth of each range: a mean has no more digits than it deserves."""
    shape = predictor.shape
    bounds = zip(shape.typical, shape.lowest, shape.highest, strict=True)
    return [float(f"{value:.{_digits(high - low)}f}") for value, low, high in bounds]


def _step(width: float) -> float:
    return 10.0 ** -max(0, _digits(width) - 1) if width else 1.0


def _digits(width: float) -> int:
    """Places after the point that tell a thousandth of `width`."""
    return max(0, 3 - int(np.floor(np.log10(width)))) if width > 0 else 3


def _number(value: float, *, sign: bool = False) -> str:
    """Five digits, with commas."""
    places = max(0, 4 - int(np.floor(np.log10(abs(value))))) if value else 0
    return f"{value:{'+' if sign else ''},.{min(places, 8)}f}"
