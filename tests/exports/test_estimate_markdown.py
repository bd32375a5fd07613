from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from core import __version__
from exports.estimate_compare import compare
from exports.estimate_markdown import comparison_markdown, escaped, estimate_markdown
from tests.exports.estimates import EVIL, OTHER, REPORT, TAG

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEXT = estimate_markdown(REPORT, at=AT).decode()


def rendered(text: str) -> str:
    """As GitHub would, raw HTML and all."""
    html: str = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return html


def test_it_has_the_answer_the_figures_and_how_to_repeat_them() -> None:
    html = rendered(TEXT)
    assert re.findall(r"<h2>(.*?)</h2>", html) == [
        "What drives the ranges",
        "Assumptions and notes",
        "Where each figure is from",
        "Measurements",
        "Repeat it",
    ]
    assert html.count("<h1>") == 1
    assert "<strong>10 days</strong>" in html
    assert "8.5 days" in html
    assert "12.2 days" in html
    assert "8.5 to 12.2 days" in html  # the driver's smaller end first, the unit once
    assert r"$T = \frac{D}{B} < 5$" in TEXT
    assert "python -m core estimate train CONFIG.yaml" in html
    assert html.count("a" * 32) == 2
    assert f"Groundwork {__version__}, 2026-11-22 12:00 UTC" in html


def test_the_configuration_can_be_read_back() -> None:
    [block] = re.findall(r"^(`{3,})yaml\n(.*?)\n\1$", TEXT, re.DOTALL | re.MULTILINE)
    assert yaml.safe_load(block[1]) == REPORT.spec


def test_papers_dois_and_pages_are_links() -> None:
    html = rendered(TEXT)
    assert '<a href="https://arxiv.org/abs/2001.08361">arXiv 2001.08361</a>, § 2.1' in html
    assert '<a href="https://doi.org/10.1145/1498765.1498785">' in html
    assert '<a href="https://example.org/a_b?c=1&amp;d=2">' in html


def test_what_a_user_wrote_stays_text() -> None:
    html = rendered(TEXT)
    assert "<script" not in html
    assert "javascript:alert(1)" in html
    assert 'href="javascript' not in html
    assert "<em>the</em>" not in html
    assert html.count("<tr>") == 3  # a bar in a label is no column
    assert "$5 to $6" in html.replace(r"\$", "$")
    assert not re.search(r"(?<!\\)\$5", TEXT)  # no formula begins at a price


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "1. a", "2) a", "=== ", "---", "# a", "> a", "    a", "a\n\n# b", "***"]
)
def test_no_text_begins_a_block(text: str) -> None:
    assert re.fullmatch(r"<p>.*</p>\n", rendered(escaped(text)))


def test_an_estimate_without_notes_or_measurements_has_no_empty_parts() -> None:
    text = estimate_markdown(OTHER).decode()
    for heading in ("What drives", "Assumptions", "Measurements"):
        assert heading not in text


def test_a_comparison_has_a_column_a_scenario() -> None:
    html = rendered(comparison_markdown(compare([REPORT, OTHER]), at=AT).decode())
    assert re.findall(r"<th.*?>(.*?)</th>", html)[1:] == [escape(EVIL), "Memory 2"]
    rows: list[Any] = re.findall(r"<tr>\n<td>(.*?)</td>\n<td.*?>(.*?)</td>\n<td.*?>(.*?)</td>", html)
    assert rows[0][1:] == ("<strong>10 days</strong> (8.5 to 12.2 days)", "")
    assert "<script" not in html
    assert TAG not in html


def escape(text: str) -> str:
    return text.replace('"', "&quot;")
