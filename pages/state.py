"""The pages' state, typed and named here: `st.session_state` is touched in no other module.

Widgets that must survive a page change carry `persist_state="session"` and a key from `Key`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast
from urllib.parse import urlencode
from zlib import crc32

import streamlit as st
from pydantic import SecretStr


class Key(StrEnum):
    """Keys of the widgets whose values other code reads or sets."""

    MODEL = "model"
    PRECISION = "precision"
    MODE = "mode"
    SYSTEM_PROMPT = "system_prompt"
    CHAT_INPUT = "chat_input"
    COMPLETION_INPUT = "completion_input"
    SEARCH = "history_search"
    JSON_SCHEMA = "json_schema"
    STOP = "stop"
    BANNED = "banned_tokens"
    BIAS = "logit_bias"
    PRESET = "preset"
    SENTENCES = "sentences"
    TO_CLASSIFY = "to_classify"
    MASKED = "masked"
    ADD_WAY = "add_way"
    HUB_TEXT = "hub_text"
    HUB_REVISION = "hub_revision"
    LOCAL_PATH = "local_path"
    SERVER_URL = "server_url"
    SERVER_NAME = "server_name"
    SERVER_KEY = "server_key"
    SERVER_MODELS = "server_models"


_SHOWN = "show"  # query parameter: a model id
_SESSION = "session"  # query parameter: an unguessable id, so that a reload comes back to the same conversation


# Widgets inside popovers and forms. A closed popover's widgets are not on the page, so a value that code sets never
# reaches them, and the browser's old value comes back with the next rerun. They get a new identity whenever code sets
# them.
_RENEWED = {
    *(Key.SYSTEM_PROMPT, Key.JSON_SCHEMA, Key.STOP, Key.BANNED, Key.BIAS),
    *(Key.SERVER_URL, Key.SERVER_NAME, Key.SERVER_KEY, Key.SERVER_MODELS),
}


def widget_key(key: Key) -> str:
    """The `key=` of a widget, as it is now."""
    return _renewed(key.value) if key in _RENEWED else key.value


def get(key: Key, default: Any = None) -> Any:
    """A widget's value."""
    return st.session_state.get(widget_key(key), default)


def put(key: Key, value: Any) -> None:
    """Set a widget's value for the next run; call it before the widget is drawn (in a callback)."""
    if key in _RENEWED:
        _renew(key.value)
    st.session_state[widget_key(key)] = value


def parameter_key(name: str) -> str:
    return _renewed(f"parameter_{name}")


def parameter(name: str, default: Any) -> Any:
    return st.session_state.get(parameter_key(name), default)


def put_parameter(name: str, value: Any) -> None:
    _renew(f"parameter_{name}")
    st.session_state[parameter_key(name)] = value


def popover_key(name: str) -> str:
    """The `key=` of a popover that `close_popover` can close."""
    return _renewed(f"popover_{name}")


def close_popover(name: str) -> None:
    """Close it with the next run, by giving it a new identity."""
    _renew(f"popover_{name}")


def _renewed(name: str) -> str:
    return f"{name}_{st.session_state.get(f'generation_{name}', 0)}"


def _renew(name: str) -> None:
    st.session_state[f"generation_{name}"] = st.session_state.get(f"generation_{name}", 0) + 1


def ensure_parameter(name: str, default: Any) -> None:
    """Give a parameter its default once, so that its widget needs none."""
    st.session_state.setdefault(parameter_key(name), default)


def session_id() -> str | None:
    """The conversation that is open."""
    return st.query_params.get(_SESSION)


def open_session(value: str | None) -> None:
    """Open a conversation, or none: an empty page. What was being edited or inspected is closed."""
    if value is None:
        st.query_params.pop(_SESSION, None)
        st.session_state["prompt_owner"] = None
    else:
        st.query_params[_SESSION] = value
    st.session_state["last_session"] = value
    st.session_state["editing"] = None
    st.session_state["inspected"] = ()
    st.session_state["fault"] = None


def session_shown_as(session_id: str) -> dict[str, str]:
    """Query parameters of the Playground that open it."""
    return {_SESSION: session_id}


def editing() -> str | None:
    """Id of the message that is being edited."""
    return cast(str | None, st.session_state.get("editing"))


def set_editing(message_id: str | None) -> None:
    st.session_state["editing"] = message_id


def inspected() -> tuple[str, ...]:
    """Ids of the answers whose tokens are shown."""
    return cast(tuple[str, ...], st.session_state.get("inspected", ()))


def toggle_inspected(message_id: str) -> None:
    now = inspected()
    changed = tuple(i for i in now if i != message_id) if message_id in now else (*now, message_id)
    st.session_state["inspected"] = changed


def fault() -> tuple[str, str, bool] | None:
    """(message, the text that was not sent, whether dropping the oldest turns may help) of the last refused prompt."""
    return cast(tuple[str, str, bool] | None, st.session_state.get("fault"))


def set_fault(message: str, unsent: str = "", droppable: bool = False) -> None:
    st.session_state["fault"] = (message, unsent, droppable)


def clear_fault() -> None:
    st.session_state["fault"] = None


def last_deleted() -> str | None:
    """Id of the session deleted last, while it can be undone in one click."""
    return cast(str | None, st.session_state.get("last_deleted"))


def set_last_deleted(value: str | None) -> None:
    st.session_state["last_deleted"] = value


def history_length(default: int) -> int:
    """How many past sessions are listed."""
    return cast(int, st.session_state.get("history_length", default))


def set_history_length(value: int) -> None:
    st.session_state["history_length"] = value


def arrives_at(page_name: str) -> bool:
    """Whether the reader comes to this page from another one."""
    before = st.session_state.get("page_shown")
    st.session_state["page_shown"] = page_name
    return before is not None and before != page_name


def remember_session(value: str | None) -> None:
    """Keep the conversation on screen, however it was opened, so that it is there after a look at another page."""
    st.session_state["last_session"] = value


def last_session() -> str | None:
    """The conversation that was open when the reader left the playground."""
    return cast(str | None, st.session_state.get("last_session"))


def prompt_owner() -> str | None:
    """The session whose system prompt stands in the box."""
    return cast(str | None, st.session_state.get("prompt_owner"))


def set_prompt_owner(value: str | None) -> None:
    st.session_state["prompt_owner"] = value


def server_key(host: str) -> SecretStr | None:
    """The key that this reader gave for a server, by its host. It lives in memory alone, and ends with the visit."""
    return cast(SecretStr | None, st.session_state.get(f"server_key_{host}"))


def set_server_key(host: str, key: str) -> None:
    """Keep a key for this reader; an empty one forgets it."""
    st.session_state[f"server_key_{host}"] = SecretStr(key) if key else None


def shown_model() -> str | None:
    """The model whose details the Models page shows."""
    return st.query_params.get(_SHOWN)


def show_model(model_id: str | None) -> None:
    """Open a model's details, or the list of all."""
    if model_id is None:
        st.query_params.pop(_SHOWN, None)
    else:
        st.query_params[_SHOWN] = model_id


def shown_as(model_id: str | None) -> dict[str, str]:
    """Query parameters of the Models page that open a model's details; none for the list of all."""
    return {} if model_id is None else {_SHOWN: model_id}


def remember_page(name: str, page: Any) -> None:
    """Keep a page of the navigation, so that another page can lead there."""
    st.session_state[f"page_{name}"] = page


def page_or_none(name: str) -> Any | None:
    """The same; None outside of the navigation."""
    return st.session_state.get(f"page_{name}")


def page(name: str) -> Any:
    """A page of the navigation, for `st.switch_page`."""
    return st.session_state[f"page_{name}"]


def notice() -> tuple[str, bool]:
    """(what the last action came to, whether it went well), to be told once; ("", …) when there is none."""
    return cast(tuple[str, bool], st.session_state.pop("notice", ("", True)))


def set_notice(text: str, *, well: bool = True) -> None:
    st.session_state["notice"] = (text, well)


def hub_id() -> str | None:
    """The hub model that is being looked at."""
    return cast(str | None, st.session_state.get("hub_id"))


def set_hub_id(value: str | None) -> None:
    st.session_state["hub_id"] = value


def watched_job() -> str | None:
    """The job that this reader started last on the Models page: its end is told."""
    return cast(str | None, st.session_state.get("watched_job"))


def set_watched_job(value: str | None) -> None:
    st.session_state["watched_job"] = value


def upload_key() -> str:
    """The `key=` of the upload; `renew_upload` empties it."""
    return _renewed("upload")


def renew_upload() -> None:
    _renew("upload")


# Keys of Cost & compute that are no inputs of an estimate.
_COST_OTHERS = (
    "c_from_",
    "c_take_",
    "c_picture_",
    "c_open_",
    "c_delete_",
    "c_save_",
    "c_scenario_name",
    "c_compared",
    "c_close_",
)


def cost_key(name: str) -> str:
    """The `key=` of an input of Cost & compute, which is its name in the address too."""
    return f"c_{name}"


def asked_for(name: str) -> str | None:
    """What the address says of an input that has no value yet: what a link asks for."""
    key = cost_key(name)
    return None if key in st.session_state else st.query_params.get(key)


def cost_form() -> dict[str, Any]:
    """What the inputs of Cost & compute hold, by their names: what `fill_cost` takes."""
    plain = (str, int, float, bool)
    return {
        str(key).removeprefix("c_"): value
        for key, value in st.session_state.items()
        if str(key).startswith("c_") and not str(key).startswith(_COST_OTHERS) and isinstance(value, plain)
    }


def fill_cost(values: dict[str, Any]) -> None:
    """Have the inputs of Cost & compute set; `apply_cost_form` does it before they are drawn again."""
    st.session_state["cost_form"] = dict(values)


def cost_form_waits() -> bool:
    """Whether `fill_cost` was called since they were drawn."""
    return "cost_form" in st.session_state


def apply_cost_form() -> None:
    """Set the inputs as `fill_cost` was told; call it before they are drawn."""
    for name, value in st.session_state.pop("cost_form", {}).items():
        st.session_state[cost_key(name)] = value


def figures_key(kind: str) -> str:
    """The `key=` of a table of figures; `renew_figures` takes its selection back."""
    return _renewed(f"figures_{kind}")


def renew_figures(kind: str) -> None:
    _renew(f"figures_{kind}")


# What the Attention page looks at lives in its address alone: a widget's value is set from there before it is drawn,
# and its change is written there, so that a click in a picture, a link and a widget are the same thing.
_LOOK = (
    *("run", "reading", "part", "token", "view", "layer", "heads", "draw", "by", "from"),
    *("sink", "norm", "unit", "off", "against"),
)


def look(name: str, default: str = "") -> str:
    """What the address says of one of the parts in _LOOK."""
    return st.query_params.get(name, default)


def look_at(**parts: str | None) -> None:
    """Write parts into the address; None takes one out."""
    for name, value in parts.items():
        if name not in _LOOK:
            raise KeyError(name)
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value


def look_key(name: str, value: Any) -> str:
    """The `key=` of the widget that shows a part, set to `value`: call it where the widget is drawn."""
    key = f"a_{name}"
    st.session_state[key] = value
    return key


def look_value(name: str) -> Any:
    """What the reader just chose in that widget: for its callback."""
    return st.session_state.get(f"a_{name}")


def looks_at(run_id: str, token: int | None = None) -> dict[str, str]:
    """Query parameters of the Attention page that open a run, and one of its tokens (counted in the answer)."""
    return {"run": run_id} | ({} if token is None else {"token": f"answer{token}", "view": "word"})


def remember_look() -> None:
    """Keep what the Attention page looks at, so that it is there when the reader comes back from another page."""
    st.session_state["last_look"] = {name: st.query_params[name] for name in _LOOK if name in st.query_params}


def last_look() -> dict[str, str]:
    """What it looked at last; {} before the first look."""
    return cast(dict[str, str], st.session_state.get("last_look", {}))


_RUN, _COMPARED, _BASE = "run", "compare", "base"  # query parameters of the Fine-tune page


def finetune_key(recipe: str, name: str) -> str:
    """The `key=` of an input of the Fine-tune page: each recipe keeps its own."""
    return f"f_{recipe}_{name}"


def ensure_finetune(recipe: str, defaults: dict[str, Any]) -> None:
    """Give the inputs of a recipe their defaults once, so that their widgets need none."""
    for name, value in defaults.items():
        st.session_state.setdefault(finetune_key(recipe, name), value)


def finetune_form(recipe: str) -> dict[str, Any]:
    """What the inputs of a recipe hold, by their names."""
    begin = finetune_key(recipe, "")
    held = {str(key): value for key, value in st.session_state.items()}
    return {key.removeprefix(begin): value for key, value in held.items() if key.startswith(begin)}


def put_finetune(recipe: str, name: str, value: Any) -> None:
    """Set an input before it is drawn (in a callback)."""
    st.session_state[finetune_key(recipe, name)] = value


def finetune_choice_key(recipe: str, name: str, words: str) -> str:
    """The `key=` of a box whose options are found at run time, set to what its input holds: call it where it is drawn.

    words: of the options. Streamlit keeps the words of what was chosen, so with other words it is another box.
    """
    key = f"{finetune_key(recipe, name)}@{crc32(words.encode()):08x}"
    st.session_state[key] = st.session_state.get(finetune_key(recipe, name))
    return key


def finetune_choice(key: str) -> Any:
    """What the reader just chose in that box: for its callback."""
    return st.session_state.get(key)


def swap_finetune(recipe: str, source: str, fresh: dict[str, Any]) -> None:
    """Have the inputs that belong to a source hold what they held for it, or `fresh` when it is new; call it before
    they are drawn. Those held before the first source was known are its own."""
    held = finetune_form(recipe)
    before = held.get("source")
    if before == source:
        return
    kept = dict(held.get("sources", {}))
    if before is not None:
        kept[before] = {name: held.get(name, value) for name, value in fresh.items()}
        for name, value in kept.get(source, fresh).items():
            put_finetune(recipe, name, value)
    put_finetune(recipe, "sources", kept)
    put_finetune(recipe, "source", source)


def finetune_recipe() -> str:
    """The recipe that was chosen; "" before one was."""
    return cast(str, st.session_state.get("finetune_recipe", ""))


def choose_finetune_recipe(name: str) -> None:
    st.session_state["finetune_recipe"] = name


def finetune_draft(values: dict[str, Any]) -> None:
    """Have the builder filled from a configuration; the page does it before its inputs are drawn again."""
    st.session_state["finetune_draft"] = values


def take_finetune_draft() -> dict[str, Any] | None:
    """What `finetune_draft` was told since; once."""
    return cast(dict[str, Any] | None, st.session_state.pop("finetune_draft", None))


def shown_run() -> str | None:
    """The fine-tune whose view is open."""
    return st.query_params.get(_RUN)


def show_run(job_id: str | None) -> None:
    """Open a fine-tune's view, or the builder."""
    compare_runs(())
    if job_id is None:
        st.query_params.pop(_RUN, None)
    else:
        st.query_params[_RUN] = job_id


def run_shown_as(job_id: str | None) -> dict[str, str]:
    """Query parameters of the Fine-tune page that open a run; none for the builder."""
    return {} if job_id is None else {_RUN: job_id}


def compared_runs() -> tuple[str, ...]:
    """The fine-tunes that are compared."""
    return tuple(one for one in st.query_params.get(_COMPARED, "").split(",") if one)


def compare_runs(job_ids: tuple[str, ...]) -> None:
    """Compare these fine-tunes; none leads back to the builder."""
    if job_ids:
        st.query_params[_COMPARED] = ",".join(job_ids)
    else:
        st.query_params.pop(_COMPARED, None)


def compared_as(job_ids: tuple[str, ...]) -> dict[str, str]:
    """Query parameters of the Fine-tune page that compare these runs."""
    return {_COMPARED: ",".join(job_ids)}


def take_finetune_base() -> str | None:
    """The model that a link asks to go on from; once."""
    return cast(str | None, st.query_params.pop(_BASE, None))


def finetuned_from(model_id: str) -> dict[str, str]:
    """Query parameters of the Fine-tune page that fill the builder with this base model."""
    return {_BASE: model_id}


def finetune_try() -> str | None:
    """The dry run that this reader started last."""
    return cast(str | None, st.session_state.get("finetune_try"))


def set_finetune_try(job_id: str | None) -> None:
    st.session_state["finetune_try"] = job_id


def finetune_upload_key(recipe: str) -> str:
    """The `key=` of the upload of a recipe's data."""
    return f"upload_finetune_{recipe}"


def uploaded_file(recipe: str) -> Any | None:
    """What the upload of a recipe's data holds: for its callback."""
    return st.session_state.get(finetune_upload_key(recipe))


def take_upload_fault() -> str:
    """What went wrong with the last upload; once."""
    return cast(str, st.session_state.pop("upload_fault", ""))


def set_upload_fault(told: str) -> None:
    st.session_state["upload_fault"] = told


def take_yaml_fault() -> str:
    """What was wrong with the YAML that was loaded last; once."""
    return cast(str, st.session_state.pop("yaml_fault", ""))


def set_yaml_fault(told: str) -> None:
    st.session_state["yaml_fault"] = told


def finetune_draft_waits() -> bool:
    """Whether `finetune_draft` was called since the inputs were drawn."""
    return "finetune_draft" in st.session_state


def take_try_fault() -> str:
    """Why the last dry run could not be started; once."""
    return cast(str, st.session_state.pop("try_fault", ""))


def set_try_fault(told: str) -> None:
    st.session_state["try_fault"] = told


def page_link() -> str:
    """The address of what is on screen, for another reader."""
    told = urlencode(st.query_params.to_dict())
    return f"{str(st.context.url or '').split('?')[0]}?{told}"


def ask_attention_of(model_id: str) -> None:
    """Have the Attention page open with this model chosen, and no text yet."""
    st.session_state["a_model"] = model_id
    st.session_state["last_look"] = {}


_COMPANY = "company"  # query parameter of the dashboard: the id of a company


_VIEW = "d_view"  # key of the dashboard's views, and their name in the address


def shown_company() -> str | None:
    """The company on the dashboard: of the address, or the one that was open last in this session."""
    found = st.query_params.get(_COMPANY) or st.session_state.get("last_company")
    return str(found) if found else None


def show_company(company_id: str | None, *, again: bool = False) -> None:
    """Open it, in the address too; None: the beginning. again: write the address although it seems to be there, which
    it no longer is in the browser after a look at another page."""
    st.session_state["last_company"] = company_id
    if company_id is None:
        st.query_params.pop(_COMPANY, None)
    elif again or st.query_params.get(_COMPANY) != company_id:
        st.query_params[_COMPANY] = company_id


def forget_company() -> None:
    """It was deleted: the page opens another, or the beginning."""
    st.session_state.pop("last_company", None)
    st.query_params.pop(_COMPANY, None)


def drawn_version(company_id: str) -> int | None:
    """The version of a company that this visit saw last; None before the first."""
    return cast("int | None", st.session_state.get(f"drawn_{company_id}"))


def set_drawn_version(company_id: str, version: int) -> None:
    st.session_state[f"drawn_{company_id}"] = version


def starts_company() -> bool:
    """Whether the reader asked for the beginning, and not for a company."""
    return "last_company" in st.session_state and shown_company() is None


def dashboard_view_key() -> str:
    """The `key=` of the choice of a view, which is its name in the address too."""
    return _VIEW


def show_dashboard_view(view: str) -> None:
    """Open a view of the dashboard; call it in a callback."""
    st.session_state[_VIEW] = view


def dashboard_key(name: str) -> str:
    """The `key=` of a widget of the dashboard, as it is now; `renew_dashboard` gives it a new identity."""
    return _renewed(f"d_{name}")


def renew_dashboard(name: str) -> None:
    """Have the widget forget what was typed into it."""
    _renew(f"d_{name}")


def dashboard_value(name: str, default: Any = None) -> Any:
    """What the widget of this name holds."""
    return st.session_state.get(dashboard_key(name), default)


def put_dashboard(name: str, value: Any) -> None:
    """Set the widget of this name, before it is drawn."""
    st.session_state[dashboard_key(name)] = value


def dashboard_note(name: str) -> Any:
    """Something that a widget of the dashboard keeps beside what the reader typed: the rows that a table began with."""
    return st.session_state.get(f"dn_{name}")


def set_dashboard_note(name: str, value: Any) -> None:
    st.session_state[f"dn_{name}"] = value
