"""What slow links add: bytes counted on paper, nothing on the clusters of the fit, more on lesser ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.estimate.communication import Communication, communication, default_tensor_parallel
from core.estimate.hardware import Accelerator, find, published
from core.estimate.known_models import known_model
from core.estimate.shape import ModelShape

A100, H100 = find("a100-sxm-80gb"), find("h100-sxm-80gb")
SMALL, LARGE = known_model("llama-2-7b"), known_model("gpt3-175b")


def found(
    shape: ModelShape = SMALL, gpu: Accelerator = A100, gpus: int = 64, tensor: int = 1, compute_s: float = 5.0
) -> Communication:
    return communication(
        shape,
        gpu,
        gpus,
        tensor_parallel=tensor,
        batch_tokens=4e6,
        trainable_parameters=shape.parameters,
        compute_s=compute_s,
    )


def test_bytes_of_weights_and_gradients_are_those_of_zero_3() -> None:
    """Three times the 16-bit parameters (arXiv 1910.02054, § 7), over a network of 25 GB/s."""
    assert found().data_s == pytest.approx(3 * 2 * SMALL.parameters * 63 / 64 / 25e9)
    inside = found(gpus=8)
    assert inside.data_s == pytest.approx(3 * 2 * SMALL.parameters * 7 / 8 / 300e9)


def test_bytes_of_tensor_parallelism_are_four_all_reduces_a_layer() -> None:
    """Each sends 2 · (t − 1) / t of 16-bit activations (arXiv 1909.08053, § 3)."""
    each = 2 * 7 / 8 * (4e6 / 8) * 12_288 * 2
    assert found(LARGE, tensor=8).tensor_s == pytest.approx(96 * 4 * each / 300e9)


def test_one_gpu_sends_nothing() -> None:
    assert found(gpus=1) == Communication(0.0, 0.0, 0.0)


@pytest.mark.parametrize("gpu", [A100, H100])
@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_the_clusters_that_the_efficiency_was_fitted_to_add_nothing(shape: ModelShape, gpu: Accelerator) -> None:
    assert found(shape, gpu, gpus=1_024, tensor=8).extra_s == 0


def test_slower_links_add_more_and_never_less_than_nothing() -> None:
    added = [
        found(LARGE, replace(A100, intra_node_bytes_per_s=link, network_bytes_per_s=link / 24), tensor=8).extra_s
        for link in (1.2e12, 600e9, 300e9, 64e9, 32e9)
    ]
    assert added == sorted(added)
    assert added[0] == added[1] == 0
    assert added[-1] > added[2] > 0


def test_half_of_the_arithmetic_hides_the_exchange_of_weights() -> None:
    slow = replace(A100, network_bytes_per_s=1e9)
    busy, idle = found(gpu=slow, compute_s=1e6), found(gpu=slow, compute_s=10)
    assert busy.extra_s == 0
    assert idle.extra_s == pytest.approx(idle.data_s - 5)


@pytest.mark.parametrize("gpus", [1, 2, 3, 6, 8, 512])
def test_default_tensor_parallelism_is_a_power_of_two_within_a_node(gpus: int) -> None:
    for gpu in published():
        degree = default_tensor_parallel(LARGE, gpu, gpus)
        assert degree in (1, 2, 4, 8)
        assert degree <= min(gpus, gpu.node_gpus)
        assert default_tensor_parallel(SMALL, gpu, gpus) == 1
