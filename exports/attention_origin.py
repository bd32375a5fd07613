"""`Origin`: what every file of the Attention page carries: of which model and text it is, how it was made, and how to
repeat it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from core import __version__
from core.interpret.subject import Subject
from core.store.columns import utc_now
from exports.attention_labels import plain

NOT_EXPLANATION = "Attention is not explanation: see the knock-out of what you look at."
LONGEST_TITLE = 60  # characters


@dataclass(frozen=True, slots=True)
class Origin:
    """title: how the text begins. run_id: of the recorded answer, "" for a typed text. precision: that the model was
    looked into with. transformers, torch: their versions, "" where they are not installed. made_at: in UTC. command:
    the command line that repeats it. note: what else a reader has to know."""

    model_id: str
    revision: str
    precision: str
    run_id: str
    title: str
    transformers: str
    torch: str
    app_version: str
    made_at: datetime
    command: str
    note: str = ""


def origin(subject: Subject, *, precision: str, command: str, note: str = "") -> Origin:
    """Made now, with the versions that are installed here."""
    text = " ".join(plain(subject.text).split())
    return Origin(
        model_id=subject.model_id,
        revision=subject.revision,
        precision=precision,
        run_id=subject.run_id or "",
        title=text if len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1].rstrip() + "…",
        transformers=_version("transformers"),
        torch=_version("torch"),
        app_version=__version__,
        made_at=utc_now(),
        command=command,
        note=note,
    )


def facts(origin: Origin) -> tuple[tuple[str, str], ...]:
    """Name and value of all that is known, for a reader; fit for XML and UTF-8."""
    named = (
        ("Text", origin.title),
        ("Model", origin.model_id),
        ("Revision", origin.revision),
        ("Precision", origin.precision),
        ("Run", origin.run_id),
        ("Made", made(origin)),
        ("With", _libraries(origin)),
        ("Repeat it", origin.command),
        ("Note", origin.note),
    )
    return tuple((name, plain(value)) for name, value in named if value)


def told(origin: Origin) -> str:
    """The facts, a line each, and that attention is not explanation: for a file's metadata."""
    return "\n".join([*(f"{name}: {value}" for name, value in facts(origin)), NOT_EXPLANATION])


def as_json(origin: Origin) -> str:
    """For a program. Times in ISO 8601; ASCII, so that it fits wherever text does."""
    values = {
        "model_id": origin.model_id,
        "revision": origin.revision,
        "precision": origin.precision,
        "run_id": origin.run_id,
        "title": origin.title,
        "transformers": origin.transformers,
        "torch": origin.torch,
        "app_version": origin.app_version,
        "made_at": origin.made_at.isoformat(timespec="seconds"),
        "command": origin.command,
        "note": origin.note,
    }
    return json.dumps({**{name: plain(value) for name, value in values.items()}, "caution": NOT_EXPLANATION})


def made(origin: Origin) -> str:
    """By what, and when."""
    return f"Groundwork {origin.app_version}, {origin.made_at:%Y-%m-%d %H:%M} UTC"


def _libraries(origin: Origin) -> str:
    named = (("transformers", origin.transformers), ("torch", origin.torch))
    return ", ".join(f"{name} {number}" for name, number in named if number)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
