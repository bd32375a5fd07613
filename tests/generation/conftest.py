"""A scripted model server, known under a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.servers import add_server
from tests.generation.openai_server import MODEL, OpenAIServer, answering


@pytest.fixture
def server(home: Path) -> Iterator[OpenAIServer]:
    """It was added as `box`, and answers "Hello" until it is told otherwise."""
    with OpenAIServer() as server:
        add_server("box", server.base_url, [MODEL])
        server.replies = [answering("Hel", "lo")]
        yield server
