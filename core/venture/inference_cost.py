"""Where a token price comes from: a saved estimate, an API's price list, this machine's measurements, or by hand.

A serving estimate's input price is the average over prompts of which a share lies in the prefix cache. It is taken
apart here, so that another cached share is priced right: tokens served from one's own cache are not computed again, and
cost nothing; the rest cost the average over the share that is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from core.errors import InvalidInput
from core.estimate.figures import Figure
from core.estimate.report import Report
from core.store.database import Database
from core.store.scenarios import ScenarioRecord, ScenarioRepository
from core.venture.money import amount
from core.venture.products import CostSpec, ProductSpec

Side = Literal["own", "api"]
USUAL_REQUEST = (1_000.0, 300.0, 0.0)  # input tokens, output tokens, cached share: of a product without tasks
_CACHED_SHARE = "prompt tokens from the prefix cache"
_MOST_FACTOR = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A token price that a product could have, under a name for people."""

    label: str
    cost: CostSpec


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of a saved scenario or a fresh report: figures by key as (low, expected, high), the inputs of all, the rest."""

    kind: str
    spec: Mapping[str, Any]
    figures: Mapping[str, tuple[float, float, float]]
    inputs: Mapping[str, Any]
    measurement_ids: tuple[str, ...]

    def expected(self, key: str) -> float | None:
        found = self.figures.get(key)
        return None if found is None else found[1]

    def number(self, name: str, default: float = 0.0) -> float:
        found = self.inputs.get(name)
        return float(found) if isinstance(found, (int, float)) else default

    def word(self, name: str, key: str) -> str:
        return str(self.inputs.get(name) or self.spec.get(key) or "")


def typed(
    usd_per_million_input: Any,
    usd_per_million_output: Any,
    usd_per_million_cached_input: Any = None,
    *,
    as_of: date | None = None,
    note: str = "",
) -> CostSpec:
    """By hand, and marked so."""
    return CostSpec(
        source="typed",
        usd_per_million_input=amount(usd_per_million_input),
        usd_per_million_cached_input=amount(usd_per_million_cached_input),
        usd_per_million_output=amount(usd_per_million_output),
        as_of=as_of or date.today(),
        note=note,
    )


def of_scenario(record: ScenarioRecord, side: Side = "own") -> CostSpec:
    """Of a saved estimate of kind serve or breakeven; side: of the latter. Raises InvalidInput when it has no $ per
    million tokens: another kind, or an hour whose price is unknown."""
    found = _of_facts(_facts_of(record), side, record.name)
    return found.model_copy(
        update={"scenario_id": record.id, "scenario_name": record.name, "as_of": record.updated_at.date()}
    )


def of_report(report: Report) -> CostSpec:
    """Of an estimate that was not saved; its measurements are kept. Raises InvalidInput as `of_scenario`."""
    inputs = {one.name: one.value for figure in report.figures for one in figure.inputs}
    figures = {one.key: _ends(one) for one in report.figures}
    facts = _Facts(report.kind, report.spec, figures, inputs, report.measurement_ids)
    return _of_facts(facts, "own", "this estimate").model_copy(update={"as_of": date.today()})


def of_this_machine(
    db: Database,
    *,
    model: str,
    precision: str,
    usd_per_hour: float | str,
    product: ProductSpec | None = None,
    concurrency: int = 1,
    utilisation: float | str = 0.4,
) -> tuple[CostSpec, Report]:
    """Straight from what was measured here: the serving estimate on this machine, for the product's mean request.
    Raises InvalidInput that says what to measure first."""
    from core.estimate.local_machine import measured
    from core.estimate.serve_estimate import estimate_serve

    read, written, cached = mean_request(product)
    given = {
        "model": model,
        "gpu": "this machine",
        "precision": precision,
        "usd_per_gpu_hour": usd_per_hour,
        "prompt_tokens": max(1, round(read)),
        "output_tokens": max(1, round(written)),
        "cached_share": min(cached, 0.99),
        "concurrency": concurrency,
        "utilisation": utilisation,
    }
    report, _ = estimate_serve(given, measured(db))
    return of_report(report), report


def of_api(provider: str, model: str, *, product: ProductSpec | None = None, batch: bool = False) -> CostSpec:
    """Of the price data, at the size of the product's mean request: some prices depend on it. Raises InvalidInput for
    an unknown model (nearest names) or price."""
    from core.estimate.api_prices import price  # its data takes 0.3 s to load

    read, written, cached_share = mean_request(product)
    found = price(provider, model, input_tokens=read, output_tokens=written, cached_share=cached_share, batch=batch)
    cached, output, fee = (
        found.usd_per_million_cached_input,
        found.usd_per_million_output,
        found.usd_per_request_fee,
    )
    notes = [*found.notes]
    out = _decimal(output.value.expected) if output else Decimal(0)
    if fee is not None and written:
        out += _decimal(fee.value.expected * 1e6 / written)
        notes.append(f"A fee of ${fee.value.expected:g} a request is spread over its {written:,.0f} output tokens.")
    low, high = _factors(_ends(found.usd_per_request))
    return CostSpec(
        source="api",
        usd_per_million_input=_decimal(found.usd_per_million_input.value.expected),
        usd_per_million_cached_input=_decimal(cached.value.expected) if cached else None,
        usd_per_million_output=out,
        low_factor=low,
        high_factor=high,
        provider=found.provider,
        model=found.model,
        as_of=date.today(),
        note=" ".join([f"{found.usd_per_million_input.source}.", *notes]),
    )


def mean_request(product: ProductSpec | None) -> tuple[float, float, float]:
    """(input tokens, output tokens, cached share) of a run, over all of a product's tasks."""
    if product is None or not product.tokens_per_customer.total:
        return USUAL_REQUEST
    tokens, runs = product.tokens_per_customer, product.runs_per_customer
    read = tokens.input + tokens.cached
    return float(read / runs), float(tokens.output / runs), float(tokens.cached / read) if read else 0.0


def offers(db: Database) -> tuple[Offer, ...]:
    """Every saved estimate that tells a token price, the last changed first; of a comparison both sides."""
    found = []
    for record in ScenarioRepository(db).list():
        sides: tuple[Side, ...] = ("own", "api") if record.kind == "breakeven" else ("own",)
        for side in sides:
            try:
                cost = of_scenario(record, side)
            except InvalidInput:
                continue
            found.append(Offer(label=_label(record, side, cost), cost=cost))
    return tuple(found)


def _label(record: ScenarioRecord, side: Side, cost: CostSpec) -> str:
    """The name, and the precision where the name does not tell it."""
    which = {"own": "own hosting", "api": "API"}[side] if record.kind == "breakeven" else ""
    precision = "" if cost.precision.lower() in record.name.lower() else cost.precision
    more = ", ".join(one for one in (which, precision) if one)
    return f"{record.name} ({more})" if more else record.name


def _facts_of(record: ScenarioRecord) -> _Facts:
    figures = {str(one["key"]): (one["low"], one["expected"], one["high"]) for one in record.figures}
    inputs = {str(one["name"]): one["value"] for figure in record.figures for one in figure["inputs"]}
    return _Facts(record.kind, record.spec, figures, inputs, tuple(record.measurement_ids))


def _of_facts(facts: _Facts, side: Side, name: str) -> CostSpec:
    if facts.kind == "serve":
        return _of_serving(facts, name)
    if facts.kind == "breakeven":
        return _of_own_side(facts, name) if side == "own" else _of_api_side(facts, name)
    raise InvalidInput(
        f"“{name}” is an estimate of kind {facts.kind}, which tells no token price.",
        allowed="A serving estimate, or one of API or own.",
        next_step="Save one under Cost & compute.",
    )


def _of_serving(facts: _Facts, name: str) -> CostSpec:
    read = facts.expected("usd_per_million_input_tokens")
    written = facts.expected("usd_per_million_output_tokens")
    if read is None and written is None:
        raise _no_price(name)
    whole = facts.figures.get("usd_per_million_tokens_blended") or facts.figures.get("usd_per_million_output_tokens")
    return _own(
        facts, read or 0.0, written or 0.0, whole, facts.number(_CACHED_SHARE), "at the share of use it assumes"
    )


def _of_own_side(facts: _Facts, name: str) -> CostSpec:
    """Its price of the mix, taken apart by the time that reading and writing take."""
    whole = facts.figures.get("own_usd_per_million_tokens")
    read, write = facts.number("input speed of a replica"), facts.number("output speed of a replica")
    share = facts.number("output share of the tokens")
    if whole is None or not read or (share and not write):
        raise _no_price(name)
    time = (1 - share) / read + (share / write if share else 0.0)
    cached = _share_of(facts.spec.get("cached_share"))
    prices = (whole[1] / time / read, whole[1] / time / write if write else 0.0)
    return _own(facts, *prices, whole, cached, "on replicas that are as full as they get, without people")


def _own(
    facts: _Facts,
    read: float,
    written: float,
    whole: tuple[float, float, float] | None,
    cached_share: float,
    how: str,
) -> CostSpec:
    low, high = _factors(whole)
    return CostSpec(
        source="estimate",
        usd_per_million_input=_decimal(read / (1 - cached_share)),
        usd_per_million_cached_input=Decimal(0),
        usd_per_million_output=_decimal(written),
        low_factor=low,
        high_factor=high,
        provider=facts.word("GPU", "gpu"),
        model=str(facts.spec.get("model") or facts.inputs.get("model") or ""),
        precision=facts.word("precision", "precision") or "bf16",
        measurement_ids=facts.measurement_ids,
        note=f"Own hosting, {how}. Tokens from one's own prefix cache are not computed again, and cost nothing.",
    )


def _of_api_side(facts: _Facts, name: str) -> CostSpec:
    read, written = facts.inputs.get("API input price"), facts.inputs.get("API output price")
    if not isinstance(read, (int, float)) or not isinstance(written, (int, float)):
        raise _no_price(name)
    cached = facts.inputs.get("API cached-input price")
    low, high = _factors(facts.figures.get("api_usd_per_million_tokens"))
    return CostSpec(
        source="api",
        usd_per_million_input=_decimal(read),
        usd_per_million_cached_input=_decimal(cached) if isinstance(cached, (int, float)) else None,
        usd_per_million_output=_decimal(written),
        low_factor=low,
        high_factor=high,
        provider=str(facts.spec.get("api_provider") or ""),
        model=str(facts.spec.get("api_model") or "the API"),
    )


def _no_price(name: str) -> InvalidInput:
    return InvalidInput(
        f"“{name}” tells no $ per million tokens.",
        allowed="An estimate of a model that reads tokens, with a price of the hour.",
        next_step="Give the hour's price under Cost & compute, and save it again.",
    )


def _ends(figure: Figure) -> tuple[float, float, float]:
    return figure.value.low, figure.value.expected, figure.value.high


def _factors(ends: tuple[float, float, float] | None) -> tuple[float, float]:
    """low and high of the price as factors of what is expected."""
    if ends is None or not ends[1]:
        return 1.0, 1.0
    low, high = float(f"{ends[0] / ends[1]:.6g}"), float(f"{ends[2] / ends[1]:.6g}")
    return min(low, 1.0), min(max(high, 1.0), _MOST_FACTOR)


def _decimal(value: float) -> Decimal:
    """Nine digits: more than any estimate has, and none of a binary fraction's tail."""
    return Decimal(f"{value:.9g}")


def _share_of(given: Any) -> float:
    """As a scenario's configuration has it: 0.4, "40%", or nothing."""
    text = str(given or 0).strip()
    return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
