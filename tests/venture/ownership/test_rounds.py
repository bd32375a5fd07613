"""What each instrument does, one at a time."""

from __future__ import annotations

from typing import Any

import pytest

from core.venture.ownership.case import run_case

FOUNDERS = {"founders_shares": 9_000_000}


def last(**given: Any) -> dict[str, Any]:
    return run_case(FOUNDERS | given).to_json()


def round_(money: int = 2_000_000, pre_money: int = 8_000_000, **more: Any) -> dict[str, Any]:
    return {"name": "Series A", "money_usd": money, "pre_money_usd": pre_money} | more


def test_a_cap_above_the_round_gives_way_to_the_round_price() -> None:
    found = last(safes=[{"name": "A", "purchase_usd": 100_000, "post_money_cap_usd": 50_000_000}], round=round_())
    assert found["conversions"][0]["basis"] == "round price"
    assert found["conversions"][0]["price_usd"] == pytest.approx(found["price_usd"])


def test_the_discount_wins_where_it_gives_more() -> None:
    terms = {"name": "A", "purchase_usd": 100_000, "post_money_cap_usd": 7_900_000, "discount": 0.2}
    found = last(safes=[terms], round=round_())
    assert found["conversions"][0]["basis"] == "discount"


def test_an_mfn_safe_takes_the_best_later_terms() -> None:
    safes = [
        {"name": "M", "purchase_usd": 100_000, "mfn": True},
        {"name": "late", "purchase_usd": 100_000, "post_money_cap_usd": 5_000_000},
        {"name": "cheap", "purchase_usd": 100_000, "post_money_cap_usd": 4_000_000},
    ]
    found = last(safes=safes, round=round_())
    rows = {one["name"]: one for one in found["conversions"]}
    assert rows["M"]["terms_of"] == "cheap"
    assert rows["M"]["shares"] == rows["cheap"]["shares"]


def test_an_mfn_safe_ignores_what_came_before_it() -> None:
    safes = [
        {"name": "early", "purchase_usd": 100_000, "post_money_cap_usd": 4_000_000, "date": "2025-01-01"},
        {"name": "M", "purchase_usd": 100_000, "post_money_cap_usd": 6_000_000, "mfn": True, "date": "2025-06-01"},
    ]
    rows = {one["name"]: one for one in last(safes=safes, round=round_())["conversions"]}
    assert not rows["M"]["terms_of"]
    assert rows["M"]["shares"] < rows["early"]["shares"]


@pytest.mark.parametrize(("compound", "owed"), [(False, 116_000.0), (True, 116_640.0)])
def test_interest_runs_by_days_to_the_round(compound: bool, owed: float) -> None:
    note = {"principal_usd": 100_000, "interest": 0.08, "issued": "2024-01-02", "compound": compound}
    found = last(notes=[note], round=round_(date="2026-01-01", conversion_method="pre_money"))  # 730 days
    assert found["conversions"][0]["amount_usd"] == pytest.approx(owed)


def test_a_note_that_is_issued_after_the_date_owes_no_interest() -> None:
    note = {"name": "N", "principal_usd": 100_000, "interest": 0.08, "issued": "2027-01-01"}
    found = run_case(FOUNDERS | {"notes": [note], "round": round_(date="2026-01-01"), "exit_values": ["5M"]}).to_json()
    assert found["exits"][0]["payouts"]["N"] == 100_000
    assert any("counted to 2026-01-01" in one for one in found["notes"])


def test_an_exit_without_a_date_says_that_no_interest_is_counted() -> None:
    note = {"name": "N", "principal_usd": 100_000, "interest": 0.08, "issued": "2027-01-01"}
    assert any("N: no interest is counted" in one for one in last(notes=[note], exit_values=["5M"])["notes"])
    dated = {"name": "N", "principal_usd": 100_000, "interest": 0.08, "months": 12}
    assert not any("no interest" in one for one in last(notes=[dated], exit_values=["5M"])["notes"])


def test_a_pre_money_cap_may_be_the_purchase() -> None:
    safe = {"name": "S", "purchase_usd": 500_000, "pre_money_cap_usd": 500_000}
    found = last(safes=[safe], round=round_(conversion_method="pre_money"))
    assert found["safe_shares"]["S"] == pytest.approx(9_000_000, rel=1e-4)


def test_nobody_is_added_to_somebody_else_of_a_like_name() -> None:
    holders = [
        {"name": "Ana Ltd", "kind": "investor", "shares": 10},
        {"name": "ana ltd.", "kind": "other", "shares": 20},
    ]
    safes = [{"name": "founders", "purchase_usd": 500_000, "post_money_cap_usd": 5_000_000}]
    found = run_case(FOUNDERS | {"holders": holders, "safes": safes, "round": round_()}).to_json()
    assert found["shares"]["founders"] == 9_000_000
    assert found["shares"]["founders_2"] == found["safe_shares"]["founders"] > 900_000
    assert (found["shares"]["ana_ltd"], found["shares"]["ana_ltd_2"]) == (10, 20)
    assert sum(found["ownership"].values()) == pytest.approx(1)


def test_a_round_below_the_qualified_financing_leaves_the_note() -> None:
    note = {"name": "N", "principal_usd": 100_000, "qualified_financing_usd": 3_000_000}
    found = last(notes=[note], round=round_())
    assert found["unconverted"] == ["N"]
    assert "N" in found["notes"][0]


def test_a_safe_after_the_first_round_converts_at_the_second() -> None:
    given = {
        "safes": [{"name": "S", "purchase_usd": 100_000, "post_money_cap_usd": 9_000_000, "date": "2026-06-01"}],
        "rounds": [
            round_(date="2026-01-01"),
            {"name": "Series B", "money_usd": "5M", "pre_money_usd": "20M", "date": "2027-01-01"},
        ],
    }
    first, second = run_case(FOUNDERS | given).to_json()["events"][1:]
    assert not first["conversions"]
    assert second["safe_shares"]["S"] > 0


def test_a_pool_target_that_is_met_adds_nothing() -> None:
    found = last(unissued_pool=5_000_000, round=round_(post_money_pool=0.1))
    assert found["pool_increase_shares"] == 0
    assert "already holds its target" in found["notes"][0]


def test_a_pool_target_is_met_with_safes_in_the_round() -> None:
    safes = [{"name": "A", "purchase_usd": 500_000, "post_money_cap_usd": 5_000_000}]
    found = last(safes=safes, round=round_(post_money_pool=0.15), unissued_pool=100_000)
    assert found["ownership"] == {"founders": 0.5806, "pool": 0.15, "A": 0.065, "series_a": 0.2} or (
        found["ownership"]["pool"] == 0.15 and found["ownership"]["series_a"] == 0.2
    )


def test_the_percent_method_leaves_the_new_investor_whole() -> None:
    note = {"principal_usd": 900_000, "discount": 0.25, "cap_usd": 4_000_000}
    found = last(notes=[note], round=round_(conversion_method="percent_ownership"))
    assert found["ownership"]["series_a"] == pytest.approx(0.2, abs=1e-4)


def test_the_methods_cost_the_founders_in_their_order() -> None:
    def founders(method: str) -> float:
        note = {"principal_usd": 900_000, "discount": 0.25}
        return float(last(notes=[note], round=round_(conversion_method=method))["ownership"]["founders"])

    assert founders("percent_ownership") < founders("dollars_invested") < founders("pre_money")


def test_terms_may_leave_the_currency_out_and_say_post_money() -> None:
    short = {"safes": [{"purchase": "500k", "post_money_cap": "5M"}], "round": {"money": "2M", "post_money": "10M"}}
    long = {
        "safes": [{"purchase_usd": 500_000, "post_money_cap_usd": 5_000_000}],
        "round": {"money_usd": 2_000_000, "pre_money_usd": 8_000_000},
    }
    assert last(**short) == last(**long)


def test_a_tiny_price_keeps_its_digits() -> None:
    found = run_case({"founders_shares": 900_000_000_000, "round": round_()}).to_json()
    assert found["price_usd"] == pytest.approx(8e6 / 9e11, rel=1e-4)
    assert found["ownership"]["series_a"] == pytest.approx(0.2, abs=2e-4)


def test_the_words_tell_every_event() -> None:
    text = "\n".join(run_case(FOUNDERS | {"round": round_(), "exit_usd": "3M"}).lines())
    for words in (
        "Today: 9,000,000 shares",
        "Series A: 2,000,000 at 8,000,000 pre-money",
        "Exit at 3,000,000",
        "advice",
    ):
        assert words in text
