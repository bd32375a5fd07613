"""Layers: what the model would say if it stopped after each of them (the logit lens)."""

from __future__ import annotations

import streamlit as st

from core.interpret.lens import Lens, LensGrid, lens, lens_grid
from exports.cells import Cell, rows_csv
from pages.widgets.attention_layers_charts import grid_figure, rank_figure, row_name
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_view import View
from pages.widgets.chart_parts import TAKEN
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain, share

MOST_COLUMNS = 8  # places side by side: more have no room for their words on a phone
Row = dict[str, Cell]


def draw(view: View) -> None:
    """The rank of the token that is asked about, what moved it, and the grid around it."""
    if view.subject.causal and view.look.token == 0:
        st.info("The first token was given, not chosen: click a later one.", icon=":material/info:")
        return
    token = view.look.token
    found = view.find(f"lens {token}", lambda trace, progress: lens(trace, token))
    if found is None:
        return
    st.markdown(_told(found))
    st.plotly_chart(rank_figure(found), key="a_lens_rank", config=TAKEN)
    _draw_moves(found)
    places = _places(view)
    grid = view.find(f"lens-grid {places}", lambda trace, progress: lens_grid(trace, places, progress))
    if grid is None:
        return
    labels = [_label(view, place) for place in places]
    st.plotly_chart(grid_figure(grid, labels), key="a_lens_grid", config=TAKEN)
    with st.container(horizontal=True):
        csv_button("logit lens of one token", rows_csv(_rows(found)), label="The token (CSV)")
        csv_button("logit lens", rows_csv(_grid_rows(grid)), label="The grid (CSV)")
    st.caption(
        "The logit lens (nostalgebraist 2020) puts what leaves a layer through the final norm and the output head. "
        "Early layers were not trained to be read so: their words are hints, not thoughts."
    )


def _told(found: Lens) -> str:
    name = f"**{plain(piece_label(found.piece))}**"
    ends = share(float(found.probabilities[-1]))
    if found.settled >= len(found.ranks):
        return f"{name} never comes first: it ends as number {int(found.ranks[-1]):,} with {ends}."
    return f"{name} comes first for good after **{row_name(found.settled)}**, and ends with {ends}."


def _draw_moves(found: Lens) -> None:
    """What each layer promoted and demoted."""
    rows = [
        {
            "Layer": layer,
            "First choice after it": piece_label(found.top[layer + 1][0].piece),
            "Promoted": ", ".join(_moved(one.piece, one.change) for one in found.promoted[layer][:3]),
            "Demoted": ", ".join(_moved(one.piece, one.change) for one in found.demoted[layer][:3]),
        }
        for layer in range(len(found.promoted))
    ]
    with st.expander("What each layer promoted and demoted"):
        st.dataframe(rows, hide_index=True, height=320)


def _moved(piece: str, change: float) -> str:
    return f"{piece_label(piece)} {100 * change:+.1f}"


def _places(view: View) -> list[int]:
    """Up to MOST_COLUMNS places that end a little after the one that is asked about."""
    first = 1 if view.subject.causal else 0
    last = len(view.subject.ids) if view.subject.causal else len(view.subject.ids) - 1
    stop = min(view.look.token + MOST_COLUMNS // 3, last)
    return list(range(max(stop - MOST_COLUMNS + 1, first), stop + 1))


def _label(view: View, place: int) -> str:
    mark = "▸ " if place == view.look.token else ""
    return mark + (piece_label(view.subject.pieces[place], 9) if place < len(view.subject.ids) else "next token")


def _rows(found: Lens) -> list[Row]:
    return [
        {
            "after": row_name(row),
            "probability": float(found.probabilities[row]),
            "rank": int(found.ranks[row]),
            "first_choice": found.top[row][0].piece,
            "first_choice_probability": found.top[row][0].after,
        }
        for row in range(len(found.ranks))
    ]


def _grid_rows(grid: LensGrid) -> list[Row]:
    return [
        {
            "after": row_name(row),
            "position": place,
            "token": grid.pieces[row][column],
            "probability": float(grid.probabilities[row, column]),
            "rank_of_final_choice": int(grid.ranks[row, column]),
        }
        for row in range(grid.probabilities.shape[0])
        for column, place in enumerate(grid.positions)
    ]
