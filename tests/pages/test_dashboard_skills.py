"""The skills matrix on the dashboard: levels beside needs, and the months in which somebody is missing."""

from __future__ import annotations

import pytest

from core.store.database import Database
from core.venture.skills import Person, SkillNeedSpec, gaps, matrix, missing_by_month
from pages.widgets import dashboard_skills_charts as charts
from tests.pages.dashboard_sections import saved, section, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

MONTHS = [f"2027-{month:02}" for month in range(1, 13)]
NEEDS = [{"skill": "Sales $", "from_month": "2027-02"}, {"skill": "Python", "level": 4, "from_month": "2027-01"}]
TEAM = [
    {"role": "Founder", "salary": 0, "skills": {"Python": 4}},
    {"role": "Seller", "salary": 50_000, "start": "2027-06", "skills": {"Sales $": 5}},
]
PEOPLE = [Person("Founder", skills={"Python": 4}), Person("Seller", start="2027-06", skills={"Sales $": 5})]
WANTED = [SkillNeedSpec.model_validate(one) for one in NEEDS]


def test_an_empty_matrix_says_what_to_do_first(db: Database) -> None:
    at, _ = section(db, "dashboard_skills")
    assert not at.exception
    assert "Write down the skills" in words(at)
    assert not at.get("plotly_chart")


def test_a_gap_is_told_with_its_months(db: Database) -> None:
    at, _ = section(db, "dashboard_skills", skills_needed=NEEDS, team=TEAM)
    assert not at.exception
    told = words(at)
    assert "1 skill missing at some time; the first from Feb 2027" in told
    assert r"**Sales \$**, level 3: 1 of 1 missing from Feb 2027 until Jun 2027" in told
    assert len(at.get("plotly_chart")) == 2


def test_needs_without_a_team_are_all_missing(db: Database) -> None:
    at, _ = section(db, "dashboard_skills", skills_needed=NEEDS)
    assert not at.exception
    assert "2 skills missing" in words(at)


def test_levels_are_saved_as_they_stand_in_the_table(db: Database) -> None:
    at, company_id = section(db, "dashboard_skills", skills_needed=NEEDS, team=TEAM)
    before = saved(db, company_id).team
    next(one for one in at.button if one.label == "Save levels").click().run()
    assert not at.exception
    assert not at.error
    assert saved(db, company_id).team == before


def test_a_skill_called_like_the_column_of_roles_breaks_nothing(db: Database) -> None:
    at, _ = section(db, "dashboard_skills", skills_needed=[{"skill": "Role", "from_month": "2027-01"}], team=TEAM)
    assert not at.exception


def test_the_matrix_shows_levels_beside_the_need() -> None:
    figure = charts.matrix_figure(matrix(WANTED, PEOPLE, MONTHS))
    heat = figure.data[0]
    assert [list(row) for row in heat.z] == [[0, 5, 3], [4, 0, 4]]
    assert "−1" in heat.y[0]
    assert "−" not in heat.y[1]


def test_names_of_skills_and_roles_stay_text() -> None:
    odd = [SkillNeedSpec(skill="<i>Go</i>", from_month="2027-01")]
    figure = charts.matrix_figure(matrix(odd, [Person("<b>CTO</b>")], MONTHS))
    assert not any("<" in name for name in (*figure.data[0].x, *figure.data[0].y))


def test_months_without_the_person_are_drawn() -> None:
    figure = charts.gaps_figure(missing_by_month(WANTED, PEOPLE, MONTHS), MONTHS)
    assert [list(row) for row in figure.data[0].z] == [[0, 1, 1, 1, 1] + [0] * 7, [0] * 12]


def test_gaps_leave_as_rows() -> None:
    (row,) = charts.gap_rows(gaps(WANTED, PEOPLE, MONTHS))
    assert (row["skill"], row["from"], row["until_before"], row["missing"]) == ("Sales $", "2027-02", "2027-06", 1)
