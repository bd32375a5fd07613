"""Lengths in tokens, and what a bound on them cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelNotFound
from core.models.tokenizer import Tokenizer
from core.training.data.lengths import length_report, token_lengths
from tests.models import tiny


def test_tokens_are_counted_as_the_model_counts_them(tmp_path: Path) -> None:
    tiny.save_tokenizer(tmp_path)
    texts = ["", "hello", "naïve 🙂 " * 50, "\ud83d"] + ["word"] * 2_000
    tokenizer = Tokenizer.load(tmp_path)
    assert token_lengths(texts, tmp_path).tolist() == [len(tokenizer.encode(text)) for text in texts]
    assert token_lengths([], tmp_path).tolist() == []


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        token_lengths(["x"], tmp_path)


def test_a_report_tells_what_is_cut() -> None:
    report = length_report(np.array([1, 2, 3, 10, 100]), max_tokens=8)
    assert (report.cut_rows, report.cut_tokens, report.total_tokens) == (2, 94, 116)
    assert report.quantiles[0] == 1
    assert report.quantiles[3] == 3
    assert report.quantiles[-1] == 100
    assert sum(rows for _, rows in report.histogram) == 5
    assert dict(report.histogram)[99] == 1  # bins of three tokens
    assert len(report.histogram) <= 40


def test_without_a_bound_nothing_is_cut_and_without_rows_there_is_no_picture() -> None:
    assert length_report(np.array([5, 6])).cut_rows == 0
    assert length_report(np.array([], dtype=np.int64), 8).histogram == ()
