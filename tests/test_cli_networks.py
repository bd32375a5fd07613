"""Pictures and numbers from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from core.models import catalogue
from tests.conftest import Call
from tests.models.small_networks import LABELS, save_cnn, save_linear

pytestmark = pytest.mark.slow


@pytest.fixture
def animals(tmp_path: Path) -> str:
    return catalogue.add(str(save_cnn(tmp_path / "sources" / "animals"))).id


@pytest.fixture
def prices(tmp_path: Path) -> str:
    return catalogue.add(str(save_linear(tmp_path / "sources" / "prices"))).id


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from PIL import Image

    file = tmp_path / "one.png"
    Image.new("L", (20, 20), 90).save(file)
    return file


def test_pictures_are_classified(call: Call, animals: str, picture: Path) -> None:
    code, out, _ = call("classify", "--model", animals, "--image", str(picture), "--image", str(picture), "--json")
    assert code == 0
    first, second = json.loads(out)["classes"]
    assert first == second
    assert {score["label"] for score in first} == set(LABELS)
    code, out, _ = call("classify", "--model", animals, "--image", str(picture))
    assert code == 0
    assert out.splitlines()[0] == str(picture)


def test_a_table_gets_a_column_more(call: Call, prices: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("street,rooms,area\nElm,2,50\nOak,,80\n")
    code, out, told = call("predict", "--model", prices, "--data", str(file))
    assert code == 0
    first, second = csv.DictReader(io.StringIO(out))
    assert float(first["predicted price"]) == pytest.approx(170_000)
    assert second["predicted price"] == ""
    assert "1 row lacks a number" in told
    code, out, _ = call("predict", "--model", prices, "--data", str(file), "--json")
    assert json.loads(out)["predictions"][1] == {"row": 2, "value": None}


def test_what_does_not_fit_is_told_in_one_line(call: Call, animals: str, prices: str, picture: Path) -> None:
    missing = str(picture.with_name("gone.png"))
    for arguments, words in (
        (("classify", "--model", animals, "--text", "a"), "wants a text-classification model"),
        (("classify", "--model", prices, "--image", str(picture)), "wants a image-classification model"),
        (("classify", "--model", animals), "Give either --text or --image"),
        (("classify", "--model", animals, "--image", missing), "There is no file"),
        (("predict", "--model", animals, "--data", missing), "of the task image-classification"),
        (("predict", "--model", prices, "--data", missing), "cannot be read"),
        (("embed", "--model", animals, "--text", "a"), "of the task image-classification"),
        (("generate", "--model", animals, "--prompt", "a"), "does not generate text"),
        (("measure", "--model", animals), "reads no text"),
        (("attend", "--model", animals, "--text", "a b"), "reads no text"),
        (("export", "--model", animals, "--precision", "int8"), "Offered: fp32"),
    ):
        code, _, told = call(*arguments)
        assert code == 2, arguments
        assert words in told.splitlines()[-1], (arguments, told)
