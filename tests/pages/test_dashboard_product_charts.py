"""The pictures of product economics: what is drawn adds up, and no product breaks them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from core.venture.economics import economics, plan_month
from core.venture.inference_cost import Offer, typed
from core.venture.switching import alternatives
from pages.widgets import dashboard_product_charts as charts
from pages.widgets import dashboard_product_tasks as tasks
from tests.venture.product_cases import pro

LOSS: dict[str, Any] = {"price": 5, "hosting_per_customer": 20}


def bars(figure: go.Figure) -> list[tuple[float, float]]:
    """(start, length) of each bar, from the top."""
    [trace] = [trace for trace in figure.data if trace.type == "bar"]
    return list(zip(trace.base, trace.x, strict=True))


def words(figure: go.Figure) -> str:
    return " ".join(one.text for one in figure.layout.annotations)


@pytest.mark.parametrize("changes", [{}, LOSS, {"price": 0}, {"model": "project", "price": 9000, "delivery_cost": 100}])
def test_each_cost_begins_where_the_one_before_ended_and_the_rest_is_the_margin(changes: dict[str, Any]) -> None:
    found = economics(pro(**changes))
    (start, price), *costs, (zero, margin) = bars(charts.month_figure(found))
    assert (start, price, zero) == (0, float(found.revenue), 0)
    left = price
    for begun, length in costs:
        assert begun + length == pytest.approx(left)
        left = begun
    assert margin == pytest.approx(left)
    assert margin == pytest.approx(float(found.margin.expected))


def test_a_loss_is_called_a_loss() -> None:
    assert "Loss <b>−" in words(charts.month_figure(economics(pro(**LOSS))))


def test_the_token_prices_range_is_drawn_at_inference_and_margin() -> None:
    assert sum(1 for one in charts.month_figure(economics(pro())).data if one.error_x.array) == 2


def test_amounts_are_in_the_companys_currency() -> None:
    found = economics(pro(), currency="EUR", per_usd=0.9)
    figures = (charts.month_figure(found), charts.price_figure(found), charts.plans_figure([plan_month(found)], "EUR"))
    for figure in figures:
        assert "€" in words(figure)
        assert "$" not in words(figure)


def test_the_curve_stands_on_the_margin_of_now_and_marks_the_target() -> None:
    found = economics(pro())
    figure = charts.price_figure(found)
    [dot] = [one for one in figure.data if one.mode == "markers"]
    assert found.margin_share is not None
    assert (dot.x[0], dot.y[0]) == (49, pytest.approx(float(found.margin_share.expected)))
    assert "$24.29 for 70%" in words(figure)


@pytest.mark.parametrize(
    "changes", [LOSS, {"price": 0, "tasks": []}, {"payment_fee": 0.4}, {"model": "usage", "tasks": []}]
)
def test_the_curve_is_drawn_whatever_the_product(changes: dict[str, Any]) -> None:
    assert charts.price_figure(economics(pro(**changes))).layout.title.text == "Margin at each price"


def test_every_alternative_has_a_bar_as_long_as_its_margin() -> None:
    found = alternatives(pro(), [Offer(label="<b>an API</b> & more", cost=typed(1, 4))])
    figure = charts.switching_figure(found, "USD")
    assert [length for _, length in bars(figure)] == [
        float(one.margin_share.expected) for one in found if one.margin_share
    ]
    assert "&lt;b&gt;an API" in words(figure)
    assert len(charts.switching_rows(found)) == len(found)


def test_a_deep_loss_does_not_hide_the_rest() -> None:
    found = alternatives(pro(price=1), [Offer(label="Dear", cost=typed(500, 500))])
    assert min(length for _, length in bars(charts.switching_figure(found, "USD"))) >= -2


def test_the_rows_of_the_month_add_up() -> None:
    rows = {(row["figure"], row["unit"]): row["expected"] for row in charts.month_rows(economics(pro()))}
    of = "USD/customer and month"
    assert rows["price", of] - rows["cost of serving", of] == pytest.approx(rows["gross margin", of])


def test_typed_tasks_are_read_from_the_table() -> None:
    """Emptied cells are at their default, a percentage is a share, and a row of nothing is none."""
    table = tasks._table(pro())
    table.loc[0, "Cached, %"] = 25.0
    table.loc[1, "Tokens out, a run"] = None
    table.loc[2] = [None, float("nan"), None, None, None, None]
    table.loc[3] = ["New", 10, 100, 20, None, None]
    assert tasks._rows(pd.DataFrame(table)) == [
        {"name": "Answer", "runs_per_user": 200, "input_tokens": 1500, "output_tokens": 300, "cached_share": 0.25},
        {"name": "Summary", "runs_per_user": 20, "input_tokens": 8000, "cached_share": 0},
        {"name": "New", "runs_per_user": 10, "input_tokens": 100, "output_tokens": 20},
    ]
