"""Which `ModelShape` a request means: a catalogue model, a published one, a config.json, by hand, or a count alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from core.errors import InvalidInput, ModelNotFound
from core.estimate.config import ModelSpec
from core.estimate.known_models import known_model
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_from_config import shape_from_card, shape_from_config
from core.estimate.shape_guess import shape_from_parameters
from core.models import catalogue

HEAD_DIM = 128  # where the number of heads is not given
AGREES = 0.05  # how far a stated parameter count may be from the one that the architecture gives
WIDEST_FFN = 16  # times hidden: twice the widest published (Gemma 7B); beyond, it is not the FFN that was left out
MOST_CHARACTERS = 2_000_000  # of a config.json: one that lists a hundred thousand labels


def choose_model(spec: ModelSpec) -> ModelShape:
    """Raises InvalidInput for an unknown name, an unreadable file, an architecture that cannot be, or a parameter count
    that its architecture does not have."""
    shape = _shape(spec)
    for key, given, found in (
        ("parameters", spec.parameters, shape.parameters),
        ("active_parameters", spec.active_parameters, shape.active_parameters),
    ):
        if given and abs(given / found - 1) > AGREES:
            raise InvalidInput(
                f"{key} is {given:,.0f}, but this architecture has {found:,}.",
                allowed="Either of them, or both where they agree within 5 %.",
                next_step=f"Leave {key} out, or say gated, tied, kv_heads, ffn and experts as the model has them.",
            )
    return shape


def _shape(spec: ModelSpec) -> ModelShape:
    if isinstance(spec.config, dict):
        return shape_from_config(spec.config, spec.model or "")
    if spec.config is not None:
        return shape_from_config(read_config(spec.config), spec.model or _folder_name(spec.config))
    if spec.architecture is not None:
        return _by_hand(spec)
    if spec.model is not None:
        return by_name(spec.model)
    assert spec.parameters is not None  # ModelSpec sees to it
    return shape_from_parameters(spec.parameters, active_parameters=spec.active_parameters)


def by_name(name: str) -> ModelShape:
    """A model of this machine's catalogue first, then a published one."""
    try:
        return shape_from_card(catalogue.get(name))
    except ModelNotFound:
        return known_model(name)


def _folder_name(path: Path) -> str:
    return path.name if path.is_dir() else path.parent.name


def read_config(path: Path) -> dict[str, object]:
    """config.json, or the folder that holds it."""
    try:
        with (path / "config.json" if path.is_dir() else path).open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
        found = json.loads(text) if len(text) <= MOST_CHARACTERS else None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{str(path)[:200]} cannot be read: {str(error)[:200]}.", next_step="Give the path of a config.json."
        ) from error
    if not isinstance(found, dict):
        raise InvalidInput(
            f"{path} is no configuration.", allowed=f"A JSON object of up to {MOST_CHARACTERS:,} characters."
        )
    return found


def _by_hand(spec: ModelSpec) -> ModelShape:
    """With the FFN that a stated parameter count leaves, where none is given: papers often leave it out."""
    assert spec.architecture is not None
    given = spec.architecture
    values = given.model_dump()
    values["heads"] = given.heads or max(1, given.hidden // HEAD_DIM)
    shape = shape_by_hand(**values)
    if spec.parameters is None or given.ffn is not None or abs(spec.parameters / shape.parameters - 1) <= AGREES:
        return shape
    thin = shape_by_hand(**(values | {"ffn": 1, "gated": given.gated is not False}))
    two = shape_by_hand(**(values | {"ffn": 2, "gated": given.gated is not False}))
    each = two.parameters - thin.parameters  # 0 where every FFN is an expert of a given width
    width = round((spec.parameters - thin.parameters) / each) + 1 if each else 0
    if not 1 <= width <= WIDEST_FFN * given.hidden:
        return shape
    fitted = shape_by_hand(**(values | {"ffn": width, "gated": given.gated is not False}))
    return replace(fitted, source=f"by hand, with an FFN of {width:,}, which its parameter count leaves")
