"""How one head works out what one token reads: the same steps as on five words, with a real model's numbers.

The table and the picture hold the ten keys that are read most; the formulas follow the one that is read most of all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.interpret.steps import QuerySteps, is_root
from exports.attention_steps_csv import query_rows
from exports.cells import rows_csv
from pages.widgets import attention_formulas as tex
from pages.widgets.attention_steps_charts import MOST_KEYS, piece_label, weights_figure
from pages.widgets.chart_parts import CONFIG
from pages.widgets.formula_row import formula_row
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

PIECE, SCORE, SCALED, MASKED = "Token", "q·k", "÷ √dₖ", "After the mask"
LEFT, SIGNS = (r"\text{output}", "", ""), ("=", r"\quad +", r"\quad +")  # of a sum's first three lines
WEIGHT, OWN, CONTRIBUTION = "Weight", "The model's own", "Weight × ‖v‖"


def draw(steps: QuerySteps) -> None:
    """What came of it, its picture and table, every formula, and a CSV."""
    st.markdown(finding(steps))
    if not steps.textbook:
        st.warning(difference_note(steps), icon=":material/function:")
    st.plotly_chart(weights_figure(steps), key="a_steps_weights", config=CONFIG, alt="Weights of the query, by token")
    _table(steps)
    _formulas(steps)
    if steps.textbook:
        st.caption(f":material/check: {difference_note(steps)}")
    title = f"attention-steps-layer-{steps.layer}-head-{steps.head}-token-{steps.position}"
    csv_button(title, rows_csv(query_rows(steps)), label=f"All {count_of(len(steps.pieces), 'token')} (CSV)")


def finding(steps: QuerySteps) -> str:
    """Whom the token reads most, in a line of Markdown."""
    may, best = int(steps.allowed.sum()), steps.strongest
    told = (
        f"In layer {steps.layer}, head {steps.head}, **{_name(steps, steps.position)}** may read "
        f"{count_of(may, 'token')}, and reads **{_name(steps, best)}** most: {steps.weights[best]:.0%}."
    )
    loudest = int(steps.contribution.argmax())
    if loudest != best:
        told += f" Its output holds more of **{_name(steps, loudest)}**, whose value is larger (weight × ‖v‖)."
    return told


def difference_note(steps: QuerySteps) -> str:
    """How far the formula is from the model's own weights, and what that means."""
    if steps.textbook:
        return (
            "The formula gives the model's own weights: the largest difference is "
            f"{tex.figure(steps.difference) if steps.difference else 'none at all'}."
        )
    return (
        "**This model does more than the textbook formula:** its own weights differ by up to "
        f"{tex.figure(steps.difference)}. Such a model caps its scores, adds something to them for the distance, or "
        "lets a sink take part of the attention; half precision rounds, too. Below is the formula; diamonds and “The "
        "model's own” are what it really used."
    )


def rows(steps: QuerySteps) -> list[dict[str, Any]]:
    """Of the table: the keys that are read most; those that the mask closes come last."""
    return [
        {
            PIECE: piece_label(steps.pieces[place], 24),
            "Place": int(place),
            SCORE: float(steps.scores[place]),
            _scaled_name(steps): float(steps.scaled[place]),
            MASKED: f"{steps.masked[place]:.3f}".replace("-", "−") if steps.allowed[place] else "−∞",
            WEIGHT: float(steps.weights[place]),
            **({} if steps.textbook else {OWN: float(steps.model_weights[place])}),
            CONTRIBUTION: float(steps.contribution[place]),
        }
        for place in steps.order()[:MOST_KEYS]
    ]


def _table(steps: QuerySteps) -> None:
    column = st.column_config
    numbers = {name: column.NumberColumn(name, format="%.3f") for name in (SCORE, _scaled_name(steps), CONTRIBUTION)}
    weights = {name: column.NumberColumn(name, format="%.4f") for name in (WEIGHT, OWN)}
    st.dataframe(
        rows(steps),
        hide_index=True,
        column_config={
            PIECE: column.TextColumn(PIECE, pinned=True),  # the others scroll beside it on a phone
            MASKED: column.TextColumn(MASKED, alignment="right"),
            **numbers,
            **weights,
        },
        alt="The keys that are read most, step by step",
    )
    closed = int((~steps.allowed).sum())
    told = [f"The CSV has all {count_of(len(steps.pieces), 'token')}."] if len(steps.pieces) > MOST_KEYS else []
    if closed:
        told.append(f"The mask closes {count_of(closed, 'token')}: −∞ becomes a weight of 0.")
    if told:
        st.caption(" ".join(told))


def _formulas(steps: QuerySteps) -> None:
    """The five steps for the key that is read most."""
    best = steps.strongest
    me, key = tex.word(steps.pieces[steps.position]), tex.word(steps.pieces[best])
    score, scaled, length = steps.scores[best], steps.scaled[best], len(steps.query)
    formula_row(
        "1 · Query and key",
        f"The layer has made two lists of {length} numbers: what {_name(steps, steps.position)} looks for, and what "
        f"{_name(steps, best)} can be found by. The place of each token in the text is in them already.",
        r"q = x\,W_Q \qquad k = x\,W_K",
        tex.lines(
            [
                (rf"q_{{{me}}}", f"= {tex.vector(steps.query)}"),
                (rf"k_{{{key}}}", f"= {tex.vector(steps.strongest_key)}"),
            ]
        ),
    )
    formula_row(
        "2 · Compare them",
        f"Multiply number by number and add all {length} products up: the **dot product**.",
        r"\text{score} = q \cdot k",
        tex.lines(
            [
                (r"q \cdot k", f"= {tex.dot(steps.query[:2], steps.strongest_key[:2])}"),
                ("", rf"\quad + \dots + {tex.dot(steps.query[-1:], steps.strongest_key[-1:])}"),
                ("", rf"= \mathbf{{{tex.number(score)}}}"),
            ]
        ),
    )
    _draw_scale(steps, score, scaled)
    _draw_softmax(steps, best)
    _draw_sum(steps)


def _draw_scale(steps: QuerySteps, score: float, scaled: float) -> None:
    length = len(steps.query)
    result = rf"\mathbf{{{tex.number(scaled)}}}"
    if is_root(steps.scaling, length):
        told = f"Divide by the root of dₖ = {length}, so that scores stay small."
        formula = r"s = \frac{q \cdot k}{\sqrt{d_k}}"
        root = rf"\sqrt{{{length}}} = {tex.number(score)} / {tex.number(length**0.5)}"
        numbers = rf"\small {tex.number(score)} / {root} = {result}"
    else:
        told, formula = "This model multiplies by a number of its own instead of 1/√dₖ.", r"s = c \cdot (q \cdot k)"
        numbers = rf"\small {tex.number(steps.scaling)} \cdot {tex.factor(score)} = {result}"
    formula_row("3 · Scale", told, formula, numbers)


def _draw_softmax(steps: QuerySteps, best: int) -> None:
    scores = steps.masked
    largest, grown = float(scores.max()), tex.exponentials(scores)
    total, closed = tex.number(float(grown.sum())), int((~steps.allowed).sum())
    told = f"{count_of(closed, 'token')} may not be read: −∞ there. " if closed else "No token is masked here. "
    told += f"Raise e to the {count_of(len(scores) - closed, 'score')} left, and divide by their sum."
    if tex.shifted(largest):
        told += " The scores are large, so the largest is taken off first, which changes no share."
    formula_row(
        "4 · Mask and softmax",
        told,
        r"w_j = \frac{e^{m_j}}{\sum_t e^{m_t}}",
        rf"\small {tex.exponential(scores[best], largest)} / {total} = {tex.number(float(grown[best]))} / {total}"
        rf" = \mathbf{{{tex.number(steps.weights[best])}}}",
    )


def _draw_sum(steps: QuerySteps) -> None:
    first = [int(place) for place in steps.order()[:3] if steps.allowed[place]]
    parts = [rf"{tex.number(steps.weights[place])} \cdot v_{{{tex.word(steps.pieces[place])}}}" for place in first]
    formula_row(
        "5 · Weighted sum",
        "Add the values of all tokens up, each by its weight. This is what the head hands on.",
        r"\text{output} = \sum_j w_j\, v_j",
        tex.lines(
            [
                *((left, f"{sign} {part}") for left, sign, part in zip(LEFT, SIGNS, parts, strict=False)),
                *([("", r"\quad + \dots")] if int(steps.allowed.sum()) > len(first) else []),
                # Below the word at the left, so that it fits a phone.
                ("", rf"\hspace{{-2.5em}}= \mathbf{{{tex.vector(steps.output)}}}"),
                (r"\lVert\text{output}\rVert", f"= {tex.number(float(np.linalg.norm(steps.output)))}"),
            ]
        ),
    )


def _name(steps: QuerySteps, place: int) -> str:
    return f"{plain(piece_label(steps.pieces[place]))} ({place})"


def _scaled_name(steps: QuerySteps) -> str:
    return SCALED if is_root(steps.scaling, len(steps.query)) else f"× {tex.figure(steps.scaling)}"
