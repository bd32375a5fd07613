"""What a SAFE that no round has converted gets at an exit, by the YC forms, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from core.venture.ownership.case import run_case

LATER = {"name": "L", "purchase_usd": 1_000_000, "post_money_cap_usd": 10_000_000}
DISCOUNT = {"name": "D", "purchase_usd": 1_000_000, "discount": 0.2, "form": "post_money"}


def paid(value: Any, **given: Any) -> dict[str, float]:
    return dict(run_case(given | {"exit_values": [value]}).to_json()["exits"][0]["payouts"])


def test_an_mfn_safe_takes_the_terms_of_a_later_one() -> None:
    safes = [{"name": "M", "purchase_usd": 1_000_000, "mfn": True}, LATER]
    found = paid("50M", founders_shares=9_000_000, safes=safes)
    assert found == {"Founders": 40_000_000, "M": 5_000_000, "L": 5_000_000}


def test_an_mfn_safe_leaves_the_terms_of_an_earlier_one() -> None:
    safes = [LATER, {"name": "M", "purchase_usd": 1_000_000, "mfn": True}]
    assert paid("50M", founders_shares=9_000_000, safes=safes)["M"] == 1_000_000


def test_an_mfn_safe_prefers_a_cap_to_a_discount_and_the_lower_cap() -> None:
    low = {"name": "P", "purchase_usd": 1_000_000, "post_money_cap_usd": 5_000_000}
    safes = [{"name": "M", "purchase_usd": 1_000_000, "mfn": True}, DISCOUNT, LATER, low]
    found = paid("100M", founders_shares=9_000_000, safes=safes)
    assert found["M"] == found["P"] == 20_000_000


def test_a_post_money_safe_counts_a_note_that_converts() -> None:
    note = {"name": "N", "principal_usd": 1_000_000, "cap_usd": 5_000_000}
    found = paid("50M", founders_shares=8_000_000, notes=[note], safes=[LATER])
    assert found == {"Founders": 37_500_000, "L": 5_000_000, "N": 7_500_000}


def test_a_post_money_safe_counts_a_pre_money_safe_that_converts() -> None:
    early = {"name": "P", "purchase_usd": 1_000_000, "pre_money_cap_usd": 5_000_000}
    found = paid("50M", founders_shares=8_000_000, safes=[early, LATER])
    assert found == {"Founders": 37_500_000, "L": 5_000_000, "P": 7_500_000}


def test_a_post_money_safe_leaves_out_who_takes_cash() -> None:
    """A SAFE at a cap of 40M takes its 1M of 21M; the other has a tenth of the rest."""
    high = {"name": "H", "purchase_usd": 1_000_000, "post_money_cap_usd": 40_000_000}
    found = paid("21M", founders_shares=8_000_000, safes=[LATER, high])
    assert found == {"Founders": 18_000_000, "L": 2_000_000, "H": 1_000_000}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20M", {"Founders": 13.5e6, "Seed Fund": 5e6, "L": 1.5e6}),  # a tenth of what the preference leaves
        ("49.7M", {"Founders": 40e6, "Seed Fund": 5e6, "L": 4.7e6}),  # the class converts, and L catches up
        ("60M", {"Founders": 48e6, "Seed Fund": 6e6, "L": 6e6}),  # a tenth of all
    ],
)
def test_a_post_money_safe_counts_preferred_once_it_converts(value: str, expected: dict[str, float]) -> None:
    given = {
        "holders": [
            {"name": "Founders", "shares": 8_000_000},
            {"name": "Seed Fund", "kind": "investor", "class": "Seed", "shares": 1_000_000},
        ],
        "classes": [{"name": "Seed", "invested_usd": 5_000_000}],
        "safes": [LATER],
    }
    assert paid(value, **given) == expected


def test_the_step_of_a_safe_is_between_two_breakpoints() -> None:
    given = {
        "holders": [
            {"name": "Founders", "shares": 8_000_000},
            {"name": "Seed Fund", "kind": "investor", "class": "Seed", "shares": 1_000_000},
        ],
        "classes": [{"name": "Seed", "invested_usd": 5_000_000}],
        "safes": [LATER],
    }
    points = {one["exit_usd"]: one["why"] for one in run_case(given).to_json()["breakpoints"]}
    assert points[49_444_444.444444] == ["Seed converts to common"]
    assert points[50_000_000] == ["L: counted with those who convert here"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("600k", {"Founders": 0, "D": 600_000}),
        ("1.1M", {"Founders": 0, "D": 1_100_000}),
        ("2M", {"Founders": 750_000, "D": 1_250_000}),
        ("50M", {"Founders": 48_750_000, "D": 1_250_000}),
    ],
)
def test_a_discount_alone_is_worth_the_purchase_over_one_less_it(value: str, expected: dict[str, float]) -> None:
    assert paid(value, founders_shares=9_000_000, safes=[DISCOUNT]) == expected


def test_when_proceeds_are_short_safes_share_by_their_purchases() -> None:
    second = {"name": "U", "purchase_usd": 1_000_000, "form": "post_money"}
    assert paid("1M", founders_shares=9_000_000, safes=[DISCOUNT, second]) == {"Founders": 0, "D": 5e5, "U": 5e5}


def test_a_post_money_safe_counts_one_that_has_a_discount_alone() -> None:
    """A tenth of all 50M, the 1.25M of the other in them."""
    found = paid("50M", founders_shares=9_000_000, safes=[LATER, DISCOUNT])
    assert found == {"Founders": 43_750_000, "L": 5_000_000, "D": 1_250_000}
