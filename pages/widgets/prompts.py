"""Prompt templates: what people try first, and their own."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.errors import GroundworkError
from core.store.templates import TemplateRepository
from pages import state
from pages.state import Key


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt to start from. schema: JSON schema the answer must fit, "" for none."""

    name: str
    icon: str
    prompt: str
    system_prompt: str = ""
    schema: str = ""


BUILTIN = (
    Template(
        "Summary",
        ":material/short_text:",
        "Summarise this text in two sentences:\n\nOur bakery threw away four percent of its bread last year. A simple "
        "forecast from the weather and the day of the week cut the waste on Saturdays from 31 loaves to 18.",
    ),
    Template(
        "Article",
        ":material/article:",
        "Write a short article of three paragraphs, with a title, about why small language models are useful.",
    ),
    Template(
        "Question answering",
        ":material/quiz:",
        "Answer from the text only.\n\nText: The ferry leaves the north pier at seven and returns at noon. "
        "A ticket costs 14 dollars.\n\nQuestion: When does the ferry return?",
    ),
    Template(
        "Sentiment",
        ":material/thumbs_up_down:",
        "Is the sentiment of this review positive, negative or neutral? Answer with one word.\n\nReview: The room was "
        "spotless, but nobody answered the phone for two days.",
    ),
    Template(
        "Translation",
        ":material/translate:",
        "Translate into French: Good morning! Could you tell me where the station is?",
    ),
    Template(
        "JSON extraction",
        ":material/data_object:",
        "Extract the facts as JSON: Tomas Lindqvist, 41, works as a customer manager in Malmö.",
        schema='{"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, '
        '"job": {"type": "string"}, "city": {"type": "string"}}, "required": ["name", "age", "job", "city"], '
        '"additionalProperties": false}',
    ),
)


def draw_empty_state() -> None:
    """What to do first, on an empty page."""
    st.markdown("#### Try one of these, or write your own below")
    with st.container(horizontal=True):
        for template in BUILTIN:
            st.button(template.name, icon=template.icon, key=f"try_{template.name}", on_click=use, args=(template,))
    st.caption("Each answer shows its speed, how sure the model was of every word, and what else it considered.")


def draw_library(templates: TemplateRepository) -> None:
    """All templates, one's own included, and a form to save another."""
    own = [
        Template(row.name, ":material/bookmark:", row.prompt, system_prompt=row.system_prompt)
        for row in templates.list()
    ]
    ids = {row.name: row.id for row in templates.list()}
    for template in (*BUILTIN, *own):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                template.name,
                icon=template.icon,
                key=f"use_{template.icon}_{template.name}",
                type="tertiary",
                width="stretch",
                on_click=use,
                args=(template,),
            )
            if template.name in ids and template.icon == ":material/bookmark:":
                st.button(
                    "",
                    icon=":material/delete:",
                    key=f"forget_{template.name}",
                    type="tertiary",
                    help=f"Delete “{template.name}”",
                    on_click=templates.delete,
                    args=(ids[template.name],),
                )
    with st.form("save_template", clear_on_submit=True, border=False):
        name = st.text_input("Save your own", placeholder="Name", max_chars=80)
        prompt = st.text_area("Prompt", placeholder="The text it puts into the message box", height=100)
        saving = st.form_submit_button("Save template")
    if saving:
        try:
            templates.save(name, prompt=prompt, system_prompt=state.get(Key.SYSTEM_PROMPT) or "")
            st.rerun()
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")


def draw_schema_notice() -> None:
    """Say so while answers are held to a JSON schema: else a chat that only speaks JSON is a riddle."""
    if not (state.get(Key.JSON_SCHEMA) or "").strip():
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(":material/data_object: Answers must fit the JSON schema under Parameters › More.")
        st.button("Remove the schema", type="tertiary", on_click=state.put, args=(Key.JSON_SCHEMA, ""))


def use(template: Template) -> None:
    """Put a template into the message box; nothing is sent yet."""
    state.close_popover("templates")
    target = Key.COMPLETION_INPUT if state.get(Key.MODE) == "Completion" else Key.CHAT_INPUT
    state.put(target, template.prompt)
    if template.schema or state.get(Key.JSON_SCHEMA) in {builtin.schema for builtin in BUILTIN}:
        state.put(Key.JSON_SCHEMA, template.schema)  # a schema of the reader's own stays
    if template.system_prompt:
        state.put(Key.SYSTEM_PROMPT, template.system_prompt)
