"""The reference tables beside this module: CSV, each row with its source and, where it ages, its date."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

TABLES = Path(__file__).with_name("tables")


@lru_cache(maxsize=32)
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `tables/<name>.csv`, as text."""
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def number(text: str) -> float | None:
    """A cell; None where nothing is published."""
    return float(text) if text.strip() else None
