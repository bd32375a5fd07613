"""A company as a file: what is taken away comes back the same, however long; what is none is refused by name."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.venture.company_file import LONGEST_YAML, MOST_BYTES, company_text, document_of
from core.venture.examples import example_document
from core.venture.spec import company


def test_the_example_comes_back_from_its_file() -> None:
    spec = company(example_document())
    text, suffix = company_text(spec.to_json())
    assert suffix == "yaml"
    assert company(document_of("x.yaml", text.encode())) == spec


def test_a_long_company_is_json_and_comes_back_too() -> None:
    deals = [
        {"company": f"Übung {place}", "stage": "seed", "date": "2027-01-01", "amount": 1000} for place in range(2_000)
    ]
    spec = company({"market": deals})
    text, suffix = company_text(spec.to_json())
    assert suffix == "json"
    assert len(text) > LONGEST_YAML
    assert company(document_of("x.json", text.encode())) == spec


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"- a\n- b\n", "mapping"),
        (b"[1, 2]", "no company"),
        (b"a: [", "no YAML"),
        (b"\xff\xfe\x00\x01", "cannot be read"),
        (b"a: &x 1\nb: *x\n", "aliases"),
        (b"a: 1\nb: 2\na: 3\n", "'a' twice (lines 1 and 3)"),
        (b"rows:\n- {a: 1, b: [a, a], c: {a: 1}}\n- a: 1\n  b: {x: 1}\n  a: 2\n", "'a' twice (lines 3 and 5)"),
        (b'{"rows": [{"a": 1, "b": 2}, {"a": 1, "a": 2}]}', "'a' twice"),
        (b"[" * 100_000, "mine.yaml"),
        (b"x" * (MOST_BYTES + 1), "bytes"),
    ],
)
def test_what_is_no_company_is_refused_by_its_name(content: bytes, told: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        document_of("mine.yaml", content)
    assert told in str(fault.value)
    assert "mine.yaml" in str(fault.value)
    assert "tmp" not in str(fault.value)
