from __future__ import annotations

import pytest

from core.errors import InvalidInput, NotFound
from core.store.companies import LONGEST_NAME, CompanyRepository
from core.store.database import Database


@pytest.fixture
def companies(db: Database) -> CompanyRepository:
    return CompanyRepository(db)


def test_a_company_is_found_as_it_was_saved(companies: CompanyRepository) -> None:
    made = companies.create("Acme", {"company": {"opening_cash": "10.10"}}, example=True)
    assert companies.get(made.id) == made
    assert (made.version, made.example, made.spec["company"]["opening_cash"]) == (1, True, "10.10")
    assert [one.id for one in companies.list()] == [made.id]


def test_a_taken_name_gets_a_number(companies: CompanyRepository) -> None:
    assert [companies.create("Acme", {}).name for _ in range(3)] == ["Acme", "Acme (2)", "Acme (3)"]


def test_a_change_of_an_older_version_is_refused_and_the_newer_one_stays(companies: CompanyRepository) -> None:
    made = companies.create("Acme", {"months": 12})
    newer = companies.save(made.id, {"months": 24}, version=made.version)
    with pytest.raises(InvalidInput, match="changed elsewhere"):
        companies.save(made.id, {"months": 36}, version=made.version)
    assert companies.get(made.id) == newer
    assert newer.version == 2


def test_a_company_can_be_renamed_but_not_to_the_name_of_another(companies: CompanyRepository) -> None:
    companies.create("Acme", {})
    made = companies.create("Bcme", {})
    assert companies.save(made.id, {}, version=1, name="Acme").name == "Acme (2)"


@pytest.mark.parametrize("name", ["", "  ", "x" * (LONGEST_NAME + 1)])
def test_a_name_out_of_bounds_is_refused(companies: CompanyRepository, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        companies.create(name, {})


def test_a_deleted_company_is_gone(companies: CompanyRepository) -> None:
    made = companies.create("Acme", {})
    companies.delete(made.id)
    with pytest.raises(NotFound):
        companies.get(made.id)
