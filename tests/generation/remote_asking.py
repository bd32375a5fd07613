"""A question to the scripted server, and its answer as our engine has it."""

from __future__ import annotations

from core.generation.request import GenerationRequest, Message, SamplingParameters
from tests.generation.openai_server import MODEL

ID = f"box/{MODEL}"
KEY = "sk-very-secret-0123456789"


def ask(prompt: str = "hi", *, raw: bool = False, **parameters: object) -> GenerationRequest:
    values = {"max_new_tokens": 16, "top_logprobs": 0, "seed": 7} | parameters
    return GenerationRequest(
        ID,
        messages=() if raw else (Message("system", "Be brief."), Message("user", prompt)),
        raw_prompt=prompt if raw else None,
        parameters=SamplingParameters(**values),  # type: ignore[arg-type]
    )
