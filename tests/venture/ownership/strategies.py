"""Cap tables for hypothesis: any holders, converts, rounds and classes that may be told in a file."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.venture.ownership.terms import METHODS

SHARES = st.integers(1_000, 50_000_000)
MONEY = st.integers(10_000, 30_000_000)
PARTS = st.sampled_from(["0", "0.1", "0.15", "0.2", "0.25"])
METHOD = st.sampled_from(sorted(METHODS))
TERMS = st.fixed_dictionaries(
    {"multiple": st.sampled_from(["1", "1.5", "2"]), "seniority": st.integers(1, 3)},
    optional={"participating": st.booleans()},
).flatmap(
    lambda terms: (
        st.just(terms)
        if not terms.get("participating")
        else st.sampled_from([terms, terms | {"participation_cap": "3"}])
    )
)


@st.composite
def safes(draw: st.DrawFn, name: str) -> dict[str, Any]:
    purchase = draw(st.integers(10_000, 500_000))
    kind = draw(st.sampled_from(["post_money_cap_usd", "pre_money_cap_usd", "none"]))
    found: dict[str, Any] = {
        "name": name,
        "purchase_usd": purchase,
        "discount": draw(PARTS),
        "mfn": draw(st.booleans()),
    }
    if kind == "none":
        return found | {"form": draw(st.sampled_from(["post_money", "pre_money"]))}
    return found | {kind: purchase * draw(st.integers(8, 60))}


@st.composite
def notes(draw: st.DrawFn, name: str) -> dict[str, Any]:
    principal = draw(st.integers(10_000, 500_000))
    found = {
        "name": name,
        "principal_usd": principal,
        "interest": draw(PARTS),
        "months": draw(st.integers(0, 36)),
        "compound": draw(st.booleans()),
        "discount": draw(PARTS),
    }
    return found | {"cap_usd": principal * draw(st.integers(8, 60))} if draw(st.booleans()) else found


@st.composite
def companies(draw: st.DrawFn, *, rounds: int = 2) -> dict[str, Any]:
    given: dict[str, Any] = {
        "holders": [{"name": f"Founder {place}", "shares": draw(SHARES)} for place in range(draw(st.integers(1, 3)))],
        "options_outstanding": draw(st.integers(0, 500_000)),
        "options_promised": draw(st.integers(0, 500_000)),
        "unissued_pool": draw(st.integers(0, 500_000)),
        "safes": [draw(safes(f"SAFE {place}")) for place in range(draw(st.integers(0, 3)))],
        "notes": [draw(notes(f"Note {place}")) for place in range(draw(st.integers(0, 2)))],
        "rounds": [],
    }
    for place in range(draw(st.integers(0, rounds))):
        money = draw(MONEY)
        one = {"name": f"Series {'ABC'[place]}", "money_usd": money, "pre_money_usd": money * draw(st.integers(2, 8))}
        one |= {"conversion_method": draw(METHOD)} | draw(TERMS)
        pool = draw(st.sampled_from([{}, {"pool_increase_shares": draw(SHARES)}, {"post_money_pool": "0.1"}]))
        given["rounds"].append(one | pool)
    if draw(st.booleans()):  # the SAFEs come after the rounds, and are open at an exit beside preferred
        given["rounds"] = [one | {"date": f"2026-0{place}-01"} for place, one in enumerate(given["rounds"], 1)]
        given["safes"] = [one | {"date": "2030-01-01"} for one in given["safes"]]
    return given
