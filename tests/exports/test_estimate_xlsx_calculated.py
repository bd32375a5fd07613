"""The workbooks in a real spreadsheet: LibreOffice calculates them anew, as they are and with other inputs."""

from __future__ import annotations

from typing import Any

import pytest

from core.estimate.report import Report
from exports.estimate_xlsx import estimate_xlsx
from tests.exports.estimates import ESTIMATES, SPECS
from tests.exports.workbooks import Workbook, calculated, results

pytestmark = pytest.mark.slow

# What is typed over, in the configuration and in the cells; {} for the file as it is.
CHANGES: dict[str, tuple[str, dict[str, Any], dict[str, float | str]]] = {
    **{what: (what, {}, {}) for what in SPECS},
    "more GPUs": ("pretraining", {"gpus": 4096}, {"gpus": 4096}),
    "full recomputation": ("pretraining", {"recompute": "full"}, {"recompute": "full"}),
    "LoRA in place of QLoRA": (
        "QLoRA",
        {"method": "lora", "recompute": "selective"},
        {"method": "lora", "recompute": "selective"},
    ),
    "more requests": ("inference memory", {"batch": 64}, {"requests": 64}),
    "ZeRO-3": ("training memory", {"zero": 3, "micro_batch": 4}, {"zero_stage": 3, "micro_batch": 4}),
    "more at once": ("serving", {"concurrency": 64}, {"concurrency": 64}),
    "another price": (
        "serving",
        {"usd_per_gpu_hour": {"low": 1, "expected": 2, "high": 8}},
        {"usd_per_gpu_hour_low": 1, "usd_per_gpu_hour": 2, "usd_per_gpu_hour_high": 8},
    ),
    "two replicas at least": ("API or own", {"minimum_replicas": 2}, {"minimum_replicas": 2}),
}


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every workbook, emptied of its values, and calculated."""
    given = {}
    for number, (what, _, cells) in enumerate(CHANGES.values()):
        kind, spec = SPECS[what]
        given[str(number)] = Workbook(estimate_xlsx(*ESTIMATES[kind](spec))).changed(cells)
    found = calculated(given, tmp_path_factory.mktemp("spreadsheets"))
    return dict(zip(CHANGES, found.values(), strict=True))


def estimated(what: str, spec: dict[str, Any]) -> Report:
    kind, before = SPECS[what]
    return ESTIMATES[kind](before | spec)[0]


@pytest.mark.parametrize("change", CHANGES)
def test_a_spreadsheet_gives_what_the_engine_gives(change: str, sheets: dict[str, bytes]) -> None:
    what, spec, _ = CHANGES[change]
    found = results(sheets[change])
    for figure in estimated(what, spec).figures:
        ends = (figure.value.low, figure.value.expected, figure.value.high)
        if spec and figure.key.startswith("largest_") and SPECS[what][0] == "memory":
            continue  # searched for by the engine: a value
        assert found[figure.key] == pytest.approx(ends, rel=1e-3), figure.key


@pytest.mark.parametrize("change", CHANGES)
def test_no_cell_is_an_error(change: str, sheets: dict[str, bytes]) -> None:
    book = Workbook(sheets[change])
    errors = [
        f"{sheet}!{address}: {cell.value}"
        for sheet in book.sheets()
        for address, cell in book.sheet(sheet).items()
        if cell.formula and (isinstance(cell.value, str) and cell.value.startswith(("#", "Err:")))
    ]
    assert errors == []
