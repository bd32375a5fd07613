"""Random values of the drivers: a Gaussian copula, so that each keeps its distribution and they move together.

Correlated normals become shares (`ndtr`), and shares become values of each driver's own distribution. rho is the
correlation of the normals; the rank correlation of the values is 6/π · asin(rho/2), which is nearly the same. Pairs
that contradict each other make no correlation matrix: the nearest one is taken (Higham 2002), and that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from core.errors import InvalidInput
from core.venture.drivers import BASE, NAMES, CorrelationSpec, DistributionSpec, Name, UncertaintySpec

Column = NDArray[np.float64]
Matrix = NDArray[np.float64]
"""[driver, driver]"""

LEAST = 1e-9  # of an eigenvalue: below it the matrix is no correlation matrix
_TENTH = float(ndtri(0.9))  # a normal's ninetieth percentile, in standard deviations
_ROUNDS = 500


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A pair of which another correlation was taken than was given."""

    a: Name
    b: Name
    given: float
    used: float


@dataclass(frozen=True, slots=True)
class Draws:
    """values: `[run]` for each driver; one without a distribution stays as planned. adjusted: () as a rule."""

    values: dict[Name, Column]
    adjusted: tuple[Adjusted, ...]


def draws(uncertainty: UncertaintySpec, runs: int | None = None, seed: int | None = None) -> Draws:
    """The same seed gives the same runs, and more runs begin with the same ones."""
    count = uncertainty.runs if runs is None else runs
    given = correlation_matrix(uncertainty.correlations)
    used = nearest_correlation(given)
    random = np.random.Generator(np.random.PCG64(uncertainty.seed if seed is None else seed))
    normals = random.standard_normal((count, len(NAMES))) @ _root(used).T
    values = {
        name: _values(uncertainty.distributions.get(name), normals[:, place], float(getattr(BASE, name)))
        for place, name in enumerate(NAMES)
    }
    return Draws(values, _adjusted(given, used))


def correlation_matrix(pairs: Sequence[CorrelationSpec]) -> Matrix:
    """As given. Raises InvalidInput for a pair that is given twice with different values."""
    found = np.eye(len(NAMES))
    known: dict[frozenset[str], float] = {}
    for one in pairs:
        key = frozenset((one.a, one.b))
        if known.setdefault(key, one.rho) != one.rho:
            raise InvalidInput(
                f"The correlation of {one.a} and {one.b} is given twice: {known[key]:g} and {one.rho:g}.",
                next_step="Leave one of them out.",
            )
        row, column = NAMES.index(one.a), NAMES.index(one.b)
        found[row, column] = found[column, row] = one.rho
    return found


def nearest_correlation(given: Matrix) -> Matrix:
    """The nearest matrix with ones on its diagonal and no eigenvalue below 0; the same where it is one.

    N. J. Higham, "Computing the nearest correlation matrix", IMA J. Numer. Anal. 22 (2002): alternating projections
    with Dykstra's correction.
    """
    if float(np.linalg.eigvalsh(given)[0]) >= -LEAST:
        return given
    here, correction = given.copy(), np.zeros_like(given)
    for _ in range(_ROUNDS):
        shifted = here - correction
        positive = _positive(shifted)
        correction = positive - shifted
        before, here = here, positive.copy()
        np.fill_diagonal(here, 1.0)
        if float(np.abs(here - before).max()) < LEAST:
            break
    # The last round leaves an eigenvalue a hair below 0.
    positive = _positive(here)
    scale = np.sqrt(np.diag(positive))
    return np.asarray(positive / np.outer(scale, scale), dtype=np.float64)


def quantile(one: DistributionSpec, share: Column) -> Column:
    """The value below which this share of all draws lies; never below 0."""
    return _quantile(one, np.asarray(ndtri(share), dtype=np.float64))


def _values(one: DistributionSpec | None, normals: Column, planned: float) -> Column:
    return np.full(len(normals), planned) if one is None else _quantile(one, normals)


def _quantile(one: DistributionSpec, normals: Column) -> Column:
    low, high = one.low, one.high
    if low == high:
        return np.full(len(normals), low)
    if one.kind == "normal":
        found = (low + high) / 2 + normals * (high - low) / (2 * _TENTH)
    elif one.kind == "lognormal":
        middle, half = (np.log(low) + np.log(high)) / 2, (np.log(high) - np.log(low)) / 2
        found = np.exp(middle + normals * half / _TENTH)
    elif one.kind == "uniform":
        found = low + ndtr(normals) * (high - low)
    else:
        found = _triangular(low, (low + high) / 2 if one.mode is None else one.mode, high, ndtr(normals))
    return np.asarray(np.maximum(found, 0.0), dtype=np.float64)


def _triangular(low: float, mode: float, high: float, share: Column) -> Column:
    rising = (mode - low) / (high - low)
    left = low + np.sqrt(share * (high - low) * (mode - low))
    right = high - np.sqrt((1 - share) * (high - low) * (high - mode))
    return np.where(share < rising, left, right)


def _positive(matrix: Matrix) -> Matrix:
    """The nearest matrix without eigenvalues below 0."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T, dtype=np.float64)


def _root(matrix: Matrix) -> Matrix:
    """A matrix whose product with its transpose is this one, which may have no Cholesky factor."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)


def _adjusted(given: Matrix, used: Matrix) -> tuple[Adjusted, ...]:
    found = []
    for row, a in enumerate(NAMES):
        for column in range(row + 1, len(NAMES)):
            if abs(given[row, column] - used[row, column]) > 0.005:
                found.append(Adjusted(a, NAMES[column], float(given[row, column]), float(used[row, column])))
    return tuple(found)
