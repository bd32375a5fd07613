"""The regression recipe: gradient descent finds what least squares finds, and its path and surface are exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.models import catalogue
from core.onnx.exports import ensure_export
from core.onnx.network import NumberPredictor
from core.training.evaluation.report import EvaluationReport, from_json
from core.training.recipes import descent, regression
from core.training.recipes.descent import DescentFile
from tests.training.recipes import made_data
from tests.training.recipes.plain_trainer import config_of, context_of, train

pytestmark = pytest.mark.slow

QUICK = {"learning_rate": 0.03, "lr_scheduler_type": "cosine"}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> EvaluationReport:
    """A line with one feature, learned."""
    folder = tmp_path_factory.mktemp("line")
    config, data = config_of("regression"), made_data.line()
    built, _ = train(regression, config, data, folder, steps=250, **QUICK)
    return regression.evaluate(built, config, data, context_of(folder))


def test_a_line_is_found(straight: EvaluationReport) -> None:
    assert straight.extra["weights"]["x"] == pytest.approx(3, abs=0.1)
    assert straight.extra["bias"] == pytest.approx(20, abs=3)
    assert straight.metric("r2").value > 0.99
    assert straight.metric("rmse").value < 0.1 * (straight.metric("rmse").baseline or 0)
    assert straight.extra["target"] == "y"
    assert straight == from_json(straight.to_json())


def test_its_surface_lies_over_weight_and_bias(straight: EvaluationReport) -> None:
    drawn = straight.extra["descent"]
    assert (drawn["x"]["name"], drawn["y"]["name"]) == ("weight of x", "bias")
    data = made_data.line()
    x, y = (data.train[name].to_numpy() for name in ("x", "target"))
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    for i, j in ((0, 0), (40, 7), (13, 28)):
        weight, bias = drawn["x"]["values"][i], drawn["y"]["values"][j]
        assert drawn["mse"][j][i] == pytest.approx(np.mean((weight * x + bias - y) ** 2), rel=1e-4)
    best = drawn["least_squares"]
    assert best["x"] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-5)
    assert drawn["kept"]["mse"] == pytest.approx(best["mse"], rel=0.05)


def test_mse_and_gradient_are_told_step_by_step(straight: EvaluationReport) -> None:
    drawn = straight.extra["descent"]
    data = made_data.line()
    x, y = (torch.tensor(data.train[name].to_numpy()) for name in ("x", "target"))
    x, y = (x - x.mean()) / x.std(correction=0), (y - y.mean()) / y.std(correction=0)
    for one in (drawn["steps"][0], drawn["steps"][7], drawn["steps"][-1]):
        weights = torch.tensor(one["weights"], dtype=torch.float64, requires_grad=True)
        mse = ((weights[0] * x + weights[1] - y) ** 2).mean()
        mse.backward()
        assert one["mse"] == pytest.approx(mse.item(), rel=1e-4)
        assert one["gradient"] == pytest.approx(weights.grad.tolist(), abs=1e-4)
    assert [point["step"] for point in drawn["path"]][:3] == [0, 1, 2]
    assert drawn["path"][-1]["step"] == 250
    assert drawn["path"][-1]["mse"] < drawn["path"][0]["mse"] / 20


def test_many_features_are_drawn_over_the_two_that_weigh_most(tmp_path: Path) -> None:
    config, data = config_of("regression"), made_data.diabetes()
    built, _ = train(regression, config, data, tmp_path, steps=250, **QUICK)
    report = regression.evaluate(built, config, data, context_of(tmp_path))
    drawn = report.extra["descent"]
    assert {drawn["x"]["name"], drawn["y"]["name"]} <= {"weight of bmi", "weight of s5", "weight of bp", "weight of s1"}
    assert len(drawn["names"]) == 11
    assert report.metric("r2").value > 0.2
    assert {row.group for row in report.groups} == {"one", "two"}
    weights = report.extra["weights"]
    by_hand = data.test[list(data.features)].to_numpy() @ np.array([weights[name] for name in data.features])
    predicted = regression._predict(built.model, data.test[list(data.features)].to_numpy())
    np.testing.assert_allclose(by_hand + report.extra["bias"], predicted, atol=0.01)


def test_an_mlp_goes_down_the_plane_of_its_own_path(tmp_path: Path) -> None:
    config, data = config_of("regression", layers=[8]), made_data.diabetes()
    built, _ = train(regression, config, data, tmp_path, steps=120, **QUICK)
    report = regression.evaluate(built, config, data, context_of(tmp_path))
    drawn = report.extra["descent"]
    assert drawn["kind"] == "directions"
    assert np.array(drawn["mse"]).shape == (25, 25)
    assert 0.5 < drawn["held"] <= 1.0
    assert drawn["path"][-1]["mse"] < drawn["path"][0]["mse"]
    model = built.model.eval()
    with torch.inference_mode():
        loss = model(built.train.inputs, built.train.target)["loss"].item()
    assert drawn["kept"]["mse"] == pytest.approx(loss, rel=1e-4)
    assert report.baseline == "ordinary least squares"


def test_a_saved_model_predicts_the_same(tmp_path: Path) -> None:
    config, data = config_of("regression", layers=[8, 4]), made_data.diabetes()
    built, _ = train(regression, config, data, tmp_path / "run", steps=20)
    (tmp_path / "model").mkdir()
    regression.save(built, config, data, tmp_path / "model")
    export = ensure_export(catalogue.add(str(tmp_path / "model")).id, device="cpu")
    predictor = NumberPredictor(export.path, device="cpu", threads=1)
    assert predictor.shape.target == "progression"
    assert predictor.shape.typical == pytest.approx(data.train[list(data.features)].mean().tolist())
    rows = data.test[list(data.features)].to_numpy()
    np.testing.assert_allclose(predictor.predict(rows), regression._predict(built.model, rows), atol=0.05)


def test_a_feature_that_never_changes_does_no_harm(tmp_path: Path) -> None:
    data = made_data.line()
    frames = [part.assign(same=7.1) for part in (data.train, data.validation, data.test)]
    data = replace(data, train=frames[0], validation=frames[1], test=frames[2], features=("x", "same"))
    built, _ = train(regression, config_of("regression"), data, tmp_path, steps=30)
    assert torch.isfinite(built.model.head.weight).all()
    assert built.model.spread[0, 1].item() == 1.0


def test_a_target_that_never_changes_is_refused(tmp_path: Path) -> None:
    data = made_data.line()
    data = replace(data, train=data.train.assign(target=4.0))
    with pytest.raises(InvalidInput, match="the same y, 4"):
        regression.build(config_of("regression"), data, context_of(tmp_path))


def test_the_path_goes_on_after_a_crash(tmp_path: Path) -> None:
    config, data = config_of("regression"), made_data.line()
    built = regression.build(config, data, context_of(tmp_path))
    for step in (1, 2, 3):
        built.each_step(built.model, step)
    file = tmp_path / descent.FILE
    file.write_bytes(file.read_bytes()[:-5])  # killed while it wrote
    again = regression.build(config, data, context_of(tmp_path))
    torch.nn.init.ones_(again.model.head.weight)
    again.each_step(again.model, 2)
    again.each_step(again.model, 3)
    path = again.extra["path"].read()
    assert list(path) == [0, 1, 2, 3]
    assert path[2][0] == path[3][0] == 1.0
    assert path[1][0] != 1.0


def test_of_many_steps_some_are_kept() -> None:
    kept = [step for step in range(100_001) if descent._is_kept(step)]
    assert kept[:101] == [*range(101)]
    assert len(kept) < 400
    assert {250, 2_500, 99_000} <= set(kept)


def test_a_large_networks_path_is_not_kept(tmp_path: Path) -> None:
    assert not DescentFile(tmp_path / "x", descent.MOST_PARAMETERS + 1).kept
    config, data = config_of("regression", layers=[300, 300]), made_data.diabetes()
    built, _ = train(regression, config, data, tmp_path, steps=2)
    report = regression.evaluate(built, config, data, context_of(tmp_path))
    assert "descent" not in report.extra
    assert not (tmp_path / descent.FILE).exists()
