"""What a trained model is worth: one sentence, its figure beside those of others, then everything behind it."""

from __future__ import annotations

import streamlit as st

from core.training.evaluation.comparing import figure
from core.training.evaluation.report import EvaluationReport, Metric
from exports.training_document import answer, interval, value
from pages.widgets import finetune_report_charts, finetune_report_descent, finetune_report_examples
from pages.widgets.chart_parts import TAKEN
from pages.widgets.words import plain

AVERAGES = ("_macro", "_micro", "_weighted")
MOST_TILES = 6
HELP = {
    "f1_macro": "F1 is the harmonic mean of precision and recall; macro: the mean over classes, each counted alike.",
    "accuracy": "Share of the test rows that got the right class.",
    "roc_auc": "Chance that a row of a class scores higher for it than a row of another: 0.5 is guessing, 1 perfect.",
    "average_precision": "Area under the curve of precision over recall; guessing gets the share of the class.",
    "log_loss": "Mean of −ln(probability of the truth). Surely wrong answers cost most.",
    "brier": "Mean squared distance of the probabilities from the truth: 0 is perfect.",
    "ece": "How far stated probabilities are from the shares that come true, on average.",
    "perplexity": "e to the loss: as unsure as if choosing among so many tokens at each step. Less is better.",
    "loss": "Mean of −ln(probability of the right token).",
    "bits_per_byte": "Loss counted on bytes of text: comparable between tokenizers.",
    "rmse": "Root of the mean squared error, in the target's unit.",
    "mae": "How far off a prediction is on average, in the target's unit.",
    "r2": "Share of the target's variance that is explained: 1 is all, 0 is what the mean alone does.",
}


def draw_first(report: EvaluationReport, owner: str) -> None:
    """The sentence, its picture, the other figures."""
    st.markdown(f"#### {plain(answer(report))}")
    drawn = finetune_report_charts.headline_figure(report)
    if drawn is not None:
        st.plotly_chart(drawn, key=f"r_headline_{owner}", config=TAKEN)
        if report.baseline:
            st.caption(f"Baseline: {plain(report.baseline)}. Lines are 95 % intervals over test rows.")
    if report.notes:
        st.markdown("\n".join(f"- {plain(note)}" for note in report.notes))
    _draw_tiles(report)


def _draw_tiles(report: EvaluationReport) -> None:
    others = [one for one in report.metrics if one.name != report.headline and not one.name.endswith(AVERAGES)]
    with st.container(horizontal=True, gap="small"):
        for one in others[:MOST_TILES]:
            with st.container(border=True, width=165, height="stretch", gap="small"):
                st.metric(_named(one), figure(one.value), help=HELP.get(one.name))
                beside = _beside(one)
                st.caption(plain(beside) if beside else "&nbsp;")


def _named(one: Metric) -> str:
    return f"{one.title}, {one.unit}" if one.unit else one.title


def _beside(one: Metric) -> str:
    parts = [f"95 %: {interval(one)}"] if interval(one) else []
    if one.baseline is not None:
        parts.append(f"baseline {figure(one.baseline)}")
    if one.before is not None:
        parts.append(f"before {figure(one.before)}")
    return " · ".join(parts)


def draw_more(report: EvaluationReport, owner: str) -> None:
    """Pictures of where it is right and wrong, tables, examples."""
    if report.answers:
        st.subheader("Answers before and after")
        finetune_report_examples.draw_answers(report.answers, owner)
    pictures = finetune_report_charts.pictures(report)
    if pictures:
        st.subheader("Where it is right and wrong")
        for start in range(0, len(pictures), 2):
            pair = pictures[start : start + 2]
            for column, (name, drawn) in zip(st.columns(2), pair, strict=False):
                column.plotly_chart(drawn, key=f"r_{name}_{owner}", config=TAKEN)
    if report.groups:
        metric = report.metric(report.headline)
        drawn = finetune_report_charts.groups_figure(report.groups, metric)
        st.plotly_chart(drawn, key=f"r_groups_{owner}", config=TAKEN)
    if report.classes:
        _draw_classes(report)
    finetune_report_descent.draw(report.extra.get("descent"), owner)
    finetune_report_examples.draw_grid(report.extra.get("grid"))
    finetune_report_examples.draw_examples(report, owner)
    with st.expander("All figures", icon=":material/table:"):
        _draw_all(report)


def _draw_classes(report: EvaluationReport) -> None:
    st.markdown("**Each class**")
    rows = [
        {
            "Class": one.label,
            "Precision": one.precision,
            "Recall": one.recall,
            "F1": one.f1,
            "ROC-AUC": one.roc_auc,
            "Average precision": one.average_precision,
            "Test rows": one.support,
            "Predicted": one.predicted,
        }
        for one in report.classes
    ]
    shares = ("Precision", "Recall", "F1", "ROC-AUC", "Average precision")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in shares},
        alt="Precision, recall and F1 of each class",
    )


def _draw_all(report: EvaluationReport) -> None:
    rows = [
        {
            "Figure": one.title + ("" if one.higher_is_better else " (less is better)"),
            "Value": value(one),
            "95 % interval": interval(one),
            "Baseline": "" if one.baseline is None else value(one, one.baseline),
            "Before training": "" if one.before is None else value(one, one.before),
        }
        for one in report.metrics
    ]
    empty = [name for name in ("Baseline", "Before training") if not any(row[name] for row in rows)]
    shown = [{name: cell for name, cell in row.items() if name not in empty} for row in rows]
    st.dataframe(shown, hide_index=True, height="content", alt="All figures of the evaluation")
