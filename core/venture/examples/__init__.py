"""Example companies as files: an invented one that fills every section, and three small ones, one for each model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.estimate.config import read_file

EXAMPLE = Path(__file__).with_name("example_company.yaml")


def example_document() -> dict[str, Any]:
    """Of Example Notes Ltd, which is invented, as `core.venture.spec.company` takes it."""
    return read_file(EXAMPLE)
