"""Prices and hardware: what an edited table becomes in the file, and that nothing typed is lost to an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.estimate import hardware, own_tables, prices
from pages.widgets.cost_table_rows import (
    HARDWARE,
    MARK,
    PRICES,
    Cells,
    cells,
    changes,
    hardware_rows,
    price_rows,
)

SCRIPT = "from pages.widgets import cost_tables\ncost_tables.draw()"
TODAY = date(2026, 11, 22)
Edit = Callable[[list[Cells]], list[Cells]]


def page() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=60).run()


def shown(table: str) -> list[Cells]:
    if table == "hardware":
        return [cells(row, HARDWARE) for row in hardware_rows(TODAY)]
    return [cells(row, PRICES) for row in price_rows(TODAY)]


def edited_page(monkeypatch: pytest.MonkeyPatch, edit: Edit) -> AppTest:
    """The page with the hardware table as if somebody had typed in it."""
    real = st.data_editor

    def typed(data: list[Cells], **how: Any) -> list[Cells]:
        real(data, **how)
        return edit([dict(row) for row in data]) if "Id" in data[0] else data

    monkeypatch.setattr(st, "data_editor", typed)
    return page()


def with_cell(id: str, name: str, value: Any) -> Edit:
    return lambda rows: [row | {name: value} if row["Id"] == id else row for row in rows]


def test_every_table_is_drawn_with_a_csv(home: Path) -> None:
    at = page()
    assert not at.exception
    assert [one.label for one in at.tabs] == [
        "Hardware",
        "Rental prices",
        "API prices",
        "Buying",
        "Electricity",
        "Grids",
        "Published runs",
    ]
    assert len(at.get("download_button")) == 6
    assert not [one for one in at.button if one.label.startswith("Save")]


def test_a_table_that_nobody_touched_has_no_changes(home: Path) -> None:
    assert not changes("hardware", hardware_rows(TODAY), shown("hardware"))
    assert not changes("prices", price_rows(TODAY), shown("prices"))


def test_a_changed_cell_alone_is_converted(home: Path) -> None:
    rows = with_cell("h100-sxm-80gb", "Memory, GB", 94.0)(shown("hardware"))
    found = changes("hardware", hardware_rows(TODAY), rows)
    [row] = found.put
    before = hardware.find("h100-sxm-80gb")
    assert row["memory_bytes"] == 94e9
    assert row["fp16_flops_per_s"] == before.fp16_flops_per_s
    assert row["node_gpus"] == 8
    assert not found.drop
    assert not found.staying


def test_a_new_row_leaves_what_is_empty_to_the_defaults(home: Path) -> None:
    new = {"Id": " rack-1 ", "Name": "Our rack", "Memory, GB": 48, "Bandwidth, GB/s": float("nan"), "Kind": "gpu"}
    empty: Cells = dict.fromkeys(new)
    found = changes("hardware", hardware_rows(TODAY), [*shown("hardware"), new, empty])
    assert found.put == ({"id": "rack-1", "name": "Our rack", "kind": "gpu", "memory_bytes": 48e9},)


def test_a_row_with_nothing_but_what_the_page_fills_in_is_none(home: Path) -> None:
    added: Cells = {"Kind": "gpu", "Source": "own entry, 2026-11-22", "As of": "2026-11-22", "Id": None}
    assert not changes("hardware", hardware_rows(TODAY), [*shown("hardware"), added])


def test_a_number_below_zero_reaches_the_check_and_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.widgets import cost_table_editor

    for table in ("hardware", "prices"):  # a column with a least value of 0 drops the minus sign that is typed
        columns = cost_table_editor._config(table).values()
        assert not [one for one in columns if one["type_config"].get("min_value") is not None]
    at = edited_page(monkeypatch, with_cell("h100-sxm-80gb", "Memory, GB", -7.0))
    at.button(key="cost_save_hardware").click().run()
    assert "memory is -7 GB: greater than 0" in at.error[0].value


def test_a_new_row_has_a_source_and_the_page_says_what_it_needs(home: Path) -> None:
    from pages.widgets import cost_table_editor

    config = cost_table_editor._config("hardware")
    assert config["Source"]["default"].startswith("own entry, ")
    assert any("A new row needs Id, Name" in one.value for one in page().caption)


def test_a_published_row_that_was_deleted_stays_and_an_own_one_goes(home: Path) -> None:
    own_tables.change_hardware(
        put=[
            {
                "id": "rack-1",
                "name": "Our rack",
                "memory_bytes": 48e9,
                "memory_bandwidth_bytes_per_s": 9e11,
                "fp16_flops_per_s": 1e14,
                "source": "invoice",
            }
        ]
    )
    rows = [row for row in shown("hardware") if row["Id"] not in ("rack-1", "t4-16gb")]
    found = changes("hardware", hardware_rows(TODAY), rows)
    assert (found.put, found.drop, found.staying) == ((), (("rack-1",),), (("t4-16gb",),))


def test_a_price_is_marked_when_it_is_old_and_when_it_is_the_readers(home: Path) -> None:
    rows = price_rows(TODAY)
    marks = {row.mark for row in rows}
    assert "15 months old" in marks  # August 2025
    assert "" in marks
    changed = shown("prices")
    changed[0] = changed[0] | {"Low, USD/h": 0.5}
    found = changes("prices", rows, changed)
    own_tables.change_prices(put=found.put)
    assert next(row for row in price_rows(TODAY) if row.own).mark.startswith("changed")
    assert len(price_rows(TODAY)) == len(prices.published())


def test_saving_keeps_the_row_and_offers_the_way_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as typing:
        at = edited_page(typing, with_cell("h100-sxm-80gb", "Memory, GB", 94.0))
        at.button(key="cost_save_hardware").click().run()
    assert not at.exception
    assert hardware.find("h100-sxm-80gb").memory_bytes == 94e9
    at = page()
    assert "Back to the published" in [one.label for one in at.button]
    at.button(key="cost_drop_hardware_0").click().run()
    assert not at.exception
    assert hardware.find("h100-sxm-80gb").memory_bytes == 80e9


def test_an_error_stands_below_the_table_and_keeps_what_was_typed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = edited_page(monkeypatch, with_cell("h100-sxm-80gb", "As of", "soon"))
    at.button(key="cost_save_hardware").click().run()
    assert not at.exception
    assert "'soon' is no date" in at.error[0].value
    assert "what you typed is still there" in at.error[0].value
    assert [one.label for one in at.button if one.label.startswith("Save")] == ["Save 1 row"]
    assert not (home / "estimate" / "hardware.json").exists()


def test_a_damaged_file_is_told_and_can_be_put_aside(home: Path) -> None:
    file = home / "estimate" / "prices.json"
    file.parent.mkdir()
    file.write_text("{nonsense")
    at = page()
    assert not at.exception
    assert "prices.json" in at.error[0].value
    at.button(key="cost_aside_prices").click().run()
    assert not at.exception
    assert [kept.read_text() for kept in file.parent.glob("prices.damaged-*.json")] == ["{nonsense"]
    assert own_tables.prices() == prices.published()


def test_api_prices_are_found_and_an_unknown_one_is_said_to_be(home: Path) -> None:
    at = page()
    at.text_input(key="cost_api_search").set_value("gpt-4o").run()
    assert not at.exception
    frames = [one.value for one in at.dataframe if "Cached input" in one.value.columns]
    assert len(frames) == 1
    assert "unknown" in set(frames[0]["Cached input"])
    assert not set(frames[0]["Input"]) & {"$0", "$0.00", None}


def test_a_search_without_a_match_says_so(home: Path) -> None:
    at = page()
    at.text_input(key="cost_api_search").set_value("no such model at all").run()
    assert not at.exception
    assert "No model of the price data" in at.info[0].value


def test_own_rows_are_in_the_file_as_a_reader_could_write_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = edited_page(monkeypatch, with_cell("h100-sxm-80gb", "Source", "our own data sheet"))
    at.button(key="cost_save_hardware").click().run()
    rows = json.loads((home / "estimate" / "hardware.json").read_text())["rows"]
    assert [row["source"] for row in rows] == ["our own data sheet"]
    assert MARK not in rows[0]
