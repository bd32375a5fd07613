"""Skills needed beside skills there: levels, people who come and go, stretches of months with a gap."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.months import after
from core.venture.skills import Gap, Person, SkillNeedSpec, gaps, have, matrix, missing_by_month

MONTHS = [after("2027-01", place) for place in range(12)]
TEAM = [
    Person("Founder", skills={"Sales": 3, "Python": 2}),
    Person("ML engineer", start="2027-04", count=2, skills={"python": 5, "CUDA": 3}),
    Person("Contractor", start="2027-02", end="2027-05", skills={"CUDA": 4}),
]


def need(skill: str, level: int = 3, since: str = "2027-01", people: int = 1) -> SkillNeedSpec:
    return SkillNeedSpec(skill=skill, level=level, from_month=since, people=people)


def test_only_people_of_the_level_who_are_there_count() -> None:
    assert [have(TEAM, "CUDA", 3, month) for month in ("2027-01", "2027-02", "2027-04", "2027-06")] == [0, 1, 3, 2]
    assert have(TEAM, "CUDA", 4, "2027-06") == 0


def test_a_gap_ends_with_the_month_in_which_somebody_comes() -> None:
    assert gaps([need("Python")], TEAM, MONTHS) == (Gap("Python", 3, "2027-01", "2027-04", 1, 0),)


def test_a_gap_opens_when_somebody_leaves() -> None:
    assert gaps([need("CUDA", 4)], TEAM, MONTHS) == (
        Gap("CUDA", 4, "2027-01", "2027-02", 1, 0),
        Gap("CUDA", 4, "2027-06", None, 1, 0),
    )


def test_a_need_counts_from_its_month_only() -> None:
    assert gaps([need("Law", since="2027-09")], TEAM, MONTHS) == (Gap("Law", 3, "2027-09", None, 1, 0),)
    assert gaps([need("Law", since="2029-01")], TEAM, MONTHS) == ()


def test_a_later_row_of_a_skill_and_level_replaces_the_earlier() -> None:
    rows = [need("Sales"), need("sales", since="2027-06", people=3)]
    assert gaps(rows, TEAM, MONTHS) == (Gap("Sales", 3, "2027-06", None, 3, 1),)


def test_a_need_that_grows_is_two_gaps() -> None:
    rows = [need("Law"), need("Law", since="2027-03", people=2)]
    assert [(gap.since, gap.until, gap.missing) for gap in gaps(rows, TEAM, MONTHS)] == [
        ("2027-01", "2027-03", 1),
        ("2027-03", None, 2),
    ]


def test_names_of_skills_are_one_whatever_their_case() -> None:
    assert missing_by_month([need("PYTHON", 5, people=2)], TEAM, MONTHS[2:5]) == {("PYTHON", 5): (2, 0, 0)}


def test_the_matrix_holds_all_skills_the_shortest_first() -> None:
    found = matrix([need("Law", people=2), need("Python", 4)], TEAM, MONTHS)
    assert found.roles == ("Founder", "ML engineer", "Contractor")
    assert [(row.skill, row.needed, row.levels, row.short) for row in found.rows] == [
        ("Law", 3, (0, 0, 0), 2),
        ("Python", 4, (2, 5, 0), 1),
        ("CUDA", 0, (0, 3, 4), 0),
        ("Sales", 0, (3, 0, 0), 0),
    ]


def test_a_role_in_two_rows_is_one_column_at_its_highest_level() -> None:
    twice = [Person("Engineer", skills={"Go": 2}), Person("Engineer", start="2027-05", skills={"Go": 4})]
    found = matrix([need("Go")], twice, MONTHS)
    assert (found.roles, found.rows[0].levels) == (("Engineer",), (4,))


def test_nothing_needed_and_nobody_there_is_an_empty_matrix() -> None:
    assert matrix([], [], MONTHS).rows == ()
    assert gaps([], [], MONTHS) == ()


@pytest.mark.parametrize(("field", "value"), [("level", 6), ("people", 0), ("from_month", "soon"), ("skill", "")])
def test_a_faulty_need_is_told_by_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=field):
        parse(SkillNeedSpec, {"skill": "Go", "from_month": "2027-01", field: value})
