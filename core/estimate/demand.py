"""`Demand`: how many requests arrive in each hour of a day, from a peak, from a curve, or from users and their habits.

Within an hour arrivals are random (Poisson), so that an hour's mean is enough; days are alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput

HOURS = 24
SECONDS_PER_DAY = 86_400
DAYS_PER_MONTH = 365.25 / 12
MOST_REQUESTS_PER_S = 1e6
MOST_USERS = 1e10

# One afternoon peak 1.6 times the mean and a night of 0.4: a judgement, for who has no curve of their own.
DAY_CURVE = tuple(1 + 0.6 * math.cos(2 * math.pi * (hour - 14) / HOURS) for hour in range(HOURS))
FLAT_CURVE = (1.0,) * HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """hourly_requests_per_s: the mean of each hour. users: who makes them, 0 when unknown."""

    hourly_requests_per_s: tuple[float, ...]
    users: float = 0.0

    @property
    def peak_requests_per_s(self) -> float:
        return max(self.hourly_requests_per_s)

    @property
    def mean_requests_per_s(self) -> float:
        return sum(self.hourly_requests_per_s) / HOURS

    @property
    def requests_per_month(self) -> float:
        return self.mean_requests_per_s * SECONDS_PER_DAY * DAYS_PER_MONTH


def demand_at_peak(requests_per_s: float, *, curve: Sequence[float] = DAY_CURVE) -> Demand:
    """The busiest hour has so many, the others as the curve says."""
    shares = _curve(curve)
    return _checked(tuple(requests_per_s * share / max(shares) for share in shares))


def demand_by_hour(requests_per_s: Sequence[float]) -> Demand:
    """24 means, from midnight on."""
    return _checked(tuple(requests_per_s))


def demand_of_users(users: float, requests_per_user_and_day: float, *, curve: Sequence[float] = DAY_CURVE) -> Demand:
    """Raises InvalidInput for none, or absurdly many."""
    faults = [
        f"{name} is {value:,g} (above 0, at most {most:,.0f})"
        for name, value, most in (
            ("users", users, MOST_USERS),
            ("requests per user and day", requests_per_user_and_day, 1e6),
        )
        if not 0 < value <= most
    ]
    if faults:
        raise InvalidInput(f"There is no demand to plan for: {'; '.join(faults)}.", next_step="Say how many there are.")
    shares = _curve(curve)
    mean = users * requests_per_user_and_day / SECONDS_PER_DAY
    return _checked(tuple(mean * share * HOURS / sum(shares) for share in shares), users=users)


def _curve(curve: Sequence[float]) -> tuple[float, ...]:
    _checked(tuple(curve), what="curve")
    return tuple(curve)


def _checked(hours: tuple[float, ...], *, users: float = 0.0, what: str = "demand") -> Demand:
    faults = [] if len(hours) == HOURS else [f"it has {len(hours)} hours"]
    wrong = [hour for hour in hours if not math.isfinite(hour) or hour < 0]
    faults += [f"{wrong[0]:g} is among its values"] if wrong else []
    if not wrong and not any(hours):
        faults.append("it is zero throughout")
    elif not wrong and max(hours) > MOST_REQUESTS_PER_S:
        faults.append(f"{max(hours):,.0f} requests a second are beyond any one service")
    if faults:
        raise InvalidInput(
            f"This {what} cannot be planned for: {'; '.join(faults)}.",
            allowed=f"24 hourly values from 0 to {MOST_REQUESTS_PER_S:,.0f} requests a second, not all 0.",
            next_step="Say how many requests there are.",
        )
    return Demand(hourly_requests_per_s=hours, users=users)
