"""Fixtures of the model tests: tiny models made on the fly, a hub on loopback, the real built-in models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import reload_settings
from tests.models import tiny
from tests.models.hub_server import HubServer
from tests.real_models import prepared_folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama in a folder. Read only: copy it before changing it."""
    return tiny.save_llama(tmp_path_factory.mktemp("tiny") / "llama")


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """The same Llama as a GGUF file. Read only."""
    return tiny.save_gguf(tiny_llama, tmp_path_factory.mktemp("gguf") / "Tiny-Llama.F32.gguf")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The prepared folder of the real SmolLM2, shared by every run. Read only."""
    return prepared_folder()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """An empty hub on loopback, which the settings point to."""
    with HubServer() as server:
        monkeypatch.setenv("GROUNDWORK_HUB_ENDPOINT", server.address)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        reload_settings()
        yield server
