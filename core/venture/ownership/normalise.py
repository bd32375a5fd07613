"""Worked examples as they are printed become the fields of a cap table: `founders_shares`, one `round`, `cap_usd`."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.venture.money import amount

_ROUND_KEYS = (
    "money_usd",
    "money",
    "pre_money_usd",
    "pre_money",
    "post_money_usd",
    "post_money",
    "post_money_pool",
    "pool_increase_shares",
    "conversion_method",
    "price_decimals",
)
_SERIES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PARTS = 10**8  # shares that stand for a whole company of which only shares of one are known


def renamed(given: Any, names: dict[str, str]) -> Any:
    """Other spellings of a key; a key that is there under both is left for the model to refuse."""
    if not isinstance(given, dict):
        return given
    return {names[key] if key in names and names[key] not in given else key: value for key, value in given.items()}


def with_pre_money(given: Any) -> Any:
    """pre-money = post-money − money, where only the post-money is told."""
    given = renamed(given, {"money": "money_usd", "pre_money": "pre_money_usd", "post_money": "post_money_usd"})
    if not isinstance(given, dict) or "post_money_usd" not in given or "pre_money_usd" in given:
        return given
    post, money = amount(given["post_money_usd"]), amount(given.get("money_usd", 0))
    if not isinstance(post, (int, Decimal)) or not isinstance(money, (int, Decimal)) or isinstance(post, bool):
        raise ValueError("post_money_usd and money_usd are amounts of money")
    if post <= money:
        raise ValueError(f"post_money_usd, {Decimal(post):,f}, is not above the money, {Decimal(money):,f}")
    rest = {key: value for key, value in given.items() if key != "post_money_usd"}
    return rest | {"pre_money_usd": Decimal(post) - Decimal(money)}


def normalised(given: Any) -> Any:
    """The fields of `OwnershipSpec`. What is one already comes back as it is."""
    if not isinstance(given, dict):
        return given
    found = dict(given)
    if "given" in found and isinstance(found["given"], dict):
        found = dict(found["given"])
    found = _exit(found)
    stated = "fully_diluted_shares" in found
    found = _holders(found)
    found = _rounds(found, stated)
    for key, word in (("safes", "SAFE"), ("notes", "Note")):
        if isinstance(found.get(key), (list, tuple)):
            found[key] = [_named(one, f"{word} {place}") for place, one in enumerate(found[key], 1)]
    return found


def _named(one: Any, name: str) -> Any:
    return {"name": name} | one if isinstance(one, dict) and "name" not in one else one


def _holders(found: dict[str, Any]) -> dict[str, Any]:
    """One line of shares without names becomes one holder. fully_diluted_shares counts everybody: what else is stated
    is part of it, and the rest is one holder."""
    whole = found.pop("fully_diluted_shares", None)
    for key, name, kind in (("founders_shares", "Founders", "founder"), ("existing_shares", "Existing", "other")):
        if key in found:
            shares = found.pop(key)
            found["holders"] = [*found.get("holders", ()), {"name": name, "kind": kind, "shares": shares}]
    if whole is not None and (rest := _unstated(whole, found)):
        found["holders"] = [*found.get("holders", ()), {"name": "Existing", "kind": "other", "shares": rest}]
    return found


def _unstated(whole: Any, found: dict[str, Any]) -> Any:
    """Of the fully diluted shares, those of nobody who is named. A count that is none is left for the model to
    refuse."""
    holders = found.get("holders", ())
    stated = (
        [one.get("shares") for one in holders if isinstance(one, dict)] if isinstance(holders, (list, tuple)) else []
    )
    stated += [found.get(key) for key in ("options_outstanding", "options_promised", "unissued_pool")]
    counted, parts = _counted(whole), [_counted(one) for one in stated]
    if counted is None:
        return whole
    known = sum((one for one in parts if one is not None), start=Decimal(0))
    if known > counted:
        raise ValueError(
            f"fully_diluted_shares, {counted:,f}, counts holders, options and the pool too, and those that are stated "
            f"come to {known:,f}; correct one of them, or leave fully_diluted_shares out"
        )
    return counted - known if known else whole


def _counted(shares: Any) -> Decimal | None:
    try:
        value = amount(shares)
    except ValueError:
        return None
    known = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    return Decimal(value) if known and Decimal(value).is_finite() else None


def _rounds(found: dict[str, Any], stated: bool) -> dict[str, Any]:
    """stated: the example prints the fully diluted shares that the price is counted on, which is the pre-money method
    in so many words."""
    if "round" in found and "rounds" not in found:
        found["rounds"] = [found.pop("round")]
    loose = {key: found.pop(key) for key in _ROUND_KEYS if key in found}
    if loose:
        rounds = found.get("rounds")
        if isinstance(rounds, list) and len(rounds) == 1 and isinstance(rounds[0], dict):
            found["rounds"] = [loose | rounds[0]]
        elif rounds:
            found |= loose  # refused by name: which of the rounds is meant is not said
        else:
            found["rounds"] = [{"name": "Investors"} | loose]
    if isinstance(found.get("rounds"), (list, tuple)):
        rounds = [_named(one, f"Series {_SERIES[place % 26]}") for place, one in enumerate(found["rounds"])]
        if stated:
            rounds = [{"conversion_method": "pre_money"} | one if isinstance(one, dict) else one for one in rounds]
        found["rounds"] = rounds
    return found


def _exit(found: dict[str, Any]) -> dict[str, Any]:
    """An exit, and a single investor of whom only the share is known."""
    if "exit_usd" in found and "exit_values" not in found:
        exits = found.pop("exit_usd")
        found["exit_values"] = list(exits) if isinstance(exits, (list, tuple)) else [exits]
    if "investment_usd" in found and "ownership" in found:
        part = _share(found.pop("ownership"))
        shares = int(part * _PARTS)
        terms = {"preference": found.pop("preference")} if "preference" in found else {}
        for key in ("multiple", "participating", "participation_cap", "seniority"):
            if key in found:
                terms[key] = found.pop(key)
        paid = {"name": "Preferred", "invested_usd": found.pop("investment_usd")}
        found["classes"] = [*found.get("classes", ()), paid | terms]
        investor = {"name": "Investor", "kind": "investor", "share_class": "Preferred", "shares": shares}
        others = {"name": "Others", "kind": "other", "shares": _PARTS - shares}
        found["holders"] = [*found.get("holders", ()), investor, others]
    elif "investment_usd" in found and "money_usd" not in found:
        found["money_usd"] = found.pop("investment_usd")
    return found


def _share(given: Any) -> Fraction:
    text = str(given).strip()
    try:
        part = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"ownership: {text[:40]!r} is no share of one; write 0.3 or 30%") from error
    if not 0 < part < 1:
        raise ValueError(f"ownership: {text} is not between 0 and 1")
    return part
