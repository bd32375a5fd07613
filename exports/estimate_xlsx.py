"""An estimate as a workbook that calculates: change an input, and every figure and range follows.

Its formulas are the engine's own arithmetic over named cells; tests hold them against the engine, in a spreadsheet too.
A saved estimate whose configuration no longer works (a removed model, a price that is gone) has values instead.
"""

from __future__ import annotations

from datetime import datetime

from core.errors import GroundworkError
from core.estimate.breakeven_estimate import BreakevenAnswer, estimate_breakeven
from core.estimate.memory_estimate import MemoryAnswer, estimate_memory
from core.estimate.report import Report
from core.estimate.serve_estimate import ServeAnswer, estimate_serve
from core.estimate.train_estimate import estimate_train
from core.estimate.training import Training
from core.store.columns import utc_now
from exports.estimate_compare import Comparison
from exports.xlsx_book import Book
from exports.xlsx_breakeven import breakeven_book
from exports.xlsx_compare import comparison_workbook
from exports.xlsx_memory import memory_book
from exports.xlsx_serve import serve_book
from exports.xlsx_train import train_book
from exports.xlsx_write import workbook

Answer = Training | MemoryAnswer | ServeAnswer | BreakevenAnswer
"""What an estimate gives beside its report."""


def estimate_xlsx(report: Report, answer: Answer | None = None, *, at: datetime | None = None) -> bytes:
    """answer: as `estimate_<kind>` gave it with the report; default, estimated again from its configuration, so that
    formulas of a saved estimate stand on today's tables. at: when it was made; default, now."""
    notes: tuple[str, ...] = ()
    try:
        book = _book(report, answer or _answer(report))
    except GroundworkError as error:
        book = Book(inputs=())
        notes = (f"Figures are values: they could not be estimated again. {error}",)
    return workbook(report, book, at=at or utc_now(), notes=notes)


def comparison_xlsx(comparison: Comparison, *, at: datetime | None = None) -> bytes:
    """Scenarios beside each other, each figure with its change from the first one."""
    return comparison_workbook(comparison, at=at or utc_now())


def _answer(report: Report) -> Answer:
    if report.kind == "train":
        return estimate_train(report.spec)[1]
    if report.kind == "memory":
        return estimate_memory(report.spec)[1]
    return (estimate_serve if report.kind == "serve" else estimate_breakeven)(report.spec)[1]


def _book(report: Report, answer: Answer) -> Book:
    if isinstance(answer, Training):
        return train_book(report, answer)
    if isinstance(answer, MemoryAnswer):
        return memory_book(report, answer)
    return serve_book(report, answer) if isinstance(answer, ServeAnswer) else breakeven_book(report, answer)
