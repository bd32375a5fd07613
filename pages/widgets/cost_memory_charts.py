"""Pictures of memory: the parts of one GPU's, beside what it has, and the machines that hold the model."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

from core.estimate.fitting import Machine, usable_bytes
from core.estimate.memory_estimate import MemoryAnswer
from core.estimate.words import said
from pages.widgets.chart_parts import Picture, Row, dollars, even_axis, hover, range_row, short
from pages.widgets.part_bars import Bars, Mark, Part, parts_figure

MOST_MACHINES = 8


def pictures(answer: MemoryAnswer) -> tuple[Picture, ...]:
    found: list[Picture] = [("memory", parts_picture(answer), parts_rows(answer))]
    if answer.machines:
        found.append(("machines", machines_figure(answer), machines_rows(answer)))
    return tuple(found)


def parts_picture(answer: MemoryAnswer) -> go.Figure:
    """The stack of one GPU, with a line at what the chosen one can use of its memory and a dotted one at the whole."""
    gpu = answer.gpu
    return parts_figure(
        "Memory of one GPU",
        "Needed" if gpu is None else f"Needed, {'and it' if answer.fits else 'which'} {answer.verdict}:",
        answer.memory.total.value,
        [Part(name=part.label, value=part.value) for part in answer.memory.parts],
        "bytes",
        mark=None if gpu is None else Mark(name=gpu.name, value=usable_bytes(gpu), beyond=gpu.memory_bytes),
    )


def parts_rows(answer: MemoryAnswer) -> list[Row]:
    figures = (*answer.memory.parts, answer.memory.total)
    rows: list[Row] = [{"part": figure.label, **range_row("bytes", figure.value)} for figure in figures]
    if answer.gpu is not None:
        for name, size in (("usable", usable_bytes(answer.gpu)), ("printed", answer.gpu.memory_bytes)):
            rows.append({"part": f"{answer.gpu.name}, {name}", "bytes_expected": size})
    return rows


def machines_figure(answer: MemoryAnswer) -> go.Figure:
    """Of each accelerator the fewest that hold it, the cheapest hour first; by their memory where none has a price."""
    shown = _shown(answer)
    priced = any(machine.usd_per_hour is not None for machine in shown)
    bars = Bars()
    lengths = [(machine.usd_per_hour if priced else machine.memory_bytes / 1e9) or 0.0 for machine in shown]
    for machine, length in zip(shown, lengths, strict=True):
        chosen = answer.gpu is not None and machine.accelerator.id == answer.gpu.id
        name = f"{machine.gpus} × {escape(machine.accelerator.name)}"
        row = bars.words(f"{f'<b>{name}</b>, chosen' if chosen else name} · {_price(machine, priced)}")
        bars.bar(row, 0, length, bars.sketch.colours[1 if chosen else 0], _told(machine))
    some = f"{len(shown)} of {len(answer.machines)}, " if len(answer.machines) > len(shown) else ""
    title = "USD an hour, on demand" if priced else "memory of the machine, GB"
    return bars.figure(
        "The smallest machines that fit",
        even_axis(0, 1.03 * max(lengths), dollars if priced else short, title=title),
        told=f"{some}the cheapest first" if priced else f"{some}none has a known price",
    )


def machines_rows(answer: MemoryAnswer) -> list[Row]:
    """All of them."""
    return [
        {
            "accelerator": machine.accelerator.id,
            "name": machine.accelerator.name,
            "gpus": machine.gpus,
            "usd_per_hour": machine.usd_per_hour,
            "needed_bytes_of_one": machine.gpu_bytes,
            "usable_bytes_of_one": machine.usable_bytes,
            "tensor_parallel": machine.plan.tensor_parallel,
            "pipeline_parallel": machine.plan.pipeline_parallel,
            "zero": getattr(machine.plan, "zero", None),
        }
        for machine in answer.machines
    ]


def _shown(answer: MemoryAnswer) -> list[Machine]:
    """The first ones, and the chosen GPU's, wherever it stands."""
    first = list(answer.machines[:MOST_MACHINES])
    chosen = [one for one in answer.machines if answer.gpu is not None and one.accelerator.id == answer.gpu.id]
    return first + [one for one in chosen[:1] if one not in first]


def _price(machine: Machine, priced: bool) -> str:
    if machine.usd_per_hour is not None:
        return f"<b>${machine.usd_per_hour:,.2f}</b> an hour"
    return "price unknown" if priced else said(machine.memory_bytes, "bytes")


def _told(machine: Machine) -> str:
    plan = machine.plan
    zero = getattr(plan, "zero", 0)
    ways = [
        f"{name} parallel {degree}"
        for name, degree in (("tensor", plan.tensor_parallel), ("pipeline", plan.pipeline_parallel))
        if degree > 1
    ]
    return hover(
        f"{machine.gpus} × {machine.accelerator.name}",
        f"{said(machine.gpu_bytes, 'bytes')} of {said(machine.usable_bytes, 'bytes')} usable on each",
        "price unknown" if machine.usd_per_hour is None else f"${machine.usd_per_hour:,.2f} an hour",
        ", ".join([*ways, *([f"ZeRO {zero}"] if zero else [])]),
    )
