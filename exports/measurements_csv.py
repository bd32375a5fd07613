"""Measurements as a table: one row a measured cell, with every figure that it was recorded with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from core.measure.roofline import PHASES, share_of_limit
from core.store.measurements import MeasurementRecord
from exports.cells import Cell, csv_bytes

_FIRST = ("id", "created_at")
RECORDED = (*_FIRST, *(field.name for field in fields(MeasurementRecord) if field.name not in _FIRST))
COLUMNS = (*RECORDED, *(f"{phase}_share_of_limit" for phase in PHASES))


def measurements_csv(records: Sequence[MeasurementRecord]) -> bytes:
    """CSV in UTF-8. Units as in the record (seconds, bytes, tokens/s); times in UTC; samples, environment and command
    as JSON."""
    return csv_bytes(
        COLUMNS,
        (
            [
                *(_cell(getattr(record, name)) for name in RECORDED),
                *(share_of_limit(record, phase) for phase in PHASES),
            ]
            for record in records
        ),
    )


def _cell(value: Any) -> Cell:
    if isinstance(value, datetime):
        return value.isoformat()
    plain: Cell = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
    return plain
