"""One step of a calculation: what is done and why, its formula, and beside it the same with real numbers."""

from __future__ import annotations

import streamlit as st


def formula_row(title: str, told: str, formula: str, numbers: str = "") -> None:
    """told: Markdown. formula, numbers: LaTeX. On a phone the numbers stand below."""
    st.markdown(f"#### {title}")
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with left:
        st.markdown(told)
        st.latex(formula)
    if numbers:
        with right:
            st.latex(numbers)
