"""The market on the dashboard: example and own deals apart, trends, an own round beside them, import by CSV."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.store.database import Database
from core.venture.fundraising import PlannedRoundSpec
from core.venture.market import DealSpec
from core.venture.market_csv import example_deals, read_deals
from core.venture.market_trends import by_quarter, by_stage, standing
from exports.cells import rows_csv
from pages.widgets import dashboard_market_charts as charts
from pages.widgets.dashboard_market import standing_words
from tests.pages.dashboard_sections import saved, section, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

DEALS = [
    {
        "company": f"Own {place}",
        "stage": "Seed",
        "date": f"2026-0{place}-15",
        "amount": place * 1_000_000,
        "valuation": 20_000_000,
    }
    for place in (1, 2, 4, 5, 7)
]
SEED = {"name": "Seed", "month": "2027-06", "amount": 3_000_000, "pre_money": 12_000_000}
PLANNED = PlannedRoundSpec.model_validate(SEED)


def own() -> list[DealSpec]:
    return [DealSpec.model_validate(one) for one in DEALS]


def upload(at: AppTest, content: bytes, name: str = "deals.csv") -> AppTest:
    return at.file_uploader[0].set_value((name, content, "text/csv")).run()


def test_an_empty_market_offers_import_and_the_example(db: Database) -> None:
    at, company_id = section(db, "dashboard_market")
    assert not at.exception
    assert "No deals yet" in words(at)
    at.button(key="d_market_show").click().run()
    assert not at.exception
    assert any("invented" in one.value for one in at.warning)
    assert len(at.get("plotly_chart")) == 2
    assert saved(db, company_id).market == ()


def test_own_deals_are_drawn_without_the_word_example(db: Database) -> None:
    at, _ = section(db, "dashboard_market", market=DEALS, fundraising={"planned": [SEED]})
    assert not at.exception
    assert not at.warning
    assert r"0\.75 times the median".replace("\\", "") in words(at)
    assert "above 40% of 5 seed deals" in words(at)


def test_a_file_is_taken_with_what_was_not_read(db: Database) -> None:
    at, company_id = section(db, "dashboard_market", market=DEALS[:1])
    upload(at, rows_csv(charts.deal_rows(own())).replace(b"source", b"lead"))
    assert not at.exception
    assert [one.company for one in saved(db, company_id).market] == [one["company"] for one in DEALS]
    told = words(at)
    assert r"4 deals taken from deals\.csv" in told
    assert "1 deal there already" in told
    assert "Not read: lead" in told


def test_a_faulty_file_takes_nothing_and_names_its_rows(db: Database) -> None:
    at, company_id = section(db, "dashboard_market", market=DEALS[:1])
    upload(at, b"company,stage,date,amount\nA,Seed,2026-01-01,5\nB,Seed,01.02.2026,-5\n")
    assert not at.exception
    assert any("row 2: date" in one.value and "nothing was taken" in one.value for one in at.error)
    assert len(saved(db, company_id).market) == 1


def test_own_deals_replace_the_example(db: Database) -> None:
    example = [one.model_dump(mode="json") for one in example_deals()[:5]]
    at, company_id = section(db, "dashboard_market", market=example)
    assert any("invented" in one.value for one in at.warning)
    upload(at, rows_csv(charts.deal_rows(own())))
    assert not at.exception
    assert all(not one.example for one in saved(db, company_id).market)
    assert len(saved(db, company_id).market) == 5


def test_deals_leave_as_they_come_back() -> None:
    given = [one.model_copy(update={"example": False}) for one in example_deals()]
    found, table = read_deals("deals.csv", rows_csv(charts.deal_rows(given)))
    assert list(found) == [one if one.valuation else one.model_copy(update={"valuation_kind": "post"}) for one in given]
    assert not table.ignored


def test_the_trend_draws_medians_deals_and_the_own_round() -> None:
    deals = own()
    groups = by_quarter(deals, "amount")
    figure = charts.trend_figure(groups, deals, "amount", [standing(PLANNED, deals, "amount")], "USD", "seed")
    line = next(trace for trace in figure.data if trace.mode == "lines+markers")
    assert list(zip(line.x, line.y, strict=True)) == [(0, 1_500_000), (1, 4_500_000), (2, 7_000_000)]
    assert tuple(line.marker.size) == (6, 6, 6)  # fewer than three deals each
    points = next(trace for trace in figure.data if trace.mode == "markers")
    assert len(points.x) == 5
    assert figure.layout.shapes[0].y0 == 3_000_000


def test_stages_draw_half_of_their_deals_and_the_median() -> None:
    deals = own()
    figure = charts.stages_figure(by_stage(deals, "amount"), "amount", [standing(PLANNED, deals, "amount")], "USD")
    bar = next(trace for trace in figure.data if trace.type == "bar")
    assert (bar.base[0], bar.x[0]) == (2_000_000, 3_000_000)
    marks = [trace.x[0] for trace in figure.data if trace.type == "scatter" and trace.mode == "markers"]
    assert marks == [4_000_000, 3_000_000]


def test_a_round_beyond_all_deals_is_told_in_words() -> None:
    low = PLANNED.model_copy(update={"amount": 5})
    assert "below all of 5 seed deals" in standing_words(standing(low, own(), "amount"), "Seed", "USD")


def test_too_few_deals_make_no_comparison() -> None:
    told = standing_words(standing(PLANNED, own()[:2], "amount"), "Seed", "USD")
    assert "too few for a median" in told
    assert "no seed deal tells" in standing_words(standing(PLANNED, [], "amount"), "Seed", "USD")
