"""The figures of a customer's month, each with its formula, who says so, and what went in: for the page and reports."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.estimate.figures import Input
from core.venture.economics import Economics, Span, per_unit, target_price, told, told_span

A16Z = 'a16z, "The New Business of AI": COGS of AI companies holds inference, hosting and people in the loop'
PRICE_TIMES_AMOUNT = "Price times amount"
SHARE = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicFigure:
    """As `core.estimate.figures.Figure`, but exact, and below 0 where a loss is made. formula: LaTeX. unit: share, or
    the currency's code and what it is counted by."""

    key: str
    label: str
    unit: str
    value: Span
    formula: str
    source: str
    inputs: tuple[Input, ...] = ()

    def words(self) -> str:
        """49.00 dollars as $49.00, a share as 71.2%."""
        return in_words(self.value.expected, self.unit)

    def range_words(self) -> str:
        """ "" where it is exact."""
        if self.value.is_exact:
            return ""
        if self.unit == SHARE:
            return f"{percent(self.value.low)} to {percent(self.value.high)}"
        return told_span(self.value, self.unit[:3])

    def to_json(self) -> dict[str, float]:
        """low, expected and high."""
        return {name: float(getattr(self.value, name)) for name in ("low", "expected", "high")}


def percent(value: Decimal) -> str:
    """71.2%, −310%."""
    size = abs(value) * 100
    text = f"{size:,.0f}" if size >= 99.95 else f"{size:.1f}"
    return f"{'−' if value < 0 and text.strip('0.') else ''}{text}%"


def in_words(value: Decimal, unit: str) -> str:
    return percent(value) if unit == SHARE else told(value, unit[:3])


def figures(found: Economics) -> tuple[EconomicFigure, ...]:
    """Those that there are: a margin's share needs revenue, $ per million tokens needs tokens."""
    return tuple(one for one in (*_money(found), _share(found), _token_price(found), _target(found)) if one)


def figure(found: Economics, key: str) -> EconomicFigure | None:
    return next((one for one in figures(found) if one.key == key), None)


def _money(found: Economics) -> list[EconomicFigure]:
    product, unit = found.product, f"{found.currency}/customer and month"
    tokens = product.tokens_per_customer
    rows = (
        (
            "revenue",
            "Revenue",
            Span.exactly(found.revenue),
            r"R = P\,u",
            PRICE_TIMES_AMOUNT,
            (
                Input("price, P", float(product.price), f"{found.currency} per {per_unit(product)}"),
                Input("units a month, u", float(product.units_per_customer)),
            ),
        ),
        (
            "inference",
            "Inference",
            found.inference,
            r"I = 10^{-6}\,e\,(n_\mathrm{in}\,p_\mathrm{in} + n_\mathrm{cached}\,p_\mathrm{cached}"
            r" + n_\mathrm{out}\,p_\mathrm{out})",
            PRICE_TIMES_AMOUNT,
            (
                Input("input tokens at the full price", float(tokens.input), "tokens"),
                Input("input tokens from the cache", float(tokens.cached), "tokens"),
                Input("output tokens", float(tokens.output), "tokens"),
                Input("input price", float(product.cost.usd_per_million_input), "USD/1M tokens"),
                Input("cached-input price", float(product.cost.cached_price), "USD/1M tokens"),
                Input("output price", float(product.cost.usd_per_million_output), "USD/1M tokens"),
                Input(f"{found.currency} for a dollar, e", float(found.per_usd)),
            ),
        ),
        (
            "cogs",
            "Cost of serving",
            found.cogs,
            r"C = I + H + \frac{m}{60}\,w + D + f\,R",
            A16Z,
            tuple(Input(name, float(value), found.currency) for name, value in found.parts),
        ),
        (
            "gross_margin",
            "Gross margin",
            found.margin,
            r"R - C",
            A16Z,
            (
                Input("revenue, R", float(found.revenue), found.currency),
                Input("COGS, C", float(found.cogs.expected), found.currency),
            ),
        ),
    )
    return [
        EconomicFigure(key=key, label=label, unit=unit, value=value, formula=formula, source=source, inputs=inputs)
        for key, label, value, formula, source, inputs in rows
    ]


def _share(found: Economics) -> EconomicFigure | None:
    if found.margin_share is None:
        return None
    return EconomicFigure(
        key="gross_margin_share",
        label="Gross margin",
        unit=SHARE,
        value=found.margin_share,
        formula=r"\frac{R - C}{R}",
        source=A16Z,
        inputs=(
            Input("revenue, R", float(found.revenue), found.currency),
            Input("COGS, C", float(found.cogs.expected), found.currency),
        ),
    )


def _token_price(found: Economics) -> EconomicFigure | None:
    price, cost = found.usd_per_million, found.product.cost
    if price is None:
        return None
    ends = (cost.low_factor, 1.0, cost.high_factor)
    return EconomicFigure(
        key="usd_per_million_tokens",
        label="A million tokens, as mixed",
        unit="USD/1M tokens",
        value=Span(*(price * Decimal(repr(one)) for one in ends)),
        formula=r"10^6\,\frac{I}{e\,(n_\mathrm{in} + n_\mathrm{cached} + n_\mathrm{out})}",
        source="Inference over its tokens",
        inputs=(
            Input("inference of a customer's month", float(found.product.inference_usd_per_customer), "USD"),
            Input("tokens of a customer's month", float(found.product.tokens_per_customer.total), "tokens"),
        ),
    )


def _target(found: Economics) -> EconomicFigure | None:
    target = target_price(found)
    if target.price is None:
        return None
    product = found.product
    return EconomicFigure(
        key="price_for_target_margin",
        label=f"Price for a margin of {product.target_margin:.0%}",
        unit=f"{found.currency}/{per_unit(product)}",
        value=target.price,
        formula=r"P = \frac{C - f\,R}{u\,(1 - g - f)}",
        source="The definition of gross margin, solved for the price",
        inputs=(
            Input("COGS without payment fees", float(found.cogs.expected - found.payment_fee), found.currency),
            Input("units a month, u", float(product.units_per_customer)),
            Input("target margin, g", product.target_margin, SHARE),
            Input("payment fees, f", product.payment_fee, SHARE),
        ),
    )
