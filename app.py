"""Groundwork: page config and navigation; nothing else."""

import streamlit as st

from pages import playground

st.set_page_config(page_title="Groundwork", page_icon=":material/foundation:", layout="wide")
st.navigation(
    {
        "Try": [
            st.Page(playground.render, title="Playground", icon=":material/forum:", url_path="playground", default=True)
        ]
    },
    position="sidebar",
).run()
