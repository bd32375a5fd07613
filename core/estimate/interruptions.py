"""Time that a training run loses to failures and restarts.

Llama 3 405B counted 419 unexpected interruptions in 54 days on 16,384 H100, more than 90 % of the time effective (arXiv
2407.21783, § 3.3.4): 50,700 hours between failures of one GPU. Each costs the steps since the last checkpoint and a
restart: 15 minutes, from 6 (checkpoints every few minutes) to 36; the 90 % bounds it at 19.
"""

from __future__ import annotations

from core.estimate.ranges import Range

HOURS_BETWEEN_FAILURES = 54 * 24 * 16_384 / 419  # of one GPU
HOURS_LOST = Range(0.1, 0.25, 0.6)  # for each interruption


def share_lost(gpus: int) -> Range:
    """Of the time: from 0 to 0.5, beyond which nothing would be trained."""
    lost = HOURS_LOST * (gpus / HOURS_BETWEEN_FAILURES)
    return Range(*(min(0.5, value) for value in (lost.low, lost.expected, lost.high)))
