"""An Open Cap Format package becomes a cap table: a zip, or one JSON object with the files in it.

What was cancelled, transferred, converted or bought back is taken off; what this cap table has no place for (warrants,
vesting, documents) is named, never dropped in silence.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.ownership.ocf_write import MARK, ocf_files, write_ocf, write_ocf_json
from core.venture.ownership.spec import COMMON, OwnershipSpec

__all__ = ["OcfRead", "ocf_files", "read_ocf", "write_ocf", "write_ocf_json"]

Json = dict[str, Any]
MOST_BYTES = 50_000_000  # of a file that is brought
MOST_OPENED = 200_000_000
MOST_FILES = 200
_KINDS = {"FOUNDER": "founder", "INVESTOR": "investor", "ADVISOR": "adviser", "BOARD_MEMBER": "adviser"}
_EMPLOYEES = {"EMPLOYEE", "EXECUTIVE", "OFFICER", "NON_US_EMPLOYEE"}
_STOCK = "TX_STOCK_ISSUANCE"
_CONVERTIBLE = "TX_CONVERTIBLE_ISSUANCE"
_GRANTS = ("TX_EQUITY_COMPENSATION_ISSUANCE", "TX_PLAN_SECURITY_ISSUANCE")
_ENDS = ("_RETRACTION", "_TRANSFER", "_CONVERSION", "_REPURCHASE", "_CANCELLATION", "_CONSOLIDATION")
_SILENT = ("_ACCEPTANCE", "TX_VESTING_", "_RELEASE", "TX_STOCK_PLAN_RETURN_TO_POOL", "_AUTHORIZED_SHARES_ADJUSTMENT")
_NEXT = "Export the package again from where it is kept. Nothing of the table you have was changed."


@dataclass(frozen=True, slots=True)
class OcfRead:
    """left_out: what the package has and this cap table does not, in words."""

    spec: OwnershipSpec
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """Objects of a package by what they are, and what was taken off a security since. results: shares that came out of
    an exercise."""

    objects: dict[str, list[Json]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    cancelled: Counter[str] = field(default_factory=Counter)
    exercised: Counter[str] = field(default_factory=Counter)
    results: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)

    def of(self, *kinds: str) -> list[Json]:
        return [one for kind in kinds for one in self.objects.get(kind, ())]


def read_ocf(data: bytes) -> OcfRead:
    """Raises InvalidInput when it is no package, or has what would make the counts wrong (a split)."""
    found = _sorted(_contents(data))
    try:
        given = _spec(found)
    except (KeyError, TypeError, AttributeError, InvalidOperation, ValueError) as error:
        raise InvalidInput(
            f"The package is not as the Open Cap Format has it: {type(error).__name__} {error}.",
            allowed="Open Cap Format 1.0 to 1.2.",
            next_step=_NEXT,
        ) from error
    told = tuple(f"{count} × {kind}" for kind, count in sorted(found.left_out.items()))
    return OcfRead(parse(OwnershipSpec, given), told)


def _contents(data: bytes) -> list[Json]:
    if len(data) > MOST_BYTES:
        raise InvalidInput(
            f"The package has {len(data) / 1e6:,.0f} MB.", allowed=f"Up to {MOST_BYTES / 1e6:.0f} MB.", next_step=_NEXT
        )
    if data[:2] == b"PK":
        return _unzipped(data)
    whole = _json("The file", data)
    if isinstance(whole, list):
        return [one for one in whole if isinstance(one, dict)]
    if not isinstance(whole, dict):
        raise InvalidInput("The file holds no Open Cap Format.", allowed="A zip or a JSON object.", next_step=_NEXT)
    if "file_type" in whole:
        return [whole]
    nested = [one for one in whole.values() if isinstance(one, dict) and "file_type" in one]
    if not nested:
        raise InvalidInput(
            "The file holds no Open Cap Format: nothing in it has a file_type.",
            allowed="A zip of a manifest and its files, or one JSON object of file name to content.",
            next_step=_NEXT,
        )
    return nested


def _unzipped(data: bytes) -> list[Json]:
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = [one for one in package.infolist() if one.filename.endswith(".json")]
            if len(names) > MOST_FILES or sum(one.file_size for one in names) > MOST_OPENED:
                raise InvalidInput(
                    "The zip is too large when it is opened.",
                    allowed=f"Up to {MOST_FILES} files and {MOST_OPENED / 1e6:.0f} MB.",
                    next_step=_NEXT,
                )
            for one in names:
                content = _json(one.filename, package.read(one))
                if isinstance(content, dict) and "file_type" in content:
                    found.append(content)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InvalidInput(f"The zip cannot be opened: {error}.", next_step=_NEXT) from error
    if not found:
        raise InvalidInput(
            "The zip holds no Open Cap Format files.", allowed="Files with a file_type.", next_step=_NEXT
        )
    return found


def _json(name: str, data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput(f"{name} is no JSON: {error}.", next_step=_NEXT) from error


def _sorted(files: list[Json]) -> _Found:
    found = _Found()
    manifest = next((one for one in files if one.get("file_type") == "OCF_MANIFEST_FILE"), None)
    if manifest:
        found.objects["MANIFEST"] = [manifest]
    splits = []
    for content in files:
        for one in content.get("items", ()) if isinstance(content.get("items", ()), list) else ():
            kind = str(one.get("object_type", "")) if isinstance(one, dict) else ""
            if kind.endswith(("_SPLIT", "_REISSUANCE")) or kind == "TX_STOCK_CLASS_CONVERSION_RATIO_ADJUSTMENT":
                splits.append(kind)
            _sort(found, kind, one)
    if splits:
        raise InvalidInput(
            f"The package has {', '.join(sorted(set(splits)))}, which changes share counts in ways not read here.",
            allowed="Packages of issuances, transfers, conversions and cancellations.",
            next_step="Export the cap table as it stands today, as issuances after the split.",
        )
    return found


def _sort(found: _Found, kind: str, one: Json) -> None:
    if kind in (_STOCK, _CONVERTIBLE, *_GRANTS) or not kind.startswith("TX_"):
        if kind in ("STAKEHOLDER", "STOCK_CLASS", "STOCK_PLAN", _STOCK, _CONVERTIBLE, *_GRANTS):
            found.objects.setdefault(kind, []).append(one)
        elif kind:
            found.left_out[kind] += 1
        return
    security = str(one.get("security_id", ""))
    if kind.endswith("_EXERCISE"):
        found.exercised[security] += int(Decimal(str(one.get("quantity", 0))))
        found.results |= {str(name) for name in one.get("resulting_security_ids") or ()}
    elif kind.endswith("_CANCELLATION") and "quantity" in one and not one.get("balance_security_id"):
        found.cancelled[security] += int(Decimal(str(one["quantity"])))
    elif kind.endswith(_ENDS):
        found.ended.add(security)
    elif kind == "TX_STOCK_PLAN_POOL_ADJUSTMENT":
        found.objects.setdefault(kind, []).append(one)
    elif not any(part in kind for part in _SILENT):
        found.left_out[kind] += 1


def _said(one: Json) -> dict[str, str]:
    """What an export of ours has put into the comments."""
    texts = [text for text in one.get("comments") or () if isinstance(text, str) and text.startswith(MARK)]
    return dict(text.removeprefix(MARK).split("=", 1) for text in texts if "=" in text)


def _spec(found: _Found) -> Json:
    names = {one["id"]: _name(one) for one in found.of("STAKEHOLDER")}
    kinds = {one["id"]: _kind(one) for one in found.of("STAKEHOLDER")}
    classes = {one["id"]: one for one in found.of("STOCK_CLASS")}
    given: Json = {"holders": _holders(found, names, kinds, classes)}
    held = {one["share_class"] for one in given["holders"]}
    given["classes"] = [
        _class(one) for one in classes.values() if one.get("class_type") == "PREFERRED" and one["name"] in held
    ]
    given |= _plan(found)
    live = [one for one in found.of(_CONVERTIBLE) if one["security_id"] not in found.ended]
    given["safes"] = [_safe(one, names) for one in live if one.get("convertible_type") != "NOTE"]
    given["notes"] = [_note(one, names) for one in live if one.get("convertible_type") == "NOTE"]
    _rename_twins([*given["safes"], *given["notes"]])
    return given


def _name(one: Json) -> str:
    name = one["name"]
    return str(name["legal_name"] if isinstance(name, dict) else name)[:80]


def _kind(one: Json) -> str:
    relation = str(one.get("current_relationship") or "")
    if relation in _EMPLOYEES:
        return "employee"
    fallback = "investor" if one.get("stakeholder_type") == "INSTITUTION" and not relation else "other"
    return _KINDS.get(relation, fallback)


def _left(found: _Found, one: Json) -> int:
    if one["security_id"] in found.ended:
        return 0
    gone = found.cancelled[one["security_id"]] + found.exercised[one["security_id"]]
    return max(int(Decimal(str(one["quantity"]))) - gone, 0)


def _holders(found: _Found, names: dict[str, str], kinds: dict[str, str], classes: dict[str, Json]) -> list[Json]:
    """One line a holder and class, however many certificates."""
    totals: dict[tuple[str, str], int] = {}
    for one in found.of(_STOCK):
        stock = classes[one["stock_class_id"]]
        name = COMMON if stock.get("class_type") == "COMMON" else str(stock["name"])
        key = (one["stakeholder_id"], name)
        totals[key] = totals.get(key, 0) + _left(found, one)
    merged: dict[tuple[str, str], Json] = {}
    for (holder, name), shares in totals.items():
        row = merged.setdefault(
            (names[holder], name), {"name": names[holder], "kind": kinds[holder], "share_class": name, "shares": 0}
        )
        row["shares"] += shares
    issued = {one["security_id"] for one in found.of(_STOCK)}
    ended = issued & found.ended
    return [one for one in merged.values() if one["shares"] or not ended]


def _amount(value: Any) -> str:
    return str(value["amount"] if isinstance(value, dict) else value)


def _class(one: Json) -> Json:
    said = _said(one)
    cap = one.get("participation_cap_multiple")
    participating = said.get("participating", "true" if cap is not None else "false") == "true"
    found: Json = {
        "name": str(one["name"]),
        "multiple": str(one.get("liquidation_preference_multiple") or "1"),
        "participating": participating,
        "seniority": int(Decimal(str(one.get("seniority") or 1))),
    }
    if "invested_usd" in said:
        found["invested_usd"] = said["invested_usd"]
    else:
        found["price_usd"] = _amount(one.get("price_per_share") or "0")
    return found | {"participation_cap": str(cap)} if cap is not None and participating else found


def _plan(found: _Found) -> Json:
    """Outstanding grants, and what is reserved and not granted: what was exercised stays out of the pool, what was
    cancelled goes back to it. The strike is the mean of the grants'."""
    reserved = {one["id"]: _reserved(one) for one in found.of("STOCK_PLAN")}
    for one in sorted(found.of("TX_STOCK_PLAN_POOL_ADJUSTMENT"), key=lambda one: str(one.get("date"))):
        reserved[one["stock_plan_id"]] = int(Decimal(str(one["shares_reserved"])))
    grants = [(one, _left(found, one)) for one in found.of(*_GRANTS)]
    outstanding = sum(left for _, left in grants)
    used = outstanding + sum(found.exercised[one["security_id"]] for one, _ in grants)
    used += sum(
        _left(found, one)
        for one in found.of(_STOCK)
        if one.get("stock_plan_id") and one["security_id"] not in found.results
    )
    paid = sum((Decimal(_amount(one.get("exercise_price") or "0")) * left for one, left in grants), Decimal(0))
    given: Json = {
        "options_outstanding": outstanding,
        "unissued_pool": max(sum(reserved.values()) - used, 0) if reserved else 0,
    }
    if outstanding and paid:
        given["options_strike_usd"] = round(paid / outstanding, 10)
    manifest = (found.of("MANIFEST") or [{}])[0]
    if "options_promised" in (said := _said(manifest)):
        given["options_promised"] = int(said["options_promised"])
    return given


def _reserved(one: Json) -> int:
    return int(Decimal(str(one.get("initial_shares_reserved", one.get("current_shares_reserved", 0)))))


def _mechanism(one: Json) -> Json:
    for trigger in one.get("conversion_triggers") or ():
        right = trigger.get("conversion_right") if isinstance(trigger, dict) else None
        if isinstance(right, dict) and isinstance(right.get("conversion_mechanism"), dict):
            mechanism: Json = right["conversion_mechanism"]
            if mechanism.get("type") in ("SAFE_CONVERSION", "CONVERTIBLE_NOTE_CONVERSION"):
                return mechanism
    return {}


def _safe(one: Json, names: dict[str, str]) -> Json:
    said, terms = _said(one), _mechanism(one)
    post = terms.get("conversion_timing") != "PRE_MONEY"
    found: Json = {
        "name": names[one["stakeholder_id"]],
        "purchase_usd": _amount(one["investment_amount"]),
        "mfn": bool(terms.get("conversion_mfn")),
        "discount": str(terms.get("conversion_discount") or "0"),
        "date": None if said.get("undated") else one["date"],
    }
    if terms.get("conversion_valuation_cap"):
        found["post_money_cap_usd" if post else "pre_money_cap_usd"] = _amount(terms["conversion_valuation_cap"])
    elif terms.get("conversion_timing"):
        found["form"] = "post_money" if post else "pre_money"
    return found


def _note(one: Json, names: dict[str, str]) -> Json:
    said, terms = _said(one), _mechanism(one)
    rates = terms.get("interest_rates") or [{}]
    found: Json = {
        "name": names[one["stakeholder_id"]],
        "principal_usd": _amount(one["investment_amount"]),
        "interest": str(rates[-1].get("rate") or "0"),
        "compound": terms.get("compounding_type") == "COMPOUNDING",
        "discount": str(terms.get("conversion_discount") or "0"),
        "issued": None if said.get("undated") else one["date"],
    }
    if terms.get("conversion_valuation_cap"):
        found["cap_usd"] = _amount(terms["conversion_valuation_cap"])
    if "months" in said:
        found["months"] = int(said["months"])
    if "qualified_financing_usd" in said:
        found["qualified_financing_usd"] = said["qualified_financing_usd"]
    return found


def _rename_twins(rows: list[Json]) -> None:
    """Two SAFEs of one investor are two SAFEs: the second is called 'name (2)'."""
    seen: Counter[str] = Counter()
    for one in rows:
        name = one["name"]
        seen[name] += 1
        if seen[name] > 1:
            one["name"] = f"{name[:74]} ({seen[name]})"
