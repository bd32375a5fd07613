"""What every page shares and must not be built twice: the engine, the record, the open conversations."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.generation.conversation import Conversations
from core.generation.engine import Engine
from core.interpret.desk import Desk
from core.settings import get_settings
from core.store.database import Database, open_database
from core.store.jobs import JobRepository
from core.store.presets import PresetRepository
from core.store.runs import RunRepository
from core.store.sessions import SessionRepository
from core.store.templates import TemplateRepository


@dataclass(frozen=True, slots=True)
class Services:
    """One a process; all of it is thread-safe."""

    db: Database
    engine: Engine
    conversations: Conversations
    presets: PresetRepository
    templates: TemplateRepository
    jobs: JobRepository
    desk: Desk


@st.cache_resource(show_spinner=False, max_entries=1)
def services() -> Services:
    """Opened once a process. What a crashed process left running is marked interrupted."""
    db = open_database()
    RunRepository(db).mark_interrupted()
    JobRepository(db).mark_interrupted()
    SessionRepository(db).purge_deleted(get_settings().trash_days)
    engine = Engine()
    return Services(
        db=db,
        engine=engine,
        conversations=Conversations(engine, db),
        presets=PresetRepository(db),
        templates=TemplateRepository(db),
        jobs=JobRepository(db),
        desk=Desk(),
    )
