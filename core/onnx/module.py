"""Plain torch modules (a CNN, a linear model) become ONNX graphs, proved like every other export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artefacts import make_folder
from core.errors import ExportFailed, InvalidInput
from core.onnx.build import quiet
from core.onnx.build_graph import tracing
from core.onnx.graph import open_graph
from core.onnx.graph_proof import MAX_DIFFERENCE, GraphProof

INPUT = "input"


def export_module(
    module: Any,
    inputs: npt.NDArray[Any],
    target: Path,
    *,
    threads: int = 1,
    device: str = "cpu",
    unit: float = 1.0,
    task: str = "module",
) -> GraphProof:
    """Write `target`/model.onnx and compare it with torch on `inputs`. Whole or absent, whatever happens.

    module: an `nn.Module` of one input and one output [batch, …]. inputs: [batch, …] real ones, two at least; the batch
    is dynamic in the graph. device: where the graph is run to prove it. unit: what the bar counts differences in, in
    the output's own numbers. Raises InvalidInput, and ExportFailed when it cannot be traced or is not the same model.
    """
    if len(inputs) < 2:
        raise InvalidInput(f"{len(inputs)} inputs were given.", allowed="Two at least, to see that the batch may vary.")
    proofs: list[GraphProof] = []

    def make(folder: Path) -> None:
        _trace(module, inputs, folder)
        proofs.append(_proved(module, inputs, folder, threads, device, unit, task))

    make_folder(target, make)
    return proofs[0] if proofs else _proved(module, inputs, target, threads, device, unit, task)


def run_module(export: Path, inputs: npt.NDArray[Any], *, device: str = "cpu", threads: int = 1) -> npt.NDArray[Any]:
    """[batch, …] outputs of an exported module. Raises CorruptFile when it is damaged. No torch."""
    output: npt.NDArray[Any] = open_graph(export, device=device, threads=threads).run(None, {INPUT: inputs})[0]
    return output


def _trace(module: Any, inputs: npt.NDArray[Any], folder: Path) -> None:
    import torch

    with quiet(), tracing(module, "Leave out what depends on the values of the input, such as a Python `if` on them."):
        program = torch.onnx.export(
            module.eval(),
            (torch.from_numpy(inputs[:2]),),
            dynamo=True,
            input_names=[INPUT],
            output_names=["output"],
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        )
        assert program is not None
        program.save(folder / "model.onnx", external_data=True)


def _proved(
    module: Any, inputs: npt.NDArray[Any], folder: Path, threads: int, device: str, unit: float, task: str
) -> GraphProof:
    """The proof of a graph that is the same model. Raises ExportFailed for one that is not."""
    import torch

    with torch.inference_mode():
        reference = module.eval()(torch.from_numpy(inputs)).numpy()
    export = run_module(folder, inputs, device=device, threads=threads)
    largest = float(np.abs(reference - export).max()) / unit
    classes = reference.ndim == 2 and reference.shape[1] > 1
    agreement = float(np.mean(reference.argmax(axis=1) == export.argmax(axis=1))) if classes else None
    bar = MAX_DIFFERENCE["fp32"]
    proof = GraphProof(
        task=task,
        sequences=len(inputs),
        rows=len(inputs),
        max_abs_difference=largest,
        measure="max_abs_difference",
        bar=bar,
        passed=bool(largest <= bar and np.isfinite(export).all()),
        argmax_agreement=agreement,
    )
    if not proof.passed:
        raise ExportFailed(
            f"The graph is not the same model: {proof.words}.",
            next_step="A layer behaves otherwise in ONNX: replace it, or use the torch model.",
        )
    return proof
