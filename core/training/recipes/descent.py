"""The path of a gradient descent and the surface that it went down: written while it goes, drawn from when it is over.

The path is a file of equal records beside the checkpoints, so that a training that was killed goes on with it. For a
linear model the surface is exact, over two of its parameters; for an MLP it lies in the plane of the path's two widest
directions (Li et al. 2018, arXiv 1712.09913, section 7).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

FILE = "descent.bin"
MOST_PARAMETERS = 50_000
"""Networks with more have no drawn path: each point of it is all of their parameters."""
POINTS_LINEAR, POINTS_MLP = 41, 25
ROWS = 2_000
"""Training rows that the surface of an MLP is computed on."""
SHOWN_WEIGHTS = 12
"""Parameters whose gradients are told step by step."""
_MARGIN = 0.35
Floats = npt.NDArray[np.float64]


class DescentFile:
    """(step, all parameters) records. Nothing is kept of a network with more than MOST_PARAMETERS."""

    def __init__(self, path: Path, parameters: int) -> None:
        self._path = path
        self._record = np.dtype([("step", "<i8"), ("weights", "<f4", (parameters,))])
        self.kept = parameters <= MOST_PARAMETERS

    def begin(self, model: Any) -> None:
        """Write the first point, unless a training that is resumed has done so; drop what a killed one half wrote."""
        if not self.kept:
            return
        if self._path.is_file():
            whole = self._path.stat().st_size // self._record.itemsize * self._record.itemsize
            with self._path.open("r+b") as stream:
                stream.truncate(whole)
        if not self.read():
            self.add(model, 0)

    def add(self, model: Any, step: int) -> None:
        """After an optimizer step. Of many steps, some are kept."""
        alone = not (torch.distributed.is_available() and torch.distributed.is_initialized())
        if not self.kept or not _is_kept(step) or not (alone or torch.distributed.get_rank() == 0):
            return
        record = np.zeros(1, dtype=self._record)
        record["step"], record["weights"] = step, flat_weights(getattr(model, "module", model))
        with self._path.open("ab") as stream:
            stream.write(record.tobytes())

    def read(self) -> dict[int, Floats]:
        """Parameters by step, in order. What was written twice, before and after a crash, counts as it was last."""
        if not self.kept or not self._path.is_file():
            return {}
        size = self._record.itemsize
        data = self._path.read_bytes()
        records = np.frombuffer(data[: len(data) // size * size], dtype=self._record)
        found = {int(record["step"]): record["weights"].astype(np.float64) for record in records}
        return dict(sorted(found.items()))


def flat_weights(model: Any) -> Floats:
    """All parameters in a row. Of a linear model: the weights, then the bias."""
    flat: Floats = torch.cat([one.detach().reshape(-1) for one in model.parameters()]).double().cpu().numpy()
    return flat


def linear_descent(
    path: dict[int, Floats], last: Floats, inputs: Floats, target: Floats, names: tuple[str, ...]
) -> dict[str, Any]:
    """Surface, path and arithmetic of a linear model. inputs [row, feature], target [row]: brought to mean 0 and
    spread 1, as the network sees them; so are weights, and a mean squared error of 1 is what the mean alone gets.

    With all parameters w and a column of ones in X: MSE = |Xw - y|² / n, its gradient is 2 Xᵀ(Xw - y) / n.
    """
    known = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    square, mixed, constant = known.T @ known / len(known), known.T @ target / len(known), float(np.mean(target**2))

    def mse(weights: Floats) -> Floats:
        found: Floats = np.einsum("...i,ij,...j->...", weights, square, weights) - 2 * weights @ mixed + constant
        return np.maximum(found, 0.0)

    labels = (*(f"weight of {name}" for name in names), "bias")
    one, other = (0, 1) if len(names) == 1 else _heaviest(last[:-1])
    best = np.linalg.lstsq(known, target, rcond=None)[0]
    points = np.stack(list(path.values()))
    low, high = _bounds(np.concatenate([points, [last], [best]])[:, [one, other]])
    x, y = (np.linspace(low[axis], high[axis], POINTS_LINEAR) for axis in (0, 1))
    grid = np.broadcast_to(last, (POINTS_LINEAR, POINTS_LINEAR, len(last))).copy()
    grid[:, :, one], grid[:, :, other] = x[None, :], y[:, None]
    shown = _shown(last)
    steps = [
        {
            "step": step,
            "mse": float(mse(weights)),
            "weights": [float(weights[place]) for place in shown],
            "gradient": [float(value) for value in (2 * (square @ weights - mixed))[shown]],
            "gradient_norm": float(np.linalg.norm(2 * (square @ weights - mixed))),
        }
        for step, weights in path.items()
    ]
    return {
        "kind": "weights",
        "x": {"name": labels[one], "values": x.tolist()},
        "y": {"name": labels[other], "values": y.tolist()},
        "mse": mse(grid).tolist(),
        "path": _told(path, {step: (w[one], w[other]) for step, w in path.items()}, mse),
        "kept": {"x": float(last[one]), "y": float(last[other]), "mse": float(mse(last))},
        "least_squares": {"x": float(best[one]), "y": float(best[other]), "mse": float(mse(best))},
        "names": [labels[place] for place in shown],
        "steps": steps,
        "parameters": len(last),
    }


def mlp_descent(path: dict[int, Floats], last: Floats, mse: Callable[[Floats], float]) -> dict[str, Any]:
    """The plane through the last point along the path's two widest directions. mse: of all parameters."""
    points = np.stack(list(path.values()))
    _, _, directions = np.linalg.svd(points - last, full_matrices=False)
    plane = directions[:2] if len(directions) > 1 else np.stack([directions[0], np.zeros_like(last)])
    places = {step: tuple((weights - last) @ plane.T) for step, weights in path.items()}
    spread = float(np.sum((points - last) ** 2)) or 1.0
    held = float(sum(np.sum(np.square(place)) for place in places.values())) / spread
    low, high = _bounds(np.array([*places.values(), (0.0, 0.0)]))
    x, y = (np.linspace(low[axis], high[axis], POINTS_MLP) for axis in (0, 1))
    return {
        "kind": "directions",
        "x": {"name": "widest direction of the path", "values": x.tolist()},
        "y": {"name": "second widest direction", "values": y.tolist()},
        "mse": [[mse(last + a * plane[0] + b * plane[1]) for a in x] for b in y],
        "path": _told(path, places, mse),
        "kept": {"x": 0.0, "y": 0.0, "mse": mse(last)},
        "held": held,
        "parameters": len(last),
    }


def _told(path: dict[int, Floats], places: dict[int, Any], mse: Callable[[Floats], Any]) -> list[dict[str, Any]]:
    return [
        {"step": step, "x": float(places[step][0]), "y": float(places[step][1]), "mse": float(mse(weights))}
        for step, weights in path.items()
    ]


def _is_kept(step: int) -> bool:
    """Each of the first hundred, each tenth of the first thousand, and so on."""
    return step < 100 or step % 10 ** (len(str(step)) - 2) == 0


def _heaviest(weights: Floats) -> tuple[int, int]:
    """The two features with the largest weights, in their own order."""
    one, other = sorted(int(place) for place in np.argsort(-np.abs(weights), kind="stable")[:2])
    return one, other


def _shown(last: Floats) -> list[int]:
    """Places of the bias and of the largest weights, in their own order."""
    heaviest = np.argsort(-np.abs(last[:-1]), kind="stable")[: SHOWN_WEIGHTS - 1]
    return [*sorted(int(place) for place in heaviest), len(last) - 1]


def _bounds(points: Floats) -> tuple[Floats, Floats]:
    """(low, high) of [point, axis] with room around; as wide as high, so that no axis is a line."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, max(0.3 * float((high - low).max() / 2), 1e-3))
    return centre - half * (1 + _MARGIN), centre + half * (1 + _MARGIN)
