"""The dashboard's ownership view without a browser: it starts, asks for the method, shows, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.estimate.config import parse, read_file
from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture.ownership.case import run_case
from core.venture.ownership.csv_table import write_csv
from core.venture.ownership.ocf import write_ocf
from core.venture.ownership.spec import OwnershipSpec
from core.venture.ownership.waterfall import curve, waterfall
from core.venture.spec import company
from pages.widgets import dashboard_ownership_charts as charts
from pages.widgets import dashboard_ownership_files as files
from pages.widgets import dashboard_ownership_waterfall as exits
from pages.widgets.dashboard_ownership import answer, sentence

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

EXAMPLES = Path(__file__).parents[2] / "core" / "venture" / "examples"
SCRIPT = """
from core.store.companies import CompanyRepository
from pages.services import services
from pages.widgets import dashboard_ownership
from pages.widgets.dashboard_desk import Desk

db = services().db
dashboard_ownership.draw(Desk(db, CompanyRepository(db).list()[0]))
"""
NOTE = {
    "founders_shares": 1_000_000,
    "notes": [{"name": "Angels", "principal_usd": 1_000_000, "discount": 0.3}],
    "rounds": [{"name": "Series A", "money_usd": 2_000_000, "pre_money_usd": 8_000_000}],
}


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def page(db: Database, ownership: dict[str, Any]) -> AppTest:
    CompanyRepository(db).create("Acme", {"ownership": ownership})
    return AppTest.from_string(SCRIPT, default_timeout=60).run()


def kept(db: Database) -> OwnershipSpec:
    return company(CompanyRepository(db).list()[0].spec).ownership


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error, at.success)
    return " ".join(one.value for kind in kinds for one in kind).replace("\\", "")


def press(at: AppTest, label: str) -> AppTest:
    return next(one for one in at.button if one.label == label).click().run()


def test_an_empty_table_says_what_to_do_and_starts_with_two_founders(db: Database) -> None:
    at = page(db, {})
    assert "who holds how many shares" in words(at)
    at = press(at, "Two founders, 9,000,000 shares")
    assert not at.exception
    assert sum(one.shares for one in kept(db).holders) == 9_000_000
    assert "The founders own 90.0% of 10,000,000 shares" in words(at)


def test_the_method_is_asked_for_and_its_choice_is_kept(db: Database) -> None:
    at = page(db, NOTE)
    assert "conversion method" in words(at)
    radio = at.radio[0]
    assert radio.value is None
    assert len(radio.options) == 3
    at = radio.set_value("percent_ownership").run()
    assert not at.exception
    assert kept(db).rounds[0].conversion_method == "percent_ownership"
    assert "65.7% after Series A" in words(at)
    at = at.radio[0].set_value("pre_money").run()
    assert "70.0% after Series A" in words(at)


def test_a_round_that_cannot_be_is_told_and_the_earlier_ones_stay(db: Database) -> None:
    one = {"name": "Seed", "money_usd": 2_000_000, "pre_money_usd": 8_000_000}
    worse = {"name": "Wish", "money_usd": 2_000_000, "pre_money_usd": 8_000_000, "post_money_pool": 0.8}
    at = page(db, {"founders_shares": 9_000_000, "rounds": [one, worse]})
    assert "Wish: No price solves this round" in words(at)
    assert "80.0% after Seed" in words(at)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("captable_*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_drawn(db: Database, path: Path) -> None:
    at = page(db, parse(OwnershipSpec, read_file(path)).model_dump(mode="json", exclude_defaults=True))
    assert not at.exception
    assert not at.error
    assert "Sold for" in words(at)


def test_another_exit_pays_others(db: Database) -> None:
    at = page(db, NOTE | {"rounds": [NOTE["rounds"][0] | {"conversion_method": "pre_money"}]})  # type: ignore[index]
    price = next(one for one in at.number_input if one.label.startswith("Sold for"))
    at = price.set_value(3_000_000).run()
    assert "Sold for $3M after Series A, the founders get $0, 0%" in words(at)
    after = next(one for one in at.selectbox if one.label == "Sold")
    assert "Sold for $3M, the founders get $2M" in words(after.set_value(0).run())


def test_the_option_plan_is_saved_as_it_is_typed(db: Database) -> None:
    at = page(db, {"founders_shares": 900})
    next(one for one in at.number_input if one.label == "Unissued pool").set_value(100).run()
    assert kept(db).unissued_pool == 100


def test_a_file_is_previewed_then_used_and_can_be_taken_back(db: Database) -> None:
    at = page(db, {"founders_shares": 900, "unissued_pool": 100})
    at.file_uploader[0].upload("table.csv", b"name,shares\nAna,700\n", "text/csv").run()
    assert "1 holder with 700 shares" in words(at)
    assert kept(db).holders[0].shares == 900
    at = press(at, "Use this cap table")
    assert [(one.name, one.shares) for one in kept(db).holders] == [("Ana", 700)]
    assert kept(db).unissued_pool == 100
    press(at, "Put the former table back")
    assert kept(db).holders[0].shares == 900


def test_a_bad_file_is_told_and_changes_nothing(db: Database) -> None:
    at = page(db, {"founders_shares": 900})
    at.file_uploader[0].upload("table.csv", b"Owner,Stock\nAna,700\n", "text/csv").run()
    assert "'owner' is not known" in words(at)
    assert kept(db).holders[0].shares == 900


def test_a_package_keeps_the_rounds_that_it_cannot_hold() -> None:
    keep = parse(OwnershipSpec, NOTE)
    other = parse(OwnershipSpec, {"founders_shares": 5})
    found, left_out = files.read("x.zip", write_ocf(other, company="x", day=date(2026, 1, 1)), keep)
    assert (found.holders, found.rounds, left_out) == (other.holders, keep.rounds, ())


def test_a_csv_of_the_whole_table_is_the_table() -> None:
    keep = parse(OwnershipSpec, NOTE)
    assert files.read("x.CSV", write_csv(keep), OwnershipSpec())[0] == keep


def test_the_bars_of_every_event_fill_the_width() -> None:
    found = run_case(read_file(EXAMPLES / "captable_two_rounds.yaml"))
    figure = charts.ownership_figure(found.past.snapshots)
    for place in range(len(found.past.snapshots)):
        assert sum(trace["x"][place] for trace in figure["data"]) == pytest.approx(100)
    assert [trace["name"] for trace in figure["data"]] == charts.names_of(found.past.snapshots)


def test_the_numbers_behind_the_bars_sum_to_one_an_event() -> None:
    found = run_case(read_file(EXAMPLES / "captable_two_rounds.yaml"))
    rows = charts.ownership_rows(found.past.snapshots)
    for event in {row["event"] for row in rows}:
        assert sum(row["ownership"] for row in rows if row["event"] == event) == pytest.approx(1)


def test_the_shuffle_shows_both_valuations() -> None:
    found = run_case(read_file(EXAMPLES / "captable_pool_shuffle.yaml"))
    figure = charts.shuffle_figure(found.past.last, "USD")
    told = " ".join(note["text"] for note in figure["layout"]["annotations"])
    assert "$8M before the money" in told
    assert "$6M for what is there today" in told


def test_breakpoints_are_marked_and_the_lines_pass_them() -> None:
    found = run_case(read_file(EXAMPLES / "captable_waterfall.yaml"))
    points = curve(found.claims, Fraction(100_000_000))
    figure = exits.curve_figure(points, found.breakpoints, "USD")
    drawn = [shape["x0"] for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    values = [float(one.value) for one in found.breakpoints]
    assert set(drawn) <= set(values)
    for value in values:
        assert any(0 <= value - at < exits.NARROW * 100_000_000 for at in drawn)
    row = exits.curve_rows(points)[-1]
    assert sum(value for name, value in row.items() if name != "sold_for") == pytest.approx(row["sold_for"])


def test_an_exit_with_many_holders_names_the_largest_and_sums_the_rest() -> None:
    holders = [{"name": f"H{place}", "shares": place + 1} for place in range(40)]
    one = waterfall(run_case({"holders": holders}).claims, Fraction(82_000))
    paid = exits.payees(one)
    assert len(paid) == exits.MOST_BARS
    assert sum(cents for _, cents in paid) == one.value_cents
    assert paid[-1][0] == "29 others"


def test_names_of_the_reader_are_no_markup_in_a_picture() -> None:
    found = run_case(
        {"holders": [{"name": "<b>x</b>", "shares": 5}], "round": {"name": "<i>A</i>", "money": 5, "pre_money": 9}}
    )
    figures = (
        charts.ownership_figure(found.past.snapshots),
        exits.exit_figure(waterfall(found.claims, Fraction(9)), "USD"),
    )
    for figure in figures:
        text = figure.to_json()
        assert "<i>A" not in text
        assert "<b>x" not in text


def test_the_answer_goes_back_to_the_last_round_that_can_be() -> None:
    spec = parse(OwnershipSpec, NOTE)
    found, told = answer(spec)
    assert found is not None
    assert found.past.last.event == "Today"
    assert "Series A" in told
    assert sentence(found) == "The founders own 100.0% of 1,000,000 shares, fully diluted."
