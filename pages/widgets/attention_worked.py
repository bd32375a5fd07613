"""Attention on five words, to be edited: every number on the way from a word's vector to what it takes in.

What was typed stays in the table, whatever is wrong with it; an edit is worked out anew at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.errors import InvalidInput
from core.interpret.worked_example import DEFAULT, WORDS, Matrix, Steps, WorkedExample, identity, work
from exports.attention_steps_csv import worked_rows
from exports.cells import rows_csv
from pages import state
from pages.widgets import attention_worked_steps
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

WORD, NUMBERS = "word", ("a", "b", "c", "d")  # columns
MATRICES = ("W_Q", "W_K", "W_V")
FIRST_QUERY = 1  # bank
LONGEST = 24  # characters of a word or a name
Rows = Sequence[Mapping[str, Any]]


@st.fragment
def draw() -> None:
    """The table, its switches, what came of it, and every step."""
    st.markdown(
        "Attention lets a word take in what its neighbours mean. **bank** could be about money or about water: watch "
        "its numbers change as it reads **river**. Change any word or number, and every step follows."
    )
    table, switches, found, more = (st.container() for _ in range(4))
    with more:
        names, matrices = _more()
    with table:
        rows = _table(names)
    with switches:
        query, scale, causal = _switches(rows)
    try:
        steps = work(example_of(rows, names, matrices, scale=scale, causal=causal))
    except InvalidInput as error:
        with table:
            st.error(plain(str(error)), icon=":material/error:")
        return
    with found:
        st.info(attention_worked_steps.finding(steps, query), icon=":material/visibility:")
    attention_worked_steps.draw(steps, query)
    _take_away(steps)


def example_of(
    rows: Rows, names: Sequence[str], matrices: Sequence[Rows], *, scale: bool, causal: bool
) -> WorkedExample:
    """What the tables hold. A column that is empty for every word is left out. Raises InvalidInput."""
    used = [column for column in NUMBERS if any(not math.isnan(_number(row.get(column))) for row in rows)]
    return WorkedExample(
        words=tuple(str(row.get(WORD) or "").strip() for row in rows),
        vectors=_matrix(rows, used),
        names=tuple(names[NUMBERS.index(column)].strip() or f"number {column}" for column in used),
        **{
            name.lower(): _matrix([row for row, column in zip(matrix, NUMBERS, strict=True) if column in used], used)
            for name, matrix in zip(MATRICES, matrices, strict=True)
        },
        scale=scale,
        causal=causal,
    )


def _table(names: Sequence[str]) -> Rows:
    column = st.column_config
    numbers = {
        key: column.NumberColumn(name.strip() or f"number {key}", format="%.6g")
        for key, name in zip(NUMBERS, names, strict=True)
    }
    rows: Rows = st.data_editor(
        [
            {WORD: word, **dict(zip(NUMBERS, vector, strict=True))}
            for word, vector in zip(DEFAULT.words, DEFAULT.vectors, strict=True)
        ],
        key=state.figures_key("a_worked_words"),
        hide_index=True,
        column_config={WORD: column.TextColumn("Word", max_chars=LONGEST), **numbers},
        placeholder="",
        alt="Five words with their numbers, to be edited",
    )
    return rows


def _switches(rows: Rows) -> tuple[int, bool, bool]:
    """(the word that reads, scale, causal)."""
    st.caption("Click a cell and type. A column that you empty altogether is left out.")
    places = list(range(WORDS))
    query = st.radio(
        "Which word reads?",
        places,
        index=FIRST_QUERY,
        # Names of their own, so that the choice outlives a change of the words.
        format_func=lambda place: f"Word {place + 1}",
        captions=[plain(str(row.get(WORD) or "").strip()) or "(empty)" for row in rows],
        horizontal=True,
        key="a_worked_query",
        persist_state="session",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        scale = st.toggle("Scale by √dₖ", value=True, key="a_worked_scale", persist_state="session")
        causal = st.toggle(
            "Causal mask (no token reads ahead)", value=False, key="a_worked_causal", persist_state="session"
        )
        st.button("Reset words and numbers", icon=":material/undo:", key="a_worked_reset", on_click=_reset)
    return query, scale, causal


def _more() -> tuple[list[str], list[Rows]]:
    """(names of the numbers, the three matrices)."""
    with st.expander("More: name the numbers, change W_Q, W_K and W_V"):
        st.markdown("What the numbers of a word stand for:")
        names = [
            cell.text_input(
                f"Number {place + 1}",
                value=DEFAULT.names[place],
                max_chars=LONGEST,
                key=state.figures_key(f"a_worked_name_{place}"),
            )
            for place, cell in enumerate(st.columns(len(NUMBERS)))
        ]
        st.markdown(
            "A real model learns three matrices. With 1 on the diagonal and 0 elsewhere they change nothing, and alike "
            "words read each other. A row is a number of the word, a column one of its query, key or value."
        )
        matrices = [_matrix_table(tab, name, names) for tab, name in zip(st.tabs(MATRICES), MATRICES, strict=True)]
    return names, matrices


def _matrix_table(tab: Any, name: str, names: Sequence[str]) -> Rows:
    column, letter = st.column_config, name[-1].lower()
    with tab:
        rows: Rows = st.data_editor(
            [
                {"from": label or f"number {key}", **dict(zip(NUMBERS, row, strict=True))}
                for key, label, row in zip(NUMBERS, names, identity(len(NUMBERS)), strict=True)
            ],
            key=state.figures_key(f"a_worked_{name}"),
            hide_index=True,
            column_config={
                "from": column.TextColumn("Number of the word", disabled=True),
                **{key: column.NumberColumn(f"{letter} {place + 1}") for place, key in enumerate(NUMBERS)},
            },
            placeholder="",
            alt=f"{name}, to be edited",
        )
    return rows


def _reset() -> None:
    """The tables and the names; the switches are one click each."""
    for name in ("words", *MATRICES, *(f"name_{place}" for place in range(len(NUMBERS)))):
        state.renew_figures(f"a_worked_{name}")


def _take_away(steps: Steps) -> None:
    csv_button("attention-worked-example", rows_csv(worked_rows(steps)), label="Every number of every step (CSV)")


def _matrix(rows: Rows, columns: Sequence[str]) -> Matrix:
    return tuple(tuple(_number(row.get(column)) for column in columns) for row in rows)


def _number(cell: Any) -> float:
    """NaN for an empty cell."""
    return math.nan if cell is None else float(cell)
