"""Add a model: from the hub, from this machine, as an upload. What is refused says why before it is downloaded."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.jobs import launch
from core.models import catalogue, hub, uploads
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRepository
from pages import state
from pages.state import Key
from pages.widgets.job_watch import draw_end, watch
from pages.widgets.models import TASK_WORDS
from pages.widgets.words import bytes_words, count_words, plain

KIND = "add"
KEPT = "What was downloaded is kept: adding the model again goes on from there."
UPLOAD_MB = 1000  # an upload sits in memory until it is on the disk
_WAYS = ("From the hub", "From this machine", "Upload")


def draw(db: Database) -> None:
    """What is being added, and the three ways to add another."""
    _draw_jobs(db)
    with st.container(border=True):
        st.subheader("Add a model")
        way = st.segmented_control(
            "Where it comes from", _WAYS, default=_WAYS[0], required=True, key=Key.ADD_WAY, label_visibility="collapsed"
        )
        try:
            {"From the hub": _from_hub, "From this machine": _from_here, "Upload": _from_upload}[way](db)
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")


def _draw_jobs(db: Database) -> None:
    jobs = JobRepository(db)
    jobs.mark_interrupted()
    for index, job in enumerate(jobs.list(limit=10, kind=KIND)):
        if job.state in ACTIVE:
            watch(db, job.id, f"**{plain(job.title)}**")
        elif index == 0 and job.state == "done" and state.watched_job() == job.id:
            state.set_watched_job(None)
            st.success(f"{job.title}: done. It is in the list below.", icon=":material/check_circle:")
        elif index == 0 and state.watched_job() == job.id:
            draw_end(job, kept=KEPT)


def _from_hub(db: Database) -> None:
    with st.form("hub_search", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search, or owner/name",
            key=Key.HUB_TEXT,
            placeholder="e.g. smollm2",
            persist_state="session",
            help="A hub id looks like owner/name. Only safetensors are taken, and no code of a repository is ever run.",
        )
        revision = st.text_input(
            "Revision", key=Key.HUB_REVISION, placeholder="newest", width=160, help="A branch, a tag or a commit hash."
        )
        st.form_submit_button("Look", icon=":material/search:", on_click=_look)
    chosen = state.hub_id()
    if chosen:
        _draw_offer(db, chosen, (revision or "").strip())
    elif text and text.strip():
        _draw_hits(text.strip())


def _look() -> None:
    """An id is looked up at once, anything else is searched for."""
    text = (state.get(Key.HUB_TEXT) or "").strip()
    if text.startswith(("http://", "https://")):  # the address of a model's page
        text = "/".join(text.split("?")[0].rstrip("/").split("/")[3:5])
    state.set_hub_id(text if hub.HUB_ID.fullmatch(text) else None)


@st.cache_data(ttl=300, max_entries=64, show_spinner="Asking the hub")
def _search(text: str, endpoint: str) -> tuple[hub.HubHit, ...]:
    return hub.search(text)


def _draw_hits(text: str) -> None:
    hits = _search(text, hub.endpoint_name())
    if not hits:
        st.caption(f"The hub has no model with “{plain(text)}” in its name.")
    for hit in hits:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                hit.id,
                key=f"hit_{hit.id}",
                type="tertiary",
                icon=":material/deployed_code:",
                on_click=state.set_hub_id,
                args=(hit.id,),
            )
            words = [hit.task, f"{hit.downloads:,} downloads a month", "gated" if hit.gated else ""]
            st.caption(" · ".join(word for word in words if word), width="content")


@st.cache_data(ttl=60, max_entries=32, show_spinner="Asking the hub about this model")
def _offer(hub_id: str, revision: str, endpoint: str) -> tuple[hub.HubModel, str, str]:
    """(the repository, its task in words, why it is refused or "")."""
    found = hub.look_up(hub_id, revision or None)
    try:
        return found, TASK_WORDS[hub.judge(found)], ""
    except GroundworkError as error:
        return found, "", str(error)


def _draw_offer(db: Database, hub_id: str, revision: str) -> None:
    st.button(
        "Back to the search", icon=":material/arrow_back:", type="tertiary", on_click=state.set_hub_id, args=(None,)
    )
    found, task, refusal = _offer(hub_id, revision, hub.endpoint_name())
    st.markdown(f"**{plain(found.id)}**")
    facts = [
        f"licence **{plain(found.licence)}**",
        f"download **{bytes_words(found.download_bytes)}**",
        f"{count_words(found.parameters)} parameters" if found.parameters else "",
        task,
        f"commit `{found.commit[:12]}`",
    ]
    st.markdown(" · ".join(fact for fact in facts if fact))
    if refusal:
        st.error(refusal, icon=":material/block:")
        return
    if here := _already_here(found):
        st.caption(":material/check_circle: This revision is here already.")
        st.button("Open it", icon=":material/arrow_forward:", on_click=state.show_model, args=(here,))
        return
    if found.gated:
        st.caption("Gated: the hub lets it be downloaded with a token whose owner has agreed to its terms.")
    st.button(
        f"Download and add ({bytes_words(found.download_bytes)})",
        type="primary",
        icon=":material/download:",
        on_click=_start,
        args=(db, found.id, f"Add {found.id}"),
        kwargs={"revision": found.commit},
    )


def _already_here(found: hub.HubModel) -> str:
    """Id of the model that was added from this commit; "" when there is none."""
    try:
        card = catalogue.get(found.id)
    except GroundworkError:
        return ""
    return card.id if card.revision == found.commit else ""


def _from_here(db: Database) -> None:
    with st.form("add_from_path", border=False):
        path = st.text_input(
            "Folder or .gguf file",
            key=Key.LOCAL_PATH,
            persist_state="session",
            placeholder="/home/ada/models/my-model, or …/model.Q8_0.gguf",
            help="A folder as transformers saves it (config.json, model.safetensors, tokenizer.json), or one GGUF "
            "file, on the machine that Groundwork runs on. A folder is linked, not copied.",
        )
        adding = st.form_submit_button("Add", type="primary", icon=":material/add:")
    if adding:
        catalogue.check_source(path)
        _start(db, path.strip(), f"Add {path.strip()}")
        st.rerun()


def _from_upload(db: Database) -> None:
    files = st.file_uploader(
        "One .gguf file, or the files of a safetensors model together",
        type=list(uploads.KINDS),
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        key=state.upload_key(),
        help=f"Up to {UPLOAD_MB / 1000:g} GB a file. Larger models: put them on the machine and give their path.",
    )
    if files and st.button("Add what was uploaded", type="primary", icon=":material/add:"):
        source = uploads.receive([(file.name, file) for file in files])
        state.renew_upload()
        _start(db, str(source), f"Add {files[0].name if len(files) == 1 else 'the uploaded files'}")
        st.rerun()


def _start(db: Database, source: str, title: str, *, revision: str = "") -> None:
    arguments = ["models", "--add", source, *(["--revision", revision] if revision else [])]
    job = launch(db, kind=KIND, key=f"add {source}", title=title, arguments=arguments)
    state.set_watched_job(job.id)
    state.set_hub_id(None)
