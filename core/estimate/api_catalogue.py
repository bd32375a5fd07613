"""Which models the bundled data of `genai-prices` knows, found by provider, name or part of a name.

The network is never asked: the data is the package's own, in a view that no updater can change. A price that the data
lacks, or gives as a bare 0, is None: unknown is never free.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:  # its data takes 0.3 s to load: at the first question, not at import
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider

HAND = "Give the USD per million tokens by hand, from the provider's own page."
BATCH = {"processing": "batch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiModel:
    """One model of one provider, as found. Prices: standard, of a small request, now; None when unknown."""

    provider: str
    model: str
    name: str
    usd_per_million_input: float | None
    usd_per_million_cached_input: float | None
    usd_per_million_output: float | None
    has_batch_price: bool
    deprecated: bool


@lru_cache(maxsize=1)
def data_version() -> str:
    """Which data the prices are of."""
    return f"genai-prices {version('genai-prices')}, bundled data"


def providers() -> tuple[tuple[str, str], ...]:
    """(id, name) of each provider of the data."""
    return tuple((provider.id, provider.name) for provider in _snapshot().providers)


def search(text: str, *, limit: int = 20) -> tuple[ApiModel, ...]:
    """Models whose provider, id or name hold every word of the text; those whose id is nearest to it first, and those
    with a price before those without."""
    words = text.lower().split()
    found = [(key, at) for at, key in enumerate(_keys()) if all(word in key for word in words)]
    found.sort(key=lambda one: (_unpriced(one[1]), len(one[0])))
    return tuple(_listed(*_index()[at]) for _, at in found[:limit])


@lru_cache(maxsize=1)
def _snapshot() -> DataSnapshot:
    """Our own view of the bundled data, so that an updater started elsewhere cannot change prices under an estimate."""
    from genai_prices.data import providers as bundled
    from genai_prices.data_snapshot import DataSnapshot

    return DataSnapshot(providers=bundled, from_auto_update=False)


@lru_cache(maxsize=1)
def _index() -> tuple[tuple[Provider, ModelInfo], ...]:
    return tuple((provider, model) for provider in _snapshot().providers for model in provider.models)


@lru_cache(maxsize=1)
def _keys() -> tuple[str, ...]:
    return tuple(f"{one.id} {model.id} {model.name or ''}".lower() for one, model in _index())


def _unpriced(at: int) -> bool:
    return value_of(_index()[at][1].get_prices(datetime.now(UTC)), "input_mtok", 0) is None


def _listed(provider: Provider, model: ModelInfo) -> ApiModel:
    now = datetime.now(UTC)
    prices = model.get_prices(now)
    return ApiModel(
        provider=provider.id,
        model=model.id,
        name=model.name or model.id,
        usd_per_million_input=value_of(prices, "input_mtok", 0),
        usd_per_million_cached_input=value_of(prices, "cache_read_mtok", 0),
        usd_per_million_output=value_of(prices, "output_mtok", 0),
        has_batch_price=has_batch(model, now),
        deprecated=bool(model.deprecated),
    )


def find(provider: str, model: str) -> tuple[Provider, Provider, ModelInfo]:
    """The provider that was named, the one whose list has the model (another where models are resold), the model.
    Raises InvalidInput with the nearest names."""
    from genai_prices.data_snapshot import find_provider_by_id

    snapshot = _snapshot()
    named = find_provider_by_id(snapshot.providers, provider)
    if named is None:
        ids = [one.id for one in snapshot.providers]
        near = difflib.get_close_matches(provider.lower(), ids, n=5, cutoff=0.4) or ids
        raise InvalidInput(f"'{provider}' is no provider of the price data.", allowed=f"Such as: {', '.join(near)}.")
    try:
        _, info = snapshot.find_provider_model(model, named, None, None)
    except LookupError:
        ids = [one.id for one in named.models]
        near = [id for id in ids if model.lower() in id.lower()][:5]
        near = near or difflib.get_close_matches(model, ids, n=5, cutoff=0.3)
        raise InvalidInput(
            f"No price of '{model}' from {named.name} is in the data ({data_version()}).",
            allowed=f"Nearest: {', '.join(near)}." if near else "",
            next_step=HAND,
        ) from None
    owner = next((one for one in snapshot.providers if any(info is other for other in one.models)), named)
    return named, owner, info


def value_of(prices: ModelPrice, name: str, input_tokens: float) -> float | None:
    """The price for a request with this much input. None: not known; a bare 0 is not known either."""
    from genai_prices.types import TieredPrices

    found: Decimal | TieredPrices | None = getattr(prices, name)
    if isinstance(found, TieredPrices):
        passed = [tier.price for tier in found.tiers if input_tokens > tier.start]
        found = passed[-1] if passed else found.base
    return float(found) if found else None


def has_batch(model: ModelInfo, moment: datetime) -> bool:
    """Whether the data has a batch price at that moment."""
    return any(
        variant.when == BATCH and (variant.constraint is None or variant.constraint.active(moment))
        for variant in model.price_variants or ()
    )
