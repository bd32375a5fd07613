"""Servers: other people's engines behind an OpenAI-compatible address, with models to use like those of this machine.

A key is kept in memory for the reader who typed it, and is neither stored nor shown again.
"""

from __future__ import annotations

import streamlit as st
from pydantic import SecretStr

from core.errors import GroundworkError, InvalidInput
from core.models import servers
from core.models.servers import Server
from core.settings import get_settings
from pages import state
from pages.state import Key
from pages.widgets.models import choose
from pages.widgets.words import count_of, plain


def draw() -> None:
    """The servers that were added, and a form for another."""
    known = servers.list_servers()
    st.subheader(f"On servers · {len(known)}")
    for server in known:
        with st.container(border=True):
            _draw_server(server)
    with st.expander("Add a server", icon=":material/dns:", expanded=not known, key=state.popover_key("add_server")):
        _draw_form()


def _draw_form() -> None:
    st.caption(
        "vLLM, SGLang, TGI, Ray Serve, llama.cpp, or any other server that speaks OpenAI's protocol. What you ask its "
        "models is sent there."
    )
    with st.form("add_server", border=False):
        address = st.text_input("Address", key=state.widget_key(Key.SERVER_URL), placeholder="http://localhost:8000/v1")
        name = st.text_input(
            "Name", key=state.widget_key(Key.SERVER_NAME), placeholder="made from the address", max_chars=80
        )
        key = st.text_input(
            "Key",
            type="password",
            key=state.widget_key(Key.SERVER_KEY),
            placeholder="none",
            help="Kept in memory for this visit, never stored and never shown again. For good: GROUNDWORK_SERVER_KEYS.",
        )
        named = st.text_input(
            "Models",
            key=state.widget_key(Key.SERVER_MODELS),
            placeholder="asked from the server",
            help="Names as the server calls them, with commas between, for a server that lists none.",
        )
        adding = st.form_submit_button("Connect", type="primary", icon=":material/link:")
    if not adding:
        return
    try:
        with st.spinner("Asking for its models"):
            base_url = servers.check_base_url(address)
            chosen = name.strip() or servers.suggest_name(base_url)
            _refuse_another_address(chosen, base_url)
            found = tuple(part.strip() for part in named.split(",") if part.strip()) or servers.fetch_models(
                base_url, servers.key_for(base_url, SecretStr(key) if key else None)
            )
            server = servers.add_server(chosen, base_url, found)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return
    state.set_server_key(servers.host_of(base_url), key)
    for field in (Key.SERVER_URL, Key.SERVER_NAME, Key.SERVER_KEY, Key.SERVER_MODELS):
        state.put(field, "")  # the key above all: it is not shown again
    state.close_popover("add_server")
    state.set_notice(f"{server.name} is connected: {_count(server)}.")
    st.rerun()


def _refuse_another_address(name: str, base_url: str) -> None:
    """A name that is taken keeps its address: sessions and records mean that server by it."""
    for server in servers.list_servers():
        if server.name == name and server.base_url != base_url:
            raise InvalidInput(
                f"The name {name!r} is taken by {server.base_url}.",
                next_step="Choose another name, or forget that server first.",
            )


def _draw_server(server: Server) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(server.name)}**", width="content")
        st.badge(_count(server), color="blue")
        st.caption(f"`{server.base_url}`", width="content")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox("Its models", server.models, key=f"model_of_{server.name}")
        if st.button("Use it", key=f"use_{server.name}", icon=":material/forum:", type="primary"):
            choose(f"{server.name}/{model}")
            st.switch_page(state.page("playground"))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Ask again for its models", key=f"refresh_{server.name}", icon=":material/refresh:"):
            _refresh(server)
        with st.popover("Key", icon=":material/key:"):
            _draw_key(server)
        st.button(
            "Forget",
            key=f"forget_{server.name}",
            icon=":material/link_off:",
            help="Take the server out of the list. Recorded runs stay.",
            on_click=_forget,
            args=(server,),
        )


def _draw_key(server: Server) -> None:
    host = servers.host_of(server.base_url)
    if host in get_settings().server_keys:
        st.caption("There is one in the settings. One given here goes first, for this visit.")
    held = state.server_key(host) is not None
    st.caption("A key was given for this visit." if held else "No key was given for this visit.")
    with st.form(f"key_{server.name}", border=False, clear_on_submit=True):
        key = st.text_input("Key", type="password", placeholder="a new key; empty takes it away")
        if st.form_submit_button("Keep for this visit"):
            state.set_server_key(host, key)
            st.rerun()


def _refresh(server: Server) -> None:
    try:
        with st.spinner("Asking for its models"):
            found = servers.fetch_models(
                server.base_url, servers.key_for(server.base_url, state.server_key(servers.host_of(server.base_url)))
            )
            servers.add_server(server.name, server.base_url, found)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return
    state.set_notice(f"{server.name} offers {count_of(len(found), 'model')} now.")
    st.rerun()


def _forget(server: Server) -> None:
    state.set_server_key(servers.host_of(server.base_url), "")
    servers.remove_server(server.name)


def _count(server: Server) -> str:
    return count_of(len(server.models), "model")
