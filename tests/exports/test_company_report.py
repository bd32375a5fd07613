"""A company's report: every section from the engines, inert whatever was typed, and no link that needs a network."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput, StorageError
from core.store.database import Database
from core.venture.inference_cost import of_scenario
from core.venture.money import major, shown
from core.venture.plan import plan
from core.venture.spec import CompanySpec, company, read_company
from exports.company_book import company_xlsx
from exports.company_csv import FILES, report_csv
from exports.company_files import write_report
from exports.company_report import SECTIONS, USUAL, report
from exports.company_report_html import report_html
from exports.company_report_markdown import report_markdown
from exports.company_report_parts import Grid
from tests.exports.companies import HOSTILE, RICH, empty, rich
from tests.exports.test_estimate_html import Page
from tests.exports.workbooks import Workbook
from tests.venture.product_cases import measured_here, recorded_run, serving_scenario

pytestmark = pytest.mark.slow  # each draws its report anew

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVERY = tuple(SECTIONS)
EXAMPLE = Path("core/venture/examples/example_company.yaml")


@pytest.fixture(scope="module")
def example() -> CompanySpec:
    return read_company(EXAMPLE)


def page(spec: CompanySpec, db: Database, **asked: Any) -> Page:
    return Page(report_html(report(spec, db, at=AT, **asked)))


def hostile() -> CompanySpec:
    """Every text that a user can write, hostile."""
    short = HOSTILE[:40] + "<b>"
    return company(
        {
            "company": RICH["company"] | {"name": short, "about": HOSTILE, "sector": short, "stage": "<i>x</i>"},
            "products": [RICH["products"][0] | {"name": short, "tasks": [{"name": short, "runs_per_user": 2}]}],
            "team": [RICH["team"][0] | {"role": short}],
            "compute": [RICH["compute"][0] | {"name": short, "scenario_name": short}],
            "expenses": [RICH["expenses"][0] | {"name": short}],
            "funding": [RICH["funding"][0] | {"name": short, "terms": HOSTILE}],
            "scenarios": {"<b>=x|": {"price": 1.1}},
            "ownership": {"holders": [{"name": short, "shares": 900}, {"name": "=1+1", "shares": 100}]},
            "fundraising": {
                "planned": [
                    {
                        "name": short,
                        "month": "2027-01",
                        "amount": "1M",
                        "pre_money": "4M",
                        "milestones": [{"name": short, "cost": 1000}],
                    }
                ],
                "pipeline": [{"name": "Secret investor", "stage": "meeting", "amount": "500k"}],
            },
            "risks": [{"topic": "privacy", "title": short, "owner": short, "mitigation": HOSTILE}],
            "market": [
                {"company": short, "stage": "seed", "date": "2026-01-02", "amount": "1M", "source": HOSTILE},
            ],
        }
    )


def test_nothing_is_loaded_and_nothing_runs(example: CompanySpec, db: Database) -> None:
    for spec in (example, hostile(), empty()):
        data = report_html(report(spec, db, sections=EVERY))
        found = Page(data)
        names = {tag for tag, _ in found.tags}
        assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base", "b", "i"})
        assert not [one for _, one in found.tags for key in one if key.startswith("on") or key == "src"]
        assert all((one["href"] or "").startswith("#") for one in found.all("a"))
        [policy] = [one["content"] for one in found.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
        assert "default-src 'none'" in (policy or "")
        assert b"url(" not in data
        assert b"@import" not in data


def test_every_section_of_the_example_is_there(example: CompanySpec, db: Database) -> None:
    found = page(example, db, audience="board", sections=EVERY)
    assert {one["id"] for one in found.all("section")} == {*EVERY, "notes"}
    for title, _ in SECTIONS.values():
        assert title in found.words


@pytest.mark.parametrize("key", EVERY)
def test_a_chosen_section_comes_alone(key: str, example: CompanySpec, db: Database) -> None:
    document = report(example, db, audience="board", sections=[key])
    assert [one.key for one in document.sections] == [key]
    assert document.sections[0].title == SECTIONS[key][0]
    assert document.sections[0].blocks


def test_what_has_no_data_is_named_with_what_is_missing(db: Database) -> None:
    spec = company({"company": {"name": "New"}, "products": [{"name": "Pro", "price": 20, "customers": 3}]})
    document = report(spec, db, sections=["products", "ownership", "market"])
    assert [one.key for one in document.sections] == ["products"]
    assert document.left_out == (
        ("Ownership", "No shares are given."),
        ("Market", "No deals of comparable companies are given."),
    )
    for words in (page(spec, db).words, report_markdown(document).decode()):
        assert "No shares are given." in words


def test_chances_beyond_counting_leave_the_rest_of_the_report(db: Database) -> None:
    product = {"name": "Free", "price": 0.01, "new_customers": 1000, "growth": 0.55}
    spec = company({"company": {"months": 60}, "products": [product]})
    document = report(spec, db, sections=["plan", "chances"])
    assert [one.key for one in document.sections] == ["plan"]
    [(title, why)] = document.left_out
    assert title == "Chances"
    assert "more than there are people" in why
    files = zipfile.ZipFile(io.BytesIO(report_csv(spec, db, sections=["plan", "chances"])))
    assert set(files.namelist()) == {"README.txt", "plan.csv"}


def test_a_round_that_cannot_be_is_told(db: Database) -> None:
    ownership = {
        "holders": [{"name": "Ada", "shares": 100}],
        "rounds": [{"name": "Seed", "money_usd": 900, "pre_money_usd": 100, "post_money_pool": 0.9}],
    }
    document = report(company({"ownership": ownership}), db, sections=["ownership"])
    assert document.left_out[0][0] == "Ownership"
    assert "Seed" in document.left_out[0][1] or "price" in document.left_out[0][1]
    assert company_xlsx(company({"ownership": ownership}), db, sections=["ownership"])


def test_an_empty_company_makes_a_report_that_says_so(db: Database) -> None:
    document = report(empty(), db)
    assert document.sections == ()
    assert len(document.left_out) == len(USUAL["investors"])
    assert "nothing to show yet" not in page(rich(), db).words
    assert "has anything to show yet" in Page(report_html(document)).words


def test_the_figures_are_the_plans(db: Database) -> None:
    spec = rich()
    found, words = plan(spec), page(spec, db, sections=["plan", "summary"]).words
    for cents in (found.cash[0, -1], found.net_profit[0, :12].sum(), found.revenue[0, 12:24].sum()):
        assert shown(major(int(cents)), "EUR") in words


def test_founders_keep_the_same_in_ownership_and_fundraising(example: CompanySpec, db: Database) -> None:
    """Fundraising's expected valuation, and the sum of the founders' rows of the cap table."""
    document = report(example, db, sections=["ownership", "fundraising"])
    tables = [
        (block.title, {row.cells[0]: row.cells[1:] for row in block.rows})
        for one in document.sections
        for block in one.blocks
        if isinstance(block, Grid)
    ]
    owned = next(rows for _, rows in tables if "Ada Example" in rows)
    kept = next(rows for title, rows in tables if title.startswith("Founders keep"))
    founders = [owned[one.name] for one in example.ownership.holders if one.kind == "founder"]
    for place, name in enumerate(("Seed", "Series A"), start=1):
        whole = sum(float(str(one[place]).removesuffix("%")) for one in founders)
        assert float(str(kept[name][1]).removesuffix("%")) == pytest.approx(whole, abs=0.06)


def test_every_drawing_has_words(example: CompanySpec, db: Database) -> None:
    drawings = page(example, db, audience="board", sections=EVERY).all("svg")
    assert len(drawings) >= 12
    assert all(one["role"] == "img" and one["aria-label"] for one in drawings)


def test_every_table_has_heads(example: CompanySpec, db: Database) -> None:
    found = page(example, db, audience="board", sections=EVERY)
    assert {one.get("scope") for one in found.all("th")} == {"col", "row"}


def test_a_margin_leads_to_the_measurements_behind_it(db: Database) -> None:
    cell = measured_here(db)
    cost = of_scenario(serving_scenario(db))
    task = {"name": "Ask", "runs_per_user": 10, "input_tokens": 100, "output_tokens": 40}
    task["run_ids"] = [recorded_run(db)]
    product = {"name": "Pro", "price": 20, "tasks": [task], "cost": cost.model_dump(mode="json")}
    document = report(company({"products": [product]}), db, sections=["products"])
    told = " ".join(document.notes)
    assert "scenario “135M here”" in told
    assert cell.id in told
    assert "the mean of 1 recorded runs" in told
    found = Page(report_html(document))
    links = {str(one["href"]) for one in found.all("a")}
    assert {f"#note-{number}" for number in range(1, len(document.notes) + 1)} <= links
    assert {f"#{one['id']}" for one in found.all("li") if one.get("id")} >= {one for one in links if "note" in one}
    assert f"[^{len(document.notes)}]: " in report_markdown(document).decode()


def test_the_board_sees_the_pipeline_and_investors_do_not(db: Database) -> None:
    spec = hostile()
    for audience, sees in (("board", True), ("investors", False)):
        words = page(spec, db, audience=audience, sections=["fundraising"]).words
        assert ("Pipeline of investors" in words) == sees
        files = zipfile.ZipFile(io.BytesIO(report_csv(spec, db, audience=audience, sections=["fundraising"])))
        assert ("pipeline.csv" in files.namelist()) == sees


def test_what_a_user_wrote_is_shown_and_not_run(db: Database) -> None:
    spec = hostile()
    document = report(spec, db, audience="board", sections=EVERY, at=AT)
    assert HOSTILE in Page(report_html(document)).words
    text = report_markdown(document).decode()
    assert "<script>" not in text
    assert "**b**" not in text.replace("\\*", "")
    tables = zipfile.ZipFile(io.BytesIO(report_csv(spec, db, audience="board", sections=EVERY)))
    for name in tables.namelist():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(tables.read(name).decode("utf-8-sig"))):
                bad = [one for one in row if one.startswith(("=", "@", "+")) or one[:2] in ("-H", "-=")]
                assert bad == [], name
    book = Workbook(company_xlsx(spec, db, sections=EVERY))
    assert not [cell for sheet in book.sheets() for cell in book.sheet(sheet).values() if "HYPERLINK" in cell.formula]


def test_markdown_has_the_same_sections_and_rows(example: CompanySpec, db: Database) -> None:
    document = report(example, db, at=AT)
    text = report_markdown(document).decode()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        *(one.title for one in document.sections),
        "Notes: where figures are from",
    ]
    assert text.count("\n| ") >= sum(len(block.rows) for one in document.sections for block in one.blocks
                                     if hasattr(block, "rows"))  # fmt: skip


def test_csv_holds_the_plan_to_the_cent(db: Database) -> None:
    spec = rich()
    found = plan(spec)
    files = zipfile.ZipFile(io.BytesIO(report_csv(spec, db, at=AT)))
    rows = list(csv.DictReader(io.StringIO(files.read("plan.csv").decode("utf-8-sig"))))
    assert [row["month"] for row in rows] == list(found.months)
    assert [round(float(row["cash"]) * 100) for row in rows] == found.cash[0].tolist()
    sold = list(csv.DictReader(io.StringIO(files.read("products.csv").decode("utf-8-sig"))))
    assert len(sold) == len(found.months) * len(spec.products)
    assert "Not financial advice." in files.read("README.txt").decode()


def test_csv_has_a_file_for_every_part_of_the_example(example: CompanySpec, db: Database) -> None:
    files = zipfile.ZipFile(io.BytesIO(report_csv(example, db, audience="board", sections=EVERY)))
    assert {f"{name}.csv" for parts in FILES.values() for name in parts} == {*files.namelist()} - {"README.txt"}


def test_the_same_report_is_the_same_file(db: Database) -> None:
    spec = rich()
    assert report_csv(spec, db, sections=["plan"], at=AT) == report_csv(spec, db, sections=["plan"], at=AT)
    assert report_html(report(spec, db, at=AT)) == report_html(report(spec, db, at=AT))


def test_the_workbook_has_what_the_report_has(example: CompanySpec, db: Database) -> None:
    book = Workbook(company_xlsx(example, db, audience="board", sections=EVERY))
    for sheet in ("Summary", "Assumptions", "Cash", "Ownership", "Exits", "Rounds", "Risks", "Provenance", "Notes"):
        assert sheet in book.sheets()
    words = {str(cell.value) for cell in book.sheet("Ownership").values()}
    assert {"Ada Example", "Series A"} <= words
    assert "Ownership" not in Workbook(company_xlsx(example, db, sections=["plan"])).sheets()


def test_files_are_written_and_told(tmp_path: Path, home: Path) -> None:
    written = write_report(rich(), tmp_path / "new" / "papers", audience="board")
    assert [one.suffix for one in written] == [".html", ".xlsx", ".md", ".zip"]
    assert sorted(one.name for one in (tmp_path / "new" / "papers").iterdir()) == sorted(one.name for one in written)
    assert written[0].name == "Example-GmbH-board-report.html"
    assert b"board report" in written[0].read_bytes()


def test_a_folder_that_is_a_file_is_told(tmp_path: Path, home: Path) -> None:
    (tmp_path / "papers").write_text("taken")
    with pytest.raises(StorageError, match="papers"):
        write_report(empty(), tmp_path / "papers")


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"sections": ["summary", "magic"]}, "'magic'"), ({"audience": "press"}, "'press'")],
)
def test_an_unknown_section_or_audience_is_refused(asked: dict[str, Any], told: str, db: Database) -> None:
    with pytest.raises(InvalidInput, match=told):
        report(empty(), db, **asked)


def test_an_example_is_marked_and_a_company_is_not(example: CompanySpec, db: Database) -> None:
    assert "Example company: invented figures." in page(example, db).words
    real = rich(company=RICH["company"] | {"example": False})
    words = page(real, db).words
    assert "invented" not in words
    assert "Not financial advice." in words
