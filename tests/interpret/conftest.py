"""Small models in the catalogue of the test's own home, opened; and the real ones, for the tests marked slow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.interpret.open_model import OpenModel, open_model
from core.interpret.subject import Subject, from_ids
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.models import tiny

Open = Callable[[str], OpenModel]
IDS = (0, 71, 104, 111, 35, 119, 104, 90, 35, 70)  # of the tiny vocabulary


@pytest.fixture
def opened(home: Path) -> Open:
    """Opens "llama", "gpt2" or "bert" (a masked one), each two random layers."""

    def make(kind: str) -> OpenModel:
        folder = home / "sources" / kind
        makers = {
            "llama": lambda: tiny.save_llama(folder),
            "gpt2": lambda: tiny.save_gpt2(folder),
            "bert": lambda: tiny.save_bert(folder, head="BertForMaskedLM"),
        }
        catalogue.add(str(makers[kind]()), model_id=kind)
        return open_model(kind, device="cpu")

    return make


@pytest.fixture
def llama(opened: Open) -> Trace:
    """A tiny decoder that has read IDS."""
    model = opened("llama")
    return trace(model, subject_of("llama"))


def subject_of(model_id: str, ids: tuple[int, ...] = IDS) -> Subject:
    return from_ids(model_id, ids)
