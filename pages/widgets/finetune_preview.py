"""The rows as they are in the file, and what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.training.data.chats import BadChat, read_chat
from core.training.data.numbers import as_numbers, is_numeric
from core.training.data.prepared import DataRecord, Finding, PreparedData
from core.training.data.read import Table
from core.training.data_config import DataConfig
from exports.training_csv import findings_csv
from pages.widgets import finetune_cleaning, finetune_reading
from pages.widgets.chart_parts import CONFIG
from pages.widgets.finetune_data_charts import labels_figure, lengths_figure
from pages.widgets.finetune_fields import in_words
from pages.widgets.finetune_form import Asked
from pages.widgets.take_away import csv_button
from pages.widgets.words import cut, plain

FIRST_ROWS = 5
LONGEST_CELL = 300
SHOWN_FINDINGS = 5
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}
_WORDS = {"chat": "chats", "text": "texts", "labelled": "texts", "images": "pictures", "numbers": "rows"}


def draw_rows(table: Table) -> None:
    """The first of them, each under its number in the file."""
    head = table.frame.head(FIRST_ROWS)
    shown: dict[str, list[Any]] = {"row": [int(index) + 1 for index in head.index]}
    for name in head.columns:
        numbers = is_numeric(head[name])
        shown[str(name)] = list(as_numbers(head[name])) if numbers else [_cell(value) for value in head[name]]
    small = {"row": st.column_config.NumberColumn("Row", width="small")}
    st.dataframe(shown, hide_index=True, column_config=small, alt="The first rows of the file")
    st.caption(f"The first {len(head)} of {len(table.frame):,} rows.")


def draw_pictures(data: DataConfig) -> None:
    """The first of each class."""
    found = finetune_reading.pictures(data)
    st.image(
        [picture for picture, _ in found],
        caption=[cut(label, 14) for _, label in found],
        width=finetune_reading.THUMBNAIL,
        alt=[f"A picture of {label}" for _, label in found],
    )


def draw_record(asked: Asked, data: PreparedData) -> None:
    """What it comes to, what to know of it, what is personal in it, and how long and how even it is."""
    record, words = data.record, _WORDS[data.kind]
    st.markdown(
        f"**{record.train:,}** {words} to learn from · **{record.validation:,}** choose the best checkpoint · "
        f"**{record.test:,}** judge it at the end"
    )
    _draw_findings(record)
    finetune_cleaning.draw_privacy(asked, data)
    _draw_pictures(asked, record, data)
    with st.expander(f"From {record.rows:,} rows to {_left(record):,}: step by step"):
        finetune_cleaning.draw_steps(data)


def _draw_findings(record: DataRecord) -> None:
    order = {"error": 0, "warning": 1, "note": 2}
    found = sorted(record.findings, key=lambda one: order[one.severity])
    if not found:
        st.caption(":material/check_circle: No faults were found in the rows.")
        return
    with st.container(gap="xsmall"):
        for one in found[:SHOWN_FINDINGS]:
            _draw_finding(one)
    if more := found[SHOWN_FINDINGS:]:
        with st.expander(f"{len(more)} more"):
            for one in more:
                _draw_finding(one)
    csv_button(f"{record.source.removeprefix('sample:')}-findings", findings_csv(record), label="Findings as CSV")


def _draw_finding(one: Finding) -> None:
    colour = {"error": "red", "warning": "orange", "note": "gray"}[one.severity]
    step = f" :gray[{plain(in_words(one.next_step))}]" if one.next_step else ""
    st.markdown(f":{colour}[{ICONS[one.severity]}] {plain(in_words(one.told))}{step}")


def _draw_pictures(asked: Asked, record: DataRecord, data: PreparedData) -> None:
    figures: list[tuple[str, Any]] = []
    bound = _bound(asked)
    report = finetune_reading.lengths(asked.config, data, bound) if asked.config is not None else None
    if report is not None:
        figures.append(("lengths", lengths_figure(report, least=len(data.train))))
    if len(record.labels) > 1:
        figures.append(("labels", labels_figure(record.labels)))
    for column, (name, figure) in zip(st.columns(max(1, len(figures))), figures, strict=False):
        with column:
            st.plotly_chart(figure, key=f"data_{name}", config=CONFIG)
    if report is None and record.lengths and asked.values.get("model"):
        st.caption(
            f"Half of the texts have up to {record.lengths[3]:,.0f} characters, one in twenty more than "
            f"{record.lengths[5]:,.0f}. Their tokens are counted once the base model is unpacked: a try below does it."
        )


def _bound(asked: Asked) -> int | None:
    """Tokens at which rows are cut: as asked, or as chosen."""
    asked_for = asked.values.get("max_tokens")
    chosen: Sequence[Any] = [choice.value for choice in asked.choices if choice.key == "max_tokens"]
    return int(asked_for) if asked_for else int(chosen[0]) if chosen else None


def _left(record: DataRecord) -> int:
    return record.train + record.validation + record.test


def _cell(value: Any) -> str:
    """A cell as text that is not endless; of a chat, who says what."""
    try:
        value = "   ".join(f"{turn['role']}: {turn['content']}" for turn in read_chat(value))
    except BadChat:
        value = "" if value is None or value != value else str(value)
    return cut(value, LONGEST_CELL)
