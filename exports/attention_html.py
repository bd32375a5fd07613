"""What was looked at on the Attention page, as one HTML file that needs nothing else: no script, no network.

Light and dark, fit to be printed; the pictures stand in it as SVG and PNG. Every word of it is escaped, and a content
policy forbids the browser to load or to run anything all the same.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.interpret.maps import AttentionMap
from core.interpret.subject import Subject
from exports.attention_colours import clean
from exports.attention_labels import escaped, label, running
from exports.attention_origin import NOT_EXPLANATION, Origin, facts, made
from exports.attention_png import overview_png
from exports.attention_svg import lines_svg, map_svg
from exports.cells import Cell
from exports.svg_sheet import inline

if TYPE_CHECKING:  # it loads torch, which a file of numbers has no need of
    from core.interpret.overview import Overview

_STYLE = Path(__file__).with_name("attention.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_MAP_WORDS = "A row reads the columns; the colour follows the root of the weight."
_MOST_PAIRS = 20  # of a picture, in its table
_HEAD_COLUMNS = (
    "Layer",
    "Head",
    "Reads mostly",
    "First token",
    "Token before",
    "Itself",
    "Entropy, bits",
    "Distance, tokens",
)


@dataclass(frozen=True, slots=True)
class Section:
    """What another method found, as a table. told: what it is, in a sentence or two; columns: a name each; rows: a
    value a column, numbers right-aligned."""

    title: str
    told: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


def attention_html(
    subject: Subject,
    origin: Origin,
    overview: Overview | None,
    pictures: Sequence[AttentionMap],
    *,
    threshold: float = 0.02,
    sections: Sequence[Section] = (),
) -> str:
    """threshold: the weight from which lines are drawn. Pictures of one layer that follow each other share a drawing of
    lines. Encode it as UTF-8."""
    heading = f"Attention: {origin.title}" if origin.title else "Attention"
    parts = [
        f"<h1>{escaped(heading)}</h1>",
        f'<p class="answer">{escaped(_told(subject, overview, pictures))}</p>',
        f'<p class="caution">{escaped(NOT_EXPLANATION)}</p>',
        _section("The text, token by token", _tokens(subject)),
        _section("All heads", _overview(overview) if overview else ""),
        *_pictures(pictures, origin, threshold),
        *(_section(one.title, f"<p>{escaped(one.told)}</p>{_table(one.columns, one.rows)}") for one in sections),
        _section("Where this is from", _origin(origin)),
    ]
    return _page(heading, parts, origin)


def _page(heading: str, parts: Sequence[str], origin: Origin) -> str:
    style = _STYLE.read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escaped(heading)}</title>'
        f"<style>\n{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(part for part in parts if part)}\n</main>\n"
        f"<footer>{escaped(made(origin))}. {escaped(NOT_EXPLANATION)}</footer></body></html>\n"
    )


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{escaped(heading)}</h2>{content}</section>" if content else ""


def _told(subject: Subject, overview: Overview | None, pictures: Sequence[AttentionMap]) -> str:
    """In a sentence: what read what, and what is shown of it."""
    tokens = len(subject.ids)
    own = "" if subject.answer_start is None else f", {tokens - subject.answer_start:,} of them its own answer"
    shown = [one.title for one in pictures]
    if overview is not None:
        shown.insert(0, f"all {overview.tiles.shape[0] * overview.tiles.shape[1]:,} heads at a glance")
    what = f" Shown: {'; '.join(shown)}." if shown else ""
    return f"What {subject.model_id} attends to in {tokens:,} token{'' if tokens == 1 else 's'}{own}.{what}"


def _tokens(subject: Subject) -> str:
    start = subject.answer_start
    marked = "".join(
        f'<span{_class(special, start is not None and place >= start)} title="token {place}, id {id_}">'
        f"{escaped(running(piece))}</span>"
        for place, (piece, id_, special) in enumerate(zip(subject.pieces, subject.ids, subject.special, strict=True))
    )
    words = "" if start is None else " What is underlined, the model wrote itself."
    return (
        f'<div class="tokens" dir="auto" {_box("The text")}>{marked}</div>'
        f'<p class="quiet">Point at a token for its position and id.{words}</p>'
    )


def _class(special: bool, own: bool) -> str:
    names = [name for name, is_so in (("special", special), ("own", own)) if is_so]
    return f' class="{" ".join(names)}"' if names else ""


def _overview(overview: Overview) -> str:
    layers, heads = overview.tiles.shape[:2]
    cells = [(layer, head) for layer in range(layers) for head in range(heads)]
    kinds = Counter(overview.kind(*cell) for cell in cells)
    counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    figures = (
        overview.first_token,
        overview.previous_token,
        overview.own_token,
        overview.entropy,
        overview.distance,
    )
    rows: Iterator[list[Cell]] = (
        [*cell, overview.kind(*cell), *(float(figure[cell]) for figure in figures)] for cell in cells
    )
    data = base64.b64encode(overview_png(overview)).decode()
    words = f"{layers} layers of {heads} heads, layers down, heads across; darker is more."
    picture = f'<img src="data:image/png;base64,{data}" alt="{escaped(words)}">'
    return (
        f'<figure><div class="paper" {_box("All heads")}>{picture}</div></figure>'
        f"<p>Heads by what they mostly read on this text: {escaped(counted)}.</p>"
        f"<details><summary>The {len(cells):,} heads in figures</summary>{_table(_HEAD_COLUMNS, rows)}"
        '<p class="quiet">First token, token before, itself: mean weight on it.</p></details>'
    )


def _pictures(pictures: Sequence[AttentionMap], origin: Origin, threshold: float) -> list[str]:
    """A section for those that follow each other and are of one layer and the same tokens."""
    parts = []
    for _, group in groupby(pictures, lambda one: (one.layer, one.queries, one.keys)):
        same = list(group)
        drawn = [_figure(lines_svg(same, origin, threshold=threshold), "Left reads right, line by weight.")]
        for one in same:
            drawn += [
                f"<h3>{escaped(one.title)}</h3>",
                _figure(map_svg(one, origin), _MAP_WORDS, "paper whole"),
                _strongest(one),
            ]
        layer = same[0].title.partition(", ")[0]
        heading = same[0].title if len(same) == 1 else f"{layer}, {len(same)} pictures"
        parts.append(_section(heading, "".join(drawn)))
    return parts


def _figure(svg: str, words: str, kind: str = "paper") -> str:
    told = f"<figcaption>{escaped(words)}</figcaption>"
    return f'<figure><div class="{kind}" {_box(words)}>{inline(svg)}</div>{told}</figure>'


def _strongest(picture: AttentionMap) -> str:
    weights = clean(picture.weights)
    order = np.argsort(-weights, axis=None, kind="stable")[:_MOST_PAIRS]
    pairs = [tuple(map(int, np.unravel_index(place, weights.shape))) for place in order if weights.flat[place] > 0]
    rows = [
        (query, label(picture.queries[query]), key, label(picture.keys[key]), float(weights[query, key]))
        for query, key in pairs
    ]
    columns = ("Position", "Token that reads", "Position", "Token that is read", "Weight")
    table = _table(columns, rows) if rows else "<p>No weight is above zero.</p>"
    return f"<details><summary>Its {len(rows)} strongest weights</summary>{table}</details>" if rows else table


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A column is of numbers when its first row has one there."""
    kept = [tuple(row) for row in rows]
    numeric = [bool(kept) and isinstance(one, (int, float)) for one in (kept[0] if kept else columns)]
    head = "".join(
        f'<th scope="col"{_right(is_number)}>{escaped(name)}</th>'
        for name, is_number in zip(columns, numeric, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, numeric)}</tr>" for row in kept)
    return f'<div class="wide" {_box("Table")}><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(row: Sequence[Cell], numeric: Sequence[bool]) -> str:
    return "".join(f"<td{_right(one)}>{escaped(_said(value))}</td>" for value, one in zip(row, numeric, strict=True))


def _box(words: str) -> str:
    """Of what may scroll: to be reached by the keyboard, and named for those who do not see it."""
    return f'tabindex="0" role="region" aria-label="{escaped(words)}"'


def _right(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _said(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    return value if value.strip() else label(value) if value else ""


def _origin(origin: Origin) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escaped(name)}</th><td>{_value(name, value)}</td></tr>' for name, value in facts(origin)
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _value(name: str, value: str) -> str:
    words = escaped(value)
    return f"<code>{words}</code>" if name in ("Repeat it", "Revision", "Run") else words
