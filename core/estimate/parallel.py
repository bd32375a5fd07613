"""How a network is split over GPUs: which of its parameters one GPU holds, and how far ZeRO takes the rest apart.

Pipeline stages hold whole layers, the first also the embeddings and the last the head; tensor parallelism splits each
matrix. ZeRO shares optimizer states (1), gradients (2) and weights (3) over the data-parallel GPUs (Rajbhandari et al.
2020, arXiv 1910.02054, § 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from core.estimate.shape import ModelShape

MOST_GPUS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """GPUs in each direction, and the ZeRO stage (0 to 3) over the data-parallel ones."""

    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    data_parallel: int = 1
    zero: int = 0

    @property
    def gpus(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel * self.data_parallel

    def share(self, stage: int) -> int:
        """Over how many GPUs the states of a ZeRO stage are split."""
        return self.data_parallel if self.zero >= stage else 1


def split_faults(shape: ModelShape, split: Split) -> list[str]:
    """What cannot be, for the caller's list."""
    faults = [
        f"{name} is {value:,} (from 1 to {most:,})"
        for name, value, most in (
            ("tensor_parallel", split.tensor_parallel, max(shape.heads, 1)),
            ("pipeline_parallel", split.pipeline_parallel, max(shape.layers, 1)),
            ("data_parallel", split.data_parallel, MOST_GPUS),
        )
        if not 1 <= value <= most
    ]
    if not faults and shape.heads % split.tensor_parallel:
        faults.append(f"tensor_parallel is {split.tensor_parallel}, which does not divide {shape.heads} heads")
    if split.zero not in (0, 1, 2, 3):
        faults.append(f"zero is {split.zero} (0, 1, 2 or 3)")
    return faults


def stage_layers(shape: ModelShape, split: Split) -> int:
    """Layers of the fullest pipeline stage."""
    return math.ceil(shape.layers / split.pipeline_parallel)


def stage_parameters(shape: ModelShape, split: Split, *, last: bool) -> float:
    """Parameters of one GPU of the first or the last pipeline stage, before ZeRO. A tied table stands on both ends."""
    if split.pipeline_parallel == 1:
        return shape.parameters / split.tensor_parallel
    body = shape.parameters - shape.embedding_parameters - shape.head_parameters
    tied = shape.embedding_parameters < shape.head_parameters
    end = shape.head_parameters if last or tied else shape.embedding_parameters
    return (body * stage_layers(shape, split) / shape.layers + end) / split.tensor_parallel


def splits(shape: ModelShape, gpus: int, node_gpus: int) -> Iterator[Split]:
    """Ways to train on so many GPUs, the least entangled first: data parallel with rising ZeRO, then tensor parallel
    within a node, then pipelines between nodes with ZeRO 1, as Megatron trains (arXiv 2104.04473, § 3)."""
    for zero in (0, 1, 2, 3) if gpus > 1 else (0,):
        yield Split(data_parallel=gpus, zero=zero)
    if shape.kind == "other":
        return
    for tensor in _twos(min(gpus, node_gpus), start=2):
        if shape.heads % tensor == 0:
            data = gpus // tensor
            for zero in (1, 3) if data > 1 else (0,):
                yield Split(tensor_parallel=tensor, data_parallel=data, zero=zero)
    for pipeline in _twos(min(gpus, shape.layers), start=2):
        for tensor in _twos(min(gpus // pipeline, node_gpus), start=1):
            if shape.heads % tensor == 0:
                data = gpus // pipeline // tensor
                yield Split(
                    tensor_parallel=tensor, pipeline_parallel=pipeline, data_parallel=data, zero=min(data - 1, 1)
                )


def node_counts(node_gpus: int, most: int) -> tuple[int, ...]:
    """Numbers of GPUs that are rented together: powers of two within a node, then nodes in powers of two."""
    inside = [count for count in _twos(node_gpus, start=1) if count < node_gpus]
    whole = [node_gpus * nodes for nodes in _twos(max(most // node_gpus, 1), start=1)]
    return tuple(count for count in (*inside, *whole) if count <= most)


def _twos(most: int, *, start: int) -> Iterator[int]:
    value = start
    while value <= most:
        yield value
        value *= 2
