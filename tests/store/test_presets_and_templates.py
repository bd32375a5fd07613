from __future__ import annotations

import pytest

from core.errors import InvalidInput, NotFound
from core.store.database import Database
from core.store.presets import PresetRepository
from core.store.templates import TemplateRepository


def test_presets_are_kept_by_name(db: Database) -> None:
    presets = PresetRepository(db)
    first = presets.save("  zest ", {"temperature": 1.0})
    again = presets.save("zest", {"temperature": 0.5, "stop": ["\0"]})
    assert (again.id, again.name, again.created_at) == (first.id, "zest", first.created_at)
    presets.save("Äpfel", {})
    presets.save("apples", {})
    assert [preset.name for preset in presets.list()] == ["apples", "zest", "Äpfel"]
    assert presets.get(first.id).parameters == {"temperature": 0.5, "stop": ["\0"]}
    presets.delete(first.id)
    for call in (presets.get, presets.delete):
        with pytest.raises(NotFound):
            call(first.id)


def test_templates_are_kept_by_name(db: Database) -> None:
    templates = TemplateRepository(db)
    first = templates.save("Support", system_prompt="Be kind.", prompt="Hello {name}")
    again = templates.save("Support", prompt="Hi 🚀\0")
    assert (again.id, again.system_prompt, again.prompt) == (first.id, "", "Hi 🚀\ufffd")
    assert templates.list() == [again] == [templates.get(first.id)]
    templates.delete(first.id)
    for call in (templates.get, templates.delete):
        with pytest.raises(NotFound):
            call(first.id)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_names_out_of_bounds_are_refused(db: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 80"):
        PresetRepository(db).save(name, {})
    with pytest.raises(InvalidInput, match="1 to 80"):
        TemplateRepository(db).save(name)
