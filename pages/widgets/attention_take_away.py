"""Take a picture of attention away: PNG, SVG, a page that needs no network, CSV, NPZ, the link and the command."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.interpret.command import attend_command, gives
from core.interpret.maps import AttentionMap
from core.interpret.shaping import Shaping
from core.interpret.trace import Floats, Trace
from exports.attention_csv import map_csv, overview_csv
from exports.attention_html import attention_html
from exports.attention_npz import write_npz
from exports.attention_origin import Origin, origin
from exports.attention_png import map_png, overview_png
from exports.attention_svg import lines_svg, map_svg
from exports.filenames import safe_filename
from pages import state
from pages.widgets import attention_views, attention_word
from pages.widgets.attention_look import token_words
from pages.widgets.attention_view import View

LARGE = 1_024  # tokens from which a CSV of all weights has millions of rows: only those that count are written
FAINT = 0.001  # weight below which they are left out


@dataclass(frozen=True, slots=True)
class _File:
    label: str
    suffix: str
    kind: str
    icon: str
    make: Callable[[], bytes | str]
    help: str = ""


def draw(view: View) -> None:
    """The row of downloads of the view that is open; each file is made when it is asked for."""
    makers = {"overview": _of_overview, "head": _of_head, "word": _of_word, "steps": _of_steps}
    st.subheader("Take it away")
    with st.container(horizontal=True):
        for file in makers[view.look.view](view):
            st.download_button(
                file.label,
                file.make,
                safe_filename(_name(view), file.suffix),
                file.kind,
                icon=file.icon,
                on_click="ignore",
                key=f"a_take_{file.suffix}",
                help=file.help or None,
            )
        with st.popover("Link", icon=":material/link:"):
            st.code(state.page_link(), language=None, wrap_lines=True)
            st.caption("It opens what you see, for whoever can reach this app. It names the text by an id only.")
    options = _options(view)
    with st.expander("On the command line"):
        st.code(attend_command(view.subject, *options), language="bash", wrap_lines=True)
        st.caption(gives(*options))


def _options(view: View) -> tuple[str, ...]:
    """Of the command that gives the numbers behind the picture."""
    look = view.look
    part = state.look("part")  # a run is known to the command line as a whole
    cut = (f"--{part}", str(len(view.subject.ids))) if view.subject.run_id and part in ("first", "last") else ()
    if look.view == "head":
        return (*cut, "--layer", str(look.layer), "--out", "attention.npz")
    if look.view == "word":
        how = attention_word.word_reading(view)
        return (*cut, "--method", "attention" if how == "weights" else how, "--focus", str(look.token))
    return (*cut, "--out", "attention.npz")


def _origin(view: View, note: str = "") -> Origin:
    command = attend_command(view.subject, *_options(view))
    return origin(view.subject, precision=view.precision, command=command, note=note)


def _name(view: View) -> str:
    look = view.look
    part = f"layer {look.layer} head {'-'.join(map(str, look.heads))}" if look.view == "head" else look.view
    return f"attention {part} {' '.join(view.subject.text.split())[:30]}"


def _of_overview(view: View) -> list[_File]:
    found = attention_views.find_overview(view)
    if found is None:
        return []
    told = _origin(view)
    return [
        _File("PNG", "png", "image/png", ":material/image:", partial(overview_png, found, origin=told)),
        _html(lambda: attention_html(view.subject, told, found, ())),
        _File("CSV", "csv", "text/csv", ":material/table:", partial(overview_csv, found, told), "A row a head."),
    ]


def _of_head(view: View) -> list[_File]:
    pictures = attention_views.find_pictures(view)
    if not pictures:
        return []
    told = _origin(view)
    if view.look.drawing == "lines":
        vector = partial(lines_svg, pictures, told, threshold=attention_views.threshold_of(view))
    else:
        vector = partial(map_svg, pictures[0], told)
    return [
        *_of_map(pictures[0], told, vector),
        _html(lambda: attention_html(view.subject, told, None, pictures)),
        _File(
            "NPZ",
            "npz",
            "application/octet-stream",
            ":material/data_array:",
            lambda: _layer_npz(view, told),
            "The whole layer, [head, query, key], for numpy; as the model has it, without the options above.",
        ),
    ]


def _of_steps(view: View) -> list[_File]:
    found = attention_views.find_steps(view)
    if found is None:
        return []
    told, picture = _origin(view), attention_views.steps_map(view, found)
    return _of_map(picture, told, partial(map_svg, picture, told), rows="token", first_row=found.first)


def _of_word(view: View) -> list[_File]:
    """What is shown: the weights by layer as they are shaped, or rollout or flow through all of them."""
    how = attention_word.word_reading(view)
    values, bands = attention_word.word_values(view, how)
    if values is None:
        return []
    picture = _word_picture(view, how, values, bands)
    told = _origin(view, picture.note)
    arrays = {"query": np.asarray(view.query), "position": np.asarray(view.look.token)}
    if how == "weights":
        found = attention_word.find_focus(view)
        arrays |= {"weights": values if found is None else found.weights}
    else:
        arrays |= {how: values[0]}
    return [
        *_of_map(picture, told, partial(map_svg, picture, told), rows="layer"),
        _File("NPZ", "npz", "application/octet-stream", ":material/data_array:", lambda: _npz(view, told, arrays)),
    ]


def _word_picture(view: View, how: str, values: Floats, bands: tuple[str, ...]) -> AttentionMap:
    """A row a band. Of several, the first is all of them together: it comes last here, so that layer 0 is row 0."""
    subject, asked = view.subject, token_words(view.subject, view.look.token)
    read = view.query + 1 if subject.causal else len(subject.pieces)
    values, bands = np.roll(values[:, :read], -1, axis=0), (*bands[1:], bands[0])
    told = f"what was read to choose {asked}" if subject.causal else f"what {asked} reads"
    parts: tuple[str, ...]
    if how == "weights":
        parts = (f"{told}, a row a layer", view.look.shaping.words)
    else:
        parts = (told, f"{how} through all layers", Shaping(view.look.shaping.sink).words)
    note = ", ".join(part for part in parts if part)
    return AttentionMap(None, tuple(range(view.heads)), values, bands, subject.pieces[:read], note, causal=False)


def _of_map(
    picture: AttentionMap, told: Origin, vector: Callable[[], str], *, rows: str = "query", first_row: int = 0
) -> list[_File]:
    large = picture.weights.shape[0] > LARGE
    of_csv = "A row a pair of tokens." if rows != "layer" else "A row a layer and token."
    if large:
        of_csv = f"Weights from {FAINT:g} on; the NPZ has all."
    return [
        _File("PNG", "png", "image/png", ":material/image:", partial(map_png, picture, origin=told)),
        _File("SVG", "svg", "image/svg+xml", ":material/polyline:", vector, "Vector, for a paper."),
        _File(
            "CSV",
            "csv",
            "text/csv",
            ":material/table:",
            partial(map_csv, picture, told, threshold=FAINT if large else 0.0, rows=rows, first_row=first_row),
            of_csv,
        ),
    ]


def _html(make: Callable[[], str]) -> _File:
    return _File(
        "HTML", "html", "text/html", ":material/article:", make, "One file that needs no network and no script."
    )


def _layer_npz(view: View, told: Origin) -> bytes:
    layer = view.look.layer

    def find(trace: Trace, progress: object) -> bytes:
        return _npz(view, told, {"attention": trace.weights(layer), "layer": np.asarray(layer)})

    work = view.desk.look(view.subject, f"npz {layer}", find)
    work.wait(600)
    content = work.outcome()
    view.desk.works.forget(work.key)  # hundreds of MB at 2,048 tokens: not to be kept
    return content


def _npz(view: View, told: Origin, arrays: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    write_npz(file, arrays, told, view.subject)
    return file.getvalue()
