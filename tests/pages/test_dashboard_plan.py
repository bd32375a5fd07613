"""The section of the plan without a browser: the answer first, every tab draws, and what is typed is kept or told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.store.database import Database
from core.venture.comparing import compare
from core.venture.metrics import METRICS
from core.venture.plan import plan
from core.venture.runway import sentence
from core.venture.sensitivity import tornado
from pages.widgets.chart_parts import Sketch
from pages.widgets.dashboard_plan import TABS
from pages.widgets.dashboard_plan_bars import tornado_figure
from pages.widgets.dashboard_plan_grid import edited
from tests.pages.dashboard_sections import saved, section, words
from tests.venture.companies import EVERYTHING, everything

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

MODULE = "dashboard_plan"
LESS = {"company": EVERYTHING["company"] | {"opening_cash": 300_000}, "uncertainty": {"runs": 500}}


@pytest.fixture(autouse=True)
def clean_caches() -> Iterator[None]:
    import streamlit as st

    st.cache_data.clear()
    yield
    st.cache_data.clear()


def drawn(db: Database, tab: str = "", **document: Any) -> tuple[AppTest, str]:
    """The section of a company that runs short of cash, with this tab open."""
    at, company_id = section(db, MODULE, **(EVERYTHING | LESS | document))
    if tab:
        at.session_state["d_plan_tab_0"] = tab
        at.run()
    assert not at.exception
    return at, company_id


def test_an_empty_company_is_told_what_to_do_first(db: Database) -> None:
    at, _ = section(db, MODULE)
    assert "Add first what you sell" in words(at)
    assert not at.get("plotly_chart")


def test_the_answer_stands_first_and_names_the_month(db: Database) -> None:
    at, _ = drawn(db)
    found = plan(everything(opening_cash=300_000))
    assert at.markdown[0].value.replace("\\", "") == f"#### {sentence(found)}"
    assert "Cash runs out in" in at.markdown[0].value


def test_the_first_picture_has_scenarios_the_spread_and_actuals(db: Database) -> None:
    at, _ = drawn(db, actuals=[{"month": "2027-01", "cash": 250_000}])
    figure = picture(at)
    assert [one["text"] for one in figure["layout"]["annotations"]] == ["<b>down</b>", "<b>base</b>", "<b>up</b>"]
    assert any("actual: $250,000" in text for one in figure["data"] for text in one.get("hovertext", ()))
    assert "25 to 75%" in figure["layout"]["title"]["subtitle"]["text"]


def test_the_first_figures_explain_themselves_when_pointed_at(db: Database) -> None:
    at, _ = drawn(db)
    labels = [one.label for one in at.metric]
    assert labels[:6] == ["Runway", "ARR", "Gross margin", "Net burn", "Burn multiple", "LTV/CAC"]
    told = at.metric[1].help
    assert METRICS["arr"].definition.split(":")[0] in told
    assert "12 \\times" in told
    assert "MRR" in told


def picture(at: AppTest, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(at.get("plotly_chart")[place].proto.spec)
    return found


@pytest.mark.parametrize("tab", list(TABS))
def test_every_tab_draws_with_its_numbers_to_take_away(db: Database, tab: str) -> None:
    at, _ = drawn(db, tab)
    assert not at.error
    assert at.get("plotly_chart") or at.info
    assert len(at.get("download_button")) >= 2
    assert at.subheader[-1].value == tab


@pytest.mark.parametrize("tab", list(TABS))
def test_every_tab_draws_for_a_company_that_only_spends(db: Database, tab: str) -> None:
    at, _ = section(db, MODULE, team=EVERYTHING["team"][:1], scenarios={}, uncertainty={"distributions": {}})
    at.session_state["d_plan_tab_0"] = tab
    at.run()
    assert not at.exception
    assert not at.error


def test_all_metrics_are_there_and_each_is_explained(db: Database) -> None:
    at, _ = drawn(db, "All metrics")
    shown = {one.label: one for one in at.metric[6:]}
    assert set(shown) == {one.label for one in METRICS.values()}
    assert all(one.help and "Source:" in one.help for one in shown.values())


def test_one_choice_of_months_is_of_the_figures_and_of_all_metrics(db: Database) -> None:
    at, _ = drawn(db, "All metrics")
    chosen = next(one for one in at.selectbox if one.label == "Figures of")
    assert [one.label for one in at.selectbox].count("Figures of") == 1
    chosen.set_value(4).run()
    by_label: dict[str, set[str]] = {}
    for one in at.metric:
        by_label.setdefault(one.label, set()).add(one.value)
    assert len(by_label["ARR"]) == len(by_label["Net burn"]) == 1
    assert "Of Jan–Mar 2028, as chosen above." in words(at)


def test_cash_that_was_counted_is_in_the_title(db: Database) -> None:
    at, _ = drawn(db, actuals=[{"month": "2027-01", "cash": 50_000}])
    assert "From the $50k counted in Jan 2027, cash runs out in" in at.markdown[1].value.replace("\\", "")


def test_every_runway_names_the_month_it_is_counted_from(db: Database) -> None:
    at, _ = drawn(db, "Chances")
    assert "from Jan 2027, the plan's start" in words(at)
    assert "Runways are counted from Jan 2027, the plan's start." in words(at)


def test_a_tornados_colours_are_better_and_worse() -> None:
    found = tornado(everything(opening_cash=300_000), "cash_end")
    figure = tornado_figure(found, "USD")
    bars = next(one for one in figure.data if one.type == "bar")
    better = {
        length > 0 for length, colour in zip(bars.x, bars.marker.color, strict=True) if colour == Sketch().colours[0]
    }
    assert better == {True}
    assert {"low", "high"} <= {one.text for one in figure.layout.annotations}


def test_a_metric_without_a_value_says_why(db: Database) -> None:
    at, _ = drawn(db, "All metrics")
    rule = next(one for one in at.metric if one.label == "Rule of 40")
    assert rule.value == "–"
    assert "needs the same months a year before" in words(at)


def test_profit_and_loss_comes_in_months_quarters_and_years(db: Database) -> None:
    at, _ = drawn(db, "Profit and loss")
    assert len(at.dataframe[0].value.columns) == 1 + 12
    at.session_state["d_plan_span_profit_0"] = "year"
    at.run()
    assert list(at.dataframe[0].value.columns)[1:] == ["Jan–Dec 2027", "Jan–Dec 2028", "Jan–Dec 2029"]
    assert "GROSS PROFIT" in list(at.dataframe[0].value.iloc[:, 0])


def test_scenarios_stand_side_by_side(db: Database) -> None:
    at, _ = drawn(db, "Scenarios")
    assert list(at.dataframe[0].value.columns) == ["Figure", "base", "down", "up"]
    assert list(at.dataframe[0].value["Figure"]) == [one.label for one in compare(everything()).rows]


def test_other_lines_than_cash_are_drawn_by_scenario(db: Database) -> None:
    at, _ = drawn(db, "Scenarios")
    assert picture(at, 1)["layout"]["title"]["text"] == "MRR by scenario"
    next(one for one in at.selectbox if one.label == "Line").set_value("net_burn").run()
    assert picture(at, 1)["layout"]["title"]["text"] == "Net burn by scenario"


def test_a_scenario_of_ones_own_is_added_and_removed(db: Database) -> None:
    at, company_id = drawn(db, "Scenarios")
    next(one for one in at.text_input if one.label == "New scenario").set_value("v. 2.0 late")
    at.run()
    next(one for one in at.button if one.label == "Add").click().run()
    assert list(saved(db, company_id).scenarios) == ["down", "up", "v. 2.0 late"]
    assert "v. 2.0 late" in at.dataframe[0].value.columns
    next(one for one in at.selectbox if one.label == "Scenario").set_value("down").run()
    next(one for one in at.button if one.label == "Remove").click().run()
    assert list(saved(db, company_id).scenarios) == ["up", "v. 2.0 late"]


@pytest.mark.parametrize("name", ["", "base", "up"])
def test_a_scenario_without_a_name_of_its_own_is_refused(db: Database, name: str) -> None:
    at, company_id = drawn(db, "Scenarios")
    next(one for one in at.text_input if one.label == "New scenario").set_value(name).run()
    next(one for one in at.button if one.label == "Add").click().run()
    assert "Not saved" in at.error[0].value
    assert list(saved(db, company_id).scenarios) == ["down", "up"]


def test_changed_cells_are_those_of_their_rows_alone() -> None:
    base = [{"Driver": "Churn", "up": 0.8}, {"Driver": "Price", "up": 1.0}]
    assert edited(base, {"edited_rows": {"1": {"up": 1.2}}}) == [base[0], {"Driver": "Price", "up": 1.2}]
    assert base[1]["up"] == 1.0


def test_the_tornado_is_of_what_is_chosen(db: Database) -> None:
    at, _ = drawn(db, "What matters most")
    next(one for one in at.selectbox if one.label == "What is moved").set_value("arr_end").run()
    assert "ARR at the end" in picture(at, 1)["layout"]["title"]["text"]


def test_chances_tell_the_runway_and_when_to_start(db: Database) -> None:
    at, _ = drawn(db, "Chances")
    shown = {one.label: one.value for one in at.metric}
    assert shown["Runway, middling"].endswith("months")
    assert shown["Out of cash in the plan"].endswith("%")
    assert "of 500 runs are out of cash before" in words(at)


def test_a_runway_beyond_the_plan_is_told_as_such(db: Database) -> None:
    at, _ = drawn(db, "Chances", company=EVERYTHING["company"] | {"opening_cash": 90_000_000})
    shown = {one.label: one.value for one in at.metric}
    assert (shown["Runway"], shown["Runway, middling"]) == ("beyond the plan", "> 36 months")


def test_correlations_that_cannot_be_are_told(db: Database) -> None:
    pairs = [("growth", "churn", 0.9), ("churn", "price", 0.9), ("growth", "price", -0.9)]
    correlations = [{"a": a, "b": b, "rho": rho} for a, b, rho in pairs]
    at, _ = drawn(db, "Chances", uncertainty={"runs": 300, "correlations": correlations})
    assert "cannot all hold at once" in words(at)


def test_a_seed_is_saved_and_changes_the_runs(db: Database) -> None:
    at, company_id = drawn(db, "Chances")
    before = picture(at)
    next(one for one in at.number_input if one.label == "Seed").set_value(11).run()
    assert saved(db, company_id).uncertainty.seed == 11
    assert picture(at)["data"] != before["data"]


def test_actual_figures_stand_beside_the_plan(db: Database) -> None:
    at, _ = drawn(
        db, "Actuals", actuals=[{"month": "2027-01", "revenue": 2000, "cash": 250_000}, {"month": "2026-05", "mrr": 1}]
    )
    table = at.dataframe[0].value
    assert list(table["Figure"]) == ["Revenue", "Cash"]
    assert list(table["Than planned"]) == ["worse", "worse"]
    assert "compared with nothing: May 2026" in words(at)
    assert "From the cash that was counted in Jan 2027" in words(at)


def test_actual_figures_come_by_csv_and_a_faulty_file_changes_nothing(db: Database) -> None:
    at, company_id = drawn(db, "Actuals")
    at.file_uploader[0].upload("a.csv", b"month,revenue\n2027-01,4000\n2027-02,4100\n", "text/csv").run()
    assert [one.month for one in saved(db, company_id).actuals] == ["2027-01", "2027-02"]
    assert "2 months taken" in words(at)
    at.file_uploader[0].upload("b.csv", b"month,revenue\n2027-03,lots\n", "text/csv").run()
    assert len(saved(db, company_id).actuals) == 2
    assert at.error


def test_the_section_answers_a_change_of_view_in_time(db: Database) -> None:
    at, _ = drawn(db, "Chances", uncertainty={})
    began = time.perf_counter()
    at.run()
    assert time.perf_counter() - began < 5  # 0.5 s on a quiet machine; the runs are kept
