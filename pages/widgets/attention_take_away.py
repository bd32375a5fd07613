"""Take a picture of attention away: PNG, SVG, a page that needs no network, CSV, NPZ, the link and the command."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.interpret.command import attend_command
from core.interpret.maps import AttentionMap
from core.interpret.trace import Trace
from exports.attention_csv import map_csv, overview_csv
from exports.attention_html import attention_html
from exports.attention_npz import write_npz
from exports.attention_origin import Origin, origin
from exports.attention_png import map_png, overview_png
from exports.attention_svg import lines_svg, map_svg
from exports.filenames import safe_filename
from pages import state
from pages.widgets import attention_views
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
    with st.expander("The same on the command line"):
        st.code(_origin(view).command, language="bash", wrap_lines=True)


def _origin(view: View) -> Origin:
    options = {"overview": ("--out", "attention.npz"), "steps": ("--out", "attention.npz")}.get(
        view.look.view, ("--layer", str(view.look.layer), "--out", "attention.npz")
    )
    return origin(view.subject, precision=view.precision, command=attend_command(view.subject, *options))


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
    told, lines = _origin(view), view.look.drawing == "lines"
    vector = partial(lines_svg, pictures, told, threshold=0.02) if lines else partial(map_svg, pictures[0], told)
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
    return _of_map(picture, told, partial(map_svg, picture, told))


def _of_word(view: View) -> list[_File]:
    found = attention_views.find_focus(view)
    if found is None:
        return []
    told = _origin(view)
    labels = tuple(f"layer {layer}" for layer in range(view.layers))
    picture = AttentionMap(
        None, tuple(range(view.heads)), found.by_layer(), labels, view.subject.pieces, "a row a layer", causal=False
    )
    arrays = {"weights": found.weights, "query": np.asarray(found.query), "position": np.asarray(found.position)}
    return [
        *_of_map(picture, told, partial(map_svg, picture, told)),
        _File("NPZ", "npz", "application/octet-stream", ":material/data_array:", lambda: _npz(view, told, arrays)),
    ]


def _of_map(picture: AttentionMap, told: Origin, vector: Callable[[], str]) -> list[_File]:
    large = picture.weights.shape[0] > LARGE
    rows = f"Weights from {FAINT:g} on; the NPZ has all." if large else "A row a pair of tokens."
    return [
        _File("PNG", "png", "image/png", ":material/image:", partial(map_png, picture, origin=told)),
        _File("SVG", "svg", "image/svg+xml", ":material/polyline:", vector, "Vector, for a paper."),
        _File(
            "CSV",
            "csv",
            "text/csv",
            ":material/table:",
            partial(map_csv, picture, told, threshold=FAINT if large else 0.0),
            rows,
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
