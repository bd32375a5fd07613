"""A model's ONNX exports, a box a precision: made or not, proved or not, and what can be done with each."""

from __future__ import annotations

import streamlit as st

from core.artefacts import folder_bytes
from core.errors import GroundworkError
from core.models.cards import ModelCard
from core.onnx.devices import OFFERED, made_as
from core.onnx.exports import Export, delete_export, list_exports, verify_export
from core.onnx.house import check_idle
from core.store.jobs import ACTIVE
from pages import state
from pages.bundle_route import bundle_address
from pages.services import Services
from pages.widgets import preparation
from pages.widgets.job_watch import draw_end, watch
from pages.widgets.models import PRECISION_WORDS, choose
from pages.widgets.words import bytes_words


def draw(shared: Services, card: ModelCard, device: str) -> None:
    """Every precision that the device offers."""
    st.subheader("ONNX exports")
    st.caption(
        "Each is made once and proved against torch in fp32 on real input. One that is past its bar is kept with its "
        "figures, and is not used.",
        help="KL divergence says how much of the information in the model's probabilities is lost, in nats: 0 is none. "
        "The bar is the most that an export may lose.",
    )
    made = {export.precision: export for export in list_exports(card, device)}
    first = next((precision for precision, export in made.items() if export.usable), "")
    for precision in OFFERED[made_as(card.task)][device]:
        with st.container(border=True):
            _draw_one(shared, card, precision, device, made.get(precision), first=precision == first)


def _draw_one(
    shared: Services, card: ModelCard, precision: str, device: str, export: Export | None, *, first: bool
) -> None:
    db = shared.db
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{precision}** · {PRECISION_WORDS[precision]}", width="content")
        if export is None:
            st.badge("not made", color="gray")
        elif not export.usable:
            st.badge("failed its proof", icon=":material/block:", color="red")
        elif export.proof.bar is None:
            st.badge("measured, no bar", icon=":material/warning:", color="orange")
        else:
            st.badge("proved", icon=":material/verified:", color="green")
    job = preparation.job_of(db, card, precision, device)
    if job and job.state in ACTIVE:
        watch(db, job.id, f"**{job.title}**")
        return
    if export is None:
        draw_end(job, kept=preparation.KEPT)
        st.button(
            f"Export in {precision}",
            key=f"make_{precision}",
            icon=":material/build:",
            on_click=preparation.start,
            args=(db, card, precision, device),
        )
        return
    size = bytes_words(folder_bytes(export.path))
    st.caption(f"{size} · {export.proof.words}", help=export.proof.details)
    with st.container(horizontal=True, vertical_alignment="center"):
        if export.usable:
            if st.button(
                f"Use {precision}",
                key=f"use_{precision}",
                icon=":material/forum:",
                type="primary" if first else "secondary",
            ):
                choose(card.id, ("onnx", precision))
                st.switch_page(state.page("playground"))
            st.link_button(
                "ONNX bundle",
                bundle_address(st.get_option("server.baseUrlPath"), export),
                icon=":material/download:",
                help="A zip with the model, its tokenizer and configuration, the proof, the licence, and a short "
                "run.py that answers with onnxruntime alone.",
            )
        verifying = st.button(
            "Verify",
            key=f"verify_{precision}",
            icon=":material/fact_check:",
            help="Read its files again and compare their checksums with those that were proved.",
        )
        with st.popover("Delete", icon=":material/delete:", key=state.popover_key(f"delete_{precision}")):
            st.markdown(f"Frees **{size}**. It can be made again; recorded runs stay.")
            st.button(
                "Delete this export",
                key=f"delete_{precision}",
                type="primary",
                on_click=_delete,
                args=(shared, card, export),
            )
    if verifying:
        _verify(export)


def _verify(export: Export) -> None:
    with st.spinner("Reading its files"):
        bad = verify_export(export)
    if bad:
        st.error(
            f"{', '.join(bad)} of the {export.precision} export is not what was proved. Delete the export and make it "
            "again.",
            icon=":material/gpp_bad:",
        )
    else:
        st.success("Every file is as it was proved.", icon=":material/verified_user:")


def _delete(shared: Services, card: ModelCard, export: Export) -> None:
    state.close_popover(f"delete_{export.precision}")
    try:
        shared.engine.pool.forget(card.id)
        check_idle(card, shared.db)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)
        return
    freed = delete_export(export)
    state.set_notice(f"The {export.precision} export was deleted: {bytes_words(freed)} are free again.")
