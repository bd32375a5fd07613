"""Open Cap Format: an export keeps to the published schema and comes back; a package of others is read."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.ownership.ocf import ocf_files, read_ocf, write_ocf, write_ocf_json
from core.venture.ownership.spec import OwnershipSpec
from tests.venture.ownership.strategies import companies

SCHEMA = json.loads((Path(__file__).parents[2] / "facts" / "ocf" / "ocf_1_2_0.schema.json").read_text("utf-8"))
DAY = date(2026, 3, 1)
FULL = {
    "holders": [
        {"name": "Ana", "shares": 5_000_000},
        {"name": "Ben", "kind": "employee", "shares": 20},
        {"name": "Fund", "kind": "investor", "class": "Seed", "shares": 700_000},
        {"name": "Ana", "class": "Seed", "shares": 1},
    ],
    "classes": [{"name": "Seed", "invested_usd": "1M", "preference": "1x participating, 3x cap", "seniority": 2}],
    "options_outstanding": 300_000,
    "options_promised": 20_000,
    "options_strike_usd": "0.25",
    "unissued_pool": 100_000,
    "safes": [
        {"name": "S1", "purchase_usd": "100k", "post_money_cap_usd": "4M", "date": "2025-05-05"},
        {"name": "S2", "purchase_usd": "100k", "cap_usd": "4M", "discount": "15%", "mfn": True},
        {"name": "S3", "purchase_usd": "100k", "discount": 0.2, "form": "post_money"},
        {"name": "S4", "purchase_usd": "100k", "mfn": True},
    ],
    "notes": [
        {"name": "N1", "principal_usd": "50k", "interest": 0.08, "issued": "2025-01-01", "cap_usd": "5M"},
        {"name": "N2", "principal_usd": "50k", "interest": 0.05, "months": 12, "compound": True, "discount": 0.2},
    ],
}


def validator(entry: str) -> jsonschema.Draft202012Validator:
    schema = {"$defs": SCHEMA["$defs"]} | SCHEMA["entries"][entry]
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker)


def check_against_the_schema(files: dict[str, Any]) -> int:
    checked = 0
    for content in files.values():
        if content["file_type"] == "OCF_TRANSACTIONS_FILE":
            for one in content["items"]:
                validator(one["object_type"]).validate(one)
                checked += 1
        else:
            validator(content["file_type"]).validate(content)
            checked += 1
    return checked


def test_an_export_keeps_to_the_published_schema() -> None:
    files = ocf_files(parse(OwnershipSpec, FULL), company="Example Inc", day=DAY)
    assert check_against_the_schema(files) == 4 + 4 + 1 + 6


def test_the_schema_refuses_what_the_format_does_not_have() -> None:
    files = ocf_files(parse(OwnershipSpec, FULL), company="Example Inc", day=DAY)
    files["Stakeholders.ocf.json"]["items"][0]["shoe_size"] = 43
    with pytest.raises(jsonschema.ValidationError):
        check_against_the_schema(files)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(companies(rounds=0))
def test_any_table_keeps_to_the_schema_and_comes_back(company: dict[str, Any]) -> None:
    spec = parse(OwnershipSpec, company)
    check_against_the_schema(ocf_files(spec, company="x", day=DAY, currency="EUR", country="DE"))
    assert read_ocf(write_ocf(spec, company="x", day=DAY)).spec == spec


@pytest.mark.parametrize("write", [write_ocf, write_ocf_json])
def test_everything_comes_back(write: Any) -> None:
    spec = parse(OwnershipSpec, FULL)
    found = read_ocf(write(spec, company="Example Inc", day=DAY))
    assert found.spec == spec
    assert not found.left_out


def test_planned_rounds_stay_out_and_are_named() -> None:
    spec = parse(
        OwnershipSpec, FULL | {"rounds": [{"name": "Dream", "money_usd": 1, "pre_money_usd": 2, "date": "2027-01-01"}]}
    )
    files = ocf_files(spec, company="x", day=DAY)
    assert "Dream" in files["Manifest.ocf.json"]["comments"][0]
    assert not read_ocf(write_ocf(spec, company="x", day=DAY)).spec.rounds


def test_the_manifest_has_the_sum_of_every_file() -> None:
    with zipfile.ZipFile(io.BytesIO(write_ocf(parse(OwnershipSpec, FULL), company="x", day=DAY))) as package:
        manifest = json.loads(package.read("Manifest.ocf.json"))
        listed = [one for key, value in manifest.items() if key.endswith("_files") for one in value]
        assert {one["filepath"] for one in listed} == set(package.namelist()) - {"Manifest.ocf.json"}
        for one in listed:
            assert hashlib.md5(package.read(one["filepath"])).hexdigest() == one["md5"]


def package(*transactions: dict[str, Any], **files: Any) -> bytes:
    """As another tool may write it: one object, a holder, a plan, and what happened."""
    people = [
        {"object_type": "STAKEHOLDER", "id": "1", "name": {"legal_name": "Ana"}, "current_relationship": "FOUNDER"},
        {"object_type": "STAKEHOLDER", "id": "2", "name": {"legal_name": "Ben"}, "stakeholder_type": "INDIVIDUAL"},
    ]
    classes = [{"object_type": "STOCK_CLASS", "id": "c", "name": "Class A Common", "class_type": "COMMON"}]
    plans = [{"object_type": "STOCK_PLAN", "id": "p", "plan_name": "2025", "initial_shares_reserved": "1000"}]
    contents = {
        "a": {"file_type": "OCF_STAKEHOLDERS_FILE", "items": people},
        "b": {"file_type": "OCF_STOCK_CLASSES_FILE", "items": classes},
        "c": {"file_type": "OCF_STOCK_PLANS_FILE", "items": plans},
        "d": {"file_type": "OCF_TRANSACTIONS_FILE", "items": list(transactions)},
    }
    return json.dumps(contents | files).encode()


def stock(security: str, holder: str, quantity: str, **more: Any) -> dict[str, Any]:
    found = {"object_type": "TX_STOCK_ISSUANCE", "security_id": security, "stakeholder_id": holder}
    return found | {"stock_class_id": "c", "quantity": quantity} | more


def grant(security: str, quantity: str) -> dict[str, Any]:
    found = {"object_type": "TX_PLAN_SECURITY_ISSUANCE", "security_id": security, "stakeholder_id": "2"}
    return found | {"quantity": quantity, "exercise_price": {"amount": "0.50", "currency": "USD"}, "stock_plan_id": "p"}


def test_transfers_cancellations_and_exercises_are_taken_off() -> None:
    found = read_ocf(
        package(
            stock("s1", "1", "700.00"),
            stock("s2", "1", "100"),
            {"object_type": "TX_STOCK_TRANSFER", "security_id": "s2", "resulting_security_ids": ["s3"]},
            stock("s3", "2", "100"),
            grant("g1", "300"),
            grant("g2", "50"),
            {
                "object_type": "TX_PLAN_SECURITY_EXERCISE",
                "security_id": "g1",
                "quantity": "100",
                "resulting_security_ids": ["s4"],
            },
            stock("s4", "2", "100", stock_plan_id="p"),
            {"object_type": "TX_PLAN_SECURITY_CANCELLATION", "security_id": "g2", "quantity": "20"},
            {"object_type": "TX_STOCK_ACCEPTANCE", "security_id": "s1"},
        )
    ).spec
    assert {(one.name, one.kind): one.shares for one in found.holders} == {
        ("Ana", "founder"): 700,
        ("Ben", "other"): 200,
    }
    assert found.options_outstanding == 230
    assert found.unissued_pool == 670  # 1,000 reserved, 230 outstanding, 100 exercised
    assert float(found.options_strike_usd) == 0.5


def test_what_has_no_place_is_named() -> None:
    found = read_ocf(package(stock("s", "1", "5"), {"object_type": "TX_WARRANT_ISSUANCE", "security_id": "w"}))
    assert found.left_out == ("1 × TX_WARRANT_ISSUANCE",)


def test_two_safes_of_one_investor_stay_two() -> None:
    safe = {
        "object_type": "TX_CONVERTIBLE_ISSUANCE",
        "stakeholder_id": "2",
        "convertible_type": "SAFE",
        "date": "2025-01-01",
    }
    safe["investment_amount"] = {"amount": "1000", "currency": "USD"}
    found = read_ocf(package(stock("s", "1", "5"), safe | {"security_id": "x"}, safe | {"security_id": "y"})).spec
    assert [one.name for one in found.safes] == ["Ben", "Ben (2)"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no JSON"),
        (b"not json", "is no JSON"),
        (b"PK\x03\x04broken", "zip cannot be opened"),
        (b"{}", "nothing in it has a file_type"),
        (b"3", "no Open Cap Format"),
        (package({"object_type": "TX_STOCK_CLASS_SPLIT"}), "TX_STOCK_CLASS_SPLIT"),
        (package({"object_type": "TX_STOCK_ISSUANCE", "security_id": "s"}), "stock_class_id"),
        (package(stock("s", "9", "5")), "'9'"),
        (package(stock("s", "1", "lots")), "not as the Open Cap Format has it"),
    ],
)
def test_what_is_no_package_is_told(data: bytes, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_ocf(data)
    assert told in str(caught.value)
    assert caught.value.next_step


def test_a_zip_without_our_files_is_told() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as empty:
        empty.writestr("readme.txt", "hello")
    with pytest.raises(InvalidInput, match="holds no Open Cap Format"):
        read_ocf(buffer.getvalue())


def test_a_zip_is_packed_and_the_same_every_time() -> None:
    spec = parse(OwnershipSpec, {"holders": [{"name": f"H{place}", "shares": 1} for place in range(500)]})
    first, second = (write_ocf(spec, company="x", day=DAY) for _ in range(2))
    assert first == second
    assert len(first) < len(write_ocf_json(spec, company="x", day=DAY)) / 5
