"""The trained model put to use: into the catalogue, and from there to the playground, to attention, to ONNX."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.artefacts import folder_bytes
from core.errors import GroundworkError, ModelNotFound
from core.models import catalogue
from core.models.cards import ModelCard, SourceKind
from core.store.jobs import JobRecord
from core.training import queue
from core.training.config import base_model
from core.training.register import register, registered_as, suggested_id
from core.training.run_folder import RunFolder
from exports.filenames import safe_filename
from exports.onnx_bundle import stream_zip
from pages import state
from pages.services import Services
from pages.widgets import finetune_launch, models, page_links
from pages.widgets.words import bytes_words, cut, plain

GOES_ON = ("causal", "gpt", "masked", "classification")  # recipes whose model others begin from
LARGEST_ZIP = 256_000_000  # bytes: a download is held in memory
OTHERS = 30  # runs to compare with


def draw(shared: Services, job: JobRecord) -> None:
    """A way into the catalogue, or what can be done from there."""
    with st.container(border=True):
        st.markdown("**Use it**")
        name = registered_as(job.id)
        if name is None:
            _draw_register(job)
        else:
            _draw_uses(job, catalogue.get(name))
        _draw_adapter(job)
        _draw_compare(shared, job)


def _draw_register(job: JobRecord) -> None:
    if not RunFolder(job.id).model.is_dir():
        st.caption("Its files are gone from this machine: train it again to use it.")
        return
    with st.form(f"r_register_{job.id}", border=False):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        wanted = left.text_input("Name among the models", suggested_id(job), max_chars=80, key=f"r_id_{job.id}")
        sent = right.form_submit_button("Add to the models", type="primary", icon=":material/library_add:")
    st.caption("It can then be chosen in the playground and exported to ONNX.")
    if not sent:
        return
    try:
        with st.spinner("Checking its files and adding it"):
            card = register(job, wanted or "")
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    state.set_notice(f"{card.id} is one of the models now.")
    st.rerun()


def _draw_uses(job: JobRecord, card: ModelCard) -> None:
    config = job.command.get("config", {})
    st.caption(f":material/check_circle: It is the model **{plain(card.id)}**.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Open in the playground", type="primary", icon=":material/forum:", key=f"r_play_{job.id}"):
            _to_playground(card.id)
        if card.task.reads_text and st.button(
            "Open in attention", icon=":material/visibility:", key=f"r_attention_{job.id}"
        ):
            state.ask_attention_of(card.id)
            _go("attention")
        if config.get("recipe") in GOES_ON:
            st.button(
                "Fine-tune from this model",
                icon=":material/model_training:",
                key=f"r_from_{job.id}",
                on_click=_begin_from,
                args=(card.id,),
            )
        page_links.to_models("Export to ONNX", card.id)
    base = base_model(config)
    if base and config.get("recipe") in ("causal", "masked"):
        _draw_base(job, base)


def _draw_base(job: JobRecord, base: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("To compare, ask it and the model that it began from the same in the playground.", width="content")
        if st.button(f"Ask {base}", icon=":material/compare_arrows:", type="tertiary", key=f"r_base_{job.id}"):
            _to_playground(base)


def _to_playground(model_id: str) -> None:
    models.choose(model_id)
    state.open_session(None)
    _go("playground")


def _go(name: str) -> None:
    page = state.page_or_none(name)
    if page is not None:
        st.switch_page(page)


def _begin_from(model_id: str) -> None:
    try:
        finetune_launch.begin_from(model_id)
        state.show_run(None)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


def _draw_adapter(job: JobRecord) -> None:
    """What LoRA trained, alone, and how servers load it."""
    folder = RunFolder(job.id).adapter
    if not folder.is_dir():
        return
    files: list[tuple[str, Path | bytes]] = [
        (path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()
    ]
    size = folder_bytes(folder)
    base = _hub_name(base_model(job.command.get("config", {})))
    with st.container(horizontal=True, vertical_alignment="center"):
        if size <= LARGEST_ZIP:
            st.download_button(
                f"LoRA adapter ({bytes_words(size)})",
                lambda: b"".join(stream_zip(files)),
                safe_filename(f"{job.title} adapter", "zip", fallback="adapter"),
                "application/zip",
                icon=":material/download:",
                on_click="ignore",
                key=f"r_adapter_{job.id}",
            )
        else:
            st.caption(f"The LoRA adapter alone ({bytes_words(size)}) lies in `{folder}`.")
        with st.popover("How others load it", icon=":material/help:"):
            st.markdown("The model above has the adapter merged in. Unzipped, the adapter alone is loaded by peft:")
            st.code(
                "from peft import AutoPeftModelForCausalLM\n"
                'model = AutoPeftModelForCausalLM.from_pretrained("ADAPTER_FOLDER")',
                language="python",
            )
            st.markdown("and by vLLM, beside the base model:")
            st.code(
                f"vllm serve {base} --enable-lora --lora-modules mine=ADAPTER_FOLDER", language="bash", wrap_lines=True
            )


def _hub_name(model_id: str) -> str:
    try:
        source = catalogue.get(model_id).source
    except ModelNotFound:
        return model_id
    return source.location if source.kind is SourceKind.HUB else model_id


def _draw_compare(shared: Services, job: JobRecord) -> None:
    """Other runs that are done, those of the same recipe first."""
    mine = job.command.get("config", {}).get("recipe")
    others = [one for one in shared.jobs.list(limit=OTHERS, kind=queue.KIND, state="done") if one.id != job.id]
    others.sort(key=lambda one: one.command.get("config", {}).get("recipe") != mine)
    if not others:
        return
    with st.popover("Compare with other runs", icon=":material/compare:", key=state.popover_key(f"with_{job.id}")):
        titles = {one.id: f"{cut(one.title, 50)} · {one.created_at:%Y-%m-%d %H:%M}" for one in others}
        chosen = st.multiselect(
            "Runs", list(titles), format_func=titles.__getitem__, max_selections=5, key=f"r_with_{job.id}"
        )
        st.button(
            "Compare",
            type="primary",
            disabled=not chosen,
            key=f"r_compare_{job.id}",
            on_click=state.compare_runs,
            args=((job.id, *chosen),),
        )
