"""The pictures of encoders: what stands in them, and that text of the reader's stays text."""

from __future__ import annotations

import numpy as np

from core.onnx.encoder import ClassScore, MaskChoice
from pages.widgets.encoder_charts import classes_figure, mask_figure, similarity_figure


def test_a_similarity_map_shows_every_pair_and_escapes_text() -> None:
    cosines = np.array([[1.0, -0.2], [-0.2, 1.0]])
    figure = similarity_figure(["<b>bold</b>", "a much longer sentence than fits beside a map of squares"], cosines)
    [cells] = figure.data
    assert cells.text[0][1] == "-0.20"
    assert cells.zmin == -0.2
    assert cells.y[0] == "1 · &lt;b&gt;bold&lt;/b&gt;"
    assert cells.y[1].endswith("…")
    assert "<b>" not in str(cells.customdata)


def test_many_sentences_have_no_figures_in_their_squares() -> None:
    figure = similarity_figure([str(i) for i in range(13)], np.eye(13))
    assert figure.data[0].texttemplate is None


def test_classes_are_a_bar_each() -> None:
    found = [
        (ClassScore("good", 0.7), ClassScore("bad", 0.3)),
        (ClassScore("bad", 0.9), ClassScore("good", 0.1)),
    ]
    figure = classes_figure(["one", "two"], found, ("bad", "good"))
    assert [bar.name for bar in figure.data] == ["bad", "good"]
    assert {bar.name: tuple(bar.x) for bar in figure.data} == {"good": (0.7, 0.1), "bad": (0.3, 0.9)}


def test_masks_are_told_apart() -> None:
    choices = [MaskChoice(0, 5, "Paris", 0.6, "Paris."), MaskChoice(1, 6, "Rome", 0.4, "Rome.")]
    figure = mask_figure(choices)
    assert [bar.y[0] for bar in figure.data] == ["Paris (1)", "Rome (2)"]
    assert mask_figure(choices[:1]).data[0].y[0] == "Paris"
