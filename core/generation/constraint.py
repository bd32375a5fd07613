"""Answers that fit a JSON schema, by masking every token that the schema does not allow next.

llguidance, the library that ONNX Runtime GenAI uses for its own guided decoding, works here on our logits, so that both
local backends and one sampler have it (docs/decisions.md says why GenAI's own switch cannot be used).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import numpy.typing as npt
from referencing import Registry
from referencing.exceptions import Unresolvable

from core.errors import InvalidInput


def parse_schema(text: str) -> dict[str, Any]:
    """A JSON schema from what a person typed. Raises InvalidInput that says where it is wrong."""
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"The JSON schema is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
            next_step='Start from {"type": "object", "properties": {"name": {"type": "string"}}}.',
        ) from error
    check_schema(schema)
    return dict(schema)


def check_schema(schema: object) -> None:
    """Raises InvalidInput unless `schema` is a JSON schema (an object, by its own meta-schema)."""
    if not isinstance(schema, dict):
        raise InvalidInput(
            f"The JSON schema is a {type(schema).__name__}.",
            allowed='It must be an object, such as {"type": "object"}.',
        )
    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path) or "the top"
        raise InvalidInput(
            f"This is no JSON schema: {error.message} (at {where}).", next_step="Correct the schema."
        ) from error


def fits(text: str, schema: dict[str, Any]) -> bool:
    """Whether a whole answer is JSON that the schema allows. References to other files are trusted, not followed."""
    try:
        value = json.loads(text)
        return bool(jsonschema.validators.validator_for(schema)(schema, registry=Registry()).is_valid(value))
    except Unresolvable:
        return True
    except ValueError:
        return False


class JsonSchemaConstraint:
    """One run's walk through the grammar of a schema. Not reusable.

    folder: the model's, with tokenizer.json. vocabulary: width of the logits. eos_ids: tokens that may end the answer.
    """

    def __init__(self, schema: dict[str, Any], *, folder: Path, vocabulary: int, eos_ids: tuple[int, ...]) -> None:
        import llguidance
        import llguidance.numpy as masks

        check_schema(schema)
        grammar = llguidance.LLMatcher.grammar_from_json_schema(schema)
        tokenizer = _tokenizer(folder / "tokenizer.json", vocabulary, eos_ids)
        fault = llguidance.LLMatcher.validate_grammar(grammar, tokenizer)
        if fault:
            raise InvalidInput(f"The JSON schema cannot be used to steer an answer: {fault}.", next_step="Simplify it.")
        self._matcher = llguidance.LLMatcher(tokenizer, grammar)
        self._fill = masks.fill_next_token_bitmask
        self._bits = masks.allocate_token_bitmask(1, vocabulary)
        self._vocabulary = vocabulary
        self._eos_ids = eos_ids

    def allowed(self) -> npt.NDArray[np.bool_]:
        if self._matcher.is_stopped():
            mask = np.zeros(self._vocabulary, dtype=np.bool_)
            mask[list(self._eos_ids)] = True
            return mask
        self._fill(self._matcher, self._bits)
        bits = np.unpackbits(self._bits.view(np.uint8), bitorder="little")[: self._vocabulary]
        return bits.view(np.bool_)

    def accept(self, token_id: int) -> None:
        if not self._matcher.is_stopped():
            self._matcher.consume_token(token_id)


@lru_cache(maxsize=4)
def _tokenizer(file: Path, vocabulary: int, eos_ids: tuple[int, ...]) -> Any:
    import llguidance

    return llguidance.LLTokenizer(file.read_text(encoding="utf-8"), n_vocab=vocabulary, eos_token=list(eos_ids))
