"""Groundwork: the pages (pages/navigation.py) and the HTTP routes beside them. Started by `streamlit run app.py`."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from pages import bundle_route, live_route

BASE = st.get_option("server.baseUrlPath")


@asynccontextmanager
async def _open_browser(server: st.App) -> AsyncIterator[None]:
    """What Streamlit does on a desktop for a plain script, it leaves to an app with routes of its own."""
    if not st.get_option("server.headless"):
        url = f"http://localhost:{st.get_option('server.port')}/{BASE}"
        asyncio.get_running_loop().call_later(0.5, webbrowser.open, url)
    yield


app = st.App("pages/navigation.py", routes=[live_route.route(BASE), bundle_route.route(BASE)], lifespan=_open_browser)
