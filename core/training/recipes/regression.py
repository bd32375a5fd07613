"""Regression: a number out of numbers by gradient descent, with a linear model or an MLP.

Features and target are brought to mean 0 and spread 1 inside of the network, so one learning rate fits tables of any
unit. The path of the descent is kept, and drawn on the surface of the loss.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from core.artefacts import Progress
from core.errors import InvalidInput
from core.models.network_config import MlpConfig
from core.models.networks import Mlp, save_network
from core.training.config import RegressionConfig
from core.training.data.prepared import PreparedData
from core.training.evaluation.baselines import NUMBER_BASELINES, number_baseline
from core.training.evaluation.regression import regression_report
from core.training.evaluation.report import EvaluationReport
from core.training.recipe import Built, Context
from core.training.recipes import descent
from core.training.recipes.descent import DescentFile, flat_weights, linear_descent, mlp_descent

TARGET = "target"
SHOWN = 6
"""Features that an example shows."""
Floats = npt.NDArray[np.float64]


class NumberSet(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Items: ([features], the target)."""

    def __init__(self, frame: pd.DataFrame, features: tuple[str, ...]) -> None:
        self.inputs = torch.from_numpy(_matrix(frame, features).astype(np.float32))
        self.target = torch.from_numpy(frame[TARGET].to_numpy(np.float32))

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.inputs[index], self.target[index]


def build(config: RegressionConfig, data: PreparedData, context: Context) -> Built:
    inputs, target = _matrix(data.train, data.features), data.train[TARGET].to_numpy(np.float64)
    if not np.ptp(target) > 0:
        raise InvalidInput(
            f"Every row to train on has the same {_target_name(data)}, {target[0]:g}.",
            allowed="A target that differs from row to row.",
            next_step="Choose another column to predict.",
        )
    torch.manual_seed(config.training.seed)
    model = Mlp(_shape(config, data, inputs))
    for name, value in (("mean", inputs.mean(axis=0)), ("spread", _spread(inputs))):
        getattr(model, name).copy_(torch.from_numpy(value)[None])
    model.target_mean.fill_(float(target.mean()))
    model.target_spread.fill_(float(target.std()))
    path = DescentFile(context.folder / descent.FILE, sum(one.numel() for one in model.parameters()))
    path.begin(model)
    return Built(
        model=model,
        train=NumberSet(data.train, data.features),
        validation=NumberSet(data.validation, data.features),
        collate=collate,
        metric="loss",
        measures=measures,
        unit="rows",
        units=lambda batch: len(batch["labels"]),
        each_step=path.add,
        extra={"path": path},
    )


def collate(items: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, Any]:
    """{"inputs": [batch, features], "labels": [batch]}."""
    inputs, labels = zip(*items, strict=True)
    return {"inputs": torch.stack(inputs), "labels": torch.stack(labels)}


def measures(logits: npt.NDArray[Any], labels: npt.NDArray[Any]) -> dict[str, float]:
    """Errors in the target's own unit, and R²: the share of its variance that is explained."""
    off = logits[:, 0].astype(np.float64) - labels
    variance = float(np.var(labels))
    explained = {"r2": 1 - float(np.mean(off**2)) / variance} if variance > 0 else {}
    return {"rmse": float(np.sqrt(np.mean(off**2))), "mae": float(np.mean(np.abs(off))), **explained}


def evaluate(built: Built, config: RegressionConfig, data: PreparedData, context: Context) -> EvaluationReport:
    context.progress(0.0, "Reading the test rows")
    features = data.features
    kind: Literal["least squares", "mean"] = "least squares" if config.layers else "mean"
    report = regression_report(
        _predict(built.model, _matrix(data.test, features)),
        data.test[TARGET].to_numpy(np.float64),
        rows=data.test["row"].tolist(),
        shown=[_shown(values, features) for values in _matrix(data.test, features)],
        groups=data.test["group"].tolist() if "group" in data.test else None,
        baseline=number_baseline(
            _matrix(data.train, features), data.train[TARGET].to_numpy(), _matrix(data.test, features), kind
        ),
        baseline_words=NUMBER_BASELINES[kind],
        seed=config.training.seed,
    )
    extra = {"target": _target_name(data), "features": list(features), **_weights(built.model)}
    drawn = _descent(built, data, context.progress)
    return replace(report, extra={**report.extra, **extra, **({"descent": drawn} if drawn else {})})


def save(built: Built, config: RegressionConfig, data: PreparedData, folder: Any) -> None:
    save_network(built.model, folder)


def _shape(config: RegressionConfig, data: PreparedData, inputs: Floats) -> MlpConfig:
    return MlpConfig(
        features=tuple(_column(name) for name in data.features),
        target=_target_name(data),
        layers=config.layers,
        typical=tuple(inputs.mean(axis=0).tolist()),
        lowest=tuple(inputs.min(axis=0).tolist()),
        highest=tuple(inputs.max(axis=0).tolist()),
    )


def _column(feature: str) -> str:
    """The name in the file of a feature that gave way to a column of ours ("target " → "target")."""
    return feature[:-1] if feature[:-1] in (TARGET, "row", "group") else feature


def _target_name(data: PreparedData) -> str:
    return str(data.record.columns.get("target") or TARGET)


def _matrix(frame: pd.DataFrame, features: tuple[str, ...]) -> Floats:
    """[row, feature]."""
    found: Floats = frame[list(features)].to_numpy(np.float64)
    return found


def _spread(inputs: Floats) -> Floats:
    """[feature]; a feature that never changes is left as it is."""
    spread: Floats = inputs.std(axis=0)
    spread[spread < 1e-12 * np.maximum(1.0, np.abs(inputs).max(axis=0))] = 1.0
    return spread


def _predict(model: Any, inputs: Floats) -> Floats:
    model.eval()
    place = next(model.parameters()).device
    with torch.inference_mode():
        found: Floats = model(torch.from_numpy(inputs.astype(np.float32)).to(place))[:, 0].double().cpu().numpy()
    return found


def _weights(model: Any) -> dict[str, Any]:
    """Of a linear model, in the target's unit for one unit of each feature: what a reader can check by hand."""
    if model.shape.layers:
        return {}
    scaled = (model.head.weight.detach()[0] / model.spread[0] * model.target_spread).double().cpu().numpy()
    bias = float(model.head.bias.detach() * model.target_spread + model.target_mean) - float(
        scaled @ model.mean[0].double().cpu().numpy()
    )
    return {"weights": dict(zip(model.shape.features, scaled.tolist(), strict=True)), "bias": bias}


def _descent(built: Built, data: PreparedData, progress: Progress) -> dict[str, Any] | None:
    """The surface and the path; None for a network whose path was not kept."""
    model, path = built.model, built.extra["path"].read()
    if len(path) < 2:
        return None
    progress(0.5, "Drawing the descent")
    model = model.to("cpu").eval()
    inputs, target = built.train.inputs, built.train.target
    scaled = (inputs - model.mean) / model.spread
    wanted = (target - model.target_mean) / model.target_spread
    last = flat_weights(model)
    if not model.shape.layers:
        drawn = linear_descent(path, last, scaled.double().numpy(), wanted.double().numpy(), data.features)
    else:
        drawn = mlp_descent(path, last, _loss_of(model, inputs[: descent.ROWS], target[: descent.ROWS]))
    return drawn | {"target_spread": float(model.target_spread)}


def _loss_of(model: Any, inputs: torch.Tensor, target: torch.Tensor) -> Any:
    """A function of all parameters [parameter], in units of the target's spread squared."""
    from torch.func import functional_call

    names, sizes = zip(*((name, one.shape) for name, one in model.named_parameters()), strict=True)

    def mse(weights: Floats) -> float:
        parts = torch.split(torch.from_numpy(weights.astype(np.float32)), [size.numel() for size in sizes])
        given = {name: part.reshape(size) for name, part, size in zip(names, parts, sizes, strict=True)}
        with torch.inference_mode():
            return float(functional_call(model, given, (inputs, target))["loss"])

    return mse


def _shown(values: Floats, features: tuple[str, ...]) -> str:
    parts = [f"{name} {value:.4g}" for name, value in zip(features[:SHOWN], values, strict=False)]
    return ", ".join(parts) + (" …" if len(features) > SHOWN else "")
