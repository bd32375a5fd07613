"""Queueing for a free slot: Erlang C for M/M/m (Erlang 1917; Kleinrock 1975, § 3.5), and how many replicas it takes.

Exact by the Erlang B recursion for up to 200 busy slots, beyond by the Halfin–Whitt limit (Operations Research 29(3),
1981, doi 10.1287/opre.29.3.567), which is within a hundredth there.
"""

from __future__ import annotations

import math

EXACT_LOAD = 200.0
LATE_SHARE = 0.05  # of the requests, that may wait longer than the target leaves


def waiting_share(slots: int, load: float) -> float:
    """P(a request finds no free slot). load: arrivals/s times seconds in a slot, below slots."""
    if load >= slots:
        return 1.0
    if load > EXACT_LOAD:
        return _halfin_whitt(slots, load)
    return _to_erlang_c(_erlang_b(slots, load), slots, load)


def late_share(slots: int, load: float, service_s: float, limit_s: float) -> float:
    """P(waiting longer than limit_s): Erlang C times exp(−(slots − load) · limit / service)."""
    return waiting_share(slots, load) * math.exp(-max(0.0, slots - load) * limit_s / service_s)


def replicas_needed(load: float, batch: int, service_s: float, limit_s: float) -> int:
    """The fewest replicas of `batch` slots with which at most LATE_SHARE wait longer than limit_s; at least one."""
    count = max(1, math.floor(load / batch) + 1)
    while late_share(count * batch, load, service_s, limit_s) > LATE_SHARE:
        count += 1
    return count


def _erlang_b(slots: int, load: float) -> float:
    blocked = 1.0
    for n in range(1, slots + 1):
        blocked = load * blocked / (n + load * blocked)
        if n > load and blocked < 1e-12:
            return 0.0
    return blocked


def _to_erlang_c(blocked: float, slots: int, load: float) -> float:
    return blocked / (1 - load / slots * (1 - blocked))


def _halfin_whitt(slots: int, load: float) -> float:
    spare = (slots - load) / math.sqrt(load)
    if spare > 30:
        return 0.0
    density = math.exp(-(spare**2) / 2) / math.sqrt(2 * math.pi)
    below = 0.5 * math.erfc(-spare / math.sqrt(2))
    return density / (density + spare * below)
