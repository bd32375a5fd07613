"""The builder's inputs as a configuration, and a configuration as inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import streamlit as st
from pydantic import ValidationError

from core.errors import InvalidInput
from core.training.config import AnyConfig, Lora, Network, parse_config
from core.training.data.samples import SAMPLES, Sample
from core.training.data.source import SAMPLE
from core.training.data_config import DataConfig
from core.training.defaults import Choice
from core.training.table import recipe as recipe_named
from pages import state
from pages.widgets.finetune_fields import EMPTY, FIELDS, Field

OTHER_SAMPLES = {"masked": ("gpt", "classification"), "causal": ("gpt",)}
"""Recipes whose sample sets another recipe takes, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the builder holds. values: as plain values; config: None while they have faults, which are by the field that
    they are of ("" for others). choices: what was left open, once the rows are known."""

    recipe: str
    values: dict[str, Any]
    config: AnyConfig | None
    faults: dict[str, str] = field(default_factory=dict)
    error: InvalidInput | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def data(self) -> DataConfig | None:
        """The data's part; None while that has faults."""
        try:
            return DataConfig.model_validate(self.values["data"])
        except ValidationError:
            return None


def read(recipe: str) -> Asked:
    """What the inputs of a recipe hold; call it before they are drawn, so that each can show its fault."""
    state.ensure_finetune(recipe, defaults(recipe))
    if state.finetune_form(recipe).get("way") is None:  # a control that was away comes back empty
        state.put_finetune(recipe, "way", defaults(recipe)["way"])
    state.swap_finetune(recipe, _path(state.finetune_form(recipe)), _fresh_columns(recipe))
    values = to_values(recipe, state.finetune_form(recipe))
    try:
        return Asked(recipe, values, parse_config(values))
    except InvalidInput as error:
        return Asked(recipe, values, None, _by_field(error), error)


def fill(values: Mapping[str, Any]) -> None:
    """Set the inputs, and the recipe, from a configuration; before they are drawn. Raises InvalidInput."""
    config = parse_config(values)
    state.choose_finetune_recipe(config.recipe)
    inputs = inputs_of(config)
    for name, held in inputs.items():
        state.put_finetune(config.recipe, name, held)
    state.put_finetune(config.recipe, "source", _path(inputs))


def check(values: Mapping[str, Any]) -> None:
    """Raises InvalidInput for what is no configuration."""
    parse_config(values)


def fields_of(recipe: str) -> tuple[str, ...]:
    """Names of the fields that a recipe has."""
    return tuple(name for name in defaults(recipe) if name in FIELDS)


@lru_cache(maxsize=16)
def _defaults(recipe: str) -> dict[str, Any]:
    own = samples_of(recipe)[0]
    return inputs_of(recipe_named(recipe).config(data=DataConfig(path=SAMPLE + own.name)))


def defaults(recipe: str) -> dict[str, Any]:
    """What the inputs hold at first, by their names."""
    return dict(_defaults(recipe))


def samples_of(recipe: str) -> tuple[Sample, ...]:
    """Sample sets that a recipe takes, its own first."""
    taken = (recipe, *OTHER_SAMPLES.get(recipe, ()))
    return tuple(one for name in taken for one in SAMPLES if one.recipe == name)


def to_values(recipe: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's values out of what the inputs hold."""
    values: dict[str, Any] = {"recipe": recipe}
    for name in fields_of(recipe):
        meant = FIELDS[name].meant(form.get(name))
        if meant is not EMPTY:
            _put(values, name, meant)
    _put(values, "data.path", _path(form))
    if form.get("method") == "full":
        values["lora"] = None
    if form.get("begin") == "base":
        values["network"] = None
    return values


def _fresh_columns(recipe: str) -> dict[str, Any]:
    """Which column is which belongs to a file: another file begins with none chosen."""
    return {name: value for name, value in defaults(recipe).items() if name.startswith("data.columns.")}


def _path(form: Mapping[str, Any]) -> str:
    if form["way"] == "sample":
        return SAMPLE + str(form["sample"])
    return str(form["uploaded" if form["way"] == "upload" else "typed"] or "").strip()


def inputs_of(config: AnyConfig) -> dict[str, Any]:
    """What the inputs hold for a configuration."""
    values = config.model_dump(mode="python")
    held: dict[str, Any] = {}
    if "lora" in values:
        held["method"] = "lora" if values["lora"] else "full"
        values["lora"] = values["lora"] or Lora().model_dump()
    if config.recipe == "masked":
        held["begin"] = "nothing" if values["network"] else "base"
        values["network"] = values["network"] or Network().model_dump()
    path = values["data"].pop("path")
    sampled = path.startswith(SAMPLE)
    held["way"] = "sample" if sampled else "path"
    held["sample"] = path.removeprefix(SAMPLE) if sampled else samples_of(config.recipe)[0].name
    held["typed"], held["uploaded"] = "" if sampled else path, ""
    return held | {name: FIELDS[name].shown(value) for name, value in flat(values) if name in FIELDS}


def flat(values: Mapping[str, Any], begin: str = "") -> list[tuple[str, Any]]:
    """(name with dots, value) of all that lies in sections."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        found += flat(value, f"{begin}{name}.") if isinstance(value, Mapping) else [(begin + name, value)]
    return found


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    *places, last = name.split(".")
    for place in places:
        values = values.setdefault(place, {})
    values[last] = value


def _by_field(error: InvalidInput) -> dict[str, str]:
    """Each fault by the field that it is of."""
    cause = error.__cause__
    found: dict[str, str] = {}
    for fault in cause.errors() if isinstance(cause, ValidationError) else ():
        place = ".".join(str(part) for part in fault["loc"][1:])
        name = next((one for one in FIELDS if place == one or place.startswith(f"{one}.")), "")
        told = str(fault["msg"]).removeprefix("Value error, ").replace("Input should", "It should")
        found.setdefault(name, f"{told[:1].upper()}{told[1:]}.")
    return found


def draw(asked: Asked, *names: str, columns: int = 4) -> None:
    """Inputs side by side, each with its fault, or with what is chosen when it is left empty."""
    for start in range(0, len(names), columns):
        row = st.columns(columns)
        for place, name in zip(row, names[start : start + columns], strict=False):
            with place:
                draw_one(asked, name)


def draw_one(asked: Asked, name: str, *, options: dict[str, str] | None = None) -> None:
    """One input. options: of a choice whose options are not the field's own."""
    one = FIELDS[name]
    chosen = next((choice for choice in asked.choices if choice.key == name), None)
    usual = defaults(asked.recipe).get(name)
    if options is not None:
        _draw_choice(asked, name, options)
    else:
        hint = f"auto: {_short(chosen.value)}" if chosen else "auto" if usual is None else f"usual: {_short(usual)}"
        _input(one, state.finetune_key(asked.recipe, name), hint + " · 0 is off" * one.off)
    if fault := asked.faults.get(name):
        st.markdown(f":red[:material/error: :small[{fault}]]")
    elif one.kind in ("whole", "number"):
        if chosen:
            st.caption(chosen.why)
        elif usual is not None and state.finetune_form(asked.recipe).get(name) is None:
            st.caption(f"Left empty: {_short(usual)} is taken.")


def _draw_choice(asked: Asked, name: str, options: dict[str, str]) -> None:
    """A choice whose options are found at run time. What was chosen is kept apart from the box: its words may change
    with the data, and must never be taken for an option."""
    one, held = FIELDS[name], state.finetune_form(asked.recipe).get(name)
    if one.kind != "columns" and held not in options:
        options = {str(held or ""): str(held or "none")} | options
    words = "\n".join([str(asked.values["data"]["path"]), *options.values()])
    key = state.finetune_choice_key(asked.recipe, name, words)
    how: dict[str, Any] = {"key": key, "help": one.help or None, "on_change": _keep_choice}
    how["args"] = (asked.recipe, name, key, tuple(options), asked.values["data"]["path"])
    if one.kind == "columns":
        st.multiselect(one.label, list(options), placeholder="auto: all other numbers", **how)
    else:
        st.selectbox(one.label, list(options), format_func=lambda option: options.get(option, option), **how)


def _keep_choice(recipe: str, name: str, key: str, options: tuple[str, ...], path: str) -> None:
    """path: the file that the box was drawn for. A choice is told again when a drawing is cut short, and may then come
    after the file was changed: it is none for the new one."""
    chosen = state.finetune_choice(key)
    if state.finetune_form(recipe).get("source") != path:
        return
    if isinstance(chosen, list):
        state.put_finetune(recipe, name, [option for option in chosen if option in options])
    elif chosen is not None:  # of a box that is gone from the page there is none
        state.put_finetune(recipe, name, chosen if chosen in options else "")


def _input(one: Field, key: str, hint: str) -> None:
    how: dict[str, Any] = {"key": key, "help": one.help or None, "persist_state": "session"}
    if one.kind == "switch":
        st.toggle(one.label, **how)
    elif one.kind in ("choice", "maybe"):
        st.selectbox(one.label, list(one.options), format_func=one.options.__getitem__, **how)
    elif one.kind == "lines":
        st.text_area(one.label, **how)
    elif one.kind == "whole":
        st.number_input(one.label, value=None, step=1, placeholder=hint, **how)
    elif one.kind == "number":
        st.number_input(one.label, value=None, step=_STEPS.get(one.label, 0.01), format="%g", placeholder=hint, **how)
    else:
        st.text_input(one.label, placeholder="" if one.label == "Name" else "none", **how)


_STEPS = {"Learning rate": 1e-5, "Epochs": 1.0, "LoRA alpha": 1.0, "Rotation, degrees": 1.0}


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
