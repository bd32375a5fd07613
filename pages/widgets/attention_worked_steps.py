"""The five-word example below each other, step by step, for the word that reads: formulas with its own numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.interpret.worked_example import Steps
from pages.widgets import attention_formulas as tex
from pages.widgets.attention_worked_charts import change_figure, weights_figure
from pages.widgets.chart_parts import CONFIG
from pages.widgets.formula_row import formula_row
from pages.widgets.words import plain

LEAST_WEIGHT = LEAST_CHANGE = 0.005  # that is told


def draw(steps: Steps, query: int) -> None:
    """query: which word reads, from 0."""
    for step in (_roles, _scores, _scaled, _masked, _weights, _sum):
        step(steps, query)


def finding(steps: Steps, query: int) -> str:
    """What came of it, in a line of Markdown: whom the word reads, and what that changes in it."""
    names = labels(steps.words)
    first, second = (int(place) for place in np.argsort(-steps.weights[query], kind="stable")[:2])
    reads = f"**{plain(names[query])}** reads **{plain(names[first])}** {steps.weights[query, first]:.0%}"
    if steps.weights[query, second] >= LEAST_WEIGHT:
        reads += f" and **{plain(names[second])}** {steps.weights[query, second]:.0%}"
    change = np.abs(steps.outputs[query] - steps.values[query])
    if change.max() < LEAST_CHANGE:
        return f"{reads}: its numbers stay as they are."
    told = [
        f"{plain(steps.value_names[place])} {tex.figure(steps.values[query, place])} → "
        f"**{tex.figure(steps.outputs[query, place])}**"
        for place in np.flatnonzero(change >= max(LEAST_CHANGE, 0.1 * change.max()))
    ]
    return f"{reads}. That changes {plain(names[query])}: {', '.join(told)}."


def labels(words: Sequence[str]) -> list[str]:
    """Words for a picture; one that comes twice has its place behind it."""
    return [f"{word} ({place + 1})" if words.count(word) > 1 else word for place, word in enumerate(words)]


def signs(words: Sequence[str]) -> list[str]:
    """The same in LaTeX."""
    return [tex.word(word) + (f"_{{{place + 1}}}" if words.count(word) > 1 else "") for place, word in enumerate(words)]


def _roles(steps: Steps, query: int) -> None:
    read = _second(steps, query)
    me, other = signs(steps.words)[query], signs(steps.words)[read]
    same = all(np.array_equal(table, steps.vectors) for table in (steps.queries, steps.keys, steps.values))
    formula_row(
        "1 · Every word gets a query, a key and a value",
        "The **query** is what a word looks for, the **key** what it can be found by, the **value** what it hands on. "
        "Each is the word's vector x times a matrix."
        + (" Here the matrices change nothing, so all three are x itself." if same else ""),
        r"q = x\,W_Q \quad k = x\,W_K \quad v = x\,W_V",
        tex.lines(
            (rf"{name}_{{{sign}}}", rf"= x_{{{sign}}}\,W_{role} = {tex.vector(table[place])}")
            for name, role, sign, place, table in (
                ("q", "Q", me, query, steps.queries),
                ("k", "K", other, read, steps.keys),
                ("v", "V", other, read, steps.values),
            )
        ),
    )


def _scores(steps: Steps, query: int) -> None:
    q, keys, scores = steps.queries[query], steps.keys, steps.scores[query]
    formula_row(
        "2 · Compare the query with every key",
        "Multiply number by number and add up: the **dot product**. It is large when both point the same way.",
        r"\text{score}_{ij} = q_i \cdot k_j",
        _each(
            steps,
            query,
            lambda me, key: rf"q_{{{me}}} \cdot k_{{{key}}}",
            lambda place: rf"{tex.dot(q, keys[place])} = \mathbf{{{tex.number(scores[place])}}}",
        ),
    )


def _scaled(steps: Steps, query: int) -> None:
    length, scores, scaled = steps.keys.shape[1], steps.scores[query], steps.scaled[query]
    if steps.scaling == 1:
        formula_row("3 · Scale (off)", "The scores stay as they are.", r"s_{ij} = q_i \cdot k_j")
        return
    root = tex.number(math.sqrt(length))
    formula_row(
        "3 · Scale",
        "The longer the vectors, the more products add up, and the larger the scores. Dividing by √dₖ, the root of the "
        f"{length} numbers in a key, keeps them small: softmax can then still share.",
        r"s_{ij} = \frac{q_i \cdot k_j}{\sqrt{d_k}}",
        _each(
            steps,
            query,
            lambda me, key: rf"s_{{{me},{key}}}",
            lambda place: (
                rf"{tex.number(scores[place])} / \sqrt{{{length}}} = {tex.number(scores[place])} / {root}"
                rf" = \mathbf{{{tex.number(scaled[place])}}}"
            ),
        ),
    )


def _masked(steps: Steps, query: int) -> None:
    masked = steps.masked[query]
    if steps.allowed.all():
        told = "Every word may read every other, as in an encoder such as BERT."
        formula_row("4 · Mask (off)", told, r"m_{ij} = s_{ij}")
        return
    formula_row(
        "4 · Mask",
        "A model that writes word by word cannot know what comes later. Scores of later words become −∞, which softmax "
        "turns into a weight of exactly 0.",
        r"m_{ij} = \begin{cases} s_{ij} & j \le i \\ -\infty & j > i \end{cases}",
        _each(
            steps,
            query,
            lambda me, key: rf"m_{{{me},{key}}}",
            lambda place: rf"\mathbf{{{tex.number(masked[place])}}}",
        ),
    )


def _weights(steps: Steps, query: int) -> None:
    scores, weights = steps.masked[query], steps.weights[query]
    largest, grown = float(scores.max()), tex.exponentials(scores)
    total = tex.number(float(grown.sum()))
    told = "Raise e to every score, then divide by the sum: all become shares, and together they are 100 %."
    if tex.shifted(largest):
        told += " Of large scores the largest is taken off first, which changes no share."
    formula_row(
        "5 · Softmax: scores become weights",
        told,
        r"w_{ij} = \frac{e^{m_{ij}}}{\sum_{t} e^{m_{it}}}",
        _each(
            steps,
            query,
            lambda me, key: rf"w_{{{me},{key}}}",
            lambda place: (
                rf"{tex.exponential(scores[place], largest)} / {total} = {tex.number(grown[place])} / {total}"
                rf" = \mathbf{{{tex.number(weights[place])}}}"
            ),
        ),
    )
    picture = weights_figure(steps, query, labels(steps.words))
    st.plotly_chart(picture, key="a_worked_weights", config=CONFIG, alt="Weights of every word for every word")


def _sum(steps: Steps, query: int) -> None:
    parts = zip(steps.weights[query], steps.values, signs(steps.words), strict=True)
    formula_row(
        "6 · Add the values up, each by its weight",
        "What the word takes in is a mix of what it read. A model adds it to the word's own vector, and the next layer "
        "begins again.",
        r"\text{output}_i = \sum_j w_{ij}\, v_j",
        tex.lines(
            [
                *(
                    (rf"{sign}:\;", rf"{'+' if place else tex.NO_PLUS} {tex.number(weight)} \cdot {tex.vector(value)}")
                    for place, (weight, value, sign) in enumerate(parts)
                ),
                ("", rf"= \mathbf{{{tex.vector(steps.outputs[query])}}}"),
            ]
        ),
    )
    picture = change_figure(steps, query, labels(steps.words))
    st.plotly_chart(picture, key="a_worked_change", config=CONFIG, alt="The word's value before, its output after")


def _each(steps: Steps, query: int, left: Callable[[str, str], str], right: Callable[[int], str]) -> str:
    """A line a word that is read. left: takes the LaTeX of the word that reads and of this one. right: its place."""
    named = signs(steps.words)
    return tex.lines((left(named[query], sign), f"= {right(place)}") for place, sign in enumerate(named))


def _second(steps: Steps, query: int) -> int:
    """The word that is read most beside itself."""
    others = [place for place in range(len(steps.words)) if place != query]
    return max(others, key=lambda place: float(steps.weights[query, place]))
