from __future__ import annotations

import pytest

from core.errors import NotFound
from core.store.database import Database
from core.store.readings import ReadingRepository


def test_a_text_is_kept_once(db: Database) -> None:
    readings = ReadingRepository(db)
    first = readings.keep(model_id="m", revision="r", text="Hello 🚀", token_ids=[1, 2])
    again = readings.keep(model_id="m", revision="r", text="Hello 🚀", token_ids=[1, 2])
    assert first == again
    assert readings.get(first.id).token_ids == [1, 2]
    assert readings.get(first.id).text == "Hello 🚀"


def test_another_model_revision_or_text_is_another_reading(db: Database) -> None:
    readings = ReadingRepository(db)
    kept = {
        readings.keep(model_id=model, revision=revision, text="x", token_ids=ids).id
        for model, revision, ids in (("m", "r", [1]), ("n", "r", [1]), ("m", "s", [1]), ("m", "r", [2]))
    }
    assert len(kept) == 4
    assert len(readings.list()) == 4
    assert len(readings.list(limit=2)) == 2


def test_an_unknown_reading_is_told(db: Database) -> None:
    with pytest.raises(NotFound, match="no reading 'nope'"):
        ReadingRepository(db).get("nope")
