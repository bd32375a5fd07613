"""How attention is computed, as tables: the five-word example step by step, and one query of a real head key by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.interpret.steps import QuerySteps
from core.interpret.worked_example import Floats, Steps
from exports.cells import Cell

Row = dict[str, Cell]


def worked_rows(steps: Steps) -> list[Row]:
    """One row a number, in the order in which they come about: `value` is number so-and-so of `word`'s vector, or what
    `word` has for the word `read`. Empty after the mask: it may not be read."""
    rows: list[Row] = []
    tables = (("x", steps.vectors, steps.names), ("q", steps.queries, ()), ("k", steps.keys, ()))
    for step, table, names in (*tables, ("v", steps.values, steps.value_names)):
        rows += _vectors(step, table, steps.words, names)
    for step, table in (("score", steps.scores), ("scaled", steps.scaled), ("after mask", steps.masked)):
        rows += _pairs(step, table, steps.words)
    rows += _pairs("weight", steps.weights, steps.words)
    rows += _vectors("output", steps.outputs, steps.words, steps.value_names)
    return rows


def query_rows(steps: QuerySteps) -> list[Row]:
    """One row a key, in the order of the text. after_mask is empty where the key may not be read."""
    return [
        {
            "layer": steps.layer,
            "head": steps.head,
            "query": steps.position,
            "query_piece": steps.pieces[steps.position],
            "key": place,
            "key_piece": piece,
            "score": float(steps.scores[place]),
            "scaling": steps.scaling,
            "scaled": float(steps.scaled[place]),
            "allowed": bool(steps.allowed[place]),
            "after_mask": _finite(steps.masked[place]),
            "weight": float(steps.weights[place]),
            "weight_of_the_model": float(steps.model_weights[place]),
            "value_norm": float(steps.value_norms[place]),
            "weight_times_value_norm": float(steps.contribution[place]),
        }
        for place, piece in enumerate(steps.pieces)
    ]


def _vectors(step: str, table: Floats, words: Sequence[str], names: Sequence[str]) -> Iterator[Row]:
    for place, word in enumerate(words):
        for number, value in enumerate(table[place]):
            named: Row = {"number": number + 1, "name": names[number] if names else None}
            yield {"step": step, "position": place + 1, "word": word, **named, "value": float(value)}


def _pairs(step: str, table: Floats, words: Sequence[str]) -> Iterator[Row]:
    for place, word in enumerate(words):
        for other, read in enumerate(words):
            pair: Row = {"read_position": other + 1, "read": read}
            yield {"step": step, "position": place + 1, "word": word, **pair, "value": _finite(table[place, other])}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
