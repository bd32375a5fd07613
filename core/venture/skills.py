"""Skills a plan needs beside those the team has, month by month: the matrix, and the gaps in it.

A person counts for every skill at or above the level that is needed, and for several skills at once: the matrix says
who could, not who has the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from core.estimate.config import Strict
from core.venture.fields import Name
from core.venture.months import Month

LEVELS = {1: "knows it", 2: "with help", 3: "alone", 4: "leads others", 5: "could teach it"}
Level = Annotated[int, Field(ge=1, le=5)]


class SkillNeedSpec(Strict):
    """So many people of this level or above, from this month on; a later row of skill and level replaces it."""

    skill: Name
    level: Level = 3
    from_month: Month
    people: Annotated[int, Field(ge=1, le=10_000)] = 1


@dataclass(frozen=True, slots=True)
class Person:
    """One or more people of a role. start, end: months, both included; None: from the beginning, to the end."""

    role: str
    start: str | None = None
    count: float = 1
    skills: Mapping[str, int] = field(default_factory=dict)
    end: str | None = None

    def there(self, month: str) -> bool:
        return (self.start or "") <= month and (self.end is None or month <= self.end)

    def level(self, skill: str) -> int:
        """0 without it. Names of skills are compared without regard to case."""
        return max((level for name, level in self.skills.items() if _same(name) == _same(skill)), default=0)


@dataclass(frozen=True, slots=True)
class Gap:
    """Too few people from `since` to the month before `until`, in which that changes (None: it does not)."""

    skill: str
    level: int
    since: str
    until: str | None
    needed: int
    have: float

    @property
    def missing(self) -> float:
        return self.needed - self.have


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One skill. needed: the highest level that is asked for, 0 when none is. levels: of each role, 0 without it.
    short: fewest people too few in any month, 0 when all is covered."""

    skill: str
    needed: int
    people: int
    levels: tuple[int, ...]
    short: float


@dataclass(frozen=True, slots=True)
class SkillMatrix:
    """roles: columns, as `levels` of each row has them."""

    roles: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def have(people: Iterable[Person], skill: str, level: int, month: str) -> float:
    """How many people of this level or above are there in a month."""
    return sum(one.count for one in people if one.there(month) and one.level(skill) >= level)


def needed(needs: Iterable[SkillNeedSpec], skill: str, level: int, month: str) -> int:
    """How many are asked for in a month: by the latest row of the skill and level that has begun."""
    begun = [
        one for one in needs if _same(one.skill) == _same(skill) and one.level == level and one.from_month <= month
    ]
    return max(begun, key=lambda one: (one.from_month, one.people)).people if begun else 0


def gaps(needs: Sequence[SkillNeedSpec], people: Sequence[Person], months: Sequence[str]) -> tuple[Gap, ...]:
    """Every stretch of months in which people are missing, the earliest first."""
    found: list[Gap] = []
    for skill, level in _asked(needs):
        before: Gap | None = None
        for month in months:
            want, there = needed(needs, skill, level, month), have(people, skill, level, month)
            if before is not None and (want, there) != (before.needed, before.have):
                found.append(_ended(before, month))
                before = None
            if before is None and there < want:
                before = Gap(skill, level, month, None, want, there)
        if before is not None:
            found.append(before)
    return tuple(sorted(found, key=lambda gap: (gap.since, -gap.missing, _same(gap.skill))))


def missing_by_month(
    needs: Sequence[SkillNeedSpec], people: Sequence[Person], months: Sequence[str]
) -> dict[tuple[str, int], tuple[float, ...]]:
    """(skill, level) → people too few in each month: above 0 a gap, 0 and below it is covered."""
    return {
        (skill, level): tuple(
            needed(needs, skill, level, month) - have(people, skill, level, month) for month in months
        )
        for skill, level in _asked(needs)
    }


def matrix(needs: Sequence[SkillNeedSpec], people: Sequence[Person], months: Sequence[str]) -> SkillMatrix:
    """All skills that are needed or there. The same role in two rows is one column, at its highest level."""
    roles = tuple(dict.fromkeys(one.role for one in people))
    names = {_same(one.skill): one.skill for one in reversed(needs)}
    for one in people:
        for name in one.skills:
            names.setdefault(_same(name), name)
    short: dict[str, float] = {}
    for (skill, _), few in missing_by_month(needs, people, months).items():
        short[_same(skill)] = max(0.0, short.get(_same(skill), 0.0), *few)
    rows = []
    for key, name in names.items():
        asked = [one for one in needs if _same(one.skill) == key]
        levels = tuple(max(one.level(name) for one in people if one.role == role) for role in roles)
        top = max((one.level for one in asked), default=0)
        many = max((one.people for one in asked), default=0)
        rows.append(MatrixRow(name, top, many, levels, short.get(key, 0.0)))
    return SkillMatrix(roles, tuple(sorted(rows, key=lambda row: (-row.short, -row.needed, _same(row.skill)))))


def _asked(needs: Sequence[SkillNeedSpec]) -> list[tuple[str, int]]:
    """Each skill and level once, under the name it was first given."""
    found: dict[tuple[str, int], str] = {}
    for one in needs:
        found.setdefault((_same(one.skill), one.level), one.skill)
    return [(name, level) for (_, level), name in found.items()]


def _ended(gap: Gap, month: str) -> Gap:
    return Gap(gap.skill, gap.level, gap.since, month, gap.needed, gap.have)


def _same(name: str) -> str:
    return " ".join(name.casefold().split())
