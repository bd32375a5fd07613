"""`python -m core plan`, `captable` and `report`: what they print, and what they say of bad files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.venture.company_file import company_text
from tests.conftest import Call

COMPANY: dict[str, Any] = {
    "company": {"name": "Acme", "start": "2026-01", "months": 24, "opening_cash": 100_000},
    "products": [{"name": "Team", "price": 50, "customers": 100, "churn": 0.02, "new_customers": 4}],
    "team": [{"role": "ML engineer", "salary": 120_000, "burden": 0.25}],
}


def written(folder: Path, given: Any) -> str:
    file = folder / "company.yaml"
    file.write_text(given if isinstance(given, str) else yaml.safe_dump(given), encoding="utf-8")
    return str(file)


def told(call: Call, *arguments: str) -> dict[str, Any]:
    status, out, err = call(*arguments, "--json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def fault(call: Call, *arguments: str) -> str:
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    return err


def test_a_plan_has_a_figure_for_each_month_and_its_cash_adds_up(call: Call, tmp_path: Path) -> None:
    found = told(call, "plan", written(tmp_path, COMPANY))
    lines = found["lines"]
    assert all(len(line) == 24 for line in lines.values())
    assert lines["revenue"][0] == pytest.approx(50 * (100 - 2 + 4))
    cash = found["opening_cash"]
    for month in range(24):
        cash += lines["receipts"][month] - lines["payments"][month]
        assert lines["cash"][month] == pytest.approx(cash, abs=0.005)
    assert found["metrics"]["arr"]["value"] == pytest.approx(12 * lines["recurring"][-1])
    assert found["note"] == "Not financial advice."


def test_a_scenario_of_the_file_is_planned_and_another_is_refused(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path, COMPANY | {"scenarios": {"slow": {"new_customers": 0.5}}})
    slow, base = told(call, "plan", file, "--scenario", "slow"), told(call, "plan", file)
    assert slow["lines"]["revenue"][-1] < base["lines"]["revenue"][-1]
    assert "base, slow" in fault(call, "plan", file, "--scenario", "fast")


def test_chances_are_the_same_for_the_same_seed(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path, COMPANY)
    found = [told(call, "plan", file, "--chances")["chances"] for _ in range(2)]
    assert found[0] == found[1]
    assert found[0]["runs"] == 10_000
    chances = list(found[0]["chance_of_running_out_by_month"].values())
    assert chances == sorted(chances)


def test_both_runways_of_an_answer_count_from_the_plans_start(call: Call, tmp_path: Path) -> None:
    certain = {
        "company": COMPANY["company"],
        "team": COMPANY["team"],
        "uncertainty": {"distributions": {}, "runs": 100},
    }
    found = told(call, "plan", written(tmp_path, certain), "--chances")
    assert found["runway"]["cash_empty"] == "2026-09"
    assert found["runway"]["months"] == 8
    assert set(found["chances"]["runway_months"].values()) == {8}


def test_a_plan_in_words_has_years_and_metrics(call: Call, tmp_path: Path) -> None:
    status, out, _ = call("plan", written(tmp_path, COMPANY))
    assert status == 0
    assert "Acme, base" in out
    assert "Jan–Dec 2026" in out
    assert "Burn multiple" in out
    assert "Not financial advice." in out


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"products": [{"name": "Team", "price": 50, "churn": 1.2}]}, "churn"),
        ({"products": [{"name": "Team", "price": -50}]}, "price"),
        ({"team": [{"role": "Support", "salary": 1, "start": "2026-05", "end": "2026-02"}]}, "2026-02"),
        ({"company": {"currency": "euro"}}, "currency"),
        ({"company": {"months": 61}}, "months"),
        ({"prodcts": []}, "products"),
        ({"funding": [{"name": "A", "month": "2026-13", "amount": 1}]}, "2026-13"),
        ({"products": [{"name": "A"}, {"name": "A"}]}, "two are called A"),
        (
            {"company": {"currency": "EUR"}, "products": [{"name": "A", "cost": {"usd_per_million_input": 1}}]},
            "per_usd",
        ),
    ],
)
def test_a_fault_names_the_key_and_the_value(call: Call, tmp_path: Path, change: Any, expected: str) -> None:
    assert expected in fault(call, "plan", written(tmp_path, COMPANY | change), "--json")


def test_all_faults_of_a_file_are_told_at_once(call: Call, tmp_path: Path) -> None:
    faulty = COMPANY | {"products": [{"name": "Team", "price": -1, "churn": 3}], "expenses": [{"amount": 5}]}
    message = fault(call, "plan", written(tmp_path, faulty))
    assert all(part in message for part in ("products.0.price", "products.0.churn", "expenses.0.name"))


def test_a_key_that_stands_twice_is_refused(call: Call, tmp_path: Path) -> None:
    message = fault(call, "plan", written(tmp_path, "company:\n  months: 12\n  months: 24\n"))
    assert "'months' twice (lines 2 and 3)" in message


def test_growth_beyond_counting_is_refused_with_its_cause(call: Call, tmp_path: Path) -> None:
    faulty = COMPANY | {"products": [{"name": "Team", "price": 50, "new_customers": 1_000_000, "growth": 3}]}
    assert "growth" in fault(call, "plan", written(tmp_path, faulty))


def test_a_company_with_thousands_of_deals_is_read_as_the_dashboard_writes_it(call: Call, tmp_path: Path) -> None:
    deal = {"company": "Example", "stage": "seed", "date": "2026-01-05", "amount": 1_000_000, "sector": "x" * 60}
    text, kind = company_text(COMPANY | {"market": [dict(deal) for _ in range(3_000)]})
    file = tmp_path / f"company.{kind}"
    file.write_text(text, encoding="utf-8")
    assert kind == "json"
    assert told(call, "plan", str(file))["company"] == "Acme"


def test_a_report_is_four_files_and_an_unknown_section_is_refused(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path, COMPANY)
    found = told(call, "report", file, "--out", str(tmp_path / "papers"), "--audience", "board")
    assert sorted(Path(one).suffix for one in found["files"]) == [".html", ".md", ".xlsx", ".zip"]
    assert all(Path(one).stat().st_size > 500 for one in found["files"])
    assert "cash" in fault(call, "report", file, "--out", str(tmp_path / "more"), "--section", "cash")
    assert not (tmp_path / "more").exists()


def test_a_cap_table_of_a_published_example_is_as_printed(call: Call, tmp_path: Path) -> None:
    given = yaml.safe_load(Path("tests/facts/finance_cases.yaml").read_text(encoding="utf-8"))[0]
    found = told(call, "captable", written(tmp_path, given["given"]))
    assert found["total_shares"] == pytest.approx(given["expect"]["total_shares"], rel=1e-4)
    assert sum(found["ownership"].values()) == pytest.approx(1)


def test_a_cap_table_in_words_names_every_holder(call: Call, tmp_path: Path) -> None:
    status, out, _ = call("captable", written(tmp_path, {"holders": [{"name": "Ana", "shares": 600}]}))
    assert status == 0
    assert "Ana" in out


def test_a_cap_below_the_purchase_is_refused(call: Call, tmp_path: Path) -> None:
    given = {"founders_shares": 1000, "safes": [{"name": "A", "purchase_usd": 100, "post_money_cap_usd": 50}]}
    assert "cap" in fault(call, "captable", written(tmp_path, given), "--json")
