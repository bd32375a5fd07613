"""Companies in the record, and the dashboard's page without a browser, for the tests of its views."""

from __future__ import annotations

import json
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from core.store.companies import CompanyRecord, CompanyRepository
from core.store.database import Database
from core.venture.examples import example_document
from core.venture.spec import CompanySpec, company

SCRIPT = "from pages import dashboard\ndashboard.render()"


def example(db: Database) -> CompanyRecord:
    """Example Notes Ltd, in the record."""
    spec = company(example_document())
    return CompanyRepository(db).create(spec.company.name, spec.to_json(), example=True)


def own(db: Database, **sections: Any) -> CompanyRecord:
    """A company of the reader's."""
    about = {"name": "Acme", "start": "2027-01", "months": 24, "opening_cash": 50_000}
    spec = company({"company": about | sections.pop("company", {})} | sections)
    return CompanyRepository(db).create(spec.company.name, spec.to_json())


def saved(db: Database, record: CompanyRecord) -> CompanySpec:
    """As it is in the record now."""
    return company(CompanyRepository(db).get(record.id).spec)


def page(view: str = "overview", **held: Any) -> AppTest:
    """held: by the names of widgets."""
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    at.session_state["d_view"] = view
    for name, value in held.items():
        at.session_state[name] = value
    return at.run()


def words(at: AppTest) -> str:
    """Markdown and captions of the page, as they are read."""
    texts = [one.value for one in (*at.markdown, *at.caption)]
    return "\n".join(texts).replace("\\", "")


def edited(
    at: AppTest,
    *,
    cells: dict[int, dict[str, Any]] | None = None,
    rows: list[dict[str, Any]] | None = None,
    gone: list[int] | None = None,
    place: int = 0,
) -> AppTest:
    """The page after somebody typed into a table: cells by row, new rows, rows taken out; by the columns' labels.

    AppTest has no hand for a data editor, so its state is sent as the browser sends it: whole, each time.
    """
    table = [one for one in at.dataframe if one.proto.editing_mode][place]
    state = {"edited_rows": cells or {}, "added_rows": rows or [], "deleted_rows": gone or []}
    states = at._tree.get_widget_states()
    states.widgets.append(WidgetState(id=table.proto.id, string_value=json.dumps(state)))
    return at._run(states)
