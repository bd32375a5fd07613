"""What a slow link adds to a training step, beyond the clusters that the efficiency was fitted to.

Published runs had NVLink (600 GB/s, both directions) and 200 Gb/s a GPU, and their communication is inside their
efficiency. On lesser links the difference is added. Bytes: gathering weights twice and scattering gradients once
(ZeRO-3, arXiv 1910.02054, § 7), and four all-reduces a layer under tensor parallelism (arXiv 1909.08053, § 3); half
of the arithmetic hides the former, nothing the latter."""

from __future__ import annotations

from dataclasses import dataclass

from core.estimate.hardware import Accelerator
from core.estimate.shape import ModelShape

REFERENCE_INTRA, REFERENCE_NETWORK = 600e9, 25e9  # bytes/s, as `Accelerator` counts them
HIDDEN = 0.5  # share of the arithmetic that exchanging weights and gradients can run beside
TENSOR_FROM = 20e9  # parameters: smaller models were trained without tensor parallelism (LLaMA 7B and 13B)


@dataclass(frozen=True, slots=True)
class Communication:
    """Seconds of one step. data_s: weights and gradients, hidden or not. tensor_s: of tensor parallelism. extra_s:
    what this cluster's links add over the reference."""

    data_s: float
    tensor_s: float
    extra_s: float


def default_tensor_parallel(shape: ModelShape, gpu: Accelerator, gpus: int) -> int:
    """A power of two up to the node, for models that are split in practice."""
    most = min(gpus, gpu.node_gpus, 8)
    wanted = 8 if shape.parameters >= TENSOR_FROM else 1
    return 1 << (max(1, min(most, wanted)).bit_length() - 1)


def communication(
    shape: ModelShape,
    gpu: Accelerator,
    gpus: int,
    *,
    tensor_parallel: int,
    batch_tokens: float,
    trainable_parameters: float,
    compute_s: float,
) -> Communication:
    """compute_s: arithmetic of one step."""
    if gpus == 1:
        return Communication(0.0, 0.0, 0.0)
    replicas = max(1, gpus // tensor_parallel)
    share = (replicas - 1) / replicas
    gathered = 2 * 2 * shape.parameters + 2 * trainable_parameters
    data = gathered / tensor_parallel * share
    tensor = (
        4 * shape.layers * (batch_tokens / replicas) * shape.hidden * 2 * 2 * (tensor_parallel - 1) / tensor_parallel
    )

    def exposed(intra: float, network: float) -> tuple[float, float, float]:
        data_s = data / (network if gpus > gpu.node_gpus else intra / 2)
        tensor_s = tensor / (intra / 2)
        return data_s, tensor_s, tensor_s + max(0.0, data_s - HIDDEN * compute_s)

    data_s, tensor_s, here = exposed(gpu.intra_node_bytes_per_s, gpu.network_bytes_per_s)
    _, _, there = exposed(
        max(REFERENCE_INTRA, gpu.intra_node_bytes_per_s), max(REFERENCE_NETWORK, gpu.network_bytes_per_s)
    )
    return Communication(data_s, tensor_s, max(0.0, here - there))
