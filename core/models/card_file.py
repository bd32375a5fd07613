"""`card.json`: the `ModelCard` of a prepared folder, written last and read without loading anything heavy."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.artefacts import write_json
from core.errors import CorruptFile
from core.models.cards import Architecture, ModelCard, Source, SourceKind, Task

CARD_FILE = "card.json"


def write_card(folder: Path, card: ModelCard) -> None:
    """Write `card` into a prepared folder."""
    write_json(folder / CARD_FILE, asdict(card))


def read_card(folder: Path) -> ModelCard:
    """The card of a prepared folder. Raises CorruptFile when it is missing or does not read."""
    path = folder / CARD_FILE
    try:
        return _card(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptFile(
            f"The model card {path} does not read: {error}.", next_step="Prepare the model again to write a new one."
        ) from error


def _card(values: dict[str, Any]) -> ModelCard:
    source = values.pop("source")
    return ModelCard(
        source=Source(SourceKind(source["kind"]), source["location"]),
        architecture=Architecture(**values.pop("architecture")),
        task=Task(values.pop("task")),
        **values,
    )
