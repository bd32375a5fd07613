"""Every worked example with a printed answer comes out as it is printed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.venture.ownership.case import run_case
from tests.venture.ownership.cases import CONVERTS, COOLEY, cooley

FACTS = Path(__file__).parents[2] / "facts" / "finance_cases.yaml"
SHARED = {one["id"]: one for one in yaml.safe_load(FACTS.read_text(encoding="utf-8"))}
PRINTED = 1e-4  # relative, of the file's head


def close(got: Any, printed: Any, path: str = "") -> None:
    if isinstance(printed, dict):
        for key, value in printed.items():
            close(got[key], value, f"{path}.{key}")
    else:
        assert math.isclose(got, printed, rel_tol=PRINTED), f"{path}: {got} is not {printed}"


@pytest.mark.parametrize("name", ["yc-safe-guide-example-1-q2", "option-pool-shuffle", "waterfall-participating"])
def test_a_shared_example_comes_out_as_printed(name: str) -> None:
    close(run_case(SHARED[name]["given"]).to_json(), SHARED[name]["expect"])


def test_the_post_money_example_comes_out_to_the_share() -> None:
    found = run_case(SHARED["yc-safe-guide-example-1-q2"]["given"]).to_json()
    assert found["safe_shares"] == {"A": 588_235, "B": 1_176_470}
    assert (found["price_usd"], found["new_shares"], found["total_shares"]) == (1.1144, 4_486_719, 17_946_424)


def test_the_primer_comes_out_with_its_safes() -> None:
    case = SHARED["yc-safe-primer-pre-money"]
    printed = case["expect"]
    terms = [{k: v for k, v in one.items() if k not in ("price_usd", "shares")} for one in printed["safes"]]
    found = run_case(case["given"] | {"safes": terms}).to_json()
    close(found, {"price_usd": printed["price_usd"], "new_shares": printed["new_shares"]})
    for got, expected in zip(found["safes"], printed["safes"], strict=True):
        close(got, {"price_usd": expected["price_usd"], "shares": expected["shares"]})


def test_the_primer_comes_out_to_the_share_where_its_prices_are_cut_as_it_prints_them() -> None:
    """0.909 for the round, 0.72727 for the SAFE at its cap, and 0.85 × 0.909 = 0.77265 at its discount alone."""
    terms = {"purchase_usd": 100_000, "discount": 0.15}
    given = SHARED["yc-safe-primer-pre-money"]["given"]
    found = run_case(given | {"safes": [terms | {"cap_usd": 8_000_000}]}).to_json()
    assert (found["price_usd"], found["new_shares"], found["safes"][0]["shares"]) == (0.909, 1_100_110, 137_500)
    assert run_case(given | {"safes": [terms]}).to_json()["safes"][0]["price_usd"] == 0.77265


def test_a_discount_comes_off_the_printed_price() -> None:
    """YC, SAFE Primer, discount only (at FundersClub): 2,105,263 shares at $0.19, and 131,578 at $0.152."""
    given = {
        "fully_diluted_shares": 10_500_000,
        "round": {"money_usd": 400_000, "pre_money_usd": 2_000_000, "price_decimals": 2},
        "safes": [{"purchase_usd": 20_000, "discount": 0.2}],
    }
    found = run_case(given).to_json()
    assert (found["price_usd"], found["new_shares"]) == (0.19, 2_105_263)
    assert (found["safes"][0]["price_usd"], found["safes"][0]["shares"]) == (0.152, 131_578)


def test_fully_diluted_shares_hold_the_parts_that_are_stated() -> None:
    pool = run_case(SHARED["yc-safe-primer-pre-money"]["given"] | {"unissued_pool": 1_000_000}).to_json()
    close(pool["price_usd"], 0.909)
    assert pool["shares"]["existing"] == 10_000_000
    given = {"founders_shares": 9_000_000, "options_outstanding": 1_000_000, "fully_diluted_shares": 10_000_000}
    found = run_case(given | {"round": {"money_usd": 1_000_000, "pre_money_usd": 10_000_000}}).to_json()
    assert (found["price_usd"], found["total_shares"]) == (1.0, 11_000_000)
    assert "existing" not in found["shares"]


def test_the_primer_as_it_is_given_has_its_price() -> None:
    found = run_case(SHARED["yc-safe-primer-pre-money"]).to_json()
    close(found, {"price_usd": 0.909, "new_shares": 1_100_110})


@pytest.mark.parametrize("method", COOLEY)
def test_each_conversion_method_gives_the_figures_of_its_rule(method: str) -> None:
    found = run_case(cooley(method)).to_json()
    expected = COOLEY[method]
    assert found["price_usd"] == pytest.approx(expected["price"], abs=0.005)
    assert found["note_shares"]["Note"] == pytest.approx(expected["note"], rel=1e-5)
    assert found["new_shares"] == pytest.approx(expected["new"], rel=1e-5)
    assert tuple(found["ownership"][key] for key in ("founders", "Note", "series_a")) == expected["parts"]


@pytest.mark.parametrize(("given", "shares", "price"), [one[1:] for one in CONVERTS], ids=[one[0] for one in CONVERTS])
def test_a_published_conversion_comes_out_as_printed(given: dict[str, Any], shares: int, price: float) -> None:
    found = run_case(given).to_json()
    close(found["conversions"][0]["shares"], shares)
    close(found["price_usd"], price)


def test_post_money_safes_own_what_they_were_sold() -> None:
    """CYT Law, "Post-money SAFE math problems": $1M at $10M is 10 %, $600k at $15M 4 %, before the new money."""
    given = {
        "founders_shares": 8_600_000,
        "safes": [
            {"name": "first", "purchase_usd": "1M", "post_money_cap_usd": "10M"},
            {"name": "second", "purchase_usd": "600k", "post_money_cap_usd": "15M"},
        ],
        "round": {"money_usd": "5M", "pre_money_usd": "20M"},
    }
    found = run_case(given).to_json()
    assert found["company_capitalisation"] == 10_000_000
    assert found["safe_shares"] == {"first": 1_000_000, "second": 400_000}


def test_the_shuffle_costs_the_founders_what_venture_hacks_says() -> None:
    """$8M pre-money over 6M shares is $1.33; with the pool in the pre-money it is $1.00, on $6M."""
    without = run_case({"existing_shares": "6M", "pre_money_usd": "8M", "money_usd": "2M"}).to_json()
    assert without["price_usd"] == pytest.approx(1.33, abs=0.005)
    shuffled = run_case(SHARED["option-pool-shuffle"]["given"]).to_json()["shuffle"]
    assert shuffled["holders_today"] == 0.6
    assert shuffled["holders_today_if_after_the_money"] == pytest.approx(0.64)  # 80 % of 80 %


def test_two_participating_classes_pay_common_from_the_printed_exit() -> None:
    """Fundwave, "The perils of liquidation waterfall: part 2": common joins at $8M; both classes are capped at 2x."""
    given = {
        "holders": [
            {"name": "Founder", "shares": 375},
            {"name": "ISA", "kind": "investor", "class": "Series A", "shares": 375},
            {"name": "MPG", "kind": "investor", "class": "Seed", "shares": 250},
        ],
        "classes": [
            {"name": "Series A", "invested_usd": "5M", "preference": "1x participating, 2x cap", "seniority": 3},
            {"name": "Seed", "invested_usd": "3M", "preference": "1x participating, 2x cap", "seniority": 2},
        ],
        "exit_values": ["4M", "7M", "8M", "9M"],
    }
    found = run_case(given).to_json()
    paid = [one["payouts"] for one in found["exits"]]
    assert paid[0] == {"Founder": 0, "ISA": 4_000_000, "MPG": 0}
    assert paid[1] == {"Founder": 0, "ISA": 5_000_000, "MPG": 2_000_000}
    assert paid[2] == {"Founder": 0, "ISA": 5_000_000, "MPG": 3_000_000}
    assert paid[3] == {"Founder": 375_000, "ISA": 5_375_000, "MPG": 3_250_000}
    assert {one["exit_usd"] for one in found["breakpoints"]} >= {5_000_000, 8_000_000}


def test_a_published_case_reads_the_same_with_and_without_its_wrapping() -> None:
    case = SHARED["option-pool-shuffle"]
    assert run_case(case).to_json() == run_case(case["given"]).to_json()
