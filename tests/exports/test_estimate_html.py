from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
import yaml

from core.estimate.figures import Driver
from core.estimate.ranges import Range
from exports.estimate_compare import compare
from exports.estimate_html import comparison_html, estimate_html
from exports.estimate_markdown import estimate_markdown
from exports.range_bars import WIDTH, driver_bars, range_bar
from tests.exports.estimates import ESTIMATES, OTHER, REPORT, SPECS, TAG

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VOID = {"meta", "br", "rect", "link", "img"}


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every tag is closed."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.pre = ""
        self._open: list[str] = []
        self.feed(data.decode())
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "pre":
            self.pre += data
        if self._open and self._open[-1] != "style":
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


PAGE = Page(estimate_html(REPORT, at=AT))


def test_it_says_what_the_estimate_says() -> None:
    for words in (
        REPORT.sentence,
        REPORT.figures[0].label,
        REPORT.figures[0].formula,
        "10 days",
        "8.5 to 12.2 days",
        "-1 is no number of GPUs",
        "2,048 tokens",
        "python -m core estimate train CONFIG.yaml",
        "a" * 32,
        "2026-11-22 12:00 UTC",
    ):
        assert words in PAGE.words
    assert yaml.safe_load(PAGE.pre) == REPORT.spec


def test_nothing_is_loaded_and_nothing_runs() -> None:
    for page in (PAGE, Page(comparison_html(compare([REPORT, OTHER])))):
        names = {tag for tag, _ in page.tags}
        assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
        assert not [one for _, one in page.tags for key in one if key.startswith("on") or key == "src"]
        [policy] = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
        assert "default-src 'none'" in (policy or "")
        assert TAG in page.words  # shown, not run
        for link in page.all("a"):
            assert (link["href"] or "").startswith(("https://", "#"))
    assert b"url(" not in estimate_html(REPORT)
    assert b"@import" not in estimate_html(REPORT)


def test_formulas_link_to_their_papers_and_figures_to_their_formulas() -> None:
    links = [one["href"] for one in PAGE.all("a")]
    assert "https://arxiv.org/abs/2001.08361" in links
    assert "https://doi.org/10.1145/1498765.1498785" in links
    assert "https://example.org/a_b?c=1&d=2" in links
    assert {one["id"] for one in PAGE.all("article")} == {"days", "total_flops"}
    assert "#days" in links


def test_only_figures_with_a_range_are_drawn_and_each_drawing_has_words() -> None:
    drawings = PAGE.all("svg")
    assert len(drawings) == 1 + 2  # days, and its two drivers
    assert all(one["role"] == "img" and one["aria-label"] for one in drawings)
    assert drawings[0]["aria-label"] == "10 days, from 8.5 to 12.2 days"


def test_light_dark_and_print_are_provided_for() -> None:
    page = estimate_html(REPORT).decode()
    for words in ("prefers-color-scheme: dark", "@media print", "color-scheme: light dark"):
        assert words in page


def test_scenarios_of_a_row_share_one_scale() -> None:
    page = Page(comparison_html(compare([REPORT, OTHER])))
    marks = [one["x"] for one in page.all("rect") if one["class"] == "mark"]
    assert marks[1:3] == [f"{WIDTH - 4 - 1.5:.1f}", f"{4 + (WIDTH - 8) / 2 - 1.5:.1f}"]  # 8.4e22, and half of it


@pytest.mark.parametrize("value", [Range.exactly(0.0), Range(0.0, 0.0, 5.0), Range(1e-30, 1e-3, 1e30)])
def test_a_bar_stays_within_its_drawing(value: Range) -> None:
    for one in Page(range_bar(value, "s").encode()).all("rect"):
        assert -2 <= float(one["x"] or "") <= float(one["x"] or "") + float(one["width"] or "") <= WIDTH


def test_a_driver_that_moves_nothing_is_still_drawn() -> None:
    [bar] = driver_bars(5.0, [Driver("x", 5.0, 5.0)], "s")
    assert "x: 5 s" in bar


def test_half_a_surrogate_pair_does_not_stop_the_page() -> None:
    assert b"?" in estimate_html(replace(REPORT, sentence="\ud83d"))


@pytest.mark.parametrize("what", ["pretraining", "memory of QLoRA", "serving", "API or own"])
def test_every_kind_of_estimate_can_be_taken_away(what: str) -> None:
    kind, spec = SPECS[what]
    report, _ = ESTIMATES[kind](spec)
    page, text = Page(estimate_html(report)), estimate_markdown(report).decode()
    for figure in report.figures:
        assert figure.label in page.words
        assert f"`{figure.key}`" in text
    assert yaml.safe_load(page.pre) == report.spec
