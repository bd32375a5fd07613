"""The bundle of a network that reads no text answers with onnxruntime alone, as the product does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from core.models import catalogue
from core.models.network_config import CnnConfig, MlpConfig
from core.onnx.exports import ensure_export
from core.onnx.network import NumberPredictor, PictureClassifier
from exports.run_scripts_networks import network_script
from tests.exports.test_onnx_bundle import answer, unpacked
from tests.models.small_networks import save_cnn, save_linear

pytestmark = pytest.mark.slow

ODD = "it's \"odd\"\n{braces} '''"


@pytest.mark.parametrize(("labels", "colours"), [(("a", "b", ODD), 1), (("no", "yes"), 3)])
def test_pictures_are_classified(labels: tuple[str, ...], colours: int, tmp_path: Path) -> None:
    card = catalogue.add(str(save_cnn(tmp_path / "animals", labels=labels, colours=colours)))
    export = ensure_export(card.id, device="cpu")
    (tmp_path / "out").mkdir()
    bundle = unpacked(export, tmp_path / "out")
    classifier = PictureClassifier(export.path, device="cpu", threads=1)
    file = tmp_path / "picture.png"
    file.write_bytes(classifier.samples()[0].png)
    told = ast.literal_eval(answer(bundle, str(file)).removeprefix(str(file)).strip())
    [scores] = classifier.classify([classifier.read(file)])
    assert told == {score.label: pytest.approx(score.probability, abs=1e-4) for score in scores}
    assert {"model.onnx", "config.json", "samples.json", "proof.json", "run.py"} <= {p.name for p in bundle.iterdir()}


def test_numbers_are_predicted(tmp_path: Path) -> None:
    export = ensure_export(catalogue.add(str(save_linear(tmp_path / "prices"))).id, device="cpu")
    (tmp_path / "out").mkdir()
    bundle = unpacked(export, tmp_path / "out")
    predictor = NumberPredictor(export.path, device="cpu", threads=1)
    assert float(answer(bundle, "50", "2").removeprefix("price ")) == pytest.approx(predictor.predict([[50, 2]])[0])
    assert float(answer(bundle).removeprefix("price ")) == pytest.approx(270_000)


def test_names_of_the_users_own_cannot_become_code() -> None:
    cnn = CnnConfig(labels=(ODD, "b", "c"), channels=(4,), dense=4, dropout=0, size=8, colours=1)
    mlp = MlpConfig(features=(ODD,), target=ODD, layers=(), typical=(1,), lowest=(0,), highest=(2,))
    for shape in (cnn, mlp):
        literals = [one.value for one in ast.walk(ast.parse(network_script(shape, device="cpu"))) if
                    isinstance(one, ast.Constant)]  # fmt: skip
        assert ODD in literals
