"""What an image classifier is for: pictures go in, classes with their probabilities come out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.models.cards import ModelCard
from core.models.pictures import Picture, png_bytes
from core.onnx.encoder import ClassScore
from core.onnx.exports import find_export
from core.onnx.network import PictureClassifier
from core.settings import get_settings
from exports.cells import csv_bytes
from pages.widgets import network_charts
from pages.widgets.encoder_charts import CONFIG
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, cut, plain

KINDS = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"]
UPLOAD_MB = 20
MOST = 50  # pictures at once
SHOWN_PIXELS = 72
TILE_PIXELS = 106  # three beside each other on a telephone


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture with its answer. known: its class, "" where nobody has said."""

    name: str
    picture: Picture
    known: str
    scores: tuple[ClassScore, ...] = ()


def draw(card: ModelCard, precision: str, device: str) -> None:
    """The panel: the model's own sample pictures until others are uploaded."""
    try:
        export = find_export(card, precision, device)
        if export is not None:
            _draw(card, _load(str(export.path), export.sha256.get("model.onnx", ""), device))
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def _load(path: str, digest: str, device: str) -> PictureClassifier:
    """digest: a model that was exported anew is loaded anew."""
    return PictureClassifier(Path(path), device=device, threads=get_settings().threads)


def _draw(card: ModelCard, classifier: PictureClassifier) -> None:
    shape = classifier.shape
    st.caption(
        f"It tells {len(classifier.labels)} classes apart: {', '.join(map(plain, classifier.labels[:10]))}"
        f"{' …' if len(classifier.labels) > 10 else ''}. It sees every picture as {shape.size} × {shape.size} pixels, "
        f"{'in colour' if shape.colours == 3 else 'in grey'}."
    )
    files = st.file_uploader(
        "Pictures to classify",
        type=KINDS,
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        key=f"pictures_{card.id}",
        help="They stay on this machine and are not kept.",
    )
    swap = bool(files) and st.checkbox(
        "Swap light and dark",
        key=f"swap_{card.id}",
        help="When it has learned from light marks on a dark ground and yours are dark on light, or the other way.",
    )
    if files and len(files) > MOST:
        st.warning(
            f"The first {MOST} of {len(files)} are shown; `python -m core classify --image …` takes as many as you "
            "like.",
            icon=":material/content_cut:",
        )
    given = _uploaded(classifier, files[:MOST], swap=swap) if files else _samples(classifier)
    if not given:
        if not files:
            st.caption("Upload a picture to see what the model takes it for.")
        return
    shown, took = _classified(classifier, given)
    if not files:
        right = sum(one.scores[0].label == one.known for one in shown)
        st.markdown(
            f"It is right on **{right} of {len(shown)}** pictures that came with the model. Upload one of your own to "
            "try it."
        )
    _draw_tiles(shown)
    _draw_bars(card, shown)
    st.caption(f"{count_of(len(shown), 'picture')} in {1000 * took:.0f} ms · {card.id} · ONNX Runtime")
    csv_button(f"{card.id}-classes", _csv(shown))


def _uploaded(classifier: PictureClassifier, files: Sequence[Any], *, swap: bool) -> list[_Shown]:
    """Those that can be read; the others are told."""
    found = []
    for file in files:
        try:
            picture = classifier.read(file.getvalue(), file.name)
        except GroundworkError as error:
            st.error(plain(str(error)), icon=":material/broken_image:")
            continue
        found.append(_Shown(file.name, 255 - picture if swap else picture, ""))
    return found


def _samples(classifier: PictureClassifier) -> list[_Shown]:
    return [
        _Shown(f"sample {place} ({sample.label})", classifier.read(sample.png), sample.label)
        for place, sample in enumerate(classifier.samples(), start=1)
    ]


def _classified(classifier: PictureClassifier, given: list[_Shown]) -> tuple[list[_Shown], float]:
    started = time.perf_counter()
    found = classifier.classify([one.picture for one in given])
    took = time.perf_counter() - started
    return [_Shown(one.name, one.picture, one.known, scores) for one, scores in zip(given, found, strict=True)], took


def _draw_tiles(shown: list[_Shown]) -> None:
    """Each picture as the network sees it, with its likeliest class."""
    with st.container(horizontal=True, gap="small"):
        for one in shown:
            best = one.scores[0]
            with st.container(border=True, width=TILE_PIXELS, gap="xxsmall"):
                st.image(png_bytes(one.picture, side=SHOWN_PIXELS), width=SHOWN_PIXELS, alt=f"{one.name}: {best.label}")
                st.markdown(f"**{plain(cut(best.label, 10))}** {best.probability:.0%}")
                if one.known:
                    right = best.label == one.known
                    st.caption(":material/check: right" if right else f":red[is {plain(cut(one.known, 8))}]")
                else:
                    st.caption(plain(cut(one.name, 10)))


def _draw_bars(card: ModelCard, shown: list[_Shown]) -> None:
    place = 0
    if len(shown) > 1:
        unsure = min(range(len(shown)), key=lambda i: shown[i].scores[0].probability)
        place = st.selectbox(
            "Look closer at",
            range(len(shown)),
            index=unsure,
            format_func=lambda i: shown[i].name,
            key=f"closer_{card.id}_{len(shown)}",
            help="The one that it is least sure of comes first.",
        )
    st.plotly_chart(network_charts.classes_of_one(shown[place].scores), key="picture_classes", config=CONFIG)


def _csv(shown: list[_Shown]) -> bytes:
    rows = [(one.name, one.known, score.label, score.probability) for one in shown for score in one.scores]
    return csv_bytes(("picture", "known_class", "class", "probability"), rows)
