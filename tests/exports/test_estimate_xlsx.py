"""Workbooks against the engine, by their own formulas; `test_estimate_xlsx_calculated` does it in a spreadsheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.estimate.breakeven_estimate import estimate_breakeven
from core.estimate.figures import Figure
from core.estimate.ranges import Range
from core.estimate.report import Report
from core.estimate.train_estimate import estimate_train
from exports.estimate_compare import compare
from exports.estimate_xlsx import _book, comparison_xlsx, estimate_xlsx
from exports.formulas import Formula, Value, evaluate
from exports.xlsx_book import Book, Row, Section
from exports.xlsx_cases import case_sheet
from exports.xlsx_write import workbook
from tests.exports.estimates import ESTIMATES, EVIL, OTHER, REPORT, SPECS
from tests.exports.workbooks import Workbook, results

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEARCHED = {"largest_batch", "largest_context_tokens", "largest_model_parameters"}


def estimated(kind: str, spec: dict[str, Any]) -> tuple[Report, Book]:
    report, answer = ESTIMATES[kind](spec)
    return report, _book(report, answer)


def live(book: Book) -> dict[str, tuple[Value, ...]]:
    """Every live figure, as the book's formulas make it."""
    values = book.values()
    found = {
        key: tuple(evaluate(one, values) for one in (result.low, result.expected, result.high))
        for key, result in book.results.items()
        if all(name in values for name in [result.expected.text])
    }
    cases = case_sheet(book.cases, values).results if book.cases else {}
    return found | {key: tuple(value for _, value in ends) for key, ends in cases.items()}


def with_inputs(book: Book, **changes: float | str) -> Book:
    """As if these cells had been typed over."""

    def row(one: Row) -> Row:
        ends = {"low": f"{one.name}_low", "expected": one.name, "high": f"{one.name}_high"}
        return replace(one, **{end: changes[name] for end, name in ends.items() if name in changes})  # type: ignore[arg-type]

    return replace(book, inputs=tuple(Section(one.title, tuple(row(each) for each in one.rows)) for one in book.inputs))


def assert_same(figures: tuple[Figure, ...], found: dict[str, tuple[Value, ...]], *, within: float = 1e-9) -> None:
    for figure in figures:
        ends = (figure.value.low, figure.value.expected, figure.value.high)
        if figure.key in found:
            assert found[figure.key] == pytest.approx(ends, rel=within, abs=1e-12), figure.key


@pytest.mark.parametrize("what", SPECS)
def test_formulas_give_what_the_engine_gives(what: str) -> None:
    kind, spec = SPECS[what]
    report, book = estimated(kind, spec)
    found = live(book)
    assert {figure.key for figure in report.figures} - found.keys() <= (SEARCHED if kind == "memory" else set())
    assert_same(report.figures, found)


@pytest.mark.parametrize(
    ("what", "spec", "cells"),
    [
        ("pretraining", {"gpus": 4096}, {"gpus": 4096}),
        ("pretraining", {"recompute": "full", "tokens": 2e12}, {"recompute": "full", "tokens": 2e12}),
        ("recomputing", {"recompute": "none", "gpus": 64}, {"recompute": "none", "gpus": 64}),
        ("QLoRA", {"method": "lora", "lora_rank": 64, "recompute": "selective"}, {"method": "lora", "lora_rank": 64}),
        (
            "pretraining",
            {"hfu": {"low": 0.3, "expected": 0.4, "high": 0.5}},
            {"hfu_low": 0.3, "hfu": 0.4, "hfu_high": 0.5},
        ),
        ("inference memory", {"batch": 64, "tensor_parallel": 4}, {"requests": 64, "tensor_parallel": 4}),
        (
            "training memory",
            {"zero": 3, "micro_batch": 4, "recompute": "full", "pipeline_parallel": 4},
            {"zero_stage": 3, "micro_batch": 4, "recompute": "full", "pipeline_parallel": 4, "in_flight": 4},
        ),
        ("training memory", {"optimizer": "sgd_momentum"}, {"optimizer": "sgd_momentum"}),
        ("serving", {"concurrency": 64, "prompt_tokens": 3000}, {"concurrency": 64, "prompt_tokens": 3000}),
        (
            "serving",
            {"usd_per_gpu_hour": {"low": 1, "expected": 2, "high": 8}, "cached_share": 0.25},
            {"usd_per_gpu_hour_low": 1, "usd_per_gpu_hour": 2, "usd_per_gpu_hour_high": 8, "cached_share": 0.25},
        ),
        (
            "API or own",
            {"monthly_tokens": 2e10, "minimum_replicas": 2},
            {
                "monthly_tokens_low": 2e10,
                "monthly_tokens": 2e10,
                "monthly_tokens_high": 2e10,
                "minimum_replicas": 2,
            },
        ),
    ],
)
def test_a_changed_input_changes_the_figures_as_the_engine_does(
    what: str, spec: dict[str, Any], cells: dict[str, float | str]
) -> None:
    kind, before = SPECS[what]
    _, book = estimated(kind, before)
    report, _ = estimated(kind, before | spec)
    assert live(book) != live(with_inputs(book, **cells))
    # The batch of a training step, where it is not said, follows the size of the run: it is a cell of its own.
    assert_same(report.figures, live(with_inputs(book, **cells)))


def test_the_results_say_which_figures_follow_the_inputs_and_which_are_values() -> None:
    spec = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb"}
    told = Workbook(estimate_xlsx(*ESTIMATES["memory"](spec), at=AT)).sheet("Results")["A3"].value
    assert "follow the inputs. 3 figures are values, marked beside" in str(told)
    told = Workbook(estimate_xlsx(*ESTIMATES["memory"](spec | {"gpu": None}), at=AT)).sheet("Results")["A3"].value
    assert str(told).startswith("Every figure follows the inputs")
    told = Workbook(workbook(REPORT, Book(inputs=()), at=AT)).sheet("Results")["A3"].value
    assert "none follows" in str(told)


@pytest.mark.parametrize("what", ["pretraining", "training memory", "serving", "API or own"])
def test_the_file_has_formulas_over_names_and_their_values_beside_them(what: str) -> None:
    report, answer = ESTIMATES[SPECS[what][0]](SPECS[what][1])
    written = Workbook(estimate_xlsx(report, answer, at=AT))
    assert set(written.sheets()) >= {"Inputs", "Results", "Sources", "Notes"}
    cells = written.sheet("Results")
    for line, figure in enumerate(report.figures, 6):
        for column, value in zip("BCD", (figure.value.low, figure.value.expected, figure.value.high), strict=True):
            assert cells[f"{column}{line}"].formula
            assert cells[f"{column}{line}"].value == pytest.approx(value, rel=1e-9)
        assert cells[f"F{line}"].value == figure.key
    assert not [one for one in written.sheet("Inputs").values() if str(one.value).startswith("#")]


def test_inputs_are_named_cells_that_hold_what_was_asked() -> None:
    report, answer = estimate_train(SPECS["pretraining"][1])
    written = Workbook(estimate_xlsx(report, answer, at=AT))
    names, cells = written.names, written.sheet("Inputs")
    wanted = {
        "tokens": 1e12,
        "gpus": 2048,
        "recompute": "selective",
        "layers": 32,
        "tdp_watts": 400,
        "failure_hours": None,
    }
    for name, value in wanted.items():
        sheet, address = names[name].split("!")
        assert sheet == "Inputs"
        assert value is None or cells[address.replace("$", "")].value == value
    assert {
        f"{name}{end}" for name in ("hfu", "usd_per_gpu_hour", "pue") for end in ("_low", "", "_high")
    } <= names.keys()
    assert written.sheet("Results")["C15"].formula == "run_days"
    assert written.sheet("Calculation")  # the steps between


def test_a_chart_stands_beside_the_break_even_table() -> None:
    report, answer = estimate_breakeven(SPECS["API or own"][1])
    written = Workbook(estimate_xlsx(report, answer, at=AT))
    assert "scatterChart" in written.text()
    rows = [one for address, one in written.sheet("Curve").items() if address.startswith("C") and one.formula]
    points = answer.breakeven.curve
    assert [one.value for one in rows] == pytest.approx([point.own_usd.expected for point in points], rel=1e-9)


def test_no_text_becomes_a_formula_or_a_link() -> None:
    awkward = [EVIL, "=1+1", "+1", "-1", "@SUM(A1)", "http://evil.example", "\x00\x01control", "x" * 40_000, "\ud83d"]
    report = replace(REPORT, sentence=awkward[0], notes=tuple(awkward))
    written = Workbook(workbook(report, Book(inputs=()), at=AT))
    for sheet in written.sheets():
        for cell in written.sheet(sheet).values():
            assert not cell.formula
            assert not str(cell.value).startswith(("=", "+", "-", "@"))
    assert "<hyperlink" not in written.text()


def test_names_that_users_gave_reach_no_formula() -> None:
    spec = SPECS["pretraining"][1] | {"name": EVIL}
    written = Workbook(estimate_xlsx(*estimate_train(spec), at=AT))
    formulas = [cell.formula for sheet in written.sheets() for cell in written.sheet(sheet).values()]
    assert not any("HYPERLINK" in one for one in formulas)
    assert "HYPERLINK" in str(written.sheet("Results")["A1"].value)


def test_a_saved_estimate_is_estimated_again_for_its_formulas() -> None:
    report, _ = estimate_train(SPECS["QLoRA"][1])
    assert Workbook(estimate_xlsx(report)).sheet("Results")["C6"].formula


def test_what_cannot_be_estimated_again_is_written_as_values_and_says_so() -> None:
    written = Workbook(estimate_xlsx(replace(REPORT, spec={"model": "gone", "tokens": 1, "gpu": "none"}), at=AT))
    cells = written.sheet("Results")
    assert (cells["C6"].formula, cells["C6"].value, cells["H6"].value) == ("", 10.0, "a value, not a formula")
    assert "could not be estimated again" in written.text()


def test_the_configuration_is_in_the_notes_as_it_is() -> None:
    report, answer = estimate_train(SPECS["QLoRA"][1])
    cells = Workbook(estimate_xlsx(report, answer, at=AT)).sheet("Notes")
    assert any("parameters: 8B" in str(one.value) and "method: qlora" in str(one.value) for one in cells.values())
    assert any(one.value == "python -m core estimate train CONFIG.yaml" for one in cells.values())


def test_a_comparison_has_each_scenario_and_its_change() -> None:
    written = Workbook(comparison_xlsx(compare([REPORT, OTHER], ["a", EVIL]), at=AT))
    cells = written.sheet("Comparison")
    assert (cells["D1"].value, cells["H1"].value) == ("a", f"'{EVIL}")
    assert (cells["E4"].value, cells["I4"].value, cells["K4"].value) == (8.4e22, 4.2e22, -0.5)
    assert cells["K4"].formula == "I4/E4-1"
    assert "I3" not in cells  # the other has no such figure


def test_a_range_that_may_be_zero_is_written() -> None:
    figure = replace(REPORT.figures[0], value=Range(0.0, 0.0, 3.0))
    report = replace(REPORT, figures=(figure,))
    assert results(workbook(report, Book(inputs=()), at=AT))["days"] == (0.0, 0.0, 3.0)


def test_formulas_are_of_their_own_type() -> None:
    with pytest.raises(ValueError, match="no name"):
        workbook(REPORT, Book(inputs=(Section("x", (Row(name="fp8", label="", expected=1.0),)),)), at=AT)
    assert Formula("a") != "a"


def test_what_is_searched_for_is_a_value_and_the_notes_say_so() -> None:
    kind, spec = SPECS["serving"]
    report, answer = ESTIMATES[kind](spec | {"users": 10_000})
    written = Workbook(estimate_xlsx(report, answer, at=AT))
    rows = {cell.value: address[1:] for address, cell in written.sheet("Results").items() if address.startswith("F")}
    assert written.sheet("Results")[f"C{rows['requests_per_s']}"].formula
    assert not written.sheet("Results")[f"C{rows['fleet_replicas']}"].formula
    assert "replicas of a demand are searched for" in written.text()


def test_a_network_of_samples_has_its_activations_as_a_factor() -> None:
    config = {"model_type": "resnet", "depths": [3, 4, 6, 3], "hidden_sizes": [256, 512, 1024, 2048], "num_labels": 9}
    spec = {"config": config, "gpu": "h100-sxm-80gb", "prompt_tokens": 1, "output_tokens": 0, "concurrency": 64}
    report, book = estimated("serve", spec)
    found = live(book)
    assert {figure.key for figure in report.figures} == found.keys()
    assert_same(report.figures, found)
    [most] = [figure.value for figure in report.figures if figure.key == "largest_batch"]
    assert most.spread > 5
    changed = live(with_inputs(book, activation_bytes=1e9, activation_bytes_low=1e9, activation_bytes_high=1e9))
    assert changed["largest_batch"][1] == 74  # 0.93 of 80 GB, less the weights
