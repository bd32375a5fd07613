"""The tables of the resources, to be edited: funding, team, compute, other expenses."""

from __future__ import annotations

from core.venture.funding import KINDS
from core.venture.people import FUNCTIONS
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_resources_charts import KINDS_OF_COMPUTE
from pages.widgets.dashboard_table import Column, edit

_FUNCTIONS = {str(name): label for name, label in FUNCTIONS.items()}
_FROM = Column(field="start", label="From", help="As 2026-03; empty: the first month of the plan.", width="small")
_TO = Column(field="end", label="To", help="As 2027-12, that month included; empty: the plan's end.", width="small")


def funding(desk: Desk) -> None:
    columns = (
        Column(field="name", label="Name", pinned=True),
        Column(
            field="kind",
            label="Kind",
            kind="choice",
            options={str(kind): label for kind, label in KINDS.items()},
            default=KINDS["savings"],
        ),
        Column(field="month", label="Month", help="In which it comes, as 2026-03.", default=desk.spec.company.start),
        Column(field="amount", label=f"Amount ({desk.currency})", kind="money"),
        Column(field="terms", label="Terms", width="large", help="In words: cap, discount, what has to be reported."),
        Column(field="interest", label="Interest (% a year)", kind="percent", help="On what is still owed."),
        Column(
            field="grace_months",
            label="Grace (months)",
            kind="whole",
            help="Months before the first repayment; interest is paid in them too.",
        ),
        Column(
            field="repay_months",
            label="Repaid over (months)",
            kind="whole",
            help="In equal parts; empty: not within the plan. A loan stays owed then; grants and shares never are.",
        ),
    )
    edit(desk, "funding", columns, label="Funding with its terms")


def team(desk: Desk) -> None:
    columns = (
        Column(field="role", label="Role", pinned=True),
        Column(
            field="function",
            label="Function",
            kind="choice",
            options=_FUNCTIONS,
            default=FUNCTIONS["research"],
            help="What the cost counts as: those who serve customers are a cost of revenue.",
        ),
        _FROM,
        _TO,
        Column(field="count", label="People", kind="number", help="Full-time; 0.5 is half a week.", default=1),
        Column(field="salary", label=f"Salary a year ({desk.currency})", kind="money", help="Of one person."),
        Column(
            field="burden",
            label="Burden (%)",
            kind="percent",
            default=20,
            help="Taxes, insurance and benefits on top of the salary.",
        ),
    )
    edit(desk, "team", columns, label="Team: roles, first month, salary and burden")


def compute(desk: Desk) -> None:
    columns = (
        Column(field="name", label="What", pinned=True),
        Column(
            field="kind",
            label="Kind",
            kind="choice",
            options=dict(KINDS_OF_COMPUTE),
            default=KINDS_OF_COMPUTE["fine-tune"],
            help="Serving is a cost of revenue, the rest is development. Tokens of the products come on top.",
        ),
        Column(
            field="amount", label=f"Amount ({desk.currency})", kind="money", help="Each time: a month, or a fine-tune."
        ),
        _FROM,
        _TO,
        Column(field="every_months", label="Every (months)", kind="whole", default=1, help="3 is each third month."),
        Column(field="once", label="Once", kind="yes", help="Only in the first month."),
        Column(
            field="scenario_name",
            label="From the estimate",
            help="The saved estimate that the amount is from.",
            fixed=True,
        ),
    )
    edit(desk, "compute", columns, label="Compute by month")


def expenses(desk: Desk) -> None:
    columns = (
        Column(field="name", label="What", pinned=True),
        Column(field="function", label="Function", kind="choice", options=_FUNCTIONS, default=FUNCTIONS["general"]),
        Column(field="amount", label=f"Amount a month ({desk.currency})", kind="money"),
        Column(field="growth", label="Growth (% a month)", kind="percent"),
        Column(
            field="share_of_revenue",
            label="Share of revenue (%)",
            kind="percent",
            help="On top of the amount, such as commissions.",
        ),
        _FROM,
        _TO,
        Column(field="once", label="Once", kind="yes", help="Only in the first month."),
    )
    edit(desk, "expenses", columns, label="Other expenses")
