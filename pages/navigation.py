"""The script that Streamlit runs for every reader: page config and navigation; nothing else."""

from pathlib import Path

import streamlit as st

from pages import attention, cost, dashboard, finetune, models, playground, state

# A file of our own: the browser would fetch a Material icon from another site at every run.
st.set_page_config(page_title="Groundwork", page_icon=Path(__file__).with_name("icon.svg"), layout="wide")
playground_page = st.Page(playground.render, title="Playground", icon=":material/forum:", default=True)
attention_page = st.Page(attention.render, title="Attention", icon=":material/visibility:", url_path="attention")
finetune_page = st.Page(finetune.render, title="Fine-tune", icon=":material/model_training:", url_path="finetune")
models_page = st.Page(models.render, title="Models", icon=":material/deployed_code:", url_path="models")
cost_page = st.Page(cost.render, title="Cost & compute", icon=":material/calculate:", url_path="cost")
dashboard_page = st.Page(dashboard.render, title="Dashboard", icon=":material/monitoring:", url_path="dashboard")
state.remember_page("playground", playground_page)
state.remember_page("attention", attention_page)
state.remember_page("finetune", finetune_page)
state.remember_page("models", models_page)
state.remember_page("cost", cost_page)
state.remember_page("dashboard", dashboard_page)
st.navigation(
    {
        "Try": [playground_page],
        "Understand": [attention_page],
        "Adapt": [finetune_page],
        "Price": [cost_page],
        "Plan": [dashboard_page],
        "Library": [models_page],
    },
    position="sidebar",
).run()
