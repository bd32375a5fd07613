"""Hardware of one's own, as USD per GPU-hour: what it loses in worth, what it draws, where it stands.

Straight-line depreciation to a residual value, electricity of GPU and host through the PUE, a yearly share for
maintenance, rent of the place, and the cost of the capital that is tied up. What is notable: the price of an hour that
the GPU exists and the price of an hour that it works are two figures; only the second has the utilisation in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from core.errors import InvalidInput
from core.estimate.energy import HOST, LOAD, PUE
from core.estimate.figures import Figure, Input
from core.estimate.hardware import Accelerator
from core.estimate.propagation import Spread, Values, propagate
from core.estimate.ranges import Range

HOURS_PER_MONTH = 730.0  # 8,760 hours a year ÷ 12
HOURS_PER_YEAR = 8760.0
# What server and network add to a card of about $30,000: $38,800 a GPU with its server, $46,000 to $52,000 with
# InfiniBand (public cost sheet of H100 clusters, August 2024).
SERVER_FACTOR = Range(1.2, 1.4, 1.7)
# Share of the hours that an own machine has work, from a product used by day to a queue that never empties: judgement.
UTILISATION = Range(0.4, 0.6, 0.8)

Part = Callable[[Values, float], float]  # factors, TDP in watts → USD per hour that the GPU exists


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Each factor with its range; `exactly` where the reader knows it.

    purchase_usd: one card. server_factor: what its share of server and network makes of that; exactly 1 where
    purchase_usd has them in it. years: until it is written off. residual_share: of the
    purchase, got back at the end. load, host, pue: as in `energy`. maintenance_share_per_year: of the purchase.
    colocation_usd_per_kw_month: rent of the place for each kW that the server is rated at. capital_rate_per_year:
    interest, or what the money would earn elsewhere. utilisation: share of hours with work.
    """

    purchase_usd: Range
    server_factor: Range = SERVER_FACTOR
    years: Range = field(default_factory=lambda: Range(3, 4, 6))
    residual_share: Range = field(default_factory=lambda: Range.exactly(0.0))
    load: Range = LOAD
    host: Range = HOST
    pue: Range = PUE
    usd_per_kwh: Range
    maintenance_share_per_year: Range = field(default_factory=lambda: Range.exactly(0.0))
    colocation_usd_per_kw_month: Range = field(default_factory=lambda: Range.exactly(0.0))
    capital_rate_per_year: Range = field(default_factory=lambda: Range.exactly(0.0))
    utilisation: Range = UTILISATION


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedHour:
    """usd_per_gpu_hour: of an hour that the GPU exists, what `breakeven` takes. usd_per_used_gpu_hour: of an hour that
    it works, to be held against a rental by the hour. parts: depreciation, capital, maintenance, electricity and
    colocation, those that are not 0."""

    usd_per_gpu_hour: Figure
    usd_per_used_gpu_hour: Figure
    parts: tuple[Figure, ...]


def owned_hour(gpu: Accelerator, own: Ownership) -> OwnedHour:
    """Raises InvalidInput for impossible factors (all of them named) and for a GPU whose TDP is unpublished."""
    _check(gpu, own)
    factors: dict[str, Range] = {one.name: getattr(own, one.name) for one in fields(own)}

    def all_figures(at: Values) -> dict[str, float]:
        parts = {f"{key}_usd_per_gpu_hour": part(at, gpu.tdp_watts) for key, _, part, _ in PARTS}
        whole = math.fsum(parts.values())
        return parts | {"usd_per_gpu_hour": whole, "usd_per_used_gpu_hour": whole / at["utilisation"]}

    names = {name: label for name, (label, *_) in _ALLOWED.items()}
    spreads = propagate(all_figures, factors, names=names)
    inputs = (
        Input("TDP", gpu.tdp_watts, "W", gpu.source),
        *(Input(_ALLOWED[name][0], factor.expected, _ALLOWED[name][1]) for name, factor in factors.items()),
    )

    def figure(key: str, label: str, formula: str) -> Figure:
        return _figure(key, label, formula, spreads[key], inputs)

    parts = [figure(f"{key}_usd_per_gpu_hour", label, formula) for key, label, _, formula in PARTS]
    total = " + ".join(("c_d", "c_k", "c_m", "c_e", "c_p"))
    return OwnedHour(
        usd_per_gpu_hour=figure("usd_per_gpu_hour", "Own GPU, an hour of its life", f"c = {total}"),
        usd_per_used_gpu_hour=figure(
            "usd_per_used_gpu_hour", "Own GPU, an hour of work", rf"c_u = \frac{{{total}}}{{u}}"
        ),
        parts=tuple(part for part in parts if part.value.high > 0),
    )


def _capital_usd(at: Values) -> float:
    return at["purchase_usd"] * at["server_factor"]


def _depreciation(at: Values, watts: float) -> float:
    return _capital_usd(at) * (1 - at["residual_share"]) / (at["years"] * HOURS_PER_YEAR)


def _capital(at: Values, watts: float) -> float:
    """On the mean of what is tied up while it falls in a straight line from the purchase to the residual."""
    return _capital_usd(at) * (1 + at["residual_share"]) / 2 * at["capital_rate_per_year"] / HOURS_PER_YEAR


def _maintenance(at: Values, watts: float) -> float:
    return _capital_usd(at) * at["maintenance_share_per_year"] / HOURS_PER_YEAR


def _electricity(at: Values, watts: float) -> float:
    return watts / 1000 * at["load"] * at["host"] * at["pue"] * at["usd_per_kwh"]


def _colocation(at: Values, watts: float) -> float:
    """Rented by what the server may draw at most, not by what it draws."""
    return watts / 1000 * at["host"] * at["colocation_usd_per_kw_month"] / HOURS_PER_MONTH


# Key, label, how much, formula; K is the card with its share of the server.
PARTS: tuple[tuple[str, str, Part, str], ...] = (
    ("depreciation", "Loss in worth", _depreciation, r"c_d = \frac{K\,(1-r)}{T \cdot 8760}"),
    ("capital", "Cost of capital", _capital, r"c_k = \frac{K\,(1+r)}{2}\cdot\frac{i}{8760}"),
    ("maintenance", "Maintenance", _maintenance, r"c_m = \frac{K\,m}{8760}"),
    (
        "electricity",
        "Electricity",
        _electricity,
        r"c_e = P_\mathrm{TDP}\, l\, s_\mathrm{host}\cdot\mathrm{PUE}\cdot p_\mathrm{kWh}",
    ),
    ("colocation", "Rent of the place", _colocation, r"c_p = P_\mathrm{TDP}\, s_\mathrm{host}\, p_\mathrm{kW} / 730"),
)

# Factor: label, unit, lowest and highest that are believed.
_ALLOWED: dict[str, tuple[str, str, float, float]] = {
    "purchase_usd": ("purchase", "USD", 0.01, 1e7),
    "server_factor": ("server and network, times the card", "", 1, 5),
    "years": ("years in use", "years", 0.1, 30),
    "residual_share": ("residual share", "", 0, 1),
    "load": ("load, share of TDP", "", 0.01, 1.2),
    "host": ("server watts per GPU watt", "", 1, 5),
    "pue": ("PUE", "", 1, 5),
    "usd_per_kwh": ("electricity", "USD/kWh", 0, 5),
    "maintenance_share_per_year": ("maintenance, share of purchase a year", "", 0, 1),
    "colocation_usd_per_kw_month": ("colocation", "USD/kW and month", 0, 5000),
    "capital_rate_per_year": ("cost of capital a year", "", 0, 1),
    "utilisation": ("utilisation", "", 0.001, 1),
}


def _figure(key: str, label: str, formula: str, spread: Spread, inputs: tuple[Input, ...]) -> Figure:
    return Figure(
        key=key,
        label=label,
        unit="USD/h",
        value=spread.value,
        formula=formula,
        source="straight-line depreciation; electricity as in arXiv 2104.10350, § 2.2",
        inputs=inputs,
        drivers=spread.drivers,
    )


def _check(gpu: Accelerator, own: Ownership) -> None:
    faults = []
    for name, (label, unit, lowest, highest) in _ALLOWED.items():
        factor: Range = getattr(own, name)
        if factor.low < lowest or factor.high > highest:
            faults.append(
                f"{label} {factor.low:g} to {factor.high:g}, allowed {lowest:g} to {highest:g} {unit}".rstrip()
            )
    if not gpu.tdp_watts:
        faults.append(f"no TDP is known for {gpu.name}, so its electricity is unknown: add it to the hardware table")
    if faults:
        raise InvalidInput(
            f"The own hardware cannot be priced: {'; '.join(faults)}.", next_step="Correct these values."
        )
