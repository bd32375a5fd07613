"""Every test of the store that takes `db` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.database import Database, open_database
from core.store.runs import NewRun
from tests.store.postgres_server import PostgresServer, running_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, home: Path) -> str:
    """The address of a database that does not exist yet, or is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{home / 'groundwork.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.fresh_url()


@pytest.fixture
def db(database_url: str) -> Database:
    return open_database(database_url)


@pytest.fixture
def new_run() -> NewRun:
    return NewRun(
        model_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        revision="12fd25f",
        precision="int8",
        backend="onnx",
        device="cpu",
        parameters={"temperature": 0.2, "stop": ["\n\n"]},
        prompt={"messages": [{"role": "user", "content": "Why?"}]},
        seed=2**63 - 1,
    )
