"""How attention is computed, on screen: the example that is edited, a real head, and formulas that KaTeX can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.errors import InvalidInput
from core.interpret.steps import QuerySteps, steps_from
from core.interpret.worked_example import DEFAULT, identity, softmax, work
from pages.widgets import attention_formulas as tex
from pages.widgets import attention_steps, attention_steps_charts, attention_worked_charts
from pages.widgets.attention_worked import MATRICES, NUMBERS, WORD, example_of
from pages.widgets.attention_worked_steps import finding, labels
from tests.pages.test_theme import CONFIG, channels, luminance

WORKED = "from pages.widgets import attention_worked\nattention_worked.draw()"
BANK = 1
Row = dict[str, Any]


def table() -> list[Row]:
    """As the page shows it first."""
    return [
        {WORD: word} | dict(zip(NUMBERS, vector, strict=True))
        for word, vector in zip(DEFAULT.words, DEFAULT.vectors, strict=True)
    ]


def matrices() -> list[list[Row]]:
    return [[dict(zip(NUMBERS, row, strict=True)) for row in identity(4)] for _ in MATRICES]


def read(rows: Sequence[Mapping[str, Any]]) -> Any:
    return example_of(rows, DEFAULT.names, matrices(), scale=True, causal=False)


def page(script: str = WORKED) -> AppTest:
    return AppTest.from_string(script, default_timeout=60).run()


def typed_page(monkeypatch: pytest.MonkeyPatch, row: int, **cells: Any) -> AppTest:
    """The page as if somebody had typed into the table of words."""
    real = st.data_editor

    def typed(data: list[Row], **how: Any) -> list[Row]:
        real(data, **how)
        return [one | cells if place == row and WORD in one else one for place, one in enumerate(data)]

    monkeypatch.setattr(st, "data_editor", typed)
    return page()


def shown(at: AppTest) -> str:
    """What came of it."""
    return str(at.info[0].value)


def query_steps(**changes: Any) -> QuerySteps:
    random = np.random.default_rng(0)
    keys, values, query = random.normal(size=(14, 8)), random.normal(size=(14, 8)), random.normal(size=8)
    allowed = np.arange(14) <= 11
    own = softmax(np.where(allowed, keys @ query / np.sqrt(8), -np.inf))
    given: dict[str, Any] = {
        "scaling": 8**-0.5, "pieces": ["<|im_start|>", " <b>", "\n", "$x_{1}$", *"abcdefghij"], "position": 11,
        "layer": 12, "head": 4, "model_weights": own,
    }  # fmt: skip
    return steps_from(query, keys, values, allowed, **(given | changes))


def test_the_tables_as_they_are_first_are_the_default_example() -> None:
    assert work(read(table())).outputs == pytest.approx(work(DEFAULT).outputs)


def test_a_column_that_is_emptied_leaves_three_numbers() -> None:
    rows = [row | {"d": None} for row in table()]
    example = read(rows)
    assert example.names == ("money", "water", "place")
    assert example.w_q == identity(3)
    assert work(example).scaling == pytest.approx(3**-0.5)


def test_a_cell_that_is_empty_is_named() -> None:
    rows = table()
    rows[BANK]["b"] = None
    rows[4][WORD] = None
    with pytest.raises(InvalidInput) as caught:
        read(rows)
    assert "Word 2, “bank”: water is empty" in str(caught.value)
    assert "Word 5 is empty." in str(caught.value)


def test_the_example_is_drawn_with_every_step_a_picture_and_a_csv() -> None:
    at = page()
    assert not at.exception
    assert not at.error
    headings = [one.value.removeprefix("#### ")[0] for one in at.markdown if one.value.startswith("#### ")]
    assert headings == ["1", "2", "3", "4", "5", "6"]
    assert len(at.get("plotly_chart")) == 2
    assert len(at.get("download_button")) == 1
    assert "**bank** reads **bank** 61% and **river** 37%" in shown(at)
    assert "water 2 → **2.33**" in shown(at)
    assert any(r"2 \cdot 0 + 2 \cdot 3 + 1 \cdot 2 + 0 \cdot 0 = \mathbf{8}" in one.value for one in at.latex)


def test_switches_and_the_word_change_what_comes_of_it() -> None:
    at = page()
    first = shown(at)
    masked = shown(at.toggle(key="a_worked_causal").set_value(True).run())
    assert "**bank** 99%" in masked
    assert any(r"\mathbf{-\infty}" in one.value for one in at.latex)
    unscaled = shown(at.toggle(key="a_worked_scale").set_value(False).run())
    other = shown(at.radio(key="a_worked_query").set_value(4).run())
    assert other.startswith("**river** reads")
    assert len({first, masked, unscaled, other}) == 4
    assert not at.exception


def test_an_edit_is_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    at = typed_page(monkeypatch, 4, word="sea", b=6.0)
    assert not at.exception
    assert "**bank** reads **sea** 92%" in shown(at)


def test_a_cell_that_cannot_be_is_named_and_the_table_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    at = typed_page(monkeypatch, BANK, a=250.0)
    assert not at.exception
    assert "money is 250" in at.error[0].value.replace("\\", "")
    assert not at.info
    assert at.radio(key="a_worked_query").value == BANK


def test_words_that_markdown_and_latex_would_read_stay_words(monkeypatch: pytest.MonkeyPatch) -> None:
    at = typed_page(monkeypatch, BANK, word="$x_{1}^2 \\%*")
    assert not at.exception
    assert shown(at).startswith("**\\$x\\_\\{1\\}^2 \\\\%\\*** reads")
    assert any(r"\text{\textdollar x\_\{1\}\textasciicircum" in one.value for one in at.latex)


def test_a_map_of_weights_has_its_figures_and_outlines_the_word() -> None:
    steps = work(replace(DEFAULT, causal=True))
    figure = attention_worked_charts.weights_figure(steps, BANK, labels(steps.words))
    cells, figures = figure.data
    assert np.array_equal(np.isnan(np.array(cells.z)), ~steps.allowed)
    assert len(figures.text) == 15
    assert figures.text[1:3] == ("0.01", "0.99")
    assert figure.layout.shapes[0].y0 == 0.5
    assert figure.layout.xaxis.ticktext == ("the (1)", "bank", "of", "the (4)", "river")
    assert "may not read river" in cells.hovertext[0][4]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_figures_can_be_read_on_every_colour_of_the_scale(mode: str) -> None:
    scale = [channels(colour) for colour in CONFIG["theme"][mode]["chartSequentialColors"]]
    below, limit, above = attention_worked_charts.FIGURES[mode]
    for weight in np.linspace(0, 1, 501):
        place = min(int(weight * 9), 8)
        share = weight * 9 - place
        ground = [a + (b - a) * share for a, b in zip(scale[place], scale[place + 1], strict=True)]
        text = channels(below if weight < limit else above)
        low, high = sorted((luminance(ground), luminance(text)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, weight


def test_bars_say_before_and_after() -> None:
    steps = work(DEFAULT)
    before, after = attention_worked_charts.change_figure(steps, BANK, labels(steps.words)).data
    assert before.x == (2, 2, 1, 0)
    assert after.x == pytest.approx(steps.outputs[BANK])
    assert after.text[0] == "after 1.22"


def test_a_word_that_reads_itself_alone_stays_as_it_is() -> None:
    assert finding(work(replace(DEFAULT, causal=True)), 0) == (
        "**the \\(1\\)** reads **the \\(1\\)** 100%: its numbers stay as they are."
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-1.5, "-1.5"),
        (0.00677, "0.007"),
        (1234.5, "1{,}230"),
        (6.4e9, r"6.4 \times 10^{9}"),
        (-2e-7, r"-2 \times 10^{-7}"),
        (-np.inf, r"-\infty"),
    ],
)
def test_numbers_in_formulas(value: float, shown: str) -> None:
    assert tex.number(value) == shown


def test_large_scores_are_raised_with_the_largest_taken_off() -> None:
    scores = np.array([900.0, 899.0, -np.inf])
    assert tex.exponential(899.0, 900.0) == "e^{-1}"
    assert tex.exponential(-np.inf, 900.0) == "0"
    assert tex.exponentials(scores) == pytest.approx([1, np.exp(-1), 0])
    assert tex.exponentials(np.array([1.0, 2.0])) == pytest.approx(np.exp([1, 2]))


def draw_head(capped: bool) -> None:
    """A page of its own, for AppTest."""
    from pages.widgets import attention_steps
    from tests.pages.test_attention_worked import query_steps

    attention_steps.draw(query_steps(**({"model_weights": query_steps().weights * 0.9} if capped else {})))


def test_a_head_is_drawn_with_table_formulas_picture_and_csv() -> None:
    at = AppTest.from_function(draw_head, default_timeout=60, args=(False,)).run()
    assert not at.exception
    assert not at.warning
    assert "layer 12, head 4" in at.markdown[0].value
    assert any("gives the model's own weights" in one.value for one in at.caption)
    assert any("The mask closes 2 tokens" in one.value for one in at.caption)
    assert len(at.dataframe[0].value) == 10
    assert attention_steps.OWN not in at.dataframe[0].value
    assert len(at.get("plotly_chart")) == len(at.get("download_button")) == 1


def test_a_model_that_does_more_than_the_formula_says_so() -> None:
    at = AppTest.from_function(draw_head, default_timeout=60, args=(True,)).run()
    assert not at.exception
    assert "more than the textbook formula" in at.warning[0].value
    assert attention_steps.OWN in at.dataframe[0].value
    assert not any("gives the model's own weights" in one.value for one in at.caption)


def test_the_table_shows_what_the_mask_closes() -> None:
    weights = [row[attention_steps.WEIGHT] for row in attention_steps.rows(query_steps())]
    assert weights == sorted(weights, reverse=True)
    closed = steps_from(
        np.ones(2), np.ones((3, 2)), np.ones((3, 2)), [True, False, False], [1, 0, 0], scaling=0.1,
        pieces=["a", "b", "c"], position=0, layer=0, head=0,
    )  # fmt: skip
    assert [row[attention_steps.MASKED] for row in attention_steps.rows(closed)] == ["0.200", "−∞", "−∞"]
    assert "× 0.1" in attention_steps.rows(closed)[0]


def test_the_picture_of_a_head_has_the_ten_most_read_and_the_rest() -> None:
    steps = query_steps()
    figure = attention_steps_charts.weights_figure(steps)
    [bars] = figure.data
    assert len(bars.x) == 11
    assert sum(bars.x) == pytest.approx(1)
    assert figure.layout.yaxis.ticktext[-1] == "2 others"
    assert "<b>" not in "".join(figure.layout.yaxis.ticktext)
    capped = attention_steps_charts.weights_figure(query_steps(model_weights=steps.weights * 0.9))
    assert sum(capped.data[1].x) == pytest.approx(0.9)
