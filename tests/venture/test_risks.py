"""The register: grades, what an item may rest on, and the questions to begin with."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.risks import TOPICS, RiskSpec
from core.venture.starter_risks import starter_risks

GIVEN = {"topic": "privacy", "title": "What do we store?"}


def test_a_title_and_a_topic_are_enough() -> None:
    found = parse(RiskSpec, GIVEN)
    assert (found.likelihood, found.impact, found.weight, found.status, found.evidence) == (3, 3, 9, "open", ())


@pytest.mark.parametrize(
    ("field", "value"),
    [("topic", "weather"), ("likelihood", 0), ("impact", 6), ("status", "gone"), ("due", "soon"), ("title", "")],
)
def test_a_faulty_field_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=field):
        parse(RiskSpec, GIVEN | {field: value})


def test_a_grade_is_no_yes_or_no() -> None:
    with pytest.raises(InvalidInput, match="not a yes or no"):
        parse(RiskSpec, GIVEN | {"likelihood": True})


def test_evidence_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="evidence"):
        parse(RiskSpec, GIVEN | {"evidence": [{"kind": "rumour", "id": "x"}]})


def test_a_risk_that_was_saved_reads_back_the_same() -> None:
    given = GIVEN | {"due": "2027-01-31", "evidence": [{"kind": "link", "id": "https://example.org", "label": "Audit"}]}
    found = parse(RiskSpec, given)
    assert RiskSpec.model_validate(found.model_dump(mode="json", exclude_defaults=True)) == found


def test_the_register_to_begin_with_asks_about_every_topic_and_answers_none() -> None:
    found = starter_risks()
    assert {one.topic for one in found} == set(TOPICS)
    assert all(one.title.endswith("?") and one.mitigation and one.status == "open" for one in found)
    assert all(not one.evidence and one.weight == 9 for one in found)


@pytest.mark.parametrize("address", ["example.org", "javascript:alert(1)", "https://", "https://a b"])
def test_a_link_that_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="begins with https://"):
        parse(RiskSpec, GIVEN | {"evidence": [{"kind": "link", "id": address}]})
