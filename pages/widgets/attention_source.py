"""What is looked into: a text that the reader types, or an answer on record."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.interpret import subject as subjects
from core.interpret.desk import Desk
from core.interpret.subject import Subject
from core.models import catalogue
from core.models.cards import ModelCard
from core.store.readings import ReadingRepository
from core.store.runs import RunRecord, RunRepository
from pages import state
from pages.services import Services
from pages.widgets import attention_wait
from pages.widgets.words import cut, plain

EXAMPLES = (
    ("A fact", "The Eiffel Tower stands in the city of"),
    ("Who gets the drink?", "When Mary and John went to the store, John gave a drink to"),
    ("A pattern", "One cat, two dogs, three birds. One cat, two dogs, three"),
)
RUNS = 40  # of the record, to choose from
LONGEST_TYPED = 200_000  # characters


def draw(shared: Services) -> Subject | None:
    """The text that is open; else the way to open one, and None."""
    subject = _open(shared)
    if subject is None:
        st.markdown(
            "A model reads a text in pieces called **tokens**. In each of its **layers**, several **heads** decide "
            "which tokens every token reads. Here you see what they read, and can switch them off to see whether it "
            "mattered."
        )
        _draw_choice(shared)
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_told(subject), width="content")
        with st.popover("Look at something else", icon=":material/swap_horiz:"):
            _draw_choice(shared)
    return _fitting(shared.desk, subject)


def _open(shared: Services) -> Subject | None:
    """What the address names. A wrong id is told, and leaves the choice."""
    run_id, reading_id = state.look("run"), state.look("reading")
    try:
        if run_id:
            ready = _prepared(shared, RunRepository(shared.db).get(run_id))
            return subjects.from_run(shared.db, run_id) if ready else None
        if reading_id:
            reading = ReadingRepository(shared.db).get(reading_id)
            return subjects.from_ids(reading.model_id, reading.token_ids)
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
    return None


def _prepared(shared: Services, run: RunRecord) -> bool:
    """Have the run's model unpacked where it is not. False after the reader stopped that."""
    return run.backend == "remote" or _prepare(shared.desk, run.model_id)


def _prepare(desk: Desk, model_id: str) -> bool:
    if catalogue.is_prepared(model_id):
        return True
    work = desk.works.start(f"prepare {model_id}", lambda progress: catalogue.prepare(model_id, progress))
    return attention_wait.finished(desk.works, work, key="prepare") is not None


def _fitting(desk: Desk, subject: Subject) -> Subject | None:
    """The text, or the part of it that the reader chose; None with the offer of a part when it is too long."""
    part, most = state.look("part"), desk.limits(subject.model_id).most
    if part in ("first", "last") and len(subject.ids) > most:
        st.caption(f":material/content_cut: Its {part} {most:,} of {len(subject.ids):,} tokens.")
        return subject.first(most) if part == "first" else subject.last(most)
    try:
        desk.check_length(subject)
    except InvalidInput as error:
        st.warning(plain(str(error)), icon=":material/straighten:")
        with st.container(horizontal=True):
            for name in ("last", "first"):
                st.button(
                    f"Look at its {name} {most:,} tokens",
                    on_click=state.look_at,
                    kwargs={"part": name},
                    key=f"a_{name}",
                )
        return None
    return subject


def _draw_choice(shared: Services) -> None:
    runs = [run for run in RunRepository(shared.db).list(limit=RUNS) if run.backend != "remote" and run.text.strip()]
    typed, recorded = st.tabs(["A text", f"A recorded answer ({len(runs)})"])
    with typed:
        _draw_typed(shared)
    with recorded:
        _draw_recorded(runs)


def _draw_typed(shared: Services) -> None:
    cards = {card.id: card for card in catalogue.list_models() if card.task.reads_text}
    with st.form("a_text_form", border=False):
        model_id = st.selectbox(
            "Model",
            list(cards),
            format_func=lambda i: _label(cards[i]),
            key="a_model",
            persist_state="session",
            help="Its attention is read from the full weights in torch, whatever precision the playground uses.",
        )
        text = st.text_area(
            "Text",
            key="a_text",
            height=110,
            placeholder=f"Write or paste a text, for example: {EXAMPLES[0][1]}",
            max_chars=LONGEST_TYPED,
            help="A decoder reads it as it stands, and you see what would come next.",
        )
        sent = st.form_submit_button("Look inside", type="primary", icon=":material/visibility:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Or try one:", width="content")
        for number, (name, example) in enumerate(EXAMPLES):
            if st.button(name, key=f"a_example_{number}", type="tertiary", help=example):
                sent, text = True, example
    if sent:
        _read(shared, model_id, text or "")


def _read(shared: Services, model_id: str, text: str) -> None:
    """Put a text before the model, on record, and open it."""
    try:
        if not text.strip():
            raise InvalidInput("The text is empty.", next_step="Write a sentence above, or take one of the examples.")
        if not _prepare(shared.desk, model_id):
            return
        found = subjects.from_text(model_id, text)
        subjects.check_readable(found)
        reading = ReadingRepository(shared.db).keep(
            model_id=found.model_id, revision=found.revision, text=text, token_ids=found.ids
        )
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    state.look_at(reading=reading.id, run=None, part=None, token=None, off=None, heads=None, layer=None)
    st.rerun()


def _draw_recorded(runs: list[RunRecord]) -> None:
    if not runs:
        st.caption("Answers of the playground will be listed here: ask something there first.")
        page = state.page_or_none("playground")
        if page is not None:
            st.page_link(page, label="Open the playground", icon=":material/forum:")
        return
    known = {run.id: run for run in runs}
    with st.form("a_run_form", border=False):
        run_id = st.selectbox("Answer", list(known), format_func=lambda i: _run_label(known[i]), key="a_run_choice")
        sent = st.form_submit_button("Look inside", type="primary", icon=":material/visibility:")
    if sent:
        state.look_at(run=run_id, reading=None, part=None, token=None, off=None, heads=None, layer=None)
        st.rerun()


def _label(card: ModelCard) -> str:
    does = "a decoder: each token reads what is before it" if card.task.value == "text-generation" else "an encoder"
    return f"{card.title} — {does}"


def _run_label(run: RunRecord) -> str:
    age = datetime.now(UTC) - run.created_at
    hours = int(age.total_seconds() // 3600)
    when = "today" if hours < 24 else f"{hours // 24} d ago"
    return f"“{cut(' '.join(run.text.split()), 60)}” · {run.model_id} · {when}"


def _told(subject: Subject) -> str:
    """One line on what is open."""
    title = catalogue.get(subject.model_id).title
    length = f"{len(subject.ids):,} tokens"
    if subject.run_id is None:
        return f":material/notes: A text of {length}, for {plain(title)} in full precision"
    exact = "" if subject.run_precision == "fp32" else f"; it was written in {subject.run_precision}"
    return f":material/history: A recorded answer of {plain(title)}, {length}, read again in full precision{exact}"
