"""Published worked examples beside those of the shared facts, with the answers their sources print.

Each: what is given, what is printed, the relative tolerance where the source rounds more coarsely than 1e-4.
"""

from __future__ import annotations

from typing import Any

NOTE = {"name": "Note", "principal_usd": 1_000_000, "discount": 0.3}


def cooley(method: str) -> dict[str, Any]:
    return {
        "founders_shares": 1_000_000,
        "notes": [NOTE],
        "round": {"money_usd": 2_000_000, "pre_money_usd": 8_000_000, "conversion_method": method},
    }


# The case and the methods are those of Cooley GO, "Calculating share price with outstanding convertible notes". Seen in
# print (WOWS Global, 2023): the figures of pre_money, and 65.71 % of percent_ownership. The others are by hand:
# percent_ownership: 2 of 10 million new; 1,000,000 / 0.7 of 8,000,000 go to the note; dollars_invested: of 11 million.
COOLEY = {
    "pre_money": {"price": 8.00, "note": 178_571, "new": 250_000, "parts": (0.7000, 0.1250, 0.1750)},
    "percent_ownership": {"price": 6.57, "note": 217_391, "new": 304_348, "parts": (0.6571, 0.1429, 0.2000)},
    "dollars_invested": {"price": 7.57, "note": 188_679, "new": 264_151, "parts": (0.6883, 0.1299, 0.1818)},
}


def round_of(shares: int, money: int, pre_money: int, **more: Any) -> dict[str, Any]:
    return {
        "existing_shares": shares,
        "round": {"money_usd": money, "pre_money_usd": pre_money, "conversion_method": "pre_money"},
    } | more


# name, given, shares the convert becomes, price of the round.
CONVERTS: list[tuple[str, dict[str, Any], int, float]] = [
    (  # FundersClub, "SAFE numerical examples: cap and discount", from the YC SAFE Primer: the cap wins
        "primer: cap below discount",
        round_of(
            11_000_000, 1_000_000, 10_000_000, safes=[{"purchase_usd": 100_000, "cap_usd": 8_000_000, "discount": 0.15}]
        ),
        137_500,
        0.909,
    ),
    (  # FundersClub, "Numerical example: $25k convertible note with $5M cap, 20% discount": $5.00 a share at $10M
        "fundersclub: the cap applies",
        round_of(
            2_000_000, 1_000_000, 10_000_000, notes=[{"principal_usd": 25_000, "cap_usd": 5_000_000, "discount": "20%"}]
        ),
        10_000,
        5.00,
    ),
    (  # the same page, $5.00 a share at $6M
        "fundersclub: the discount applies",
        round_of(
            1_200_000, 1_000_000, 6_000_000, notes=[{"principal_usd": 25_000, "cap_usd": 5_000_000, "discount": 0.2}]
        ),
        6_250,
        5.00,
    ),
    (  # CCDD Law, "Conversion of a convertible note": $108,000 at $400
        "ccdd: a year of interest, discount",
        round_of(
            10_000,
            1_000_000,
            5_000_000,
            notes=[{"principal_usd": 100_000, "interest": 0.08, "months": 12, "discount": 0.2}],
        ),
        270,
        500.00,
    ),
    (  # the same page, with a cap of $1M: $108,000 at $100
        "ccdd: a year of interest, cap",
        round_of(
            10_000,
            1_000_000,
            5_000_000,
            notes=[{"principal_usd": 100_000, "interest": 0.08, "months": 12, "discount": 0.2, "cap_usd": 1_000_000}],
        ),
        1_080,
        500.00,
    ),
    (  # Cooley U, term sheets, 2016: $105k at $0.75, a year after the note, $1.00 a share
        "cooley u: 5% for a year, 25% discount",
        round_of(
            5_000_000,
            1_000_000,
            5_000_000,
            notes=[{"principal_usd": 100_000, "interest": 0.05, "months": 12, "discount": 0.25}],
        ),
        140_000,
        1.00,
    ),
    (  # Startups Stack Exchange 9080: 55,556 options in the pre-money, $43.2 a share, $550k at $34.56
        "stack exchange: pool, interest, discount",
        {
            "founders_shares": 500_000,
            "notes": [{"principal_usd": 500_000, "interest": 0.1, "months": 12, "discount": 0.2}],
            "round": {
                "money_usd": 6_000_000,
                "pre_money_usd": 24_000_000,
                "pool_increase_shares": 55_556,
                "conversion_method": "pre_money",
            },
        },
        15_914,
        43.2,
    ),
]
