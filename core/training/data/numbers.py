"""Cells of a table as numbers: "1,234.5", " 3 ", True; "" and what is no number as NaN."""

from __future__ import annotations

import math

import pandas as pd

NUMERIC_SHARE = 0.9
"""A column is numeric when this share of its cells that are not empty is."""


def as_numbers(cells: pd.Series) -> pd.Series:
    """float64, NaN where there is no number. Infinity stays: whoever would train on it is told."""
    return pd.Series([_number(cell) for cell in cells], index=cells.index, dtype="float64")


def is_numeric(cells: pd.Series) -> bool:
    """Whether nearly all cells that hold something hold a number."""
    full = cells[~is_blank(cells)]
    return bool(len(full)) and float(as_numbers(full).notna().mean()) >= NUMERIC_SHARE


def is_blank(cells: pd.Series) -> pd.Series:
    """Cells without anything in them: None, NaN, and text of blanks alone."""
    return pd.Series([_blank(cell) for cell in cells], index=cells.index, dtype=bool)


def _blank(cell: object) -> bool:
    if isinstance(cell, str):
        return not cell or cell.isspace()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _number(cell: object) -> float:
    try:
        if isinstance(cell, (int, float)):
            return float(cell)
        return float(_without_groups(cell)) if isinstance(cell, str) else math.nan
    except ValueError:
        return math.nan
    except OverflowError:
        return math.inf


def _without_groups(text: str) -> str:
    """ "1,234,567.8" without its commas; "1,5" stays, which is no number here."""
    whole, point, rest = text.strip().partition(".")
    first, *groups = whole.split(",")
    if groups and first.lstrip("+-").isdigit() and all(len(group) == 3 and group.isdigit() for group in groups):
        return first + "".join(groups) + point + rest
    return text.strip()
