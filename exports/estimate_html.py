"""An estimate as one HTML file that needs nothing else: no script, no network, light and dark, and fit to be printed.

Every word of it is escaped, and a content policy forbids the browser to load or to run anything all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from core.estimate.figures import Figure, Input
from core.estimate.report import TITLES, Report
from core.estimate.words import said
from core.store.columns import utc_now
from exports.estimate_compare import ComparedFigure, Comparison
from exports.estimate_document import command, config_yaml, ends, input_value, linked, made, moved, title
from exports.range_bars import driver_bars, range_bar

_STYLE = Path(__file__).with_name("estimate.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def estimate_html(report: Report, *, at: datetime | None = None) -> bytes:
    """In UTF-8. at: when it was made; default, now."""
    parts = [
        f"<h1>{escape(title(report))}</h1>",
        f'<p class="answer">{escape(report.sentence)}</p>',
        _figures(report.figures),
        _section("What drives the ranges", "".join(_drivers(one) for one in report.figures if one.drivers)),
        _section("Assumptions and notes", _list(report.notes)),
        _section("Where each figure is from", "".join(_origin(one) for one in report.figures)),
        _section("Measurements", _list(report.measurement_ids, code=True)),
        _section("Repeat it", _repeat(report)),
    ]
    return _page(title(report), parts, at)


def comparison_html(comparison: Comparison, *, at: datetime | None = None) -> bytes:
    """A table of figures by scenarios, the bars of a row on one scale; then each scenario."""
    head = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in comparison.names)
    rows = "".join(_compared(row) for row in comparison.rows)
    parts = [
        "<h1>Estimates compared</h1>",
        f'<div class="wide"><table class="compared"><thead><tr><th scope="col">Figure</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>",
    ]
    for name, report in zip(comparison.names, comparison.reports, strict=True):
        about = f"<p>{TITLES[report.kind]}. {escape(report.sentence)}</p>{_list(report.notes)}{_repeat(report)}"
        parts.append(_section(name, about))
    return _page("Estimates compared", parts, at)


def _page(heading: str, parts: Sequence[str], at: datetime | None) -> bytes:
    style = _STYLE.read_text(encoding="utf-8")
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(heading)}</title>'
        f"<style>\n{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(part for part in parts if part)}\n</main>\n"
        f"<footer>{escape(made(at or utc_now()))}. Ranges are low to high, not worst cases.</footer></body></html>\n"
    )
    return page.encode("utf-8", errors="replace")  # half a surrogate pair is no character


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{content}</section>" if content else ""


def _figures(figures: Sequence[Figure]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><a href="#{escape(one.key)}">{escape(one.label)}</a></th>'
        f'<td class="number expected">{escape(said(one.value.expected, one.unit))}</td>'
        f'<td class="number">{escape(ends(one.value, one.unit))}</td>'
        f"<td>{range_bar(one.value, one.unit) if one.value.low < one.value.high else ''}</td></tr>"
        for one in figures
    )
    return (
        '<div class="wide"><table><thead><tr><th scope="col">Figure</th><th scope="col" class="number">Expected</th>'
        '<th scope="col" class="number">Low to high</th><th scope="col">Range, from 0</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _compared(row: ComparedFigure) -> str:
    most = max((one.high for one in row.values if one), default=0.0)
    cells = "".join(
        f'<td class="number"><b>{escape(said(one.expected, row.unit))}</b>'
        f"<span>{escape(ends(one, row.unit))}</span>{range_bar(one, row.unit, most=most)}</td>"
        if one
        else "<td></td>"
        for one in row.values
    )
    return f'<tr><th scope="row">{escape(row.label)}</th>{cells}</tr>'


def _drivers(figure: Figure) -> str:
    bars = driver_bars(figure.value.expected, figure.drivers, figure.unit)
    rows = "".join(
        f'<tr><th scope="row">{escape(one.name)}</th>'
        f'<td class="number">{escape(moved(one, figure.unit))}</td>'
        f"<td>{bar}</td></tr>"
        for one, bar in zip(figure.drivers, bars, strict=True)
    )
    return f'<div class="wide"><table><caption>{escape(figure.label)}</caption><tbody>{rows}</tbody></table></div>'


def _origin(figure: Figure) -> str:
    lines = [f"<p><code>{escape(figure.formula)}</code></p>" if figure.formula else ""]
    if figure.source:
        lines.append(f"<p>Source: {_links(figure.source)}</p>")
    if figure.inputs:
        lines.append(f"<ul>{''.join(f'<li>{_input(one)}</li>' for one in figure.inputs)}</ul>")
    if figure.measurement_ids:
        ids = ", ".join(f"<code>{escape(one)}</code>" for one in figure.measurement_ids)
        lines.append(f"<p>Measurements: {ids}</p>")
    key = escape(figure.key)
    return f'<article id="{key}"><h3>{escape(figure.label)} <code>{key}</code></h3>{"".join(lines)}</article>'


def _input(one: Input) -> str:
    source = f" <span>({_links(one.source)})</span>" if one.source else ""
    return f"{escape(one.name)} = {escape(input_value(one))}{source}"


def _links(text: str) -> str:
    return "".join(
        f'<a href="{escape(part.url)}" rel="noopener noreferrer">{escape(part.text)}</a>'
        if part.url
        else escape(part.text)
        for part in linked(text)
    )


def _list(lines: Sequence[str], *, code: bool = False) -> str:
    items = (f"<code>{escape(line)}</code>" if code else _links(line) for line in lines)
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if lines else ""


def _repeat(report: Report) -> str:
    return (
        f"<p>Save this as <code>CONFIG.yaml</code>, then run <code>{escape(command(report))}</code>.</p>"
        f"<pre>{escape(config_yaml(report))}</pre>"
    )
