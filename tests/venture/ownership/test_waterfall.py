"""Who gets what at an exit, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from core.venture.ownership.case import run_case


def paid(value: Any, **given: Any) -> dict[str, float]:
    return dict(run_case(given | {"exit_values": [value]}).to_json()["exits"][0]["payouts"])


def two(first: str, second: str, **more: Any) -> dict[str, Any]:
    """60 % common, 20 % each of two classes that paid 2M and 4M."""
    return {
        "holders": [
            {"name": "F", "shares": 600},
            {"name": "A", "kind": "investor", "class": "Series A", "shares": 200},
            {"name": "B", "kind": "investor", "class": "Series B", "shares": 200},
        ],
        "classes": [
            {"name": "Series A", "invested_usd": "2M", "preference": first},
            {"name": "Series B", "invested_usd": "4M", "preference": second} | more,
        ],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3M", {"F": 0, "A": 1e6, "B": 2e6}),  # side by side, in proportion
        ("8M", {"F": 2e6, "A": 2e6, "B": 4e6}),
        ("14M", {"F": 7.5e6, "A": 2.5e6, "B": 4e6}),  # A converts, B does not
        ("30M", {"F": 18e6, "A": 6e6, "B": 6e6}),
    ],
)
def test_non_participating_takes_the_better_of_two(value: str, expected: dict[str, float]) -> None:
    assert paid(value, **two("1x non-participating", "1x non-participating")) == expected


def test_the_senior_class_is_paid_first() -> None:
    assert paid("5M", **two("1x", "1x", seniority=2)) == {"F": 0, "A": 1e6, "B": 4e6}


def test_a_cap_stops_participation_until_conversion_pays_more() -> None:
    given = two("1x", "1x participating, 2x cap")
    assert paid("16M", **given)["B"] == pytest.approx(6.4e6, abs=0.01)  # v = 12,000: A 2.4M, F 7.2M, B 4M + 2.4M
    assert paid("36M", **given)["B"] == 8e6
    assert paid("60M", **given) == {"F": 36e6, "A": 12e6, "B": 12e6}


def test_a_multiple_is_taken_of_the_money() -> None:
    assert paid("9M", **two("1x", "2x"))["B"] == pytest.approx(7.2e6)  # 8M of the 10M that are owed


def test_debt_and_costs_come_first() -> None:
    found = run_case(two("1x", "1x") | {"debt_usd": "1M", "transaction_costs_usd": "500k", "exit_values": ["8M"]})
    exit_ = found.to_json()["exits"][0]
    assert exit_["first"] == {"Transaction costs": 500_000, "Debt": 1_000_000}
    assert exit_["payouts"] == {"F": 500_000, "A": 2_000_000, "B": 4_000_000}


def test_options_pay_their_strike() -> None:
    given = {"founders_shares": 900, "options_outstanding": 100, "options_strike_usd": 10}
    assert paid("9000", **given) == {"Founders": 9_000, "Options outstanding": 0}
    assert paid("19000", **given) == {"Founders": 18_000, "Options outstanding": 1_000}


def test_the_unissued_pool_gets_nothing() -> None:
    assert paid("1M", founders_shares=900, unissued_pool=100) == {"Founders": 1_000_000}


def test_an_open_safe_takes_its_money_or_its_share() -> None:
    given = {"founders_shares": 900, "safes": [{"name": "S", "purchase_usd": "100k", "post_money_cap_usd": "1M"}]}
    assert paid("500k", **given) == {"Founders": 400_000, "S": 100_000}
    assert paid("2M", **given) == {"Founders": 1_800_000, "S": 200_000}


def test_the_breakpoints_are_where_they_are_by_hand() -> None:
    found = run_case(two("1x", "1x")).to_json()["breakpoints"]
    assert [(one["exit_usd"], one["why"]) for one in found] == [
        (6_000_000, ["Series A, Series B: preference paid"]),
        (12_000_000, ["Series A converts to common"]),
        (20_000_000, ["Series B converts to common"]),
    ]


def test_an_exit_of_nothing_pays_nothing() -> None:
    assert set(paid(0, **two("1x", "1x participating")).values()) == {0}
