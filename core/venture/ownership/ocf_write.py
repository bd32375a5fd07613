"""The cap table of today as an Open Cap Format package, version 1.2.0: a manifest and its files, in one zip.

Schema: https://github.com/Open-Cap-Table-Coalition/Open-Cap-Format-OCF, tag v1.2.0. What the format has no field for
stands in `comments` as `groundwork:name=value`, so that nothing is lost on the way back. Rounds that are only planned
are no facts yet and stay out.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.venture.ownership.spec import COMMON, ClassSpec, NoteSpec, OwnershipSpec, SafeSpec

Json = dict[str, Any]
VERSION = "1.2.0"
MARK = "groundwork:"
UNDATED = f"{MARK}undated=true"
_RELATIONS = {
    "founder": "FOUNDER",
    "employee": "EMPLOYEE",
    "investor": "INVESTOR",
    "adviser": "ADVISOR",
    "other": "OTHER",
}
_FILES = {  # in the order of the manifest
    "OCF_STOCK_PLANS_FILE": ("stock_plans_files", "StockPlans.ocf.json"),
    "OCF_STOCK_LEGEND_TEMPLATES_FILE": ("stock_legend_templates_files", ""),
    "OCF_STOCK_CLASSES_FILE": ("stock_classes_files", "StockClasses.ocf.json"),
    "OCF_VESTING_TERMS_FILE": ("vesting_terms_files", ""),
    "OCF_VALUATIONS_FILE": ("valuations_files", ""),
    "OCF_TRANSACTIONS_FILE": ("transactions_files", "Transactions.ocf.json"),
    "OCF_STAKEHOLDERS_FILE": ("stakeholders_files", "Stakeholders.ocf.json"),
}
MANIFEST = "Manifest.ocf.json"
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


def ocf_files(
    spec: OwnershipSpec, *, company: str, day: date, currency: str = "USD", country: str = "US"
) -> dict[str, Json]:
    """The files by name, the manifest first. day: what the package states, and the date of what has none. country: of
    formation, ISO 3166-1 alpha-2."""
    stakeholders, ids = _stakeholders(spec)
    found: dict[str, list[Json]] = {
        "OCF_STAKEHOLDERS_FILE": stakeholders,
        "OCF_STOCK_CLASSES_FILE": _classes(spec, currency),
        "OCF_STOCK_PLANS_FILE": _plans(spec),
        "OCF_TRANSACTIONS_FILE": _transactions(spec, ids, day, currency),
    }
    files = {
        _FILES[kind][1]: {"file_type": kind, "items": items}
        for kind, items in found.items()
        if items or _FILES[kind][1]
    }
    manifest: Json = {
        "ocf_version": VERSION,
        "file_type": "OCF_MANIFEST_FILE",
        "issuer": {
            "object_type": "ISSUER",
            "id": "issuer",
            "legal_name": company,
            "formation_date": day.isoformat(),
            "country_of_formation": country,
            "initial_shares_authorized": "NOT APPLICABLE",
            "comments": ["The formation date is not known; it is the day of this package."],
        },
        "as_of": day.isoformat(),
        "generated_at": f"{day.isoformat()}T00:00:00Z",
        "comments": _left_out(spec),
    }
    for key, name in _FILES.values():
        content = files.get(name)
        manifest[key] = [{"filepath": name, "md5": _md5(content)}] if content else []
    return {MANIFEST: manifest} | files


def write_ocf(spec: OwnershipSpec, *, company: str, day: date, currency: str = "USD", country: str = "US") -> bytes:
    """The package as a zip; the same cap table on the same day gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in ocf_files(spec, company=company, day=day, currency=currency, country=country).items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, _bytes(content))
    return buffer.getvalue()


def write_ocf_json(
    spec: OwnershipSpec, *, company: str, day: date, currency: str = "USD", country: str = "US"
) -> bytes:
    """The package as one JSON object: file name to content."""
    files = ocf_files(spec, company=company, day=day, currency=currency, country=country)
    parts = (json.dumps(name).encode() + b": " + _bytes(content) for name, content in files.items())
    return b"{\n" + b",\n".join(parts) + b"}\n"


def _bytes(content: Json) -> bytes:
    """An item a line: readable, and quick to write when there are many."""
    if "items" not in content:
        return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
    lines = ",\n".join(map(_ENCODE, content["items"]))
    kind = json.dumps(content["file_type"])
    return f'{{"file_type": {kind}, "items": [\n{lines}\n]}}\n'.encode()


def _md5(content: Json) -> str:
    return hashlib.md5(_bytes(content), usedforsecurity=False).hexdigest()


def _left_out(spec: OwnershipSpec) -> list[str]:
    told = (
        [f"Planned, and so not in this package: {', '.join(one.name for one in spec.rounds)}."] if spec.rounds else []
    )
    return [*told, f"{MARK}options_promised={spec.options_promised}"] if spec.options_promised else told


def number(value: Decimal | Fraction | int) -> str:
    """Ten decimals at most, as the format's Numeric wants it."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    text = f"{Decimal(value):.10f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(value: Decimal | Fraction | int, currency: str) -> Json:
    return {"amount": number(value), "currency": currency}


def _share(value: Decimal) -> str:
    return number(value)


def _stakeholders(spec: OwnershipSpec) -> tuple[list[Json], dict[str, str]]:
    """Holders first; a SAFE or note is held by whom it is named after."""
    ids: dict[str, str] = {}
    found: list[Json] = []
    people = [(one.name, one.kind) for one in spec.holders]
    people += [(one.name, "investor") for one in spec.safes] + [(one.name, "investor") for one in spec.notes]
    if spec.options_outstanding:
        people.append(("Option holders", "employee"))
    for name, kind in people:
        if name in ids:
            continue
        ids[name] = f"stakeholder-{len(ids) + 1}"
        found.append(
            {
                "object_type": "STAKEHOLDER",
                "id": ids[name],
                "name": {"legal_name": name},
                "stakeholder_type": "INSTITUTION" if kind == "investor" else "INDIVIDUAL",
                "current_relationship": _RELATIONS[kind],
            }
        )
    return found, ids


def class_ids(spec: OwnershipSpec) -> dict[str, str]:
    return {COMMON: "class-common"} | {one.name: f"class-{place}" for place, one in enumerate(spec.classes, 1)}


def _classes(spec: OwnershipSpec, currency: str) -> list[Json]:
    ids = class_ids(spec)
    common: Json = {
        "object_type": "STOCK_CLASS",
        "id": ids[COMMON],
        "name": "Common",
        "class_type": "COMMON",
        "default_id_prefix": "CS-",
        "initial_shares_authorized": "NOT APPLICABLE",
        "votes_per_share": "1",
        "seniority": "0",
    }
    return [common, *(_preferred(one, spec, ids[one.name], currency) for one in spec.classes)]


def _paid(one: ClassSpec, spec: OwnershipSpec) -> Fraction:
    """A share."""
    if one.price_usd is not None:
        return Fraction(one.price_usd)
    held = sum(holder.shares for holder in spec.holders if holder.share_class == one.name)
    return Fraction(one.invested_usd or 0) / held if held else Fraction(0)


def _preferred(one: ClassSpec, spec: OwnershipSpec, name: str, currency: str) -> Json:
    comments = [f"{MARK}participating={'true' if one.participating else 'false'}"]
    if one.invested_usd is not None:
        comments.append(f"{MARK}invested_usd={one.invested_usd:f}")
    found: Json = {
        "object_type": "STOCK_CLASS",
        "id": name,
        "name": one.name,
        "class_type": "PREFERRED",
        "default_id_prefix": f"P{name.removeprefix('class-')}-",
        "initial_shares_authorized": "NOT APPLICABLE",
        "votes_per_share": "1",
        "price_per_share": _money(_paid(one, spec), currency),
        "seniority": str(one.seniority),
        "liquidation_preference_multiple": number(one.multiple),
        "comments": comments,
    }
    if one.participation_cap is not None:
        found["participation_cap_multiple"] = number(one.participation_cap)
    return found


def _plans(spec: OwnershipSpec) -> list[Json]:
    reserved = spec.options_outstanding + spec.unissued_pool
    if not reserved:
        return []
    plan: Json = {
        "object_type": "STOCK_PLAN",
        "id": "plan-1",
        "plan_name": "Option plan",
        "initial_shares_reserved": str(reserved),
        "stock_class_ids": ["class-common"],
    }
    return [plan]


def _transactions(spec: OwnershipSpec, ids: dict[str, str], day: date, currency: str) -> list[Json]:
    found = [*_stock(spec, ids, day, currency)]
    if spec.options_outstanding:
        found.append(_options(spec, ids, day, currency))
    found += [_safe(one, place, ids, day, currency) for place, one in enumerate(spec.safes, 1)]
    return found + [_note(one, place, ids, day, currency) for place, one in enumerate(spec.notes, 1)]


def _issued(kind: str, name: str, holder: str, day: date, comments: Sequence[str] = ()) -> Json:
    found: Json = {
        "object_type": kind,
        "id": f"tx-{name}",
        "security_id": f"security-{name}",
        "date": day.isoformat(),
        "custom_id": name.upper(),
        "stakeholder_id": holder,
        "security_law_exemptions": [],
    }
    return found | {"comments": list(comments)} if comments else found


def _stock(spec: OwnershipSpec, ids: dict[str, str], day: date, currency: str) -> list[Json]:
    classes = class_ids(spec)
    prices = {one.name: _paid(one, spec) for one in spec.classes}
    return [
        _issued("TX_STOCK_ISSUANCE", f"cs-{place}", ids[one.name], day, [UNDATED])
        | {
            "stock_class_id": classes[one.share_class],
            "share_price": _money(prices.get(one.share_class, 0), currency),
            "quantity": str(one.shares),
            "stock_legend_ids": [],
        }
        for place, one in enumerate(spec.holders, 1)
    ]


def _options(spec: OwnershipSpec, ids: dict[str, str], day: date, currency: str) -> Json:
    return _issued("TX_EQUITY_COMPENSATION_ISSUANCE", "opt-1", ids["Option holders"], day, [UNDATED]) | {
        "stock_plan_id": "plan-1",
        "compensation_type": "OPTION",
        "quantity": str(spec.options_outstanding),
        "exercise_price": _money(spec.options_strike_usd, currency),
        "expiration_date": None,
        "termination_exercise_windows": [],
    }


def _converting(mechanism: Json, words: str) -> list[Json]:
    return [
        {
            "type": "AUTOMATIC_ON_CONDITION",
            "trigger_id": "next-round",
            "trigger_condition": words,
            "conversion_right": {
                "type": "CONVERTIBLE_CONVERSION_RIGHT",
                "conversion_mechanism": mechanism,
                "converts_to_future_round": True,
            },
        }
    ]


def _safe(one: SafeSpec, place: int, ids: dict[str, str], day: date, currency: str) -> Json:
    mechanism: Json = {"type": "SAFE_CONVERSION", "conversion_mfn": one.mfn}
    cap = one.post_money_cap_usd if one.post_money_cap_usd is not None else one.pre_money_cap_usd
    implied = "post_money" if one.post_money_cap_usd is not None else "pre_money"
    if form := one.form or (implied if cap is not None else None):
        mechanism["conversion_timing"] = form.upper()
    if cap is not None:
        mechanism["conversion_valuation_cap"] = _money(cap, currency)
    if one.discount:
        mechanism["conversion_discount"] = _share(one.discount)
    comments = [] if one.date else [UNDATED]
    return _issued("TX_CONVERTIBLE_ISSUANCE", f"safe-{place}", ids[one.name], one.date or day, comments) | {
        "convertible_type": "SAFE",
        "investment_amount": _money(one.purchase_usd, currency),
        "conversion_triggers": _converting(mechanism, "The next priced round."),
        "seniority": 1,
    }


def _note(one: NoteSpec, place: int, ids: dict[str, str], day: date, currency: str) -> Json:
    start = one.issued or day
    mechanism: Json = {
        "type": "CONVERTIBLE_NOTE_CONVERSION",
        "interest_rates": [{"rate": _share(one.interest), "accrual_start_date": start.isoformat()}],
        "day_count_convention": "ACTUAL_365",
        "interest_payout": "DEFERRED",
        "interest_accrual_period": "ANNUAL",
        "compounding_type": "COMPOUNDING" if one.compound else "SIMPLE",
    }
    if one.cap_usd is not None:
        mechanism["conversion_valuation_cap"] = _money(one.cap_usd, currency)
    if one.discount:
        mechanism["conversion_discount"] = _share(one.discount)
    comments = [] if one.issued else [UNDATED]
    if one.months is not None:
        comments.append(f"{MARK}months={one.months}")
    if one.qualified_financing_usd is not None:
        comments.append(f"{MARK}qualified_financing_usd={one.qualified_financing_usd:f}")
    return _issued("TX_CONVERTIBLE_ISSUANCE", f"note-{place}", ids[one.name], start, comments) | {
        "convertible_type": "NOTE",
        "investment_amount": _money(one.principal_usd, currency),
        "conversion_triggers": _converting(mechanism, "The next qualified financing."),
        "seniority": 1,
    }
