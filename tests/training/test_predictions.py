"""Rows of a file become predictions, by the names of its columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.models import catalogue
from core.onnx.exports import ensure_export
from core.onnx.network import NumberPredictor
from core.training.predictions import predict_table
from exports.predictions_csv import predictions_csv
from tests.models.small_networks import save_linear


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an exported linear model."""
    folder = tmp_path_factory.mktemp("prices")
    from core.settings import reload_settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDWORK_HOME", str(folder / "home"))
        reload_settings()
        made = ensure_export(catalogue.add(str(save_linear(folder / "prices"))).id, device="cpu").path
    reload_settings()
    return made


@pytest.fixture
def predictor(export: Path) -> NumberPredictor:
    return NumberPredictor(export, device="cpu", threads=1)


def written(folder: Path, text: str, name: str = "rows.csv") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_columns_are_found_by_name_in_any_order(predictor: NumberPredictor, tmp_path: Path) -> None:
    found = predict_table(predictor, written(tmp_path, "rooms;street; area\n2;=Elm;50\n5;Oak;200\n"))
    assert found.predicted == pytest.approx((170_000, 470_000))
    assert found.rows == (1, 2)
    assert not found.told
    lines = predictions_csv(found).decode("utf-8-sig").splitlines()
    assert lines[0] == "row,rooms,street,area,predicted price"
    assert lines[1].startswith("1,2,'=Elm,50,1")


def test_rows_without_a_number_are_named_and_left_blank(predictor: NumberPredictor, tmp_path: Path) -> None:
    found = predict_table(predictor, written(tmp_path, "area,rooms\n50,2\n,3\nlarge,3\n100,3\n"))
    assert [value is None for value in found.predicted] == [False, True, True, False]
    assert any("2 rows lack a number" in told and "2, 3." in told for told in found.told)
    assert predictions_csv(found).decode("utf-8-sig").splitlines()[2].endswith(",3,")


def test_rows_beyond_what_was_learned_are_told(predictor: NumberPredictor, tmp_path: Path) -> None:
    found = predict_table(predictor, written(tmp_path, "area,rooms\n50,2\n9000,3\n"))
    assert any("In 1 of 2 rows" in told for told in found.told)


def test_a_missing_column_is_named(predictor: NumberPredictor, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no column 'rooms'.*It has: area, floor"):
        predict_table(predictor, written(tmp_path, "area,floor\n1,2\n"))


def test_a_file_without_a_whole_row_is_refused(predictor: NumberPredictor, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No row of"):
        predict_table(predictor, written(tmp_path, "area,rooms\nx,2\n"))
