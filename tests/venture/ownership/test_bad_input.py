"""What cannot be is refused with its values, what is allowed, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInput
from core.venture.ownership.case import run_case

FOUNDERS = {"founders_shares": 9_000_000}
ROUND = {"money_usd": 2_000_000, "pre_money_usd": 8_000_000}


def safe(**more: Any) -> dict[str, Any]:
    return {"name": "A", "purchase_usd": 500_000} | more


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            FOUNDERS | {"safes": [safe(post_money_cap_usd=400_000)]},
            ["A", "400,000", "500,000", "more than the purchase"],
        ),
        (FOUNDERS | {"safes": [safe(post_money_cap_usd="500k")]}, ["is not above the purchase", "the whole company"]),
        (FOUNDERS | {"safes": [safe(cap_usd="400k")]}, ["400,000, is below the purchase, 500,000", "at least"]),
        (FOUNDERS | {"notes": [{"principal_usd": 10, "cap_usd": 5}]}, ["5, is below the principal, 10", "at least"]),
        (
            FOUNDERS | {"fully_diluted_shares": "8M", "unissued_pool": "1M"},
            ["fully_diluted_shares, 8,000,000", "10,000,000"],
        ),
        (FOUNDERS | {"round": {"money_usd": 20_000_000, "pre_money_usd": 1}}, ["1.8e+14 shares", "1e+12", "same unit"]),
        (FOUNDERS | {"safes": [safe(name="Unissued pool", cap_usd="5M")]}, ["kept for the option plan"]),
        (FOUNDERS | {"safes": [safe(name="Options", cap_usd="5M")]}, ["kept for a class of shares"]),
        (
            FOUNDERS | {"safes": [safe(name="Seed", post_money_cap_usd="5M")], "round": ROUND | {"name": "Seed"}},
            ["'Seed' is both a SAFE or note and a round"],
        ),
        (
            FOUNDERS | {"classes": [{"name": "Seed", "invested_usd": 1}], "round": ROUND | {"name": "Seed"}},
            ["'Seed' is both a class and a round"],
        ),
        (
            FOUNDERS | {"safes": [safe(name="M", mfn=True), safe(post_money_cap_usd=900_000)], "exit_values": ["20M"]},
            ["M, A", "111.1%", "Below 100 %", "mfn"],
        ),
        (
            FOUNDERS | {"safes": [safe(post_money_cap_usd=900_000), safe(name="B", post_money_cap_usd=900_000)]},
            ["111.1%", "below 100 %"],
        ),
        (
            FOUNDERS
            | {"rounds": [ROUND | {"name": "A", "date": "2026-05-01"}, ROUND | {"name": "B", "date": "2025-05-01"}]},
            ["dates out of order", "2025-05-01", "2026-05-01"],
        ),
        (FOUNDERS | {"round": ROUND | {"post_money_pool": 0.8}}, ["20.0%", "80.0%", "below 100 %"]),
        (
            FOUNDERS
            | {
                "round": ROUND | {"conversion_method": "percent_ownership"},
                "notes": [{"principal_usd": 8_000_000, "discount": 0.2}],
            },
            ["20.0%", "80.0% of the post-money"],
        ),
        (FOUNDERS | {"round": ROUND | {"post_money_pool": 1}}, ["post_money_pool"]),
        (FOUNDERS | {"safes": [safe(cap_usd=5_000_000, post_money_cap_usd=5_000_000)]}, ["not both"]),
        (FOUNDERS | {"round": ROUND | {"pool_increase_shares": 5, "post_money_pool": 0.1}}, ["give one of them"]),
        (FOUNDERS | {"safes": [safe(post_money_cap_usd="5M"), safe(post_money_cap_usd="6M")]}, ["'A'", "2 times"]),
        ({"holders": [{"name": "x", "shares": 1, "class": "Seed"}]}, ["no class 'Seed'"]),
        (FOUNDERS | {"notes": [{"principal_usd": 10, "interest": 0.1}], "round": ROUND}, ["interest", "months"]),
        ({"safes": [safe(post_money_cap_usd=5_000_000)]}, ["no holder has any shares"]),
        ({}, ["no shares", "founders_shares"]),
        ({"founders_shares": 1.5}, ["shares are whole"]),
        ({"founders_shares": -5}, ["greater than or equal to 0"]),
        (FOUNDERS | {"saves": []}, ["saves: unknown key", "perhaps safes"]),
        ({"investment_usd": 1, "ownership": 1.2, "preference": "1x", "exit_usd": 1}, ["not between 0 and 1"]),
        ({"investment_usd": 1, "ownership": 0.2, "preference": "sometimes", "exit_usd": 1}, ["'sometimes' is not"]),
    ],
)
def test_it_is_refused_with_its_values(given: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        run_case(given)
    for words in told:
        assert words in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    "convert",
    [
        {"safes": [safe(cap_usd=5_000_000)]},
        {"safes": [safe(discount=0.2)]},
        {"notes": [{"name": "A", "principal_usd": 500_000, "discount": 0.2}]},
    ],
)
def test_the_conversion_method_is_asked_for_and_never_guessed(convert: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        run_case(FOUNDERS | {"round": ROUND} | convert)
    for words in ("A convert", "pre_money:", "percent_ownership:", "dollars_invested:", "term sheet"):
        assert words in str(caught.value)


def test_post_money_safes_need_no_method() -> None:
    assert run_case(FOUNDERS | {"round": ROUND, "safes": [safe(post_money_cap_usd=5_000_000)]}).to_json()["new_shares"]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        run_case(FOUNDERS | {"safes": [safe(cap_usd=1), safe(name="B", discount="150%")], "unissued_pool": -1})
    assert all(words in str(caught.value) for words in ("safes.0", "safes.1.discount", "unissued_pool"))
