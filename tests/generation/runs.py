"""A request, run to its end."""

from __future__ import annotations

from core.generation.engine import Engine
from core.generation.request import Completion, GenerationRequest


def run(engine: Engine, request: GenerationRequest) -> Completion:
    stream = engine.stream(request)
    for _ in stream:
        pass
    return stream.completion
