"""The pictures of a company's report: shapes where the numbers say, also for numbers at the edge."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from exports import company_pictures as pictures
from exports.company_pictures import HEIGHT, WIDTH, Bar, Series

NAMES = [f"2026-{month:02d}" for month in range(1, 13)]
SAY = pictures.money("USD")


def shapes(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)


def rects(drawing: str) -> list[dict[str, float]]:
    return [
        {key: float(one.attrib[key]) for key in ("x", "y", "width", "height")}
        for one in shapes(drawing).iter("rect")
        if "area" in one.attrib["class"]
    ]


@pytest.mark.parametrize(
    "values", [[0.0] * 12, [1e9] * 12, [-5.0, 5.0] * 6, [None] * 6 + [2.0] * 6, [3.0] + [None] * 11]
)
def test_lines_stay_in_the_frame(values: list[float | None]) -> None:
    drawing = pictures.lines("Cash", NAMES, [Series("base", values)], SAY)
    numbers = [
        float(one) for path in shapes(drawing).iter("path") for one in re.findall(r"-?\d+\.?\d*", path.attrib["d"])
    ]
    assert all(0 <= one <= max(WIDTH, HEIGHT) for one in numbers)


def test_one_month_is_a_dot() -> None:
    drawing = pictures.lines("Cash", ["2026-03"], [Series("base", [7.0])], SAY)
    assert len(list(shapes(drawing).iter("circle"))) == 1


def test_months_at_the_foot_do_not_lie_on_each_other() -> None:
    for count in range(1, 61):
        names = [f"{2026 + at // 12}-{at % 12 + 1:02d}" for at in range(count)]
        drawing = pictures.lines("Cash", names, [Series("base", [float(at) for at in range(count)])], SAY)
        foot = [one for one in shapes(drawing).iter("text") if re.match(r"[A-Z][a-z]{2} \d{4}", one.text or "")]
        spans = []
        for one in foot:
            wide, x = 50, float(one.attrib["x"])
            left = {"start": x, "middle": x - wide / 2, "end": x - wide}[one.attrib["text-anchor"]]
            spans.append((left, left + wide))
        assert all(a[1] <= b[0] for a, b in pairwise(spans)), count


def test_stacked_columns_lie_on_each_other_and_losses_hang_below() -> None:
    drawing = pictures.columns(
        "MRR", ["Q1"], [Series("new", [6.0]), Series("more", [2.0]), Series("churn", [-4.0])], SAY, stacked=True
    )
    new, more, churn = rects(drawing)
    assert new["height"] == pytest.approx(3 * more["height"], rel=0.02)
    assert more["y"] + more["height"] == pytest.approx(new["y"], abs=0.2)
    assert churn["y"] == pytest.approx(new["y"] + new["height"], abs=0.2)


def test_bars_begin_at_zero_or_at_the_plan() -> None:
    low, high = rects(pictures.bars("Margin", [Bar("a", 0, 1, "1"), Bar("b", 0, 2, "2")]))
    assert low["x"] == high["x"]
    assert high["width"] == pytest.approx(2 * low["width"], rel=0.02)
    [one] = rects(pictures.bars("Tornado", [Bar("a", -10, -5, "")], base=-7))
    assert one["width"] > 0


def test_the_matrix_shows_counts_where_they_are() -> None:
    counts = [[0] * 5 for _ in range(5)]
    counts[4][1] = 3
    found = [
        one for one in shapes(pictures.matrix("Risks", counts, "likelihood", "impact")).iter("text") if one.text == "3"
    ]
    assert any("n2" in one.attrib.get("class", "") for one in found)


def test_names_are_escaped_and_cut() -> None:
    drawing = pictures.bars("<b>&", [Bar("<script>" + "x" * 90, 0, 1, "&")])
    assert "<script>" not in drawing
    assert max(len(one.text or "") for one in shapes(drawing).iter("text")) <= pictures.LONGEST
