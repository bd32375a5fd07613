from __future__ import annotations

from pathlib import Path

import pytest

from core.measure import run
from core.measure.probe import Limits
from core.models import catalogue
from core.models.cards import ModelCard
from tests.conftest import TINY

LIMITS = Limits(20e9, {"fp32": 200e9, "int8": 800e9})


@pytest.fixture
def card(tiny_home: Path) -> ModelCard:
    return catalogue.get(TINY)


@pytest.fixture
def quick_probe(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Limits without five seconds of probing."""
    monkeypatch.setattr(run, "_probed", lambda *_: LIMITS)
    return LIMITS
