"""The numbers behind a picture, to take away."""

from __future__ import annotations

import streamlit as st

from exports.filenames import safe_filename


def csv_button(title: str, content: bytes, *, label: str = "CSV") -> None:
    """A download of `content`. title: of the file, made safe for every system."""
    st.download_button(
        label,
        content,
        safe_filename(title, "csv"),
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
