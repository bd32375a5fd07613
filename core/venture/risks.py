"""The register of risk and duty: what can go wrong or is owed, how likely, how bad, whose it is, on what evidence."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.estimate.config import Strict
from core.venture.fields import Day, Text

Topic = Literal["privacy", "security", "licences", "fairness", "transparency", "law", "supplier", "talent"]
Status = Literal["open", "in work", "accepted", "closed"]
EvidenceKind = Literal["model_licence", "privacy_scan", "subgroup_gaps", "attribution", "link", "note"]
TOPICS: tuple[Topic, ...] = (
    "privacy",
    "security",
    "licences",
    "fairness",
    "transparency",
    "law",
    "supplier",
    "talent",
)
STATUSES: tuple[Status, ...] = ("open", "in work", "accepted", "closed")
_ADDRESS = re.compile(r"https?://\S+")
MOST_RISKS, MOST_EVIDENCE = 300, 30
Grade = Annotated[int, Field(ge=1, le=5)]


class EvidenceSpec(Strict):
    """What an item rests on. id: of what the product holds, a link's address, or a note's own words."""

    kind: EvidenceKind
    id: Annotated[str, Field(min_length=1, max_length=2_000)]
    label: Annotated[str, Field(max_length=300)] = ""

    @model_validator(mode="after")
    def _address(self) -> EvidenceSpec:
        if self.kind == "link" and not _ADDRESS.fullmatch(self.id):
            raise ValueError(f"{self.id[:80]!r} is no address; it begins with https:// or http://")
        return self


class RiskSpec(Strict):
    topic: Topic
    title: Annotated[str, Field(min_length=1, max_length=400)]
    region: Annotated[str, Field(max_length=60)] = ""
    likelihood: Grade = 3
    impact: Grade = 3
    owner: Annotated[str, Field(max_length=120)] = ""
    mitigation: Text = ""
    due: Day | None = None
    status: Status = "open"
    evidence: Annotated[tuple[EvidenceSpec, ...], Field(max_length=MOST_EVIDENCE)] = ()

    @property
    def weight(self) -> int:
        """likelihood × impact, 1 to 25."""
        return self.likelihood * self.impact
