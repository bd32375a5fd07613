from __future__ import annotations

import pytest

from core.artefacts import no_progress
from core.measure import probe as module
from core.measure.probe import Limits, probe


def test_the_probe_finds_bandwidth_and_both_arithmetics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.01)
    monkeypatch.setattr(module, "PRODUCT_SECONDS", 0.01)
    monkeypatch.setattr(module, "SIZES", (64,))
    monkeypatch.setattr(module, "SMALLEST_READ", 1024**2)
    monkeypatch.setattr(module, "_last_level_cache", lambda: 0)
    said: list[str] = []
    limits = probe("cpu", 2, lambda _, text: said.append(text))
    assert limits.bandwidth_bytes_per_s > 0
    assert set(limits.operations_per_s) == {"fp32", "int8"}
    assert min(limits.operations_per_s.values()) > 0
    assert said == ["Probing the memory", "Probing fp32 products", "Probing int8 products"]


def test_the_products_multiply() -> None:
    for node in ("MatMul", "MatMulInteger"):
        session, left = module._product(node, 32, 1)
        assert session.run(None, {"left": left})[0].shape == (32, 32)


def test_each_precision_has_the_roof_of_its_arithmetic() -> None:
    cpu = Limits(1.0, {"fp32": 200.0, "int8": 800.0})
    assert [cpu.for_precision(p) for p in ("fp32", "int8", "int4")] == [200, 800, 800]
    gpu = Limits(1.0, {"fp32": 400.0, "fp16": 900.0, "bf16": 800.0})
    assert [gpu.for_precision(p) for p in ("fp32", "fp16", "bf16", "int8", "int4")] == [400, 900, 800, 900, 900]


def test_quantised_weights_may_be_multiplied_in_fp32_where_that_is_faster() -> None:
    assert Limits(1.0, {"fp32": 200.0, "int8": 100.0}).for_precision("int8") == 200


@pytest.mark.slow
def test_the_whole_probe_takes_seconds() -> None:
    limits = probe("cpu", 2, no_progress)
    assert limits.bandwidth_bytes_per_s > 1e8
