"""A home of its own for every test, so that none finds what another left or what the developer has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import reload_settings
from core.store.database import Database, close_databases, open_database


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """GROUNDWORK_HOME, empty. Settings and open databases are forgotten before and after."""
    monkeypatch.setenv("GROUNDWORK_HOME", str(tmp_path))
    monkeypatch.setenv("GROUNDWORK_DATABASE_URL", "")  # wins over DATABASE_URL and over a .env file
    close_databases()
    reload_settings()
    yield tmp_path
    close_databases()
    reload_settings()


@pytest.fixture
def db(home: Path) -> Database:
    """A fresh SQLite record in the home folder."""
    return open_database()
