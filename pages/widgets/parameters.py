"""The sampling parameters: a widget each, short help, reset and presets."""

from __future__ import annotations

import json

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.generation.constraint import parse_schema
from core.generation.request import BOUNDS, SamplingParameters
from core.store.presets import PresetRepository
from pages import state
from pages.state import Key

# A small model loops without a penalty (docs/decisions.md); the engine and the command line default to none.
DEFAULTS = SamplingParameters(repetition_penalty=1.1)
_FIRST = ("temperature", "max_new_tokens", "top_p")
_MORE = ("top_k", "min_p", "repetition_penalty", "frequency_penalty", "presence_penalty", "top_logprobs")
_LABELS = {
    "max_new_tokens": "Longest answer (tokens)",
    "temperature": "Temperature",
    "top_k": "Top-k",
    "top_p": "Top-p",
    "min_p": "Min-p",
    "repetition_penalty": "Repetition penalty",
    "frequency_penalty": "Frequency penalty",
    "presence_penalty": "Presence penalty",
    "top_logprobs": "Alternatives kept per token",
    "seed": "Seed",
}
_SLIDER_TOP = {"temperature": 2.0, "repetition_penalty": 2.0, "frequency_penalty": 2.0, "presence_penalty": 2.0}
_SLIDER_LOW = {"repetition_penalty": 0.5, "frequency_penalty": -2.0, "presence_penalty": -2.0}


def draw(presets: PresetRepository) -> None:
    """Draw all of them. Read them with `read()`."""
    for name in _FIRST:
        _widget(name)
    with st.expander("More", icon=":material/tune:"):
        for name in _MORE:
            _widget(name)
        st.number_input(
            "Seed",
            min_value=0,
            max_value=2**53 - 1,
            value=None,
            placeholder="a new one each time",
            help=BOUNDS["seed"][2],
            key=state.parameter_key("seed"),
            persist_state="session",
        )
        st.text_area(
            "Stop strings, one a line",
            key=state.widget_key(Key.STOP),
            height=68,
            help="The answer ends before the first of them. Write \\n for a line break.",
            persist_state="session",
        )
        st.text_area(
            "JSON schema the answer must fit",
            key=state.widget_key(Key.JSON_SCHEMA),
            height=100,
            placeholder='{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}',
            help="Tokens that would break the schema are ruled out while the answer is written.",
            persist_state="session",
        )
        st.text_input(
            "Banned token ids",
            key=state.widget_key(Key.BANNED),
            placeholder="e.g. 28, 30",
            help="Ids are shown in the token view.",
            persist_state="session",
        )
        st.text_input(
            "Logit bias",
            key=state.widget_key(Key.BIAS),
            placeholder='e.g. {"28": -5}',
            help="Added to a token's score, −100 to 100, by token id.",
            persist_state="session",
        )
    st.button("Reset to defaults", icon=":material/restart_alt:", on_click=reset, type="tertiary")
    _draw_presets(presets)


def read() -> SamplingParameters:
    """The parameters as the widgets stand. Raises InvalidInput that names every fault."""
    values = {name: state.parameter(name, getattr(DEFAULTS, name)) for name in (*_FIRST, *_MORE, "seed")}
    schema_text = (state.get(Key.JSON_SCHEMA) or "").strip()
    parameters = SamplingParameters(
        **values,
        stop=tuple(line.replace("\\n", "\n") for line in (state.get(Key.STOP) or "").splitlines() if line),
        json_schema=parse_schema(schema_text) if schema_text else None,
        banned_tokens=_banned(state.get(Key.BANNED) or ""),
        logit_bias=_bias(state.get(Key.BIAS) or ""),
    )
    parameters.validate()
    return parameters


def write(parameters: SamplingParameters) -> None:
    """Set the widgets; only in a callback, before they are drawn."""
    for name in (*_FIRST, *_MORE, "seed"):
        state.put_parameter(name, getattr(parameters, name))
    state.put(Key.STOP, "\n".join(text.replace("\n", "\\n") for text in parameters.stop))
    schema = parameters.json_schema
    state.put(Key.JSON_SCHEMA, json.dumps(schema, indent=2) if schema is not None else "")
    state.put(Key.BANNED, ", ".join(str(i) for i in parameters.banned_tokens))
    state.put(
        Key.BIAS, json.dumps({str(k): v for k, v in parameters.logit_bias.items()}) if parameters.logit_bias else ""
    )


def reset() -> None:
    """Every parameter to its default."""
    write(DEFAULTS)


def _widget(name: str) -> None:
    low, high, words = BOUNDS[name]
    key = state.parameter_key(name)
    default = getattr(DEFAULTS, name)
    state.ensure_parameter(name, default)
    if isinstance(default, int):
        st.number_input(
            _LABELS[name], min_value=int(low), max_value=int(high), step=1, key=key, help=words, persist_state="session"
        )
    else:
        st.slider(
            _LABELS[name],
            min_value=_SLIDER_LOW.get(name, low),
            max_value=_SLIDER_TOP.get(name, high),
            step=0.05,
            key=key,
            help=words,
            persist_state="session",
        )


def _draw_presets(presets: PresetRepository) -> None:
    st.divider()
    saved = {preset.name: preset for preset in presets.list()}
    if saved:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox("Presets", list(saved), index=None, placeholder="Load a preset", key=Key.PRESET)
            chosen = saved.get(name or "")
            st.button("Load", disabled=chosen is None, on_click=_load, args=(chosen.parameters if chosen else {},))
            st.button("Delete", disabled=chosen is None, on_click=_delete, args=(presets, chosen.id if chosen else ""))
    with (
        st.form("save_preset", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Save these as a preset", placeholder="Name", max_chars=80)
        saving = st.form_submit_button("Save")
    if saving:
        try:
            presets.save(name, read().to_json())
            st.rerun()
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")


def _load(parameters: dict[str, object]) -> None:
    write(SamplingParameters.from_json(dict(parameters)))


def _delete(presets: PresetRepository, preset_id: str) -> None:
    presets.delete(preset_id)
    state.put(Key.PRESET, None)


def _banned(text: str) -> tuple[int, ...]:
    parts = [part for part in text.replace(",", " ").split() if part]
    bad = [part for part in parts if not part.isdecimal()]
    if bad:
        raise InvalidInput(f"Banned token ids hold {bad[0]!r}.", allowed="They are whole numbers, such as 28, 30.")
    return tuple(int(part) for part in parts)


def _bias(text: str) -> dict[int, float]:
    if not text.strip():
        return {}
    try:
        return {int(key): float(value) for key, value in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"The logit bias {text[:40]!r} cannot be read.", allowed='It looks like {"28": -5, "30": 2.5}.'
        ) from error
