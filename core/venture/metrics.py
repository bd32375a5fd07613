"""Every metric of a plan, with its definition, formula and what went into it: `METRICS` is the one list of them.

The page, the reports and the command line show what stands there, in that order. A metric is of a period of the plan
(`core.venture.periods`): flows are summed over it, stocks are of its end, rates of churn are a month's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.venture import metric_formulas as formulas
from core.venture import metric_values as values
from core.venture.metric_formulas import Undefined, Value
from core.venture.metric_inputs import Facts, facts
from core.venture.metric_values import Inputs
from core.venture.money import shown
from core.venture.periods import Period
from core.venture.plan import Plan

Unit = Literal["money", "share", "ratio", "months", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a metric is. formula: LaTeX. source: whose definition it is. of: its value, and what went in by name."""

    key: str
    label: str
    unit: Unit
    definition: str
    formula: str
    source: str
    of: Callable[[Facts], tuple[Value | Decimal, Inputs]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of a period. value: Decimal for money, float for the others; None: why tells the reason. note: a word on
    it, such as the band of a burn multiple."""

    key: str
    label: str
    unit: Unit
    value: Decimal | float | None
    why: str
    note: str
    period: str
    definition: str
    formula: str
    source: str
    inputs: Inputs

    def words(self, currency: str) -> str:
        """$1,234; 74.2%; 3.1; 16 months; or why there is none."""
        return self.why if self.value is None else said(self.value, self.unit, currency)


def said(value: Decimal | float, unit: Unit, currency: str) -> str:
    """A value in words, as many digits as it deserves."""
    if unit == "money":
        return shown(Decimal(value), currency, cents=0 < abs(float(value)) < 100)
    text = f"{abs(value):.1%}" if unit == "share" else f"{abs(value):,.2f}" if unit == "ratio" else ""
    if not text:
        text = f"{abs(value):,.1f}".removesuffix(".0")
    negative = float(value) < 0 and any(one in "123456789" for one in text)
    return f"{'−' if negative else ''}{text}{' months' if unit == 'months' else ''}"


def metric(plan: Plan, key: str, period: Period, run: int = 0) -> Metric:
    """One metric of a period of the plan."""
    return _made(METRICS[key], facts(plan, period, run), period)


def metrics(plan: Plan, period: Period, run: int = 0) -> dict[str, Metric]:
    """All of them, by key, in the order of `METRICS`."""
    found = facts(plan, period, run)
    return {key: _made(one, found, period) for key, one in METRICS.items()}


def _made(one: Definition, found: Facts, period: Period) -> Metric:
    value, inputs = one.of(found)
    if not isinstance(value, Undefined) and one.unit == "money":
        value = values.cents(value)
    return Metric(
        key=one.key,
        label=one.label,
        unit=one.unit,
        value=None if isinstance(value, Undefined) else value,
        why=value.why if isinstance(value, Undefined) else "",
        note=formulas.burn_band(value) if one.key == "burn_multiple" and not isinstance(value, Decimal) else "",
        period=period.label,
        definition=one.definition,
        formula=one.formula,
        source=one.source,
        inputs=inputs,
    )


_A16Z = "a16z, “16 Startup Metrics”"
_CHARTMOGUL = "ChartMogul, help 201244842"
_FINMARK = "Finmark, help 5525177"


def _table(*given: Definition) -> dict[str, Definition]:
    return {one.key: one for one in given}


METRICS: dict[str, Definition] = _table(
    Definition(
        key="mrr",
        label="MRR",
        unit="money",
        definition="Monthly recurring revenue: what customers pay again each month. Projects and one-off sales are "
        "never in it.",
        formula=r"\mathrm{MRR} = \sum_{\text{products}} \text{recurring revenue of the month}",
        source=_A16Z,
        of=values.mrr,
    ),
    Definition(
        key="arr",
        label="ARR",
        unit="money",
        definition="Annual recurring revenue: a year of the last month's recurring revenue.",
        formula=r"\mathrm{ARR} = 12 \times \mathrm{MRR}",
        source=_A16Z,
        of=values.arr,
    ),
    Definition(
        key="net_new_mrr",
        label="Net new MRR",
        unit="money",
        definition="By how much recurring revenue moved: new, expansion and reactivation less contraction and churn.",
        formula=r"\text{new} + \text{expansion} + \text{reactivation} - \text{contraction} - \text{churn}",
        source=_CHARTMOGUL,
        of=values.net_new_mrr,
    ),
    Definition(
        key="nrr",
        label="Net retention (NRR)",
        unit="share",
        definition="Net revenue retention: what the customers of the start pay at the end, as a share of what they "
        "paid. New customers and those who came back are not in it.",
        formula=r"\mathrm{NRR} = \frac{\text{opening} + \text{expansion} - \text{contraction} - \text{churn}}"
        r"{\text{opening}}",
        source=_CHARTMOGUL,
        of=values.nrr,
    ),
    Definition(
        key="grr",
        label="Gross retention (GRR)",
        unit="share",
        definition="Gross revenue retention: the same without what they bought more, so at most 100%.",
        formula=r"\mathrm{GRR} = \frac{\text{opening} - \text{contraction} - \text{churn}}{\text{opening}} \le 1",
        source=_CHARTMOGUL,
        of=values.grr,
    ),
    Definition(
        key="logo_churn",
        label="Customer churn",
        unit="share",
        definition="Of the customers at the start, the share that was lost by the end (logo churn).",
        formula=r"\frac{\text{customers lost}}{\text{customers at the start}}",
        source=_CHARTMOGUL,
        of=values.logo_churn,
    ),
    Definition(
        key="customers",
        label="Customers",
        unit="count",
        definition="Customers of subscriptions and usage at the end, as expected values. Those of projects are not in "
        "it.",
        formula=r"\text{opening} + \text{new} + \text{reactivated} - \text{lost}",
        source=_CHARTMOGUL,
        of=values.customers,
    ),
    Definition(
        key="arpa",
        label="ARPA",
        unit="money",
        definition="Average revenue per account: what a customer pays a month.",
        formula=r"\mathrm{ARPA} = \frac{\text{recurring revenue}}{\text{customers}}",
        source=_CHARTMOGUL,
        of=values.arpa,
    ),
    Definition(
        key="cac",
        label="CAC",
        unit="money",
        definition="Customer acquisition cost: sales and marketing, salaries too, for each new customer of "
        "subscriptions and usage. Projects are not counted.",
        formula=r"\mathrm{CAC} = \frac{\text{sales and marketing}}{\text{new customers}}",
        source=_FINMARK,
        of=values.cac,
    ),
    Definition(
        key="payback_months",
        label="CAC payback",
        unit="months",
        definition="Months until what is left of a customer's payments has paid for winning them. The gross margin is "
        "that of subscriptions and usage, as for LTV.",
        formula=r"\frac{\mathrm{CAC}}{\mathrm{ARPA} \times \text{gross margin}}",
        source=_FINMARK,
        of=values.payback,
    ),
    Definition(
        key="ltv",
        label="LTV",
        unit="money",
        definition="Lifetime value: what is left of a customer's payments until they leave. The gross margin is that "
        "of subscriptions and usage: after their own COGS and a share, by revenue, of those all products share.",
        formula=r"\mathrm{LTV} = \frac{\mathrm{ARPA} \times \text{gross margin}}{\text{churn a month}}",
        source=_FINMARK,
        of=values.ltv,
    ),
    Definition(
        key="ltv_to_cac",
        label="LTV/CAC",
        unit="ratio",
        definition="How many times over a customer pays for being won. Below 1 each customer loses money; 3 is a "
        "usual target.",
        formula=r"\frac{\mathrm{LTV}}{\mathrm{CAC}}",
        source=_FINMARK,
        of=values.ltv_to_cac,
    ),
    Definition(
        key="gross_margin",
        label="Gross margin",
        unit="share",
        definition="What is left of revenue after COGS: inference, hosting, the people in the loop. AI companies: "
        "50–60%; other software: 60–80%.",
        formula=r"\frac{\text{revenue} - \mathrm{COGS}}{\text{revenue}}",
        source="a16z, “The New Business of AI”",
        of=values.gross_margin,
    ),
    Definition(
        key="inference_share",
        label="Inference of revenue",
        unit="share",
        definition="How much of revenue the models' tokens cost.",
        formula=r"\frac{\text{inference}}{\text{revenue}}",
        source="a16z, “The New Business of AI”",
        of=values.inference_share,
    ),
    Definition(
        key="net_burn",
        label="Net burn",
        unit="money",
        definition="Cash out less cash in, over the period and without funding; below 0 the business brings cash.",
        formula=r"\text{cash out} - \text{cash in}",
        source=_A16Z,
        of=values.net_burn,
    ),
    Definition(
        key="runway",
        label="Runway at this burn",
        unit="months",
        definition="Months the cash at the end lasts at the last month's net burn. Along the plan it may be another "
        "number: the month in which cash goes below 0.",
        formula=r"\frac{\text{cash}}{\text{net burn of the last month}}",
        source=_A16Z,
        of=values.runway,
    ),
    Definition(
        key="burn_multiple",
        label="Burn multiple",
        unit="ratio",
        definition="Cash burnt for each unit of new ARR. Below 1 amazing, below 1.5 great, below 2 good, below 3 "
        "suspect, else bad.",
        formula=r"\frac{\text{net burn}}{\text{net new ARR}}",
        source="Sacks, “The Burn Multiple”",
        of=values.burn_multiple,
    ),
    Definition(
        key="rule_of_40",
        label="Rule of 40",
        unit="share",
        definition="Growth of revenue over the same months a year before, plus operating profit as a share of "
        "revenue; 40% is the target.",
        formula=r"\text{growth} + \frac{\text{operating profit}}{\text{revenue}}",
        source="Feld, “The Rule of 40%”",
        of=values.rule_of_40,
    ),
    Definition(
        key="magic_number",
        label="Magic number",
        unit="ratio",
        definition="A year of the revenue that a quarter added, for each unit of sales and marketing of the quarter "
        "before.",
        formula=r"\frac{(\text{revenue}_q - \text{revenue}_{q-1}) \times 4}"
        r"{\text{sales and marketing}_{q-1}}",
        source="Scale VP",
        of=values.magic_number,
    ),
    Definition(
        key="quick_ratio",
        label="Quick ratio",
        unit="ratio",
        definition="Recurring revenue gained for each unit lost; 4 is the target.",
        formula=r"\frac{\text{new} + \text{expansion}}{\text{churn} + \text{contraction}}",
        source="Hamid",
        of=values.quick_ratio,
    ),
)
