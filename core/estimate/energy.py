"""Energy of GPU-hours, and CO2e of that energy by the grid it comes from.

GPU-hours × TDP × load × host × PUE, the product that published footprints use (Patterson et al. 2021, arXiv 2104.10350,
§ 2.2; Luccioni et al. 2022, arXiv 2211.02001, § 4). What is notable: a device whose TDP is unpublished has no energy
figure, rather than one of zero, and the host beside the GPU is counted, which model cards leave out.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.errors import InvalidInput
from core.estimate.figures import Driver, Figure, Input
from core.estimate.hardware import Accelerator, plain
from core.estimate.ranges import Range
from core.estimate.tables_csv import number, rows

# Share of its TDP that a working GPU draws. An 8 × H100 node at work drew 76 % of its rated 10.2 kW (arXiv 2506.14551)
# and 8.4 kW, 82 %, at most (arXiv 2412.08602); one that waits for memory or for requests draws less (judgement: 60 %).
LOAD = Range(0.60, 0.85, 1.0)
# Watts of the whole server for each watt of its GPUs: 10.2 kW ÷ (8 × 700 W) = 1.82 as rated for DGX H100; 1.59 with
# the idle part of BLOOM's cluster (433 + 257 MWh over 433 MWh, arXiv 2211.02001); 1.2 for a lean server (judgement).
HOST = Range(1.2, 1.6, 1.82)
# Power usage effectiveness: 1.1 for the largest operators (Google 1.10, AWS 1.15), 1.54 the mean of Uptime Institute's
# survey of 2025; the middle is a judgement for a modern colocation hall.
PUE = Range(1.1, 1.25, 1.54)
# A yearly mean of a grid misses the hour, the season and the years since: ± 15 % (judgement).
GRID_FACTOR = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRegion:
    """A grid and its yearly mean intensity, in grams of CO2e per kWh generated. year: 0 when the source names none."""

    id: str
    name: str
    grams_co2e_per_kwh: float
    year: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """energy_kwh, co2e_kg: None where they are not known; notes say why. region: None when no grid was named."""

    energy_kwh: Figure | None
    co2e_kg: Figure | None
    region: GridRegion | None
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def regions() -> tuple[GridRegion, ...]:
    """The table as it is shipped."""
    return tuple(
        GridRegion(
            id=row["region"],
            name=row["name"],
            grams_co2e_per_kwh=float(row["grams_co2e_per_kwh"]),
            year=int(number(row["year"]) or 0),
            source=row["source"],
        )
        for row in rows("grid_intensity")
    )


def find_region(name: str, table: Sequence[GridRegion] | None = None) -> GridRegion:
    """By id or name, whatever its case and dashes. Raises InvalidInput with the nearest names."""
    table = regions() if table is None else table
    wanted = plain(name)
    for one in table:
        if wanted and wanted in (plain(one.id), plain(one.name)):
            return one
    keys = {plain(one.name): one for one in table} | {plain(one.id): one for one in table}
    near = [one for key, one in keys.items() if len(wanted) > 2 and wanted in key]
    near = near or [keys[key] for key in difflib.get_close_matches(wanted, keys, n=5, cutoff=0.5)]
    offered = dict.fromkeys(f"{one.id} ({one.name})" for one in near[:8])
    raise InvalidInput(
        f"'{name}' is no region of the grid table.",
        allowed=f"Nearest: {', '.join(offered)}." if offered else f"Known: {', '.join(one.id for one in table)}.",
        next_step="Name one of these, or give the grid's grams of CO2e per kWh.",
    )


def footprint(
    gpu_hours: Range,
    gpu: Accelerator,
    *,
    region: str | GridRegion | None = None,
    load: Range = LOAD,
    host: Range = HOST,
    pue: Range = PUE,
    grid_factor: float = GRID_FACTOR,
) -> Footprint:
    """Energy and, where a region is named, CO2e of these GPU-hours. Raises InvalidInput for a load above 1 or below 0
    or an overhead below 1."""
    _check(load, host, pue, grid_factor)
    grid = find_region(region) if isinstance(region, str) else region
    if not gpu.tdp_watts:
        missing = f"No TDP is known for {gpu.name}, so neither is its energy: add it to the hardware table."
        return Footprint(energy_kwh=None, co2e_kg=None, region=grid, notes=(missing,))
    factors = {"GPU-hours": gpu_hours, "load": load, "host": host, "PUE": pue}
    energy = _energy(gpu, factors)
    if grid is None:
        return Footprint(
            energy_kwh=energy, co2e_kg=None, region=None, notes=("No grid region named: CO2e is unknown.",)
        )
    notes = () if grid.year else (f"The source of {grid.name} names no year.",)
    return Footprint(
        energy_kwh=energy, co2e_kg=_co2e(energy, grid, factors, gpu, grid_factor), region=grid, notes=notes
    )


def product_drivers(constant: float, factors: dict[str, Range]) -> tuple[Driver, ...]:
    """A product with one factor at its ends and the others as expected; factors without doubt are left out."""
    expected = constant * math.prod(factor.expected for factor in factors.values())
    return tuple(
        Driver(name, expected * factor.low / factor.expected, expected * factor.high / factor.expected)
        for name, factor in factors.items()
        if factor.low < factor.high and factor.expected
    )


def _energy(gpu: Accelerator, factors: dict[str, Range]) -> Figure:
    value = Range.exactly(gpu.tdp_watts / 1000)
    for factor in factors.values():
        value = value * factor
    return Figure(
        key="energy_kwh",
        label="Energy",
        unit="kWh",
        value=value,
        formula=r"E = h_\mathrm{GPU} \cdot P_\mathrm{TDP} \cdot l \cdot s_\mathrm{host} \cdot \mathrm{PUE}",
        source="Patterson et al. 2021, arXiv 2104.10350, § 2.2",
        inputs=(
            Input("GPU-hours", factors["GPU-hours"].expected, "h"),
            Input("TDP", gpu.tdp_watts, "W", gpu.source),
            Input("load, share of TDP", factors["load"].expected, "", "arXiv 2506.14551; arXiv 2412.08602"),
            Input("server watts per GPU watt", factors["host"].expected, "", "NVIDIA DGX H100; arXiv 2211.02001"),
            Input("PUE", factors["PUE"].expected, "", "Uptime Institute survey 2025; judgement"),
        ),
        drivers=product_drivers(gpu.tdp_watts / 1000, factors),
    )


def _co2e(energy: Figure, grid: GridRegion, factors: dict[str, Range], gpu: Accelerator, grid_factor: float) -> Figure:
    intensity = Range.around(grid.grams_co2e_per_kwh / 1000, grid_factor)
    return Figure(
        key="co2e_kg",
        label="CO₂e",
        unit="kg",
        value=energy.value * intensity,
        formula=r"m_{\mathrm{CO_2e}} = E \cdot g_\mathrm{grid}",
        source="Patterson et al. 2021, arXiv 2104.10350, § 2.2; electricity used only, not the making of the hardware",
        inputs=(
            Input("energy", energy.value.expected, "kWh"),
            Input(f"grid: {grid.name}, {grid.year or 'no year'}", grid.grams_co2e_per_kwh, "g/kWh", grid.source),
        ),
        drivers=product_drivers(gpu.tdp_watts / 1000, {**factors, "grid intensity": intensity}),
    )


def _check(load: Range, host: Range, pue: Range, grid_factor: float) -> None:
    faults = [
        f"{name} {value:g}, which should be {allowed}"
        for name, value, allowed, good in (
            ("load", load.low, "more than 0", load.low > 0),
            ("load", load.high, "at most 1.2 of TDP", load.high <= 1.2),
            ("host", host.low, "at least 1", host.low >= 1),
            ("PUE", pue.low, "at least 1", pue.low >= 1),
            ("grid factor", grid_factor, "at least 1", grid_factor >= 1),
        )
        if not good
    ]
    if faults:
        raise InvalidInput(f"The energy's factors cannot be: {'; '.join(faults)}.", next_step="Correct these values.")
