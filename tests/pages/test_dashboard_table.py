"""A company's tables: what is whole is saved at once, what is not stays with its reason, nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.companies import CompanyRepository
from core.store.database import Database
from pages import state
from pages.widgets.dashboard_table import Column, _applied
from tests.pages.dashboards import edited, own, page, saved

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

FUNDING = [
    {"name": "Savings", "month": "2027-01", "amount": 1000, "terms": "none"},
    {"name": "Grant", "kind": "grant", "month": "2027-02", "amount": 2000},
]


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_changed_cell_is_saved_and_the_rest_stays(db: Database) -> None:
    record = own(db, funding=FUNDING)
    at = edited(page("resources", d_resources="funding"), cells={0: {"Amount (USD)": 1500}})
    assert not at.error
    first, second = saved(db, record).funding
    assert (first.name, int(first.amount), first.terms) == ("Savings", 1500, "none")
    assert second.kind == "grant"


def test_a_faulty_cell_is_told_by_row_and_column_and_can_be_undone(db: Database) -> None:
    record = own(db, funding=FUNDING)
    at = edited(page("resources", d_resources="funding"), cells={1: {"Month": "soon"}})
    assert "row 2, Month" in at.error[0].value
    assert "soon" in at.error[0].value
    assert saved(db, record).funding[1].month == "2027-02"
    next(one for one in at.button if one.label.startswith("Undo")).click().run()
    assert not at.error


def test_a_fault_that_is_corrected_is_saved_with_all_that_was_typed(db: Database) -> None:
    record = own(db, funding=FUNDING)
    at = edited(page("resources", d_resources="funding"), cells={1: {"Month": "soon"}, 0: {"Name": "Own"}})
    assert at.error
    at = edited(at, cells={1: {"Month": "2027-05"}, 0: {"Name": "Own"}})
    assert not at.error
    assert [(one.name, one.month) for one in saved(db, record).funding] == [("Own", "2027-01"), ("Grant", "2027-05")]


def test_a_row_is_added_and_one_taken_out(db: Database) -> None:
    record = own(db, funding=FUNDING)
    new = {"Name": "Aunt", "Kind": "Family and friends", "Month": "2027-03", "Amount (USD)": 500}
    edited(page("resources", d_resources="funding"), rows=[new], gone=[0])
    assert [(one.name, one.kind) for one in saved(db, record).funding] == [("Grant", "grant"), ("Aunt", "family")]


def test_a_row_that_was_only_begun_is_no_fault(db: Database) -> None:
    record = own(db, funding=FUNDING)
    at = edited(page("resources", d_resources="funding"), rows=[{"Kind": "Own savings", "Month": "2027-01"}])
    assert not at.error
    assert len(saved(db, record).funding) == 2


def test_an_emptied_cell_takes_its_default(db: Database) -> None:
    record = own(db, team=[{"role": "A", "salary": 1000, "burden": 0.5, "end": "2027-09", "skills": {"Web": 3}}])
    edited(page("resources", d_resources="team"), cells={0: {"Burden (%)": None, "To": None}})
    (role,) = saved(db, record).team
    assert (role.burden, role.end, role.skills) == (0.2, None, {"Web": 3})


def test_a_share_is_typed_as_a_percentage(db: Database) -> None:
    record = own(db, team=[{"role": "A", "salary": 1000}])
    edited(page("resources", d_resources="team"), cells={0: {"Burden (%)": 17.5}})
    assert saved(db, record).team[0].burden == 0.175


def test_what_was_saved_is_there_after_another_view(db: Database) -> None:
    """The editor's own state is gone by then; a table of the old rows would write them back with the next change."""
    record = own(db, funding=FUNDING)
    at = edited(page("resources", d_resources="funding"), cells={0: {"Amount (USD)": 1500}})
    at.session_state["d_view"] = "overview"
    at.run()
    at.session_state["d_view"] = "resources"
    at.session_state["d_resources"] = "funding"
    at.run()
    edited(at, cells={1: {"Name": "Other grant"}})
    assert [(one.name, int(one.amount)) for one in saved(db, record).funding] == [
        ("Savings", 1500),
        ("Other grant", 2000),
    ]


def test_what_was_typed_in_vain_is_there_after_another_view(db: Database) -> None:
    record = own(db, funding=FUNDING)
    at = edited(page("resources", d_resources="funding"), cells={1: {"Month": "soon"}, 0: {"Name": "Own"}})
    for view in ("overview", "resources"):
        at.session_state["d_view"] = view
        at.session_state["d_resources"] = "funding"
        at.run()
    table = next(one for one in at.dataframe if one.proto.editing_mode)
    assert list(table.value["Month"]) == ["2027-01", "soon"]
    assert "row 2, Month" in at.error[0].value
    at = edited(at, cells={1: {"Month": "2027-05"}})
    assert not at.error
    assert [(one.name, one.month) for one in saved(db, record).funding] == [("Own", "2027-01"), ("Grant", "2027-05")]


def test_what_is_not_saved_of_one_company_is_not_in_the_next(db: Database) -> None:
    first, second = own(db, funding=FUNDING), own(db, funding=FUNDING)
    at = page("resources", d_resources="funding", last_company=first.id)
    assert edited(at, cells={0: {"Month": "soon"}}).error
    at.selectbox(key="d_company_0").select(second.id).run()
    assert not at.error
    edited(at, cells={1: {"Name": "Mine"}})
    assert [one.name for one in saved(db, second).funding] == ["Savings", "Mine"]
    assert [one.name for one in saved(db, first).funding] == ["Savings", "Grant"]


def test_a_change_from_elsewhere_is_not_written_over(db: Database) -> None:
    record = own(db, funding=FUNDING)
    at = page("resources", d_resources="funding")
    repository = CompanyRepository(db)
    document = repository.get(record.id).spec
    document["funding"][0]["amount"] = 7000
    repository.save(record.id, document, version=1)
    at = edited(at, cells={1: {"Name": "Other"}})
    assert "changed elsewhere" in at.warning[0].value
    assert (len(at.warning), len(at.error)) == (1, 0)
    assert [(one.name, int(one.amount)) for one in saved(db, record).funding] == [("Savings", 7000), ("Grant", 2000)]
    edited(at, cells={1: {"Name": "Other"}})
    assert [(one.name, int(one.amount)) for one in saved(db, record).funding] == [("Savings", 7000), ("Other", 2000)]


def test_a_choice_is_saved_by_its_key_and_a_whole_number_stays_whole(home: Path) -> None:
    columns = [
        Column(field="kind", label="Kind", kind="choice", options={"a": "First", "b": "Second"}),
        Column(field="count", label="Count", kind="whole"),
    ]
    rows = _applied([{"kind": "a"}], {"edited_rows": {"0": {"Kind": "Second", "Count": 3.0}}}, columns, {})
    assert rows == [{"kind": "b", "count": 3}]
    assert isinstance(rows[0]["count"], int)


def test_a_key_is_a_name_of_the_dashboard(home: Path) -> None:
    assert state.dashboard_key("x").startswith("d_x")
