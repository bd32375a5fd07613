"""`python -m core estimate …`: what a model needs, how long, how much, and how sure, from a configuration file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Training, memory, serving, and API against own hardware, with ranges.")

ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="YAML or JSON; see docs/estimate.md.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
def train(config: ConfigArgument, as_json: JsonFlag = False) -> None:
    """Time, cost and energy of a training run or fine-tune."""
    _run("train", config, as_json)


@app.command()
def memory(config: ConfigArgument, as_json: JsonFlag = False) -> None:
    """Memory of one GPU, part by part; what fits, and the smallest machine that does."""
    _run("memory", config, as_json)


@app.command()
def serve(config: ConfigArgument, as_json: JsonFlag = False) -> None:
    """Latency, throughput and $ per million tokens; replicas for a demand."""
    _run("serve", config, as_json)


@app.command()
def breakeven(config: ConfigArgument, as_json: JsonFlag = False) -> None:
    """An API against own hosting, over the tokens of a month."""
    _run("breakeven", config, as_json)


def _run(kind: str, config: Path, as_json: bool) -> None:
    from core.estimate.config import read_file
    from core.estimate.estimates import estimate
    from core.estimate.words import said, said_range

    report = estimate(kind, read_file(config))
    if as_json:
        json.dump(report.to_json(), sys.stdout, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write("\n")
        return
    typer.echo(report.sentence)
    for figure in report.figures:
        line = f"  {figure.label:48} {said(figure.value.expected, figure.unit):>22}"
        exact = figure.value.low == figure.value.high
        typer.echo(line if exact else f"{line}   {said_range(figure.value, figure.unit)}")
    for note in report.notes:
        typer.echo(f"- {note}")
