"""`this machine` as an accelerator: its probed limits, and the efficiencies that its own measurements show."""

from __future__ import annotations

import socket

from core.estimate.calibration import Calibration, this_machine
from core.estimate.hardware import Accelerator
from core.estimate.hardware import find as find_gpu
from core.store.database import Database, open_database
from core.store.measurements import MeasurementRecords, MeasurementRepository

THIS_MACHINE = "this machine"
MOST_RECORDS = 2_000


def is_this_machine(name: str) -> bool:
    return name.strip().lower().replace("-", " ").replace("_", " ") == THIS_MACHINE


def measured(db: Database | None = None) -> MeasurementRecords:
    """Everything that was measured, newest first."""
    return MeasurementRepository(db or open_database()).list(limit=MOST_RECORDS)


def device(
    name: str, precision: str, records: MeasurementRecords | None = None
) -> tuple[Accelerator, Calibration | None]:
    """A row of the table, or this machine. Raises InvalidInput with the nearest names, or what to measure first."""
    if not is_this_machine(name):
        return find_gpu(name), None
    found = measured() if records is None else records
    calibration = this_machine(found, host=socket.gethostname(), precision=precision)
    return calibration.machine, calibration
