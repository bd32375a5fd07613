"""What a GPU-hour costs in an estimate: as the reader says, as own hardware, or as the rental table has it."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput
from core.estimate.hardware import Accelerator
from core.estimate.ownership import Ownership, owned_hour
from core.estimate.prices import in_use, rental_price
from core.estimate.ranges import Range

USUAL_TIER = "specialist cloud on demand"  # where a GPU has it: hyperscalers ask twice as much for the same hour


@dataclass(frozen=True, slots=True, kw_only=True)
class HourPrice:
    """usd_per_gpu_hour: None where no price is known; notes say why, and what to do. source: who says so."""

    usd_per_gpu_hour: Range | None
    source: str
    notes: tuple[str, ...] = ()


def hour_price(
    gpu: Accelerator,
    *,
    given: Range | None = None,
    own: Ownership | None = None,
    tier: str | None = None,
    term: str = "on_demand",
    discount: float | None = None,
) -> HourPrice:
    """Raises InvalidInput for a tier or a term without a price, and for impossible factors of ownership."""
    if given is not None:
        return HourPrice(usd_per_gpu_hour=given, source="as given")
    if own is not None:
        hour = owned_hour(gpu, own).usd_per_gpu_hour
        return HourPrice(usd_per_gpu_hour=hour.value, source="own hardware: depreciation, power, place and capital")
    said = tier or _usual_tier(gpu, term)
    try:
        found = rental_price(gpu.id, tier=said, term=term, discount=discount)
    except InvalidInput as error:
        if tier is not None or term != "on_demand":
            raise
        return HourPrice(usd_per_gpu_hour=None, source="", notes=(f"No cost: {error}",))
    rows = found.rows
    dates = ", ".join(sorted({row.as_of for row in rows if row.as_of}))
    source = f"{said or 'all tiers'}, {term.replace('_', ' ')}, {dates}: " + "; ".join(
        dict.fromkeys(row.source for row in rows)
    )
    return HourPrice(usd_per_gpu_hour=found.usd_per_gpu_hour.value, source=source, notes=found.notes)


def _usual_tier(gpu: Accelerator, term: str) -> str | None:
    has = any(row.gpu == gpu.id and row.tier == USUAL_TIER and row.term == term for row in in_use())
    return USUAL_TIER if has else None
