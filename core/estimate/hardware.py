"""Accelerators and processors: datasheet peaks (dense), the node they stand in, and rows that the reader has edited.

`tables/gpus.csv` has the peaks and `tables/nodes.csv` the links; the reader's own rows, in
`<home>/estimate/hardware.json`, replace them by id or add to them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.errors import InvalidInput
from core.estimate.tables_csv import number, rows

HALF = ("fp16", "bf16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """Peaks of one device in operations/s, dense; 0 where the datasheet gives none. tdp_watts: 0 when unpublished.

    node_gpus: devices in one node. intra_node_bytes_per_s: of one device to the others of its node, both directions
    together; network_bytes_per_s: of one device out of the node, one direction. kind: gpu, tpu or cpu.
    """

    id: str
    name: str
    memory_bytes: float
    memory_bandwidth_bytes_per_s: float
    fp16_flops_per_s: float
    fp8_flops_per_s: float = 0.0
    fp32_flops_per_s: float = 0.0
    tdp_watts: float = 0.0
    node_gpus: int = 8
    intra_node_bytes_per_s: float = 64e9
    network_bytes_per_s: float = 12.5e9
    kind: str = "gpu"
    source: str = ""

    def flops_per_s(self, precision: str) -> float:
        """The peak for matrices in this precision. int8 and int4 weights are multiplied as 16-bit floats (weight-only
        quantisation), fp8 as fp8 where the device can. Raises InvalidInput for a precision that it lacks."""
        found = {"fp32": self.fp32_flops_per_s, "fp8": self.fp8_flops_per_s}.get(precision, self.fp16_flops_per_s)
        if not found:
            having = {"fp16/bf16": self.fp16_flops_per_s, "fp8": self.fp8_flops_per_s, "fp32": self.fp32_flops_per_s}
            raise InvalidInput(
                f"No {precision} peak is published for {self.name}.",
                allowed=f"It has: {', '.join(name for name, peak in having.items() if peak)}.",
                next_step="Choose another precision, or add the peak to the hardware table.",
            )
        return found


@lru_cache(maxsize=1)
def published() -> tuple[Accelerator, ...]:
    """The tables as they are shipped."""
    nodes = {row["gpu"]: row for row in rows("nodes")}
    return tuple(_accelerator(row, nodes.get(row["id"], {})) for row in rows("gpus"))


def in_use() -> tuple[Accelerator, ...]:
    """With the reader's own rows. Raises CorruptFile."""
    from core.estimate.own_tables import hardware  # it stands on this module

    return hardware()


def find(name: str, table: Sequence[Accelerator] | None = None) -> Accelerator:
    """By id or name, whatever its case, spaces and dashes; a part that fits one alone is enough. Raises InvalidInput
    with the nearest names. table: default, the one in use: the reader's rows over the published ones."""
    table = in_use() if table is None else table
    wanted = plain(name)
    for one in table:
        if wanted and wanted in (plain(one.id), plain(one.name)):
            return one
    fitting = [one for one in table if wanted and (wanted in plain(one.id) or wanted in plain(one.name))]
    exactly = [one for one in fitting if wanted == plain(one.id.partition("-")[0])]  # L4 is not L40S
    if len(exactly or fitting) == 1:
        return (exactly or fitting)[0]
    fitting = exactly or fitting
    ids = {plain(one.id): one.id for one in table} | {plain(one.name): one.id for one in table}
    near = [one.id for one in fitting] or [ids[key] for key in difflib.get_close_matches(wanted, ids, n=5, cutoff=0.3)]
    if not fitting:  # those of the same kind first: another memory is nearer than another GPU
        near.sort(key=lambda id: not wanted.startswith(plain(id.partition("-")[0])))
    raise InvalidInput(
        f"'{name[:80]}' is {'more than one GPU' if fitting else 'no GPU'} of the table.",
        allowed=f"Nearest: {', '.join(dict.fromkeys(near))}."
        if near
        else f"Known: {', '.join(one.id for one in table)}.",
        next_step="Name one of these, or add yours to the hardware table.",
    )


def _out_of_node(id: str, link: Callable[[str, float], float]) -> float:
    """A TPU's links go on from host to host over the whole pod."""
    if id.startswith("tpu"):
        return link("intra_node_bytes_per_s", 64e9) / 2
    return link("network_bytes_per_s_per_gpu", 12.5e9)


def plain(name: str) -> str:
    """A name without case, spaces and dashes."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _accelerator(row: dict[str, str], node: dict[str, str]) -> Accelerator:
    def value(name: str) -> float:
        return number(row.get(name, "")) or 0.0

    def link(name: str, otherwise: float) -> float:
        return number(node.get(name, "")) or otherwise

    return Accelerator(
        id=row["id"],
        name=row["name"],
        memory_bytes=value("memory_bytes"),
        memory_bandwidth_bytes_per_s=value("memory_bandwidth_bytes_per_s"),
        fp16_flops_per_s=value("fp16_flops_per_s"),
        fp8_flops_per_s=value("fp8_flops_per_s"),
        fp32_flops_per_s=value("fp32_flops_per_s"),
        tdp_watts=value("tdp_watts"),
        node_gpus=int(link("node_gpus", 8)),
        intra_node_bytes_per_s=link("intra_node_bytes_per_s", 64e9),
        network_bytes_per_s=_out_of_node(row["id"], link),
        kind="tpu" if row["id"].startswith("tpu") else row.get("kind") or "gpu",
        source=row["source"],
    )
