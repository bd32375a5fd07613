"""Every example company is found by globbing and holds together; the large one fills every section, sanely."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture import months
from core.venture.examples import EXAMPLE, example_document
from core.venture.overview import margins, outlook
from core.venture.ownership.rounds import history
from core.venture.plan import plan
from core.venture.spec import CompanySpec, company, read_company

FILES = sorted(path for path in EXAMPLE.parent.glob("*.yaml") if not path.name.startswith("captable_"))


@pytest.fixture(scope="module")
def spec() -> CompanySpec:
    return company(example_document())


def test_there_is_one_of_each_model() -> None:
    assert {path.stem for path in FILES} >= {"example_company", "saas", "api", "services"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_a_plan_that_sells_and_pays(path: Path) -> None:
    read = read_company(path)
    found = plan(read)
    assert found.revenue[0].sum() > 0
    assert found.headcount[0, 0] > 0
    assert company(read.to_json()) == read  # saved and opened again


def test_the_example_fills_every_section(spec: CompanySpec) -> None:
    empty = [name for name in CompanySpec.model_fields if name != "uncertainty" and not getattr(spec, name)]
    assert not empty
    assert not spec.ownership.empty
    assert spec.fundraising.planned
    assert spec.fundraising.pipeline
    assert {one.model for one in spec.products} == {"subscription", "usage", "project"}
    assert all(one.tasks and one.cost.usd_per_million_input for one in spec.products)


def test_the_example_says_that_it_is_invented(spec: CompanySpec) -> None:
    assert spec.company.example
    assert "invented" in spec.company.about.lower()
    assert all(one.example for one in spec.market)


def test_the_examples_gross_margin_is_an_ai_companys(spec: CompanySpec) -> None:
    found = plan(spec)
    year = slice(12, 36)
    share = 1 - found.cogs[0, year].sum() / found.revenue[0, year].sum()
    assert 0.55 <= share <= 0.70
    assert all(one.share is not None and 0.5 < one.share < 0.85 for one in margins(found))


def test_the_example_has_about_fourteen_months_left_after_its_actual_figures(spec: CompanySpec) -> None:
    found = plan(spec)
    after = months.after(spec.actuals[-1].month, 1)
    assert outlook(found, today=after).lasts in range(13, 16)
    empty = outlook(found).empty
    assert empty is not None
    assert spec.fundraising.planned[0].month < found.months[empty]


def test_a_year_of_actual_figures_stays_near_the_plan(spec: CompanySpec) -> None:
    found = plan(spec)
    assert [one.month for one in spec.actuals] == list(found.months[:12])
    for place, one in enumerate(spec.actuals):
        assert one.revenue is not None
        assert float(one.revenue) * 100 == pytest.approx(float(found.revenue[0, place]), rel=0.1)
        assert one.cash is not None
        assert float(one.cash) * 100 == pytest.approx(float(found.cash[0, place]), rel=0.1)


def test_customers_of_the_actual_figures_add_up(spec: CompanySpec) -> None:
    before = 34
    for one in spec.actuals:
        assert one.customers == before + (one.new_customers or 0) - (one.churned_customers or 0)
        before = one.customers or 0


def test_the_examples_cap_table_solves(spec: CompanySpec) -> None:
    assert history(spec.ownership)
    paid = sum(one.purchase_usd for one in spec.ownership.safes)
    funded = sum(one.amount for one in spec.funding if one.kind in ("angel", "venture"))
    assert paid == funded


def test_the_example_can_be_kept_in_the_record(db: Database, spec: CompanySpec) -> None:
    made = CompanyRepository(db).create(spec.company.name, spec.to_json(), example=True)
    assert company(CompanyRepository(db).get(made.id).spec) == spec
