"""The assumptions of a company as tables of cells: every input in yellow, with a name that the formulas use.

What follows from an input alone (the first month of a salary, the tokens of a customer) stands beside it as a formula.
"""

from __future__ import annotations

from core.venture import months
from core.venture.drivers import DRIVERS, NAMES, ScenarioSpec
from core.venture.funding import KINDS
from core.venture.money import major, minor
from core.venture.people import FUNCTIONS
from core.venture.plan import monthly_cost
from core.venture.spec import AboutSpec, CompanySpec
from exports.cells import neutralised
from exports.plan_book import Cell, Table, given, label, made, place_of
from exports.plan_xlsx_sold import products, tasks

BASE, OWN = "base", "your own"
YES_NO = ("yes", "no")
FUNCTION_CHOICES = tuple(FUNCTIONS.values())


def scenario_labels(spec: CompanySpec) -> dict[str, str]:
    """Name of the scenario → what the list of the workbook calls it. Told apart by more than case."""
    found: dict[str, str] = {}
    taken = {BASE, OWN}
    for name in spec.scenarios:
        clean = str(neutralised("".join(one for one in name if one.isprintable()).strip())) or "scenario"
        shown, number = clean, 2
        while shown.casefold() in taken:
            shown, number = f"{clean} ({number})", number + 1
        taken.add(shown.casefold())
        found[name] = shown
    return found


def tables(spec: CompanySpec, scenario: str = BASE) -> tuple[Table, ...]:
    """scenario: the one that is chosen when the file is opened, by its name in the company."""
    found = [_about(spec), _drivers(spec, scenario)]
    if spec.products:
        found += [products(spec), tasks(spec)]
    found += [_team(spec), _compute(spec), _expenses(spec), _funding(spec)]
    return tuple(one for one in found if one.rows)


def chosen(spec: CompanySpec, scenario: str) -> ScenarioSpec:
    return spec.scenarios.get(scenario) or ScenarioSpec()


def _about(spec: CompanySpec) -> Table:
    about = spec.company
    rows = (
        ("Company", "", given(about.name, "company", "text")),
        ("Currency of every amount", "", Cell(about.currency, look="choice")),
        (f"{about.currency} for a US dollar", about.currency, given(about.per_usd, "per_usd", "factor")),
        ("First month", "month", given(about.start, "plan_start", "month")),
        ("Months", "months", Cell(float(about.months), name="plan_months", look="index")),
        ("Cash at the start", about.currency, given(float(about.opening_cash), "opening_cash", "money")),
        ("Tax on profit", "share", given(about.tax_rate, "tax_rate", "share")),
    )
    return Table("The company", ("", "Unit", "Value"), tuple((label(a), label(b), c) for a, b, c in rows))


def _drivers(spec: CompanySpec, scenario: str) -> Table:
    """The factors of each scenario, and those in use: of the scenario whose name stands in the yellow cell."""
    labels = scenario_labels(spec)
    listed: list[tuple[str, ScenarioSpec]] = [(BASE, ScenarioSpec())]
    listed += [(labels[name], one) for name, one in spec.scenarios.items()]
    listed.append((OWN, ScenarioSpec()))
    names = tuple(name for name, _ in listed)
    used = labels.get(scenario, BASE)
    place = names.index(used) + 1
    choose = (
        label("Scenario in use"),
        label("choose"),
        given(used, "scenario", "choice", names),
    )
    which = (
        label("Its place in the list"),
        label("number"),
        made(
            "+".join(f"is_scenario{number}" for number in range(1, len(names) + 1)), place, "scenario_number", "index"
        ),
        *(
            made(
                f'IF(EXACT(scenario,"{_quoted(name)}"),{number},0)', number * (number == place), f"is_scenario{number}"
            )
            for number, name in enumerate(names, 1)
        ),
    )
    rows: list[tuple[Cell | None, ...]] = [choose, which]
    for driver in NAMES:
        cells = []
        for number, (name, one) in enumerate(listed, 1):
            value = float(getattr(one, driver))
            cell = f"scenario{number}_{driver}"
            cells.append(Cell(value, value, cell, "factor") if name == BASE else given(value, cell, "factor"))
        picks = ",".join(f"scenario{number}_{driver}" for number in range(1, len(names) + 1))
        value = float(getattr(chosen(spec, scenario), driver))
        rows.append(
            (
                label(DRIVERS[driver].label),
                label("months" if driver == "hiring_delay" else "factor"),
                # A name that is not in the list gives place 0, and an error that is seen rather than a plan of noughts.
                made(f"CHOOSE(scenario_number,{picks})", value, f"d_{driver}", "factor"),
                *cells,
            )
        )
    delay = float(chosen(spec, scenario).hiring_delay)
    rounded = "IF(MOD(d_hiring_delay,1)=0.5,2*ROUND(d_hiring_delay/2,0),ROUND(d_hiring_delay,0))"
    whole = made(rounded, float(round(delay)), "hiring_delay_whole", "index")
    rows.append((label("Hiring delay, in whole months"), label("months"), whole))
    return Table("Scenario", ("Driver", "Unit", "In use", *names), tuple(rows))


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _team(spec: CompanySpec) -> Table:
    rows = []
    for number, role in enumerate(spec.team, 1):
        r = f"role{number}"
        begin, until = _ends(spec.company, role.start, role.end)
        cost = float(major(monthly_cost(role)))
        rows.append(
            (
                given(role.role, f"{r}_role", "text"),
                given(FUNCTIONS[role.function], f"{r}_function", "choice", FUNCTION_CHOICES),
                given(role.count, f"{r}_count", "tenths"),
                given(float(role.salary), f"{r}_salary", "money"),
                given(role.burden, f"{r}_burden", "share"),
                given(role.start, f"{r}_start", "month"),
                given(role.end, f"{r}_end", "month"),
                made(f"ROUND({r}_salary/12*{r}_count*(1+{r}_burden),2)", cost, f"{r}_monthly", "money"),
                made(f"MAX(0,{place_of(f'{r}_start')})", float(max(0, begin)), f"{r}_from", "index"),
                made(_until(f"{r}_end"), float(until), f"{r}_until", "index"),
            )
        )
    heads = ("Role", "Function", "People", f"Salary a year ({spec.company.currency})", "Burden", "From", "To")
    more = (f"All of them a month ({spec.company.currency})", "First month (number)", "Ends before (number)")
    return Table("Team", (*heads, *more), tuple(rows), "From and to: empty is the plan's first and last month.")


def _compute(spec: CompanySpec) -> Table:
    rows = []
    for number, one in enumerate(spec.compute, 1):
        c = f"compute{number}"
        begin, until = _ends(spec.company, one.start, one.end)
        rows.append(
            (
                given(one.name, f"{c}_name", "text"),
                Cell(FUNCTIONS[one.function], look="choice", name=f"{c}_function"),
                given(float(one.amount), f"{c}_amount", "money"),
                given(YES_NO[not one.once], f"{c}_once", "choice", YES_NO),
                given(float(one.every_months), f"{c}_every", "index"),
                given(one.start, f"{c}_start", "month"),
                given(one.end, f"{c}_end", "month"),
                made(place_of(f"{c}_start"), float(begin), f"{c}_from", "index"),
                made(_until(f"{c}_end"), float(until), f"{c}_until", "index"),
            )
        )
    heads = ("Compute", "Function", f"Amount each time ({spec.company.currency})", "Only once", "Every … months")
    return Table("Compute", (*heads, "From", "To", "First month (number)", "Ends before (number)"), tuple(rows))


def _expenses(spec: CompanySpec) -> Table:
    rows = []
    for number, one in enumerate(spec.expenses, 1):
        e = f"expense{number}"
        begin, until = _ends(spec.company, one.start, one.end)
        rows.append(
            (
                given(one.name, f"{e}_name", "text"),
                given(FUNCTIONS[one.function], f"{e}_function", "choice", FUNCTION_CHOICES),
                given(float(one.amount), f"{e}_amount", "money"),
                given(YES_NO[not one.once], f"{e}_once", "choice", YES_NO),
                given(one.growth, f"{e}_growth", "share"),
                given(one.share_of_revenue, f"{e}_share", "share"),
                given(one.start, f"{e}_start", "month"),
                given(one.end, f"{e}_end", "month"),
                made(place_of(f"{e}_start"), float(begin), f"{e}_from", "index"),
                made(_until(f"{e}_end"), float(until), f"{e}_until", "index"),
            )
        )
    heads = ("Expense", "Function", f"Amount ({spec.company.currency} a month)", "Only once", "Growth a month")
    more = ("Share of revenue", "From", "To", "First month (number)", "Ends before (number)")
    return Table("Other expenses", (*heads, *more), tuple(rows))


def _funding(spec: CompanySpec) -> Table:
    rows = []
    for number, one in enumerate(spec.funding, 1):
        f, amount = f"funding{number}", minor(one.amount)
        at = months.between(spec.company.start, one.month)
        part = float(major(amount // one.repay_months)) if one.repay_months else 0.0
        in_cents = f"ROUND({f}_amount*100,0)"
        rows.append(
            (
                given(one.name, f"{f}_name", "text"),
                Cell(KINDS[one.kind], look="choice", name=f"{f}_kind"),
                given(float(one.amount), f"{f}_amount", "money"),
                given(one.month, f"{f}_month", "month"),
                given(one.interest, f"{f}_interest", "share"),
                given(float(one.grace_months), f"{f}_grace", "index"),
                given(float(one.repay_months), f"{f}_repay", "index"),
                made(place_of(f"{f}_month"), float(at), f"{f}_at", "index"),
                made(f"IF({f}_repay>0,INT({in_cents}/{f}_repay)/100,0)", part, f"{f}_part", "money"),
            )
        )
    heads = ("Source", "Kind", f"Amount ({spec.company.currency})", "Month", "Interest a year", "Grace (months)")
    more = (
        "Repaid over (months); 0: not in this plan",
        "Comes in month (number)",
        f"Repaid each month ({spec.company.currency})",
    )
    return Table("Funding", (*heads, *more), tuple(rows))


def _until(cell: str) -> str:
    """The number of the first month after it; an empty cell is the end of the plan."""
    return (
        f'IF({cell}="",plan_months,MIN(plan_months,MAX(0,(YEAR({cell})-YEAR(plan_start))*12+MONTH({cell})'
        "-MONTH(plan_start)+1)))"
    )


def _ends(about: AboutSpec, first: str | None, last: str | None) -> tuple[int, int]:
    begin = 0 if first is None else months.between(about.start, first)
    end = about.months if last is None else months.between(about.start, last) + 1
    return begin, min(max(end, 0), about.months)
