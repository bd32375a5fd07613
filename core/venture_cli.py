"""`python -m core plan`, `captable` and `report`: a company's plan, who owns it, and the papers, from one file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
CompanyArgument = Annotated[Path, typer.Argument(metavar="SCENARIO.yaml", help="A company; see docs/plan.md.")]


def plan(
    company: CompanyArgument,
    scenario: Annotated[str, typer.Option(help="base, or one of the file's scenarios: down, up, …")] = "base",
    chances: Annotated[
        bool, typer.Option("--chances", help="Monte Carlo too: when the cash may run out, and how likely.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """A company month by month: revenue, margin, cash, runway, and the metrics that investors ask for."""
    from core.venture.plan_answer import answer, lines
    from core.venture.spec import read_company

    found = answer(read_company(company), scenario=scenario, chances=chances)
    _print(found, lines(found), as_json)


def captable(
    case: Annotated[Path, typer.Argument(metavar="CASE.yaml", help="Who owns what, and rounds; see docs/captable.md.")],
    as_json: JsonFlag = False,
) -> None:
    """Who owns a company: SAFEs, notes and rounds converted, dilution, and what an exit pays to whom."""
    from core.estimate.config import read_file
    from core.venture.ownership.case import run_case

    found = run_case(read_file(case))
    _print(found.to_json(), found.lines(), as_json)


def report(
    company: CompanyArgument,
    out: Annotated[Path, typer.Option(help="Folder to write to; made where it is not there.")],
    audience: Annotated[str, typer.Option(help="board or investors.")] = "investors",
    sections: Annotated[
        list[str] | None, typer.Option("--section", help="Only this section; may be given several times.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """A board or investor report: HTML to print, a workbook with live formulas, Markdown and CSV."""
    from core.venture.spec import read_company
    from exports.company_files import write_report

    written = write_report(read_company(company), out, audience=audience, sections=tuple(sections or ()))
    _print({"files": [str(path) for path in written]}, [str(path) for path in written], as_json)


def _print(found: dict[str, Any], told: list[str], as_json: bool) -> None:
    if as_json:
        json.dump(found, sys.stdout, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write("\n")
        return
    for line in told:
        typer.echo(line)
