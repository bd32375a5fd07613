"""A fine-tune as one HTML file that needs nothing else: its worth, its curves, its data, and how to make it again.

Pictures are inline SVG in the page's own colours, light and dark. Every word of it is escaped, and a content policy
forbids the browser to load or to run anything all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from core.store.columns import utc_now
from core.training.data.prepared import DataRecord
from core.training.evaluation.comparing import figure
from core.training.evaluation.report import EvaluationReport, Example
from exports.training_document import (
    COMMAND,
    TrainedRun,
    answer,
    config_yaml,
    facts,
    interval,
    limits,
    made,
    privacy_words,
    title,
    value,
)
from exports.training_pictures import framed, picture, prediction_grid, report_figures, training_figures

_STYLES = (Path(__file__).with_name("estimate.css"), Path(__file__).with_name("training.css"))
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_MOST_ROWS = 12  # row numbers told of a finding
AVERAGES, PARTS = ("macro", "micro", "weighted"), ("precision", "recall", "f1")
_SCORES = {"classification": "probability of the truth", "regression": "off by", "language": "nats a token"}


def training_html(run: TrainedRun, *, at: datetime | None = None) -> bytes:
    """In UTF-8. at: when it was made; default, now."""
    parts = [f"<h1>{escape(title(run))}</h1>", f'<p class="answer">{escape(answer(run.report))}</p>']
    if run.report is not None:
        parts += [_list(run.report.notes), *_evaluated(run.report)]
    parts.append(_figures("How it learned", training_figures(run.points, run.facts.best_step)))
    parts.append(_section("The run", _facts(run)))
    if run.data is not None:
        parts += _data(run.data)
    parts.append(_section("Limits", _list(limits(run))))
    repeat = f"<p>Save this as <code>CONFIG.yaml</code>, then run <code>{escape(COMMAND)}</code>.</p>"
    parts.append(_section("Repeat it", f"{repeat}<pre>{escape(config_yaml(run))}</pre>"))
    return _page(title(run), parts, at)


def _page(heading: str, parts: Iterable[str], at: datetime | None) -> bytes:
    style = "\n".join(path.read_text(encoding="utf-8") for path in _STYLES)
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(heading)}</title>'
        f"<style>\n{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(part for part in parts if part)}\n</main>\n"
        f"<footer>{escape(made(at or utc_now()))}. Intervals are 95 % bootstrap intervals over test rows: they tell of "
        "the choice of rows, not of another training.</footer></body></html>\n"
    )
    return page.encode("utf-8", errors="replace")  # half a surrogate pair is no character


def _evaluated(report: EvaluationReport) -> list[str]:
    grid = prediction_grid(report.extra.get("grid"))
    return [
        _section("Answers before and after", _answers(report)),
        _figures("Where it is right and wrong", report_figures(report)),
        _section("Test pictures, drawn by chance", framed("✓ right, ✗ wrong", grid)),
        _section("Figures", _metrics(report) + _averages(report)),
        _section("By class", _classes(report)),
        _section("The descent, step by step", _descent_steps(report)),
        _section("Worst examples", _examples(report, [one for one in report.examples if not one.best])),
        _section("Best examples", _examples(report, [one for one in report.examples if one.best])),
    ]


def _metrics(report: EvaluationReport) -> str:
    columns = ["Value", "95 % interval"]
    has_baseline = any(one.baseline is not None for one in report.metrics)
    has_before = any(one.before is not None for one in report.metrics)
    columns += ["Baseline"] * has_baseline + ["Before training"] * has_before
    rows = []
    for one in report.metrics:
        if one.name.endswith(AVERAGES) and one.name != report.headline:
            continue  # in a table of their own
        cells = [value(one), interval(one)]
        cells += ["" if one.baseline is None else value(one, one.baseline)] * has_baseline
        cells += ["" if one.before is None else value(one, one.before)] * has_before
        better = "" if one.higher_is_better else " (less is better)"
        rows.append((f"{one.title}{better}", cells))
    told = f"<p>Baseline: {escape(report.baseline)}.</p>" if report.baseline else ""
    return _table("Figure", columns, rows) + told


def _averages(report: EvaluationReport) -> str:
    """Precision, recall and F1, averaged over classes, over rows, and over classes by their rows."""
    known = {one.name: one for one in report.metrics}
    rows = [
        (
            average.capitalize(),
            [figure(known[f"{part}_{average}"].value) for part in PARTS],
        )
        for average in AVERAGES
        if all(f"{part}_{average}" in known for part in PARTS)
    ]
    return _table("Average", ["Precision", "Recall", "F1"], rows) if rows else ""


def _classes(report: EvaluationReport) -> str:
    columns = ["Precision", "Recall", "F1", "ROC-AUC", "Average precision", "Rows", "Predicted"]
    rows = [
        (
            one.label,
            [
                *(figure(part) for part in (one.precision, one.recall, one.f1)),
                *("" if part is None else figure(part) for part in (one.roc_auc, one.average_precision)),
                f"{one.support:,}",
                f"{one.predicted:,}",
            ],
        )
        for one in report.classes
    ]
    return _table("Class", columns, rows) if rows else ""


def _descent_steps(report: EvaluationReport) -> str:
    """Of a linear model: the first steps, some on the way, and the last, each with its error and its gradient."""
    descent = report.extra.get("descent")
    told = descent.get("steps") if isinstance(descent, Mapping) else None
    if not isinstance(told, list | tuple) or not told:
        return ""
    way = range(0, len(told), max(1, len(told) // 10))
    shown = sorted({*range(min(5, len(told))), *way, len(told) - 1})
    names = [str(name) for name in descent.get("names", ())][:3] if isinstance(descent, Mapping) else []
    rows = []
    for place in shown:
        one = told[place]
        parts = [figure(float(one["mse"])), figure(float(one["gradient_norm"]))]
        parts += [figure(float(value)) for value in list(one["gradient"])[: len(names)]]
        rows.append((f"{int(one['step']):,}", parts))
    return _table("Step", ["Mean squared error", "Norm of the gradient", *(f"Slope: {name}" for name in names)], rows)


def _answers(report: EvaluationReport) -> str:
    return "".join(
        f'<article><h3>{escape(one.prompt)}</h3><div class="cards"><div class="card"><h3>Before</h3>'
        f'<p>{escape(one.before)}</p></div><div class="card"><h3>After</h3><p>{escape(one.after)}</p></div></div>'
        "</article>"
        for one in report.answers
    )


def _examples(report: EvaluationReport, examples: Sequence[Example]) -> str:
    cards = []
    for one in examples:
        told = f"truth {one.truth}, said {one.said}, " if one.truth or one.said else ""
        score = f"Row {one.row:,}: {told}{_SCORES[report.kind]} {figure(one.score)}"
        image = picture(one.image, f"Test row {one.row}") if one.image else ""
        cards.append(f'<div class="card">{image}<p class="note">{escape(score)}</p><p>{escape(one.shown)}</p></div>')
    return f'<div class="cards">{"".join(cards)}</div>' if cards else ""


def _facts(run: TrainedRun) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in facts(run))
    return f'<dl class="facts">{items}</dl>'


def _data(data: DataRecord) -> list[str]:
    split = [
        ("Rows in the file", [f"{data.rows:,}"]),
        ("To train on", [f"{data.train:,}"]),
        ("To choose the best checkpoint", [f"{data.validation:,}"]),
        ("To judge", [f"{data.test:,}"]),
    ]
    about = f"<p>{escape(data.source)}, SHA-256 <code>{escape(data.digest)}</code>.</p>"
    licence = f"<p>Licence of the data: {escape(data.licence)}.</p>" if data.licence else ""
    labels = [(label, [f"{number:,}"]) for label, number in data.labels.items()]
    findings = [
        " ".join(part for part in (one.told, f"Rows: {_rows(one.rows)}." if one.rows else "", one.next_step) if part)
        for one in data.findings
    ]
    steps = [(one.told or one.name, [f"{one.changed:,}", f"{one.dropped:,}"]) for one in data.steps]
    privacy = [(one.kind, [f"{one.count:,}", _rows(one.rows), ", ".join(one.examples)]) for one in data.privacy]
    return [
        _section("Data", about + licence + _table("Split", ["Rows"], split)),
        _section("Labels", _table("Label", ["Rows"], labels) if labels else ""),
        _section("What was found in the data", _list(findings)),
        _section("Cleaning", _table("Step", ["Rows changed", "Rows dropped"], steps) if steps else ""),
        _section(
            "Privacy",
            f"<p>{escape(privacy_words(data))}</p>"
            + (_table("Kind", ["Found", "Rows", "Masked examples"], privacy) if privacy else ""),
        ),
    ]


def _rows(rows: Sequence[int]) -> str:
    more = f" and {len(rows) - _MOST_ROWS:,} more" if len(rows) > _MOST_ROWS else ""
    return ", ".join(f"{row:,}" for row in rows[:_MOST_ROWS]) + more


def _table(first: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Cells carry their column's name: on a narrow page each stands on a line of its own."""
    head = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td class="number" data-name="{escape(column)}">{escape(cell)}</td>'
            if cell
            else '<td class="number"></td>'
            for column, cell in zip(columns, cells, strict=True)
        )
        + "</tr>"
        for name, cells in rows
    )
    return (
        f'<div class="wide"><table><thead><tr><th scope="col">{escape(first)}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figures(heading: str, content: str) -> str:
    return _section(heading, f'<div class="figures">{content}</div>') if content else ""


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{content}</section>" if content else ""


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
