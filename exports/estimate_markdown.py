"""An estimate to read, as Markdown: the answer, its figures with their ranges, what was assumed, where each is from,
and how to make it again. What a user wrote stays text: it cannot become a heading, a link or a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from core.estimate.figures import Figure, Input
from core.estimate.ranges import Range
from core.estimate.report import TITLES, Report
from core.estimate.words import said
from core.store.columns import utc_now
from exports.estimate_compare import Comparison
from exports.estimate_document import command, config_yaml, ends, input_value, linked, made, moved, title

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|$~&])")
_STARTS_BLOCK = re.compile(r"^(?:[-+=]|\d+[.)])(?=\s|[-=]|$)")


def estimate_markdown(report: Report, *, at: datetime | None = None) -> bytes:
    """In UTF-8. at: when it was made; default, now."""
    parts = [f"# {escaped(title(report))}", escaped(report.sentence), _table(report.figures)]
    if drivers := _drivers(report.figures):
        parts += ["## What drives the ranges", drivers]
    if report.notes:
        parts += ["## Assumptions and notes", _list(report.notes)]
    parts += ["## Where each figure is from", "\n".join(_origin(figure) for figure in report.figures)]
    if report.measurement_ids:
        parts += ["## Measurements", _list([f"`{one}`" for one in report.measurement_ids], plain=True)]
    how = f"Save this as `CONFIG.yaml`, then run `{command(report)}`."
    parts += ["## Repeat it", how, _fenced(config_yaml(report))]
    parts.append(f"{made(at or utc_now())}. Ranges are low to high, not worst cases.")
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8")


def comparison_markdown(comparison: Comparison, *, at: datetime | None = None) -> bytes:
    """A table of figures by scenarios, then each scenario's answer and configuration."""
    head = ["Figure", *(escaped(name) for name in comparison.names)]
    rows = [
        [escaped(row.label), *(_expected_and_range(one, row.unit) if one else "" for one in row.values)]
        for row in comparison.rows
    ]
    parts = ["# Estimates compared", _rows(head, rows)]
    for name, report in zip(comparison.names, comparison.reports, strict=True):
        parts += [f"## {escaped(name)}", f"{TITLES[report.kind]}. {escaped(report.sentence)}"]
        parts += [_list(report.notes) if report.notes else "", f"`{command(report)}`", _fenced(config_yaml(report))]
    parts.append(f"{made(at or utc_now())}.")
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8")


def escaped(text: str) -> str:
    """On one line, with nothing in it that Markdown would read."""
    line = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _STARTS_BLOCK.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], line)


def _table(figures: Sequence[Figure]) -> str:
    head = ["Figure", "Low", "Expected", "High", "Key"]
    rows = []
    for one in figures:
        low, expected, high = (
            escaped(said(end, one.unit)) for end in (one.value.low, one.value.expected, one.value.high)
        )
        ends = ("", f"**{expected}**", "") if one.value.low == one.value.high else (low, f"**{expected}**", high)
        rows.append([escaped(one.label), *ends, f"`{one.key}`"])
    return _rows(head, rows)


def _expected_and_range(one: Range, unit: str) -> str:
    found = f"**{escaped(said(one.expected, unit))}**"
    return found if one.low == one.high else f"{found} ({escaped(ends(one, unit))})"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns after the first are numbers, so they are aligned right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _drivers(figures: Sequence[Figure]) -> str:
    lines = []
    for figure in figures:
        drivers = [f"{escaped(one.name)} ({escaped(moved(one, figure.unit))})" for one in figure.drivers]
        if drivers:
            lines.append(f"- **{escaped(figure.label)}**: {'; '.join(drivers)}")
    return "\n".join(lines)


def _origin(figure: Figure) -> str:
    lines = [f"- **{escaped(figure.label)}** (`{figure.key}`): {_formula(figure.formula)}"]
    if figure.source:
        lines.append(f"  - Source: {_links(figure.source)}")
    if figure.inputs:
        lines.append(f"  - From: {'; '.join(_input(one) for one in figure.inputs)}")
    if figure.measurement_ids:
        lines.append(f"  - Measurements: {', '.join(f'`{one}`' for one in figure.measurement_ids)}")
    return "\n".join(lines)


def _input(one: Input) -> str:
    return f"{escaped(one.name)} = {escaped(input_value(one))}" + (f" ({_links(one.source)})" if one.source else "")


def _formula(latex: str) -> str:
    """Between dollars, as most readers of Markdown draw it; a dollar in it would end it early."""
    safe = latex.replace("$", r"\$")
    return f"${safe}$" if safe else "given"


def _links(text: str) -> str:
    return "".join(
        f"[{escaped(part.text)}]({part.url.replace('(', '%28').replace(')', '%29')})"
        if part.url
        else _escaped_inside(part.text)
        for part in linked(text)
    )


def _escaped_inside(text: str) -> str:
    """As `escaped`, but keeps the space at either end: it stands beside a link."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", text))


def _list(lines: Sequence[str], *, plain: bool = False) -> str:
    return "\n".join(f"- {line if plain else escaped(line)}" for line in lines)


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text}\n{fence}"
