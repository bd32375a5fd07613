"""Prices of model APIs, from the data bundled with the package `genai-prices`; the network is never asked.

Unknown is unknown, never free: a price that the data lacks, or gives as a bare 0, is None, and a request that needs it
is refused. Prices that depend on the size of the request, the date, the hour of the day or the batch tier are resolved
for the request at hand; a price that changes by the hour becomes a range over the day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.estimate.api_catalogue import BATCH, HAND, data_version, find, has_batch, search, value_of
from core.estimate.figures import Driver, Figure, Input
from core.estimate.ranges import Range

if TYPE_CHECKING:  # its data takes 0.3 s to load: at the first question, not at import
    from genai_prices.types import ModelInfo, Provider

__all__ = ["ApiPrice", "price", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPrice:
    """What a request of this size costs. None: not in the data. priced_by: the provider whose list it is, which differs
    from `provider` where one resells another's model. usd_per_request_fee: asked for each request, whatever its size.
    usd_per_million_tokens: the request's cost over all of its tokens."""

    provider: str
    model: str
    name: str
    priced_by: str
    batch: bool
    usd_per_million_input: Figure
    usd_per_million_cached_input: Figure | None
    usd_per_million_cache_write: Figure | None
    usd_per_million_output: Figure | None
    usd_per_request_fee: Figure | None
    usd_per_request: Figure
    usd_per_million_tokens: Figure
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    input_tokens: float
    output_tokens: float
    cached_share: float
    written_share: float


@dataclass(frozen=True, slots=True)
class _Prices:
    """USD per million tokens; fee in USD a request."""

    input: Range | None
    cached: Range | None
    write: Range | None
    output: Range | None
    fee: Range | None


def price(
    provider: str,
    model: str,
    *,
    input_tokens: float,
    output_tokens: float,
    cached_share: float = 0.0,
    written_share: float = 0.0,
    batch: bool = False,
    batch_discount: float | None = None,
    at: datetime | None = None,
) -> ApiPrice:
    """The price of a request with this many tokens.

    cached_share: of the input tokens, read from the provider's cache; without a known cached price they are counted at
    the full one. written_share: of the input tokens, written to it. batch_discount: share off the standard price, used
    when the data has no batch price. at: default now, over the whole day. Raises InvalidInput for an unknown provider
    or model (nearest names), a price that is not known, and impossible numbers.
    """
    request = _Request(
        input_tokens=input_tokens, output_tokens=output_tokens, cached_share=cached_share, written_share=written_share
    )
    _check(request, batch_discount)
    named, owner, info = find(provider, model)
    moments = _moments(info, at)
    prices, notes = _prices(info, owner is named, request, moments, batch, batch_discount)
    _complete(named, info, prices, request)
    if model.lower() != info.id.lower():
        notes = (f"'{model}' is priced as {info.id}.", *notes)
    notes = (*notes, *_notes(named, owner, info, prices, request, at))
    return _api_price(named, owner, info, prices, request, batch, notes)


def _moments(model: ModelInfo, at: datetime | None) -> tuple[datetime, ...]:
    """The moments to price at: one, or each half-hour of today (UTC) for a price that changes by the hour."""
    from genai_prices.types import ModelPrice, TimeOfDateConstraint

    if at is not None:
        return (at,)
    conditions = [] if isinstance(model.prices, ModelPrice) else [one.constraint for one in model.prices]
    conditions += [variant.constraint for variant in model.price_variants or ()]
    now = datetime.now(UTC)
    if not any(isinstance(one, TimeOfDateConstraint) for one in conditions):
        return (now,)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(midnight + timedelta(minutes=30 * step) for step in range(48))


def _prices(
    model: ModelInfo,
    own: bool,
    request: _Request,
    moments: tuple[datetime, ...],
    batch: bool,
    batch_discount: float | None,
) -> tuple[_Prices, tuple[str, ...]]:
    """own: the model is of the named provider's list; a reseller's batch tier is not known from the maker's."""
    listed = batch and own and all(has_batch(model, moment) for moment in moments)
    if batch and not listed and batch_discount is None:
        raise InvalidInput(
            f"No batch price of {model.id} is in the data ({data_version()}).",
            next_step="Give batch_discount, the share off the standard price, or ask for the standard price.",
        )
    asked = [model.get_prices(moment, BATCH if listed else None) for moment in moments]
    keep = 1.0 if listed or not batch else 1 - (batch_discount or 0.0)

    def over_the_day(name: str, scale: float = 1.0) -> Range | None:
        values = [value_of(prices, name, request.input_tokens) for prices in asked]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        mean = math.fsum(known) / len(known)
        return Range(min(known), min(max(mean, min(known)), max(known)), max(known)) * scale

    note = "Batch price of the data." if listed else f"Batch: {1 - keep:.0%} off, as the reader gave it."
    return _Prices(
        input=over_the_day("input_mtok", keep),
        cached=over_the_day("cache_read_mtok", keep),
        write=over_the_day("cache_write_mtok", keep),
        output=over_the_day("output_mtok", keep),
        fee=over_the_day("requests_kcount", 1e-3),
    ), ((note,) if batch else ())


def _complete(provider: Provider, model: ModelInfo, prices: _Prices, request: _Request) -> None:
    """Raises InvalidInput when a price that the request needs is unknown."""
    missing = [
        name
        for name, value, tokens in (
            ("input", prices.input, request.input_tokens),
            ("output", prices.output, request.output_tokens),
            ("cache-write", prices.write, request.written_share * request.input_tokens),
        )
        if value is None and (tokens or name == "input")
    ]
    if not missing:
        return
    said_free = "free" in f"{model.id} {model.name or ''}".lower()
    raise InvalidInput(
        f"The {' and '.join(missing)} price of {model.id} from {provider.name} is not known ({data_version()}).",
        allowed="Its name says free, but no price and no limits are recorded, so nothing can be planned on it."
        if said_free
        else "Unknown is not free.",
        next_step=HAND,
    )


def _notes(
    provider: Provider,
    owner: Provider,
    model: ModelInfo,
    prices: _Prices,
    request: _Request,
    at: datetime | None,
) -> tuple[str, ...]:
    notes = []
    if owner is not provider:
        notes.append(f"{provider.name} has no price of its own in the data: this is {owner.name}'s.")
    if model.deprecated:
        notes.append(f"{provider.name} has marked this model as deprecated.")
    if request.cached_share and prices.cached is None:
        notes.append("No cached-input price is known: cached tokens are counted at the full input price.")
    if request.cached_share and not request.written_share and prices.write is not None:
        notes.append("Tokens are also charged for when they are written to the cache: none are counted here.")
    if at is None and prices.input and prices.input.low < prices.input.high:
        notes.append("The price changes by the hour: the range is over a day.")
    return (*notes, *([model.price_comments] if model.price_comments else []))


def _api_price(
    provider: Provider,
    owner: Provider,
    model: ModelInfo,
    prices: _Prices,
    request: _Request,
    batch: bool,
    notes: tuple[str, ...],
) -> ApiPrice:
    assert prices.input is not None  # _complete has seen to it
    per_request = _cost(prices, request)
    parts = _parts(prices, request)
    return ApiPrice(
        provider=provider.id,
        model=model.id,
        name=model.name or model.id,
        priced_by=owner.id,
        batch=batch,
        usd_per_million_input=_listed_figure("input", owner, model, prices.input),
        usd_per_million_cached_input=_known(prices.cached, "cached_input", owner, model),
        usd_per_million_cache_write=_known(prices.write, "cache_write", owner, model),
        usd_per_million_output=_known(prices.output, "output", owner, model),
        usd_per_request_fee=_known(prices.fee, "request_fee", owner, model),
        usd_per_request=Figure(
            key="usd_per_request",
            label="API price of one request",
            unit="USD",
            value=per_request,
            formula=r"c = 10^{-6}\,(n_\mathrm{in}(1-s_c-s_w)\,p_\mathrm{in} + n_\mathrm{in}s_c\,p_\mathrm{cached}"
            r" + n_\mathrm{in}s_w\,p_\mathrm{write} + n_\mathrm{out}\,p_\mathrm{out}) + f",
            source=data_version(),
            inputs=parts,
            drivers=_by_the_hour(per_request),
        ),
        usd_per_million_tokens=Figure(
            key="usd_per_million_tokens",
            label="API price of a million tokens, as mixed",
            unit="USD/1M tokens",
            value=per_request * (1e6 / (request.input_tokens + request.output_tokens)),
            formula=r"10^6\,c / (n_\mathrm{in} + n_\mathrm{out})",
            source=data_version(),
            inputs=parts,
            drivers=_by_the_hour(per_request * (1e6 / (request.input_tokens + request.output_tokens))),
        ),
        notes=notes,
    )


def _cost(prices: _Prices, request: _Request) -> Range:
    """Of one request. Prices of one list move together, so ends are added to ends."""
    zero = Range.exactly(0.0)
    standard = prices.input or zero
    fresh = request.input_tokens * (1 - request.cached_share - request.written_share)
    return (
        standard * (fresh / 1e6)
        + (prices.cached or standard) * (request.input_tokens * request.cached_share / 1e6)
        + (prices.write or zero) * (request.input_tokens * request.written_share / 1e6)
        + (prices.output or zero) * (request.output_tokens / 1e6)
        + (prices.fee or zero)
    )


def _parts(prices: _Prices, request: _Request) -> tuple[Input, ...]:
    priced = (
        ("input price", prices.input, "USD/1M tokens"),
        ("cached-input price", prices.cached, "USD/1M tokens"),
        ("cache-write price", prices.write, "USD/1M tokens"),
        ("output price", prices.output, "USD/1M tokens"),
        ("fee for each request", prices.fee, "USD"),
    )
    return (
        Input("input tokens", request.input_tokens, "tokens"),
        Input("output tokens", request.output_tokens, "tokens"),
        Input("cached share of input", request.cached_share),
        Input("written share of input", request.written_share),
        *(Input(name, value.expected, unit, data_version()) for name, value, unit in priced if value is not None),
    )


def _known(value: Range | None, what: str, owner: Provider, model: ModelInfo) -> Figure | None:
    return None if value is None else _listed_figure(what, owner, model, value)


def _listed_figure(what: str, owner: Provider, model: ModelInfo, value: Range) -> Figure:
    fee = what == "request_fee"
    return Figure(
        key="usd_per_request_fee" if fee else f"usd_per_million_{what}",
        label="API fee for each request" if fee else f"API price of a million {what.replace('_', ' ')} tokens",
        unit="USD" if fee else "USD/1M tokens",
        value=value,
        formula=rf"p_\mathrm{{{what.replace('_', ' ')}}}",
        source=f"{data_version()}: {owner.name}, {model.id}",
        drivers=_by_the_hour(value),
    )


def _by_the_hour(value: Range) -> tuple[Driver, ...]:
    return (Driver("hour of the day", value.low, value.high),) if value.low < value.high else ()


def _check(request: _Request, batch_discount: float | None) -> None:
    faults = []
    for name, tokens in (("input_tokens", request.input_tokens), ("output_tokens", request.output_tokens)):
        if not (math.isfinite(tokens) and tokens >= 0):
            faults.append(f"{name} is {tokens:g} (0 or more)")
    if not faults and request.input_tokens + request.output_tokens == 0:
        faults.append("the request has no tokens (at least 1)")
    shares = {"cached_share": request.cached_share, "written_share": request.written_share}
    faults += [f"{name} is {value:g} (0 to 1)" for name, value in shares.items() if not 0 <= value <= 1]
    if request.cached_share + request.written_share > 1:
        faults.append("cached_share and written_share are more than 1 together")
    if batch_discount is not None and not 0 <= batch_discount < 1:
        faults.append(f"batch_discount is {batch_discount:g} (0 to less than 1)")
    if faults:
        raise InvalidInput(f"This request cannot be priced: {'; '.join(faults)}.", next_step="Correct these values.")
