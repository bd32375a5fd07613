"""A board or investor report of chosen sections: the document, which becomes HTML or Markdown.

`SECTIONS` is the one list of them. A section that has nothing to show is not in the report; its title is, with what is
missing. The board sees what investors do not: the pipeline of other investors, and what really happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from core.errors import InvalidInput
from core.store.columns import utc_now
from core.store.database import Database
from core.venture import months
from core.venture.spec import CompanySpec
from exports import company_report_capital as capital
from exports import company_report_chances as chances
from exports import company_report_plan as planned
from exports import company_report_products as products
from exports import company_report_register as register
from exports import company_report_resources as resources
from exports.company_report_parts import Document, Section
from exports.company_report_source import Source

Audience = Literal["board", "investors"]
AUDIENCES: dict[Audience, str] = {"investors": "Investor report", "board": "Board report"}
SECTIONS: dict[str, tuple[str, Callable[[Source], Section]]] = {
    "summary": ("Summary", planned.summary),
    "actuals": ("What really happened", planned.actuals),
    "products": ("Products and margins", products.products),
    "metrics": ("Metrics", planned.metric_section),
    "plan": ("Plan: profit and cash", planned.profit),
    "scenarios": ("Scenarios", chances.scenarios),
    "chances": ("Chances", chances.chances),
    "sensitivity": ("What matters most", chances.sensitivity),
    "team": ("Team", resources.team),
    "costs": ("Compute and other costs", resources.costs),
    "funding": ("Sources of money", resources.funding),
    "ownership": ("Ownership", capital.ownership),
    "fundraising": ("Fundraising", capital.fundraising),
    "market": ("Market", register.market),
    "risks": ("Risks and duties", register.risks),
    "assumptions": ("Assumptions", products.assumptions),
}
USUAL: dict[Audience, tuple[str, ...]] = {
    "investors": tuple(key for key in SECTIONS if key not in ("actuals", "costs", "risks")),
    "board": tuple(key for key in SECTIONS if key not in ("market", "assumptions")),
}
EXAMPLE = "Example company: invented figures."
NOT_ADVICE = "Not financial advice."


def report(
    spec: CompanySpec,
    db: Database,
    *,
    audience: str = "investors",
    sections: Sequence[str] = (),
    at: datetime | None = None,
) -> Document:
    """sections: keys of `SECTIONS`, in whatever order; () for those usual for the audience. db: the record that origins
    are looked up in. at: default, now. Raises InvalidInput for an unknown audience or section."""
    chosen, reader = wanted(audience, sections)
    of = Source(spec, db, board=reader == "board")
    made = [_section(of, key) for key in chosen]
    about, last = spec.company, months.after(spec.company.start, spec.company.months - 1)
    facts = (
        ("For", "the board" if of.board else "investors"),
        ("Months planned", f"{months.said(about.start)} to {months.said(last)}"),
        ("Currency", about.currency),
        *((name, words) for name, words in (("Sector", about.sector), ("Stage", about.stage)) if words),
    )
    return Document(
        title=f"{about.name}: {AUDIENCES[reader].lower()}",
        about=about.about,
        facts=facts,
        sections=tuple(one for one in made if not one.missing),
        left_out=tuple((one.title, one.missing) for one in made if one.missing),
        notes=tuple(of.notes.texts),
        example=about.example,
        at=at or utc_now(),
    )


def _section(of: Source, key: str) -> Section:
    """What cannot be reckoned, as growth beyond counting, is left out with its reason: the rest is worth having."""
    title, make = SECTIONS[key]
    try:
        return make(of)
    except InvalidInput as fault:
        return Section(key, title, missing=str(fault))


def wanted(audience: str, sections: Sequence[str] = ()) -> tuple[tuple[str, ...], Audience]:
    """The keys in the order of `SECTIONS`, and the audience. Raises InvalidInput."""
    reader: Audience | None = next((one for one in AUDIENCES if one == audience), None)
    if reader is None:
        raise InvalidInput(f"{audience!r} is no audience of a report.", allowed=", ".join(AUDIENCES))
    unknown = [one for one in sections if one not in SECTIONS]
    if unknown:
        raise InvalidInput(
            f"{', '.join(repr(one) for one in unknown)}: no such section of a report.", allowed=", ".join(SECTIONS)
        )
    asked = sections or USUAL[reader]
    return tuple(key for key in SECTIONS if key in asked), reader
