"""Where one's own hosting gets cheaper than an API, at one value of each factor.

The API's cost is a straight line through zero; one's own is a staircase, a step for each replica, on a floor of what is
paid at no demand at all. They may cross many times: the crossing that counts is the volume from which own hosting stays
cheaper at every larger one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.estimate.ownership import HOURS_PER_MONTH

NEVER = math.inf
_EPSILON = 1e-9  # a replica that is full to so small a share over is not doubled


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What is decided, not estimated. minimum_replicas: for availability; 0 when GPU-hours are paid only while they are
    used. reserved_replicas: paid at the reserved price, used or not; None: as many as are needed, at any volume."""

    gpus_per_replica: int
    minimum_replicas: int
    reserved_replicas: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """USD of a month. api_usd_per_token; fixed_usd: people and the like; reserved_usd, replica_usd: of one replica
    inside and beyond those reserved; tokens_per_replica: of a month, what real demand can fill."""

    api_usd_per_token: float
    fixed_usd: float
    reserved_usd: float
    replica_usd: float
    tokens_per_replica: float
    minimum: int
    reserved: int

    def api_usd(self, tokens: float) -> float:
        return self.api_usd_per_token * tokens

    def replicas(self, tokens: float) -> float:
        """Whole ones, save when they are paid by use; those reserved are there even when they are not needed."""
        needed = tokens / self.tokens_per_replica
        if self.minimum:
            needed = max(self.minimum, math.ceil(needed - _EPSILON * needed))
        return max(self.reserved, needed)

    def own_usd(self, tokens: float) -> float:
        return self.fixed_usd + self.reserved * self.reserved_usd + self._beyond(self.replicas(tokens))

    def smooth_own_usd(self, tokens: float) -> float:
        """Without the steps: what says which way a factor pulls."""
        needed = max(self.minimum, self.reserved, tokens / self.tokens_per_replica)
        return self.fixed_usd + self.reserved * self.reserved_usd + self._beyond(needed)

    def floor_usd(self) -> float:
        """Of a month without demand."""
        return self.own_usd(0.0)

    def own_usd_per_token(self) -> float:
        """Of one more token, in the long run: GPUs only."""
        return self.replica_usd / self.tokens_per_replica

    def stays_cheaper_from(self) -> float:
        """Tokens a month. 0: at any volume. inf: never for good."""
        a, k = self.api_usd_per_token, self.tokens_per_replica
        if a * k <= self.replica_usd:
            return NEVER
        # Beyond the floor's replicas own hosting costs base + n · replica_usd.
        base = self.fixed_usd + self.reserved * (self.reserved_usd - self.replica_usd)
        floor = max(self.minimum, self.reserved)
        if not self.minimum:
            flat = self.floor_usd() / a
            return flat if flat <= self.reserved * k else base / (a - self.replica_usd / k)
        # Step n begins at (n − 1)·k. From the first n on whose beginning, and every later one's, own hosting is
        # cheaper, it stays so; the crossing lies in the step before.
        n = math.ceil((base + a * k) / (a * k - self.replica_usd) - _EPSILON)
        return (base + self.replica_usd * max(floor, n - 1)) / a

    def first_cheaper_at(self) -> float:
        """The first volume at which own hosting is cheaper, if only until the next step; inf: at none."""
        a, k = self.api_usd_per_token, self.tokens_per_replica
        last = self.stays_cheaper_from()
        if not self.minimum or last == NEVER:
            flat = self.floor_usd() / a if a else NEVER
            return min(last, flat) if flat <= max(self.minimum, self.reserved) * k else last
        base = self.fixed_usd + self.reserved * (self.reserved_usd - self.replica_usd)
        # The end of step n is the best of it: a·n·k ≥ base + n·replica_usd.
        n = max(self.minimum, self.reserved, math.ceil(base / (a * k - self.replica_usd) - _EPSILON))
        return min(last, (base + self.replica_usd * n) / a)

    def _beyond(self, replicas: float) -> float:
        return max(0.0, replicas - self.reserved) * self.replica_usd


def costs_at(at: Mapping[str, float], fleet: Fleet) -> Costs:
    """The two sides at one value of each factor (keys: `breakeven.FACTORS`)."""
    output, cached = at["output_share"], at["cached_share"]
    api = (1 - output) * ((1 - cached) * at["api_input"] + cached * at.get("api_cached", at["api_input"]))
    api += output * at["api_output"] + at["api_fee"]
    read = (1 - output) * (1 - cached * at["own_cache_ratio"])  # input tokens that have to be computed
    seconds = read / at["prefill_tokens_per_s"] + (output / at["output_tokens_per_s"] if output else 0.0)
    replica = at["usd_per_gpu_hour"] * fleet.gpus_per_replica * HOURS_PER_MONTH
    reserved = replica * (1 - at["discount"])
    all_reserved = fleet.reserved_replicas is None
    return Costs(
        api_usd_per_token=api / 1e6,
        fixed_usd=at["people_usd"] + at["other_usd"],
        reserved_usd=reserved,
        replica_usd=reserved if all_reserved else replica,
        tokens_per_replica=at["utilisation"] * HOURS_PER_MONTH * 3600 / seconds,
        minimum=fleet.minimum_replicas,
        reserved=fleet.reserved_replicas or 0,
    )
