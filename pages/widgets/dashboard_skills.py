"""The skills matrix: what the plan needs, who has it at what level, and the months in which somebody is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from core.venture.months import after, said
from core.venture.people import RoleSpec
from core.venture.skills import LEVELS, Gap, Person, SkillMatrix, gaps, matrix, missing_by_month
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_skills_charts as charts
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

_MOST_TOLD = 8
SCALE = ", ".join(f"{level} {words}" for level, words in LEVELS.items())
NEEDS = (
    Column(field="skill", label="Skill", pinned=True, help="Such as: model training, sales, data protection."),
    Column(field="level", label="Level", kind="whole", default=3, help=f"{SCALE}."),
    Column(field="from_month", label="From", help="The month from which it is needed, as 2027-03."),
    Column(field="people", label="People", kind="whole", default=1, help="How many of this level or above, in all."),
)


def draw(desk: Desk) -> None:
    needs, team = desk.spec.skills_needed, people(desk.spec.team)
    about = desk.spec.company
    months = [after(about.start, place) for place in range(about.months)]
    found = matrix(needs, team, months)
    st.subheader("Skills")
    if found.rows:
        lacking = gaps(needs, team, months)
        st.markdown(f"**{answer(lacking, bool(needs))}**")
        if team:
            st.plotly_chart(charts.matrix_figure(found), key="d_skills_matrix", config=TAKEN)
        if needs:
            missing = missing_by_month(needs, team, months)
            st.plotly_chart(charts.gaps_figure(missing, months), key="d_skills_gaps", config=TAKEN)
        _draw_gaps(lacking)
    else:
        st.info("Write down the skills that the plan needs, then give the team its levels.", icon=":material/school:")
    edit(desk, "skills_needed", NEEDS, label="Skills that the plan needs")
    if found.rows and team:
        _draw_levels(desk, found)
    if found.rows:
        with st.container(horizontal=True):
            csv_button(f"{desk.name} skills", rows_csv(charts.matrix_rows(found)), label="Skills (CSV)")
            csv_button(f"{desk.name} gaps", rows_csv(charts.gap_rows(lacking)), label="Gaps (CSV)")


def people(team: Sequence[RoleSpec]) -> tuple[Person, ...]:
    """The team as the matrix takes it."""
    return tuple(Person(one.role, one.start, one.count, one.skills, one.end) for one in team)


def answer(lacking: Sequence[Gap], asked: bool) -> str:
    if not asked:
        return "No skill is asked for yet: write down what the plan needs."
    if not lacking:
        return "Every skill that the plan needs is there in every month."
    skills = list(dict.fromkeys(one.skill for one in lacking))
    return f"{count_of(len(skills), 'skill')} missing at some time; the first from {said(lacking[0].since)}."


def gap_words(one: Gap) -> str:
    """One line of the list."""
    when = f"until {said(one.until)}" if one.until else "to the end of the plan"
    missing = f"{one.missing:g} of {one.needed:g}"
    return f"**{plain(one.skill)}**, level {one.level}: {missing} missing from {said(one.since)} {when}"


def _draw_gaps(lacking: Sequence[Gap]) -> None:
    if not lacking:
        return
    lines = [f"- {gap_words(one)}" for one in lacking[:_MOST_TOLD]]
    if len(lacking) > _MOST_TOLD:
        lines.append(f"- and {len(lacking) - _MOST_TOLD} more, in the CSV of gaps")
    st.markdown("\n".join(lines))


def _draw_levels(desk: Desk, found: SkillMatrix) -> None:
    """Roles down, skills across. Saved as a whole, because a level is a cell of a role's row of the team."""
    names = [row.skill for row in found.rows]
    name = "skill_levels"
    with st.form("d_form_skills", border=False):
        st.markdown("Levels of the team", help=f"{SCALE}; empty: not there.")
        edited = st.data_editor(
            _frame(desk, names),
            key=state.dashboard_key(name),
            hide_index=True,
            disabled=[_role_column(names)],
            placeholder="",
            alt="Levels of the team",
            column_config={one: st.column_config.NumberColumn(format="%d") for one in names},
        )
        pressed = st.form_submit_button("Save levels", icon=":material/save:")
    if pressed:
        _save(desk, name, names, edited)


def _frame(desk: Desk, names: Sequence[str]) -> pd.DataFrame:
    team = people(desk.spec.team)
    rows: list[dict[str, Any]] = [
        {_role_column(names): one.role, **{skill: one.level(skill) or None for skill in names}} for one in team
    ]
    return pd.DataFrame(rows, columns=[_role_column(names), *names]).astype(dict.fromkeys(names, "Int64"))


def _role_column(names: Sequence[str]) -> str:
    """A skill may be called Role too."""
    return next(one for one in ("Role", "Role in the team", "Role in the team, by name") if one not in names)


def _save(desk: Desk, name: str, names: Sequence[str], edited: pd.DataFrame) -> None:
    rows = []
    for role, (_, row) in zip(desk.spec.team, edited.iterrows(), strict=True):
        levels = {skill: int(row[skill]) for skill in names if not pd.isna(row[skill]) and row[skill]}
        rows.append(role.model_dump(mode="json", exclude_defaults=True) | {"skills": levels})
    try:
        desk.put("team", rows)
    except GroundworkError as error:
        st.error(f"Not saved yet: {error}", icon=":material/error:")
    else:
        state.renew_dashboard(name)
        st.rerun()
