"""The script that Streamlit runs for every reader: page config and navigation; nothing else."""

from pathlib import Path

import streamlit as st

from pages import playground

# A file of our own: the browser would fetch a Material icon from another site at every run.
st.set_page_config(page_title="Groundwork", page_icon=Path(__file__).with_name("icon.svg"), layout="wide")
st.navigation(
    {
        "Try": [
            st.Page(playground.render, title="Playground", icon=":material/forum:", url_path="playground", default=True)
        ]
    },
    position="sidebar",
).run()
