"""Measurements as a Markdown table, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from core.measure.roofline import share_of_limit
from core.store.measurements import MeasurementRecord

HEAD = (
    "| precision | prompt | batch | prefill tokens/s | decode tokens/s | of the limit | first token p50, p95 "
    "| memory | load | tokens/J | other work |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)


def as_table(records: Sequence[MeasurementRecord]) -> str:
    """The rows of one run, and what the machine could do. of the limit: prefill's share, then decode's. other work: the
    share of the machine's cores that other processes took meanwhile, which makes every figure worse."""
    if not records:
        return "Nothing was measured."
    first = records[0]
    roofs = {record.precision: record.flop_per_s_limit for record in records}
    reached = ", ".join(f"{limit / 1e9:,.0f} GFLOP/s in {precision}" for precision, limit in roofs.items())
    return "\n".join(
        [
            f"{first.model_id} on {first.device_name}, {first.threads} threads; each row's new tokens: "
            f"{first.new_tokens}; medians of {first.repeats} rounds.",
            f"The machine itself: {first.bandwidth_bytes_per_s / 1e9:,.1f} GB/s out of memory, {reached}.",
            f"Energy: {first.power_source}.",
            "",
            *HEAD,
            *(_line(record) for record in records),
            "",
            f"Recorded as run {first.batch_id}.",
        ]
    )


def _line(record: MeasurementRecord) -> str:
    decode = record.decode_tokens_per_s
    shares = [share_of_limit(record, "prefill"), share_of_limit(record, "decode")]
    cells = (
        record.precision,
        f"{record.prompt_tokens:,}",
        str(record.batch),
        f"{record.prefill_tokens_per_s:,.0f}",
        "" if decode is None else f"{decode:,.1f}",
        ", ".join(f"{share:.0%}" for share in shares if share is not None),
        f"{record.ttft_p50_s * 1000:,.0f}, {record.ttft_p95_s * 1000:,.0f} ms",
        f"{record.peak_memory_bytes / 1e6:,.0f} MB",
        f"{record.load_s:.2f} s",
        "" if record.tokens_per_joule is None else f"{record.tokens_per_joule:,.2f}",
        f"{record.environment.get('other_work', 0.0):.0%}",
    )
    return f"| {' | '.join(cells)} |"
