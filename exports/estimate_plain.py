"""An estimate as plain values, as the record keeps it, and back again.

The record knows nothing of estimates, so the page saves `scenario_of(name, report)` and shows `report_of(record)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any, cast

from core.estimate.figures import Driver, Figure, Input
from core.estimate.ranges import Range
from core.estimate.report import Kind, Report
from core.store.scenarios import NewScenario


def scenario_of(name: str, report: Report, form: dict[str, Any] | None = None) -> NewScenario:
    """What `ScenarioRepository.save` takes. form: of the page, to open it there again."""
    return NewScenario(
        name=name,
        kind=report.kind,
        spec=plain_spec(report.spec),
        sentence=report.sentence,
        figures=[_plain_figure(figure) for figure in report.figures],
        notes=list(report.notes),
        measurement_ids=list(report.measurement_ids),
        form=form or {},
    )


def report_of(scenario: NewScenario) -> Report:
    """The estimate as it was when it was saved."""
    return Report(
        kind=cast(Kind, scenario.kind),  # the repository keeps no other
        spec=scenario.spec,
        sentence=scenario.sentence,
        figures=tuple(_figure(one) for one in scenario.figures),
        notes=tuple(scenario.notes),
    )


def plain_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The configuration in what JSON and YAML know: paths become text, tuples lists."""
    return {str(key): _plain(value) for key, value in spec.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return plain_spec(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, PurePath) else value


def _plain_figure(figure: Figure) -> dict[str, Any]:
    values = {name: value for name, value in asdict(figure).items() if name != "value"}
    lists = {name: list(values[name]) for name in ("inputs", "drivers", "measurement_ids")}
    return values | lists | figure.to_json()


def _figure(plain: dict[str, Any]) -> Figure:
    return Figure(
        key=plain["key"],
        label=plain["label"],
        unit=plain["unit"],
        value=Range(plain["low"], plain["expected"], plain["high"]),
        formula=plain["formula"],
        source=plain["source"],
        inputs=tuple(Input(**one) for one in plain["inputs"]),
        drivers=tuple(Driver(**one) for one in plain["drivers"]),
        measurement_ids=tuple(plain["measurement_ids"]),
    )
