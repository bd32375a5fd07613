"""Take an estimate away: spreadsheet with live formulas, report, CSV, and the configuration that repeats it."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.estimate.report import TITLES, Report
from exports.estimate_csv import figures_csv, origins_csv
from exports.estimate_document import command, config_yaml
from exports.estimate_html import estimate_html
from exports.estimate_markdown import estimate_markdown
from exports.estimate_xlsx import estimate_xlsx
from exports.filenames import safe_filename

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def draw(report: Report, answer: Any) -> None:
    """A row of downloads; each file is made when it is asked for."""
    st.subheader("Take it away")
    name = f"{TITLES[report.kind]} estimate"
    files = (
        ("Spreadsheet", "xlsx", XLSX, ":material/table_view:", partial(estimate_xlsx, answer=answer)),
        ("Report (HTML)", "html", "text/html", ":material/article:", estimate_html),
        ("Markdown", "md", "text/markdown", ":material/markdown:", estimate_markdown),
        ("Figures (CSV)", "csv", "text/csv", ":material/table:", figures_csv),
    )
    with st.container(horizontal=True):
        for label, suffix, kind, icon, make in files:
            st.download_button(
                label,
                partial(make, report),
                safe_filename(name, suffix),
                kind,
                icon=icon,
                on_click="ignore",
                key=f"c_take_{suffix}",
            )
        st.download_button(
            "Origins (CSV)",
            partial(origins_csv, report),
            safe_filename(f"{name} origins", "csv"),
            "text/csv",
            icon=":material/account_tree:",
            on_click="ignore",
            key="c_take_origins",
            help="Inputs and drivers of every figure.",
        )
    st.caption(
        "The address of this page holds every input: copy it to share or to come back. The spreadsheet recalculates."
    )
    with st.expander("The same on the command line"):
        st.code(command(report), language="bash")
        st.code(config_yaml(report), language="yaml")
