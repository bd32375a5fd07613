"""What is sold, as tables of assumptions: products across, their fields down; tokens of each task."""

from __future__ import annotations

from collections.abc import Mapping

from core.venture.product_plan import begins, unit
from core.venture.products import ProductSpec, add
from core.venture.spec import AboutSpec, CompanySpec
from exports.formulas import Formula
from exports.plan_book import Cell, Look, Table, given, label, made, place_of

_PER_MILLION = 1_000_000


def products(spec: CompanySpec) -> Table:
    """Fields down, products across."""
    columns = [_product(product, number, spec.company) for number, product in enumerate(spec.products, 1)]
    seen = {name: cell for column in columns for name, cell in column.items()}
    # What follows from inputs comes after all of them; a sort keeps the rest in order.
    fields = sorted(seen, key=lambda name: isinstance(seen[name].content, Formula) and not seen[name].given)
    rows = tuple(
        (label(name), label(shown), *(column.get((name, shown)) for column in columns)) for name, shown in fields
    )
    heads = ("Product", "Unit", *(f"Product {number}" for number in range(1, len(columns) + 1)))
    return Table("Products", heads, rows, "Yellow cells are inputs; the others follow from them.")


def _product(product: ProductSpec, number: int, about: AboutSpec) -> Mapping[tuple[str, str], Cell]:
    """By label and unit, in the order in which they are shown."""
    p, money, project = f"product{number}", about.currency, product.model == "project"
    rows: list[tuple[str, str, Cell]] = []

    def put(text: str, unit: str, content: float | str | None, key: str, look: Look = "count") -> None:
        rows.append((text, unit, given(content, f"{p}_{key}", look)))

    put("Name", "", product.name, "name", "text")
    rows.append(("Sold as", "", Cell(product.model, look="choice")))
    rows.append(("Price is for", "", Cell(_per(product), look="choice")))
    put("Price", money, float(product.price), "price", "price")
    put("Launch; empty: from the start", "month", product.launch, "launch", "month")
    put("Customers (projects) it begins with", "count", product.customers, "customers", "tenths")
    put("New a month", "count", product.new_customers, "new", "tenths")
    put("Growth of the new ones", "share a month", product.growth, "growth", "share")
    if not project:
        put("Churn", "share a month", product.churn, "churn", "share")
        put("Expansion", "share a month", product.expansion, "expansion", "share")
        put("Contraction", "share a month", product.contraction, "contraction", "share")
        put("Come back, of those lost", "share a month", product.reactivation, "reactivation", "share")
    put("Sales cycle", "months", product.sales_cycle_months, "cycle", "index")
    put("Paid after", "months", product.payment_delay_months, "payment_delay", "index")
    put("Users a customer", "count", product.users_per_customer, "users", "tenths")
    put("Growth of usage", "share a month", product.usage_growth, "usage_growth", "share")
    cost = product.cost
    put("Input tokens", "USD per 1M", float(cost.usd_per_million_input), "usd_input", "price")
    rows.append(("Cached input tokens", "USD per 1M", _cached(product, p)))
    put("Output tokens", "USD per 1M", float(cost.usd_per_million_output), "usd_output", "price")
    put("Hosting a customer", f"{money} a month", float(product.hosting_per_customer), "hosting", "price")
    put("People a customer", "minutes a month", product.people_minutes_per_customer, "minutes", "tenths")
    put("An hour of them", money, float(product.people_hourly_cost), "hourly", "price")
    put("Payment fees", "share of revenue", product.payment_fee, "fee", "share")
    if project:
        put("A project lasts", "months", product.project_months, "project_months", "index")
        put("Delivery of a project", money, float(product.delivery_cost), "delivery", "price")
    rows += _derived(product, number, about)
    return {(text, shown): cell for text, shown, cell in rows}


def _per(product: ProductSpec) -> str:
    if product.model == "usage":
        return "a run" if product.unit == "run" else "1M tokens"
    return "a month" if product.model == "subscription" else "a project"


def _cached(product: ProductSpec, p: str) -> Cell:
    price = product.cost.usd_per_million_cached_input
    if price is not None:
        return given(float(price), f"{p}_usd_cached", "price")
    cell = made(f"{p}_usd_input", float(product.cost.usd_per_million_input), f"{p}_usd_cached", "price")
    return Cell(cell.content, cell.value, cell.name, cell.look, given=True)


def _derived(product: ProductSpec, number: int, about: AboutSpec) -> list[tuple[str, str, Cell]]:
    p, one, money = f"product{number}", unit(product, about.per_usd), about.currency
    tokens, project = product.tokens_per_customer, product.model == "project"
    launch, first = begins(product, about.start)
    running = f'AND({p}_launch="",{p}_customers>0)'
    sums = {
        part: "+".join(f"product{number}_task{place}_{part}" for place in range(1, len(product.tasks) + 1)) or "0"
        for part in ("full", "cached", "output")
    }
    runs = "+".join(f"product{number}_task{place}_runs" for place in range(1, len(product.tasks) + 1)) or "0"
    units = {"subscription": "1", "project": f"1/{p}_project_months"}.get(product.model)
    if units is None:
        units = f"{p}_users*({runs})" if product.unit == "run" else f"{p}_tokens/{_PER_MILLION}"
    spent = f"{p}_full*{p}_usd_input+{p}_cached*{p}_usd_cached+{p}_output*{p}_usd_output"
    rows = [
        ("Launches in month", "number", made(f"MAX(0,{place_of(f'{p}_launch')})", launch, f"{p}_launch_at", "index")),
        (
            "First won in month",
            "number",
            made(
                f"IF({running},0,MAX(0,{place_of(f'{p}_launch')}+{p}_cycle))",
                first,
                f"{p}_first_at",
                "index",
            ),
        ),
    ]
    for part, title, value in (
        ("full", "Input tokens a customer, at the full price", tokens.input),
        ("cached", "Input tokens a customer, from the cache", tokens.cached),
        ("output", "Output tokens a customer", tokens.output),
    ):
        rows.append((title, "tokens a month", made(f"{p}_users*({sums[part]})", float(value), f"{p}_{part}")))
    rows += [
        ("Tokens a customer", "tokens a month", made(f"{p}_full+{p}_cached+{p}_output", one.tokens, f"{p}_tokens")),
        (
            "Units a customer",
            "a month",
            made(units, float(product.units_per_customer), f"{p}_units", "factor"),
        ),
        (
            "Brings: a project" if project else "Brings: a customer",
            money if project else f"{money} a month",
            made(f"{p}_price" if project else f"{p}_price*{p}_units", one.price / 100, f"{p}_unit_price", "price"),
        ),
        (
            "Inference: a customer",
            f"{money} a month",
            made(f"({spent})/{_PER_MILLION}*per_usd", one.inference / 100, f"{p}_inference", "price"),
        ),
        (
            "People: a customer",
            f"{money} a month",
            made(f"{p}_minutes/60*{p}_hourly", one.people / 100, f"{p}_people", "price"),
        ),
    ]
    return rows


def tasks(spec: CompanySpec) -> Table:
    rows = []
    for number, product in enumerate(spec.products, 1):
        for place, task in enumerate(product.tasks, 1):
            t = f"product{number}_task{place}"
            each = add([task.tokens_per_user()])
            rows.append(
                (
                    given(task.name, "", "text"),
                    made(f"product{number}_name", product.name, look="text"),
                    given(task.runs_per_user, f"{t}_runs", "tenths"),
                    given(task.input_tokens, f"{t}_in", "tenths"),
                    given(task.output_tokens, f"{t}_out", "tenths"),
                    given(task.cached_share, f"{t}_share", "share"),
                    made(f"{t}_runs*{t}_in*(1-{t}_share)", float(each.input), f"{t}_full"),
                    made(f"{t}_runs*{t}_in*{t}_share", float(each.cached), f"{t}_cached"),
                    made(f"{t}_runs*{t}_out", float(each.output), f"{t}_output"),
                )
            )
    heads = (
        "Task",
        "Product",
        "Runs a user and month",
        "Input tokens a run",
        "Output tokens a run",
        "Input from the cache",
        "Full input a user",
        "Cached input a user",
        "Output a user",
    )
    return Table("Tasks and their tokens", heads, tuple(rows))
