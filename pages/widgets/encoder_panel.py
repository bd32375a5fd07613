"""What a model that does not write is for: comparing sentences, classifying texts, filling in masked words.

Everything runs through ONNX Runtime, without torch. The picture comes first, its numbers can be taken away as CSV.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.models.cards import ModelCard, Task
from core.onnx.encoder import Encoder
from core.onnx.exports import find_export
from core.settings import get_settings
from exports.cells import csv_bytes
from pages import state
from pages.state import Key
from pages.widgets import encoder_charts
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, cut, plain

LONGEST = 50  # texts at once: a picture of more cannot be read

QUOTED = 80  # characters

SENTENCES = (
    "A cat sits on the mat.",
    "A kitten rests on a rug.",
    "Our margin fell because GPU prices rose.",
    "Compute got more expensive, so we earn less.",
    "The ferry leaves at seven.",
)
TEXTS = ("The room was spotless.", "Nobody answered the phone for two days.")


def draw(card: ModelCard, precision: str, device: str) -> None:
    """The panel of the model's task."""
    panel = {
        Task.FEATURE_EXTRACTION: _similarity,
        Task.TEXT_CLASSIFICATION: _classification,
        Task.FILL_MASK: _fill_mask,
    }[card.task]
    try:
        export = find_export(card, precision, device)
        if export is not None:
            panel(card, _load(str(export.path), export.sha256.get("model.onnx", ""), device))
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def _load(path: str, digest: str, device: str) -> Encoder:
    """digest: a model that was exported anew is loaded anew."""
    return Encoder(Path(path), device=device, threads=get_settings().threads)


def _similarity(card: ModelCard, encoder: Encoder) -> None:
    texts = _texts(
        Key.SENTENCES,
        "Sentences to compare, one a line",
        "Compare",
        SENTENCES,
        "See which sentences mean the same: 1 is the same meaning, 0 is none in common.",
    )
    if not texts:
        return
    if len(texts) < 2:
        raise InvalidInput("There is one sentence.", allowed="Two at least.", next_step="Write another one below it.")
    vectors, took = _timed(lambda: encoder.embed(texts))
    cosines = vectors @ vectors.T
    _warn_of_cuts(encoder, texts)
    st.plotly_chart(encoder_charts.similarity_figure(texts, cosines), key="similarity", config=encoder_charts.CONFIG)
    pairs = sorted(
        ((float(cosines[i, j]), texts[i], texts[j]) for i in range(len(texts)) for j in range(i)), reverse=True
    )
    best, one, other = pairs[0]
    st.markdown(f"Closest: **{best:.2f}** between “{plain(cut(other, QUOTED))}” and “{plain(cut(one, QUOTED))}”.")
    _take_away(
        card, "similarity", ("cosine", "sentence", "other_sentence"), pairs, _line(card, encoder, len(texts), took)
    )


def _classification(card: ModelCard, encoder: Encoder) -> None:
    texts = _texts(
        Key.TO_CLASSIFY,
        "Texts to classify, one a line",
        "Classify",
        TEXTS,
        f"The model knows {len(encoder.labels)} classes: {', '.join(map(plain, encoder.labels[:8]))}"
        f"{' …' if len(encoder.labels) > 8 else ''}.",
    )
    if not texts:
        return
    found, took = _timed(lambda: encoder.classify(texts))
    _warn_of_cuts(encoder, texts)
    st.plotly_chart(
        encoder_charts.classes_figure(texts, found, encoder.labels), key="classes", config=encoder_charts.CONFIG
    )
    rows = [
        (text, score.label, score.probability) for text, scores in zip(texts, found, strict=True) for score in scores
    ]
    _take_away(card, "classes", ("text", "class", "probability"), rows, _line(card, encoder, len(texts), took))


def _fill_mask(card: ModelCard, encoder: Encoder) -> None:
    mask = encoder.mask_token or "[MASK]"
    text = "\n".join(
        _texts(
            Key.MASKED,
            f"A text with {mask} where a word is missing",
            "Fill in",
            (f"The capital of France is {mask}.",),
            f"Write {mask} in the place of a word, and see which words the model would put there.",
        )
    )
    if not text:
        return
    found, took = _timed(lambda: encoder.fill_mask(text, top=8))
    _warn_of_cuts(encoder, [text])
    st.plotly_chart(encoder_charts.mask_figure(found), key="masks", config=encoder_charts.CONFIG)
    rows = [(choice.position + 1, choice.token, choice.probability, choice.text) for choice in found]
    columns = ("mask", "token", "probability", "text")
    _take_away(card, "masks", columns, rows, _line(card, encoder, 1, took))


def _texts(key: Key, label: str, action: str, example: tuple[str, ...], words: str) -> list[str]:
    """What the reader wrote, line by line; [] while there is nothing, with an example to start from."""
    with st.form(f"form_{key}", border=False):
        st.text_area(label, key=key, height=150, placeholder="\n".join(example), persist_state="session")
        st.form_submit_button(action, type="primary", icon=":material/play_arrow:")
    texts = [line.strip() for line in (state.get(key) or "").splitlines() if line.strip()]
    if not texts:
        st.caption(words)
        st.button("Try an example", icon=":material/lightbulb:", on_click=state.put, args=(key, "\n".join(example)))
    if len(texts) > LONGEST:
        raise InvalidInput(
            f"There are {len(texts)} lines.",
            allowed=f"At most {LONGEST} at once here.",
            next_step="Leave some out; `python -m core` takes as many as you like.",
        )
    return texts


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _warn_of_cuts(encoder: Encoder, texts: list[str]) -> None:
    if unread := encoder.unreadable(texts):
        which = ", ".join(str(place + 1) for place in unread)
        st.caption(f":material/help: Nothing in these is known to the model, so they all look alike to it: {which}")
    if too_long := encoder.truncated(texts):
        which = ", ".join(str(place + 1) for place in too_long)
        st.caption(
            f":material/content_cut: Longer than {encoder.context_length} tokens, so their ends are left out: {which}"
        )


def _line(card: ModelCard, encoder: Encoder, count: int, took: float) -> str:
    return f"{count_of(count, 'text')} in {1000 * took:.0f} ms · {card.id} · ONNX Runtime"


def _take_away(card: ModelCard, what: str, columns: tuple[str, ...], rows: list[Any], line: str) -> None:
    st.caption(line)
    csv_button(f"{card.id}-{what}", csv_bytes(columns, rows))
