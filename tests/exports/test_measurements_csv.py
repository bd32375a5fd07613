from __future__ import annotations

import csv
import io
import json
from dataclasses import fields

from core.store.measurements import MeasurementRecord
from exports.measurements_csv import COLUMNS, measurements_csv
from tests.measurements import record


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_every_column_of_every_row_and_the_share_of_the_limit() -> None:
    one = record()
    [row] = rows_of(measurements_csv([one]))
    assert set(COLUMNS) == {field.name for field in fields(MeasurementRecord)} | {
        "prefill_share_of_limit",
        "decode_share_of_limit",
    }
    assert tuple(row) == COLUMNS
    assert COLUMNS[:2] == ("id", "created_at")
    assert row["created_at"] == "2026-11-22T12:00:00+00:00"
    assert float(row["decode_tokens_per_s"]) == one.decode_tokens_per_s
    assert json.loads(row["samples"]) == one.samples
    assert json.loads(row["command"]) == one.command
    # 140 steps a second of the 40e9 / 0.145e9 that the memory allows
    assert abs(float(row["decode_share_of_limit"]) - 140 * 0.145 / 40) < 1e-9
    assert row["tokens_per_joule"] == ""


def test_an_encoders_decode_stays_empty() -> None:
    [row] = rows_of(measurements_csv([record(decode_tokens_per_s=None, decode_flop=None, decode_bytes=None)]))
    assert row["decode_tokens_per_s"] == row["decode_share_of_limit"] == ""


def test_no_rows_leave_the_header() -> None:
    assert rows_of(measurements_csv([])) == []
    assert measurements_csv([]).decode("utf-8-sig").startswith("id,created_at,batch_id")


def test_words_that_a_spreadsheet_would_run_are_made_plain() -> None:
    assert rows_of(measurements_csv([record(device_name="=1+1")]))[0]["device_name"] == "'=1+1"
