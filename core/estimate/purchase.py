"""What own hardware is bought and run at: dated, sourced purchase prices of GPUs and electricity prices of regions.

A purchase price is of the card alone, new unless its source says used; what the server and its network add is a factor
of `ownership`. What has no row has no price.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.errors import InvalidInput
from core.estimate.hardware import Accelerator, find, plain
from core.estimate.ranges import Range
from core.estimate.tables_csv import rows

# Contracts within one region differ by size and supplier: ± 20 % where a region has one row (judgement).
ONE_ROW_FACTOR = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRow:
    """USD for one card, as its source gave it. as_of: YYYY, YYYY-MM or YYYY-MM-DD."""

    gpu: str
    usd_low: float
    usd_high: float
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityRow:
    """customers: commercial, industrial or business."""

    region: str
    customers: str
    usd_per_kwh: float
    as_of: str
    source: str


@lru_cache(maxsize=1)
def purchase_rows() -> tuple[PurchaseRow, ...]:
    """The table as it is shipped."""
    return tuple(
        PurchaseRow(
            gpu=row["gpu"],
            usd_low=float(row["usd_low"]),
            usd_high=float(row["usd_high"]),
            as_of=row["as_of"],
            source=row["source"],
        )
        for row in rows("purchase_prices")
    )


@lru_cache(maxsize=1)
def electricity_rows() -> tuple[ElectricityRow, ...]:
    """The table as it is shipped."""
    return tuple(
        ElectricityRow(
            region=row["region"],
            customers=row["customers"],
            usd_per_kwh=float(row["usd_per_kwh"]),
            as_of=row["as_of"],
            source=row["source"],
        )
        for row in rows("electricity_prices")
    )


def purchase_price(
    gpu: str,
    *,
    table: Sequence[PurchaseRow] | None = None,
    accelerators: Sequence[Accelerator] | None = None,
) -> tuple[Range, tuple[PurchaseRow, ...]]:
    """USD of one card: from the lowest low to the highest high, the median of the rows' geometric middles expected; and
    the rows. Raises InvalidInput when none is known, saying which are."""
    table = purchase_rows() if table is None else table
    named = [row.gpu for row in table if plain(row.gpu) == plain(gpu)]
    id = named[0] if named else find(gpu, accelerators).id
    found = tuple(row for row in table if row.gpu == id)
    if not found:
        raise InvalidInput(
            f"No purchase price is known for {id}.",
            allowed=f"Known for: {', '.join(sorted({row.gpu for row in table})) or 'none'}.",
            next_step="Give purchase_usd by hand, from a dealer's offer.",
        )
    middle = statistics.median(math.sqrt(row.usd_low * row.usd_high) for row in found)
    return Range(min(row.usd_low for row in found), middle, max(row.usd_high for row in found)), found


def electricity_price(
    region: str, *, table: Sequence[ElectricityRow] | None = None
) -> tuple[Range, tuple[ElectricityRow, ...]]:
    """USD per kWh: from the industrial to the commercial price where both are known, else around the one that is; and
    the rows. Raises InvalidInput for a region without a row."""
    table = electricity_rows() if table is None else table
    found = tuple(row for row in table if plain(row.region) == plain(region))
    if not found:
        raise InvalidInput(
            f"No electricity price is known for '{region}'.",
            allowed=f"Known: {', '.join(dict.fromkeys(row.region for row in table))}.",
            next_step="Give usd_per_kwh by hand, from a bill or an offer.",
        )
    prices = sorted(row.usd_per_kwh for row in found)
    if prices[0] == prices[-1]:
        return Range.around(prices[0], ONE_ROW_FACTOR), found
    return Range(prices[0], math.sqrt(prices[0] * prices[-1]), prices[-1]), found
