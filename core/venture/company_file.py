"""A company as a file to take away and to bring back: YAML for people, JSON where it is too long to be read as YAML."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput
from core.estimate.config import read_file, twice

MOST_BYTES = 5_000_000
LONGEST_YAML = 100_000  # characters: what `read_file` takes, because PyYAML needs a second for them


def company_text(document: dict[str, Any]) -> tuple[str, str]:
    """(text, "yaml" or "json") of a company's document, as `document_of` reads it again."""
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    if len(text) <= LONGEST_YAML:
        return text, "yaml"
    return json.dumps(document, ensure_ascii=False, indent=1), "json"


def document_of(name: str, content: bytes) -> dict[str, Any]:
    """The document in a file that was handed in, not yet checked as a company. name: for messages. Raises InvalidInput
    where it is too long, no text, neither JSON nor YAML, no mapping, or has a key twice."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{name} has {len(content):,} bytes.", allowed=f"Up to {MOST_BYTES:,} bytes.")
    try:
        found = json.loads(content, object_pairs_hook=lambda pairs: _each_once(name, pairs))
    except (ValueError, RecursionError):
        return _of_yaml(name, content)
    if not isinstance(found, dict):
        raise InvalidInput(f"{name} holds a {type(found).__name__}, no company.", allowed="Lines of `key: value`.")
    return found


def _each_once(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise twice(name, key)
        found[key] = value
    return found


def _of_yaml(name: str, content: bytes) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "company.yaml"
        path.write_bytes(content)
        try:
            return read_file(path)
        except InvalidInput as fault:
            told = [text.replace(str(path), name) for text in (fault.happened, fault.allowed, fault.next_step)]
            raise InvalidInput(told[0], allowed=told[1], next_step=told[2]) from fault
