"""What this machine can do: bytes a second out of memory, operations a second in matrix products. Measured, in ~5 s.

On the CPU the products run in ONNX Runtime, as models do; on a GPU in torch. A limit is the best of many short passes:
whatever else runs makes a pass longer (two busy cores read at 22 to 40 GB/s, and at 60 in a quiet moment).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from core.artefacts import Progress
from core.errors import DeviceUnavailable

READ_SECONDS = 0.8  # for the memory, before the products and after them
PRODUCT_SECONDS = 0.4  # for one size of one product
SMALLEST_READ = 512 * 1024**2  # bytes
CACHES_READ = 8  # times the last-level cache: what is read again was pushed out before
UNKNOWN_CACHE = 64 * 1024**2  # bytes
SIZES = (512, 1024, 2048)  # rows and columns: two cores do best at 512, many need more work at once


@dataclass(frozen=True, slots=True)
class Limits:
    """bandwidth_bytes_per_s: a streamed read. operations_per_s: of matrix products by arithmetic, a multiplication and
    an addition counting as two."""

    bandwidth_bytes_per_s: float
    operations_per_s: Mapping[str, float]

    def for_precision(self, precision: str) -> float:
        """Operations/s that a model in this precision can reach at most.

        Quantised weights are multiplied as int8 on a CPU, and on a GPU as fp16, which has no "int8" here. A machine
        whose int8 is slower than its fp32 could still use that.
        """
        names = ("int8", "fp32") if "int8" in self.operations_per_s else ("fp16",)
        wanted = names if precision in ("int8", "int4") else (precision,)
        return max(self.operations_per_s[name] for name in wanted)


def probe(device: str, threads: int, progress: Progress) -> Limits:
    """The limits of `device`, cpu with so many threads, or cuda."""
    progress(0.0, "Probing the memory")
    if device == "cuda":
        return _probe_cuda(progress)
    first = read_bandwidth(threads)
    operations = {}
    for place, (name, node) in enumerate((("fp32", "MatMul"), ("int8", "MatMulInteger"))):
        progress((place + 1) / 3, f"Probing {name} products")
        operations[name] = max(_product_per_s(node, size, threads) for size in SIZES)
    return Limits(max(first, read_bandwidth(threads)), operations)


def read_bandwidth(threads: int) -> float:
    """Bytes/s of reading memory in order with so many threads at once, each its own part."""
    wanted = max(SMALLEST_READ, CACHES_READ * _last_level_cache())
    size = min(wanted, int(psutil.virtual_memory().available) // 4)
    parts = np.array_split(np.ones(size // 4, dtype=np.float32), threads)
    with ThreadPoolExecutor(threads) as pool:
        # The maximum is one vector instruction a load, and numpy gives the interpreter's lock free for it.
        return size / _best_seconds(lambda: list(pool.map(np.max, parts)), READ_SECONDS)


def _last_level_cache() -> int:
    """Bytes, as Linux tells; elsewhere a guess."""
    found = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    sizes = [int(text[:-1]) * 1024 for file in found if (text := file.read_text().strip()).endswith("K")]
    return max(sizes, default=UNKNOWN_CACHE)


def _product_per_s(node: str, size: int, threads: int) -> float:
    """Operations/s of a product of two [size, size] matrices, the second constant, as weights are."""
    session, left = _product(node, size, threads)
    return 2 * size**3 / _best_seconds(lambda: session.run(None, {"left": left}), PRODUCT_SECONDS)


def _product(node: str, size: int, threads: int) -> tuple[Any, Any]:
    """(session, left matrix). node: MatMul in fp32, or MatMulInteger of u8 and s8 into int32."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    left, right = random.random((2, size, size), dtype=np.float32)
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT)
    if node == "MatMulInteger":
        left, right = (left * 255).astype(np.uint8), (right * 127).astype(np.int8)
        kinds = (TensorProto.UINT8, TensorProto.INT32)
    told = [helper.make_tensor_value_info(n, k, [size, size]) for n, k in zip(("left", "out"), kinds, strict=True)]
    nodes = [helper.make_node(node, ["left", "right"], ["out"])]
    graph = helper.make_graph(nodes, "probe", told[:1], told[1:], [numpy_helper.from_array(right, "right")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, left


def _best_seconds(once: Callable[[], Any], seconds: float) -> float:
    """The shortest of the passes that fit into `seconds`; at least three."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        started = time.perf_counter()
        once()
        times.append(time.perf_counter() - started)
    return min(times)


def _probe_cuda(progress: Progress) -> Limits:
    """On the first GPU, with fp32 as ONNX Runtime runs it there: in TF32."""
    import torch

    if not torch.cuda.is_available():
        raise DeviceUnavailable(
            "The GPU's limits cannot be measured: the installed torch has no CUDA.",
            next_step="Install torch for CUDA, or measure on the CPU.",
        )
    torch.backends.cuda.matmul.allow_tf32 = True
    bandwidth = _cuda_bandwidth()
    operations = {}
    for place, (name, kind) in enumerate(
        {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}.items()
    ):
        progress((place + 1) / 4, f"Probing {name} products")
        operations[name] = _cuda_product_per_s(kind)
    return Limits(bandwidth, operations)


def _cuda_bandwidth() -> float:
    """Bytes/s of a copy, which reads and writes each byte."""
    import torch

    size = min(2 * 1024**3, torch.cuda.mem_get_info()[0] // 8)  # far more than a GPU's cache
    source = torch.ones(size, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * size / _best_cuda_seconds(lambda: target.copy_(source))


def _cuda_product_per_s(kind: Any) -> float:
    import torch

    left, right = (torch.randn(8192, 8192, device="cuda").to(kind) for _ in range(2))
    return 2 * 8192**3 / _best_cuda_seconds(lambda: left @ right)


def _best_cuda_seconds(once: Callable[[], Any]) -> float:
    """The shortest of ten passes, by the GPU's own clock."""
    import torch

    once()  # loads the kernel
    times: list[float] = []
    for _ in range(10):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        begin.record()
        once()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1000)  # it tells milliseconds
    return min(times)
