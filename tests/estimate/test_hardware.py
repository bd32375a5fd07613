"""Accelerators by name, their peaks by precision, and their links."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.estimate.hardware import find, published
from core.estimate.interruptions import HOURS_BETWEEN_FAILURES, share_lost
from core.estimate.optimizer_step import default_batch_tokens, optimizer_s

A100, H100 = find("a100-sxm-80gb"), find("h100-sxm-80gb")


@pytest.mark.parametrize(
    ("written", "id"),
    [
        ("h100-sxm-80gb", "h100-sxm-80gb"),
        ("H100 SXM", "h100-sxm-80gb"),
        ("NVIDIA H100 SXM5 80GB", "h100-sxm-80gb"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80gb"),  # as nvidia-smi prints it
        ("rtx 4090", "rtx4090-24gb"),
        ("4090", "rtx4090-24gb"),
        ("mi300x", "mi300x-192gb"),
        ("L4", "l4-24gb"),  # not the L40S
        ("a10", "a10-24gb"),  # not the A100
        ("TPU v5e", "tpu-v5e-16gb"),
        ("EPYC 9654", "epyc-9654"),
    ],
)
def test_a_device_is_found_as_people_write_it(written: str, id: str) -> None:
    assert find(written).id == id


@pytest.mark.parametrize(
    ("written", "one"), [("H100", "h100-sxm-80gb"), ("A100", "a100-pcie-40gb"), ("tpu", "tpu-v4-32gb")]
)
def test_a_name_of_several_devices_is_refused_with_all_of_them(written: str, one: str) -> None:
    with pytest.raises(InvalidInput, match="more than one GPU") as refused:
        find(written)
    assert one in refused.value.allowed


@pytest.mark.parametrize(
    ("written", "near"), [("h100-80gb", "h100-sxm-80gb"), ("a100 80gb", "a100-sxm-80gb"), ("RTX4900", "rtx4090-24gb")]
)
def test_an_unknown_device_is_refused_with_the_nearest_names(written: str, near: str) -> None:
    with pytest.raises(InvalidInput, match="no GPU of the table") as refused:
        find(written)
    assert near in refused.value.allowed
    assert "hardware table" in refused.value.next_step


@pytest.mark.parametrize("written", ["", "  ", "-", "🦙", "z" * 100_000])
def test_a_name_that_is_none_is_refused_with_all_that_there_are(written: str) -> None:
    with pytest.raises(InvalidInput, match="no GPU of the table") as refused:
        find(written)
    assert len(str(refused.value)) < 2_000


def test_peaks_by_precision() -> None:
    assert H100.flops_per_s("bf16") == H100.flops_per_s("fp16") == 989.4e12
    assert H100.flops_per_s("fp8") == 1978.9e12
    assert H100.flops_per_s("fp32") == 66.9e12
    assert H100.flops_per_s("int4") == 989.4e12  # weights alone are small: they are multiplied as 16-bit floats


def test_a_precision_without_a_peak_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(InvalidInput, match="No fp8 peak") as refused:
        A100.flops_per_s("fp8")
    assert "fp16/bf16, fp32" in refused.value.allowed


def test_a_rack_of_72_is_one_node() -> None:
    for id in ("gb200-186gb", "gb300-288gb"):
        assert (find(id).node_gpus, find(id).intra_node_bytes_per_s) == (72, 1800e9)


def test_links_of_a_tpu_go_on_over_the_pod() -> None:
    tpu = find("tpu-v4-32gb")
    assert tpu.network_bytes_per_s == tpu.intra_node_bytes_per_s / 2 > H100.network_bytes_per_s


def test_no_device_is_without_links_or_nodes() -> None:
    assert all(one.node_gpus >= 1 and one.network_bytes_per_s > 0 for one in published())


def test_restarts_cost_what_llama_3_lost() -> None:
    """419 interruptions in 54 days on 16,384 GPUs, more than 90 % effective (arXiv 2407.21783, § 3.3.4)."""
    lost = share_lost(16_384)
    assert pytest.approx(419) == 54 * 24 * 16_384 / HOURS_BETWEEN_FAILURES
    assert 0.02 < lost.low < lost.expected < 0.10 < lost.high
    assert share_lost(8).expected < 1e-4


def test_a_million_gpus_still_train_half_of_the_time() -> None:
    assert share_lost(1_000_000).high == 0.5


def test_an_update_reads_and_writes_thirty_bytes_a_parameter() -> None:
    assert optimizer_s(7e9, A100, 1) == pytest.approx(7e9 * 30 / (2039e9 * 0.8))
    assert optimizer_s(7e9, A100, 8) == pytest.approx(optimizer_s(7e9, A100, 1) / 8)
    assert default_batch_tokens(7e9) == 4e6 > default_batch_tokens(1e8)
