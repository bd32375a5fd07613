"""One feature, one target: hours of use against the energy a machine draws, so that its loss surface can be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROWS, SEED = 160, 11
SLOPE, START, NOISE = 1.8, 4.0, 1.5  # kWh an hour, kWh, kWh (standard deviation)


def write_line(folder: Path) -> None:
    """`hours`, `energy_kwh` = 4 + 1.8 hours + noise."""
    generator = np.random.default_rng(SEED)
    hours = generator.uniform(0.5, 12.0, ROWS)
    energy = START + SLOPE * hours + generator.normal(0.0, NOISE, ROWS)
    lines = [f"{hour:.2f},{kwh:.2f}" for hour, kwh in zip(hours, energy, strict=True)]
    (folder / "linear-line.csv").write_text("\n".join(["hours,energy_kwh", *lines, ""]), encoding="utf-8")
