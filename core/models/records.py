"""`added.json`: which source a model was added from and which of its revisions is in use.

Lives at `home/models/<id>/added.json`; a built-in that came from the hub has one too, for its commit hash.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from core.artefacts import write_json
from core.errors import InvalidInput
from core.models.cards import Source, SourceKind
from core.settings import get_settings

RECORD_FILE = "added.json"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Added:
    """given: the source string as the user wrote it. revision: a commit hash, or a content hash."""

    id: str
    given: str
    source: Source
    revision: str


def check_id(model_id: str, what: str = "a model") -> str:
    """`model_id` if it may name a model (and so a folder), or what else is meant. Raises InvalidInput."""
    if not _ID.fullmatch(model_id) or model_id.endswith("."):
        raise InvalidInput(
            f"{model_id!r} cannot name {what}.",
            allowed="Up to 80 of a-z, 0-9, dot, dash and underscore, with a letter or digit first.",
            next_step="Choose another id.",
        )
    return model_id


def suggest_id(text: str) -> str:
    """An id made of `text` (a hub name, a folder's or a file's)."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:80].strip("-._") or "model"


def model_dir(model_id: str) -> Path:
    """Where everything of a model lives, whether or not it exists yet."""
    return get_settings().models_dir / model_id


def write_record(added: Added) -> None:
    """Remember where a model came from."""
    write_json(model_dir(added.id) / RECORD_FILE, asdict(added))


def read_record(model_id: str) -> Added | None:
    """What is remembered of a model; None when nothing is, or the file does not read."""
    if not _ID.fullmatch(model_id):
        return None
    try:
        values = json.loads((model_dir(model_id) / RECORD_FILE).read_text(encoding="utf-8"))
        source = Source(SourceKind(values["source"]["kind"]), str(values["source"]["location"]))
        return Added(model_id, str(values["given"]), source, str(values["revision"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def all_records() -> list[Added]:
    """Every model with a record, by id."""
    home = get_settings().models_dir
    names = sorted(path.parent.name for path in home.glob(f"*/{RECORD_FILE}")) if home.is_dir() else []
    return [record for name in names if (record := read_record(name)) is not None]
