"""The beginning of the dashboard: what it will look like, an example in one press, a first plan in five questions."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.errors import GroundworkError
from core.store.database import Database
from core.venture.examples import example_document
from core.venture.inference_cost import of_api, offers
from core.venture.plan import plan
from core.venture.products import CostSpec
from core.venture.questions import (
    CASH,
    CUSTOMERS,
    MODELS,
    NEW,
    PER_USD,
    PRICE,
    SALARY,
    TOKENS,
    Answers,
    Model,
    first_plan,
    typed_cost,
)
from core.venture.spec import CompanySpec, company
from pages import state
from pages.widgets import dashboard_company
from pages.widgets.chart_parts import CONFIG
from pages.widgets.dashboard_company import CURRENCIES
from pages.widgets.dashboard_overview_charts import cash_figure

_FAULT = "start_fault"
_QUESTIONS = "questions_fault"
_USUAL = "usual"
# A few of the large providers'; every other model is under Product, once there is a company.
_APIS = (
    ("openai", "gpt-4.1"),
    ("openai", "gpt-4.1-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-flash"),
)


def draw(db: Database) -> None:
    """What it will look like, and two ways in."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(
            "A plan by month: what a customer costs to serve, what is left, how long the cash lasts, who owns what."
        )
        _example(db)
        with st.expander("Open a company from a file", icon=":material/upload_file:"):
            dashboard_company.bring(db)
    with right:
        _sample()
    _questions(db)


def _example(db: Database) -> None:
    with st.container(border=True):
        st.markdown("**Look around first.** Example Notes Ltd is invented, and every view of it is filled.")
        st.button(
            "Try with example data",
            type="primary",
            icon=":material/science:",
            key="d_example",
            on_click=_open_example,
            args=(db,),
        )
        if fault := state.dashboard_note(_FAULT):
            st.error(fault, icon=":material/error:")


@st.cache_data(show_spinner=False, max_entries=1)
def _sample_spec() -> CompanySpec:
    return company(example_document())


def _sample() -> None:
    """The overview's picture, of the invented company."""
    st.markdown("What you will see :orange-badge[Example: invented figures]")
    found = plan(_sample_spec())
    st.plotly_chart(
        cash_figure(found, height=330),
        key="d_sample",
        config=CONFIG,
        alt="Example: cash, revenue and spending by month",
    )


def _open_example(db: Database) -> None:
    state.set_dashboard_note(_FAULT, "")
    try:
        made = dashboard_company.keep(db, company(example_document()))
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))
    else:
        state.show_company(made.id)
        state.show_dashboard_view("overview")


def _questions(db: Database) -> None:
    """One form: whatever stays empty takes the usual value that its field shows."""
    costs = _costs(db)
    st.subheader("Your first plan: five questions")
    st.caption("Leave open what you do not know: a usual value stands in, the overview says which, and all can change.")
    with st.form("d_questions", clear_on_submit=False):
        left, right = st.columns(2, gap="large")
        with left:
            _about_product()
            _about_customers()
        with right:
            _about_model(costs)
            _about_people()
            _about_money()
        st.form_submit_button(
            "Make the plan", type="primary", icon=":material/monitoring:", on_click=_make, args=(db, costs)
        )
        if fault := state.dashboard_note(_QUESTIONS):
            st.error(fault, icon=":material/error:")


def _about_product() -> None:
    st.markdown("**1. What do you sell, and for how much?**")
    _text("name", "Name of the company", "My company")
    _text("product", "Product", "First product")
    st.radio(
        "Sold as",
        list(MODELS),
        format_func=lambda one: MODELS[one],
        key=state.dashboard_key("q_model"),
        horizontal=True,
    )
    prices = f"{PRICE['subscription']}, {PRICE['usage']} or {PRICE['project']:,}"
    _text("price", "Price: a month and customer, a million tokens, or a project", f"as usual: {prices}")


def _about_customers() -> None:
    st.markdown("**2. How many customers?**")
    with st.container(horizontal=True):
        _count("customers", "Today", "as usual", _usual(CUSTOMERS))
        _count("new", "New a month", "as usual", _usual(NEW))
        usage = {model: sum(tokens) / 1e6 for model, tokens in TOKENS.items()}
        _count(
            "usage",
            "Million tokens each, a month",
            "as usual",
            f"What a customer uses, in and out; where usage is sold, all revenue hangs on it. {_usual(usage)}",
        )


def _usual(values: Mapping[Model, float]) -> str:
    told = ", ".join(f"{value:g} for {MODELS[model].lower()}" for model, value in values.items())
    return f"Where it is left open: {told}."


def _about_model(costs: dict[str, CostSpec | None]) -> None:
    st.markdown("**3. What does the model cost you?**")
    st.selectbox(
        "Token price from",
        list(costs),
        format_func=lambda one: "I do not know yet" if one == _USUAL else str(one),
        key=state.dashboard_key("q_cost"),
        help="A saved estimate of Cost & compute, or an API's list price. The Product view has every model.",
    )
    with st.container(horizontal=True):
        _text("in", "or typed: $ a million tokens in", "1")
        _text("out", "$ a million tokens out", "4")


def _about_people() -> None:
    st.markdown("**4. Who works with you?**")
    with st.container(horizontal=True):
        _count("founders", "Founders", "2")
        _count("engineers", "Engineers", "0")
        _count("others", "Others", "0")
    _text("salary", "Mean salary a year", f"as usual: {SALARY:,}")


def _about_money() -> None:
    st.markdown("**5. What is in the bank?**")
    with st.container(horizontal=True):
        st.selectbox("Currency", CURRENCIES, key=state.dashboard_key("q_currency"), width=120)
        _text("cash", "Cash today", f"as usual: {CASH:,}")
        _count("per_usd", "1 US dollar costs", "as usual", _usual_dollar())


def _usual_dollar() -> str:
    told = ", ".join(f"{rate:g} {currency}" for currency, rate in PER_USD.items())
    return (
        "In your currency, where that is not the dollar: token prices are in dollars. Where it is left open, a "
        f"value that is about right stands in, to be checked: {told}."
    )


def _text(name: str, label: str, placeholder: str) -> None:
    st.text_input(label, key=state.dashboard_key(f"q_{name}"), placeholder=placeholder)


def _count(name: str, label: str, placeholder: str, help: str | None = None) -> None:
    st.number_input(
        label, value=None, min_value=0.0, step=1.0, format="%.6g", key=state.dashboard_key(f"q_{name}"),
        placeholder=placeholder, width=150, help=help,
    )  # fmt: skip


def _costs(db: Database) -> dict[str, CostSpec | None]:
    """Token prices by their names: saved estimates first."""
    found: dict[str, CostSpec | None] = {_USUAL: None}
    found |= {f"Estimate: {one.label}": one.cost for one in offers(db)}
    return found | _api_costs()


@st.cache_data(show_spinner=False, ttl=3600, max_entries=1)
def _api_costs() -> dict[str, CostSpec | None]:
    found: dict[str, CostSpec | None] = {}
    for provider, model in _APIS:
        try:
            found[f"API: {model} ({provider})"] = of_api(provider, model)
        except GroundworkError:  # an older or newer price list without this model
            continue
    return found


def _make(db: Database, costs: dict[str, CostSpec | None]) -> None:
    state.set_dashboard_note(_QUESTIONS, "")
    try:
        spec = first_plan(_answers(costs))
        plan(spec)
        made = dashboard_company.keep(db, spec)
    except GroundworkError as error:
        state.set_dashboard_note(_QUESTIONS, str(error))
    else:
        state.show_company(made.id)
        state.show_dashboard_view("overview")


def _answers(costs: dict[str, CostSpec | None]) -> Answers:
    held = {
        name: state.dashboard_value(f"q_{name}")
        for name in (
            *("name", "product", "model", "price", "customers", "new", "usage", "cost", "in", "out"),
            *("founders", "engineers", "others", "salary", "currency", "cash", "per_usd"),
        )
    }
    return Answers(
        name=held["name"] or "",
        currency=held["currency"] or "USD",
        product=held["product"] or "",
        model=held["model"] or "subscription",
        price=held["price"] or "",
        customers=held["customers"],
        new_customers=held["new"],
        usage=held["usage"],
        cost=typed_cost(held["in"] or "", held["out"] or "") or costs.get(held["cost"] or _USUAL),
        founders=held["founders"],
        engineers=held["engineers"],
        others=held["others"],
        salary=held["salary"] or "",
        cash=held["cash"] or "",
        per_usd=held["per_usd"],
    )
