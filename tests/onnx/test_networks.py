"""Small networks as ONNX: proved, served without torch, and told apart from models that read text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import DeviceUnavailable, InvalidInput, ModelRefused
from core.models import catalogue
from core.models.networks import load_network
from core.onnx.exports import Export, ensure_export, list_exports, verify_export
from core.onnx.network import NumberPredictor, PictureClassifier, class_probabilities
from tests.models.small_networks import LABELS, save_cnn, save_linear

pytestmark = pytest.mark.slow


@pytest.fixture
def animals(tmp_path: Path) -> Export:
    """An exported CNN."""
    return ensure_export(catalogue.add(str(save_cnn(tmp_path / "animals"))).id, device="cpu")


@pytest.fixture
def prices(tmp_path: Path) -> Export:
    """An exported linear model whose target is in the hundred thousands."""
    return ensure_export(catalogue.add(str(save_linear(tmp_path / "prices"))).id, device="cpu")


def test_a_cnn_is_exported_with_its_proof(animals: Export) -> None:
    assert animals.precision == "fp32"
    assert animals.usable
    assert animals.task == "image-classification"
    assert "pictures" in animals.proof.details
    assert animals.proof.argmax_agreement == 1.0
    assert {"model.onnx", "config.json", "samples.json", "export.json"} <= {p.name for p in animals.path.iterdir()}
    assert not verify_export(animals)
    assert list_exports(catalogue.get("animals"), "cpu") == (animals,)
    assert not [path for path in animals.path.iterdir() if path.is_dir() or path.suffix == ".lock"]


def test_its_classes_are_the_networks_own(animals: Export) -> None:
    classifier = PictureClassifier(animals.path, device="cpu", threads=1)
    pictures = [classifier.read(sample.png) for sample in classifier.samples()]
    assert [sample.label for sample in classifier.samples()] == list(LABELS[:2])
    found = classifier.classify(pictures)
    with torch.inference_mode():
        logits = load_network(catalogue.folder("animals"))(torch.from_numpy(np.stack(pictures) / np.float32(255)))
    for scores, wanted in zip(found, torch.softmax(logits, 1), strict=True):
        assert sorted(scores, key=lambda score: -score.probability) == list(scores)
        told = {score.label: score.probability for score in scores}
        assert [told[label] for label in LABELS] == pytest.approx(wanted.tolist(), abs=1e-5)


def test_a_binary_cnn_has_two_probabilities(tmp_path: Path) -> None:
    card = catalogue.add(str(save_cnn(tmp_path / "two", labels=("no", "yes"), colours=3)))
    classifier = PictureClassifier(ensure_export(card.id, device="cpu").path, device="cpu", threads=1)
    [scores, _] = classifier.classify([classifier.read(sample.png) for sample in classifier.samples()])
    assert {score.label for score in scores} == {"no", "yes"}
    assert sum(score.probability for score in scores) == pytest.approx(1.0)


def test_a_target_of_large_numbers_is_proved_in_its_own_spread(prices: Export) -> None:
    assert prices.usable
    assert prices.proof.max_abs_difference < 1e-5  # of a spread of 100,000
    predictor = NumberPredictor(prices.path, device="cpu", threads=1)
    assert predictor.predict([[50, 2], [200, 5]]).tolist() == pytest.approx([170_000, 470_000], rel=1e-6)
    assert predictor.outside([300, 3]) == ("area",)


def test_more_rows_than_a_batch(prices: Export) -> None:
    predictor = NumberPredictor(prices.path, device="cpu", threads=1)
    areas = np.arange(700.0)
    found = predictor.predict(np.stack([areas, np.ones(700)], axis=1))
    np.testing.assert_allclose(found, 1_000 * areas + 70_000, rtol=1e-6)


@pytest.mark.parametrize("rows", [[], [[1.0]], [[1.0, 2.0, 3.0]], [[1.0, float("nan")]]])
def test_rows_that_do_not_fit_are_told(prices: Export, rows: list[list[float]]) -> None:
    with pytest.raises(InvalidInput):
        NumberPredictor(prices.path, device="cpu", threads=1).predict(rows)


def test_each_task_has_its_own_loader(animals: Export, prices: Export) -> None:
    with pytest.raises(ModelRefused, match="predicts no numbers"):
        NumberPredictor(animals.path, device="cpu", threads=1)
    with pytest.raises(ModelRefused, match="classifies no pictures"):
        PictureClassifier(prices.path, device="cpu", threads=1)


def test_int8_is_not_offered(tmp_path: Path) -> None:
    card = catalogue.add(str(save_cnn(tmp_path / "animals")))
    with pytest.raises(DeviceUnavailable, match="Offered: fp32"):
        ensure_export(card.id, precision="int8", device="cpu")


def test_serving_needs_no_torch(animals: Export) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from core.onnx.network import PictureClassifier\n"
        f"one = PictureClassifier(Path({str(animals.path)!r}), device='cpu', threads=1)\n"
        "print(one.classify([one.read(one.samples()[0].png)])[0][0].label)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in LABELS


def test_the_second_of_two_classes_is_a_sigmoid() -> None:
    found = class_probabilities(np.array([[0.0], [800.0], [-800.0]]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]])


def test_the_record_says_what_it_was(animals: Export) -> None:
    record = json.loads((animals.path / "export.json").read_text())
    assert record["task"] == record["proof"]["task"] == "image-classification"
    assert record["proof"]["measure"] == "max_abs_difference"
