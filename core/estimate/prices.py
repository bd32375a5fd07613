"""Rental prices of GPUs: dated, sourced rows that the reader may edit, and the range that they give.

What has no dated row has no price: a spot or reserved price is never made up from the on-demand one, unless the reader
names the discount. Rows older than six months are marked.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.errors import InvalidInput
from core.estimate.figures import Driver, Figure, Input
from core.estimate.hardware import Accelerator, find, plain
from core.estimate.ranges import Range
from core.estimate.tables_csv import rows

TERMS = ("on_demand", "spot", "reserved_1y", "reserved_3y")
OLD_MONTHS = 6
HAND = "Give usd_per_gpu_hour by hand, or add a dated row to the price table."


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One price as its source gave it. as_of: YYYY-MM or YYYY-MM-DD. term: one of TERMS. tier: who rents it out."""

    gpu: str
    tier: str
    term: str
    usd_per_gpu_hour_low: float
    usd_per_gpu_hour_high: float
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RentalPrice:
    """The price and the rows that it stands on; old_rows: those of them past six months. notes: what to know of it."""

    usd_per_gpu_hour: Figure
    rows: tuple[PriceRow, ...]
    old_rows: tuple[PriceRow, ...]
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def published() -> tuple[PriceRow, ...]:
    """The table as it is shipped."""
    return tuple(
        PriceRow(
            gpu=row["gpu"],
            tier=row["tier"],
            term=row["term"],
            usd_per_gpu_hour_low=float(row["usd_per_gpu_hour_low"]),
            usd_per_gpu_hour_high=float(row["usd_per_gpu_hour_high"]),
            as_of=row["as_of"],
            source=row["source"],
        )
        for row in rows("gpu_prices")
    )


def in_use() -> tuple[PriceRow, ...]:
    """With the reader's own rows. Raises CorruptFile."""
    from core.estimate.own_tables import prices  # it stands on this module

    return prices()


def age_months(as_of: str, today: date) -> int:
    """Whole months from that date (the first of a month that names no day) to today; 0 for one to come.
    Raises InvalidInput for what is no date."""
    day = _date(as_of)
    if day is None:
        raise InvalidInput(f"'{as_of}' is no date.", allowed="YYYY-MM or YYYY-MM-DD.")
    months = (today.year - day.year) * 12 + today.month - day.month - (today.day < day.day)
    return max(0, months)


def is_old(row: PriceRow, today: date) -> bool:
    """Older than six months."""
    return age_months(row.as_of, today) > OLD_MONTHS


def check(table: Sequence[PriceRow]) -> None:
    """An edited table. Raises InvalidInput with every fault of every row."""
    found = ((at, row, fault) for at, row in enumerate(table, 1) for fault in row_faults(row))
    faults = [f"row {at} ({row.gpu}, {row.tier}): {fault}" for at, row, fault in found]
    if faults:
        raise InvalidInput(
            f"The price table has faults: {'; '.join(faults)}.",
            allowed=f"Prices above 0, low ≤ high; {', '.join(TERMS)}; date YYYY-MM or YYYY-MM-DD; a source.",
            next_step="Correct these rows.",
        )


def rental_price(
    gpu: str,
    *,
    tier: str | None = None,
    term: str = "on_demand",
    discount: float | None = None,
    table: Sequence[PriceRow] | None = None,
    accelerators: Sequence[Accelerator] | None = None,
    today: date | None = None,
) -> RentalPrice:
    """USD an hour of one GPU. One row: expected is its geometric middle. Several: from the lowest low to the highest
    high, the median of their middles expected.

    discount: the share off the on-demand price that the reader was offered for a term without a dated row.
    table: default, the one in use. Raises InvalidInput when no price is known, saying which are.
    """
    if table is None:
        table = in_use()
    else:
        check(table)
    if term not in TERMS:
        raise InvalidInput(f"'{term}' is no rental term.", allowed=f"{', '.join(TERMS)}.")
    if discount is not None and not 0 <= discount < 1:
        raise InvalidInput(
            f"A discount of {discount:g} cannot be.", allowed="A share from 0 to less than 1, such as 0.4."
        )
    id = _gpu_id(gpu, table, accelerators)
    found, off = _matching(id, tier, term, discount, table)
    return _price(id, term, found, off, today or date.today())


def _gpu_id(gpu: str, table: Sequence[PriceRow], accelerators: Sequence[Accelerator] | None) -> str:
    for row in table:
        if plain(row.gpu) == plain(gpu):
            return row.gpu
    return find(gpu, accelerators).id


def _matching(
    gpu: str, tier: str | None, term: str, discount: float | None, table: Sequence[PriceRow]
) -> tuple[tuple[PriceRow, ...], float]:
    """The rows to use, and the share to take off them."""
    of_gpu = [row for row in table if row.gpu == gpu]
    if not of_gpu:
        priced = ", ".join(sorted({row.gpu for row in table})) or "none"
        raise InvalidInput(f"No rental price is known for {gpu}.", allowed=f"Known for: {priced}.", next_step=HAND)
    of_tier = [row for row in of_gpu if tier is None or row.tier.lower() == tier.lower()]
    if not of_tier:
        known = ", ".join(dict.fromkeys(row.tier for row in of_gpu))
        raise InvalidInput(f"No price of {gpu} is known from '{tier}'.", allowed=f"Known: {known}.", next_step=HAND)
    of_term = tuple(row for row in of_tier if row.term == term)
    if of_term and discount is None:
        return of_term, 0.0
    on_demand = tuple(row for row in of_tier if row.term == "on_demand")
    if discount is not None and on_demand:
        return on_demand, discount
    known = ", ".join(dict.fromkeys(row.term for row in of_tier))
    raise InvalidInput(
        f"No dated {term} price of {gpu} is known{f' from {tier}' if tier else ''}.",
        allowed=f"Known terms: {known}.",
        next_step="Give the discount that you were offered (the share off the on-demand price), or usd_per_gpu_hour.",
    )


def _price(gpu: str, term: str, found: tuple[PriceRow, ...], off: float, today: date) -> RentalPrice:
    middles = [math.sqrt(row.usd_per_gpu_hour_low * row.usd_per_gpu_hour_high) for row in found]
    expected = statistics.median(middles)
    low, high = min(row.usd_per_gpu_hour_low for row in found), max(row.usd_per_gpu_hour_high for row in found)
    keep = 1 - off
    old = tuple(row for row in found if is_old(row, today))
    notes = tuple(f"Price of {row.tier}, {row.as_of}, is {age_months(row.as_of, today)} months old." for row in old)
    if off:
        notes = (f"{term.replace('_', ' ')}: the on-demand price less {off:.0%}, as the reader gave it.", *notes)
    figure = Figure(
        key="usd_per_gpu_hour",
        label="Price of a GPU-hour",
        unit="USD/h",
        value=Range(low * keep, expected * keep, high * keep),
        formula=_formula(len(found), bool(off)),
        source="; ".join(dict.fromkeys(f"{row.source} ({row.as_of})" for row in found)),
        inputs=tuple(
            Input(f"{row.tier}, {row.term}, {row.as_of}", middle, "USD/h", row.source)
            for row, middle in zip(found, middles, strict=True)
        )
        + ((Input("discount", off),) if off else ()),
        drivers=(Driver("who rents it out", low * keep, high * keep),) if low < high else (),
    )
    return RentalPrice(usd_per_gpu_hour=figure, rows=found, old_rows=old, notes=notes)


def _formula(count: int, discounted: bool) -> str:
    middle = r"\sqrt{p_\mathrm{low}\,p_\mathrm{high}}"
    one = middle if count == 1 else rf"\operatorname{{median}}_i {middle}"
    return rf"p = (1 - d)\,{one}" if discounted else f"p = {one}"


def row_faults(row: PriceRow) -> list[str]:
    """What is wrong with one row, in words."""
    low, high = row.usd_per_gpu_hour_low, row.usd_per_gpu_hour_high
    faults = []
    if not (math.isfinite(low) and math.isfinite(high) and low > 0):
        faults.append(f"{low:g} to {high:g} USD is no price")
    elif low > high:
        faults.append(f"its low, {low:g}, is above its high, {high:g}")
    if row.term not in TERMS:
        faults.append(f"'{row.term}' is no term")
    if _date(row.as_of) is None:
        faults.append(f"'{row.as_of}' is no date")
    if not row.source.strip():
        faults.append("no source is named")
    return faults


def _date(text: str) -> date | None:
    parts = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text.strip())
    if not parts:
        return None
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3] or 1))
    except ValueError:
        return None
