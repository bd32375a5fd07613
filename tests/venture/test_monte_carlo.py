"""Monte Carlo: draws keep their distributions and move together, and how they are run changes nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.errors import InvalidInput
from core.venture.draws import correlation_matrix, draws, nearest_correlation, quantile
from core.venture.drivers import BASE, NAMES, CorrelationSpec, DistributionSpec, ScenarioSpec, UncertaintySpec
from core.venture.monte_carlo import LEVELS, MonteCarlo, monte_carlo, paths
from core.venture.plan import plan
from core.venture.spec import CompanySpec
from tests.venture.companies import everything, short_of_cash

RUNS = 2_000


def with_uncertainty(spec: CompanySpec, **fields: object) -> CompanySpec:
    return spec.model_copy(update={"uncertainty": UncertaintySpec.model_validate(fields)})


def certain(spec: CompanySpec) -> CompanySpec:
    return with_uncertainty(spec, distributions={}, correlations=())


def drawn(*pairs: CorrelationSpec, runs: int = 20_000, **kinds: DistributionSpec) -> dict[str, NDArray[np.float64]]:
    found = draws(UncertaintySpec(distributions=kinds, correlations=pairs), runs, 1)  # type: ignore[arg-type]
    return {str(name): values for name, values in found.values.items()}


# ── draws ──


@pytest.mark.parametrize(
    ("given", "peer"),
    [
        (DistributionSpec(kind="uniform", low=0.7, high=1.3), stats.uniform(0.7, 0.6)),
        (DistributionSpec(kind="triangular", low=0.7, high=1.5, mode=1), stats.triang(0.375, 0.7, 0.8)),
        (DistributionSpec(kind="triangular", low=0, high=4, mode=0), stats.triang(0, 0, 4)),
        (DistributionSpec(kind="triangular", low=0, high=4, mode=4), stats.triang(1, 0, 4)),
        (DistributionSpec(kind="triangular", low=1, high=3), stats.triang(0.5, 1, 2)),
        (DistributionSpec(kind="normal", low=0.8, high=1.2), stats.norm(1, 0.2 / stats.norm.ppf(0.9))),
        (
            DistributionSpec(kind="lognormal", low=0.5, high=2),
            stats.lognorm(s=np.log(2) / stats.norm.ppf(0.9), scale=1),
        ),
    ],
)
def test_quantiles_are_those_of_scipys_distributions(given: DistributionSpec, peer: object) -> None:
    shares = np.linspace(0.01, 0.99, 99)
    np.testing.assert_allclose(quantile(given, shares), peer.ppf(shares), rtol=1e-9, atol=1e-9)  # type: ignore[attr-defined]


def test_draws_follow_their_distribution() -> None:
    found = drawn(churn=DistributionSpec(kind="triangular", low=0.7, high=1.5, mode=1))
    assert stats.kstest(found["churn"], stats.triang(0.375, 0.7, 0.8).cdf).pvalue > 0.001


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_low_and_high_are_the_tenth_and_ninetieth_percentile(kind: str) -> None:
    found = drawn(price=DistributionSpec(kind=kind, low=0.8, high=1.3))["price"]  # type: ignore[arg-type]
    assert np.quantile(found, [0.1, 0.9]) == pytest.approx([0.8, 1.3], abs=0.01)


def test_a_normal_is_cut_off_at_0() -> None:
    found = drawn(churn=DistributionSpec(kind="normal", low=0, high=1))["churn"]
    assert found.min() == 0


def test_a_driver_without_a_distribution_stays_as_planned() -> None:
    found = drawn(churn=DistributionSpec(low=0.9, high=1.1))
    assert set(found["price"]) == {1.0}
    assert set(found["hiring_delay"]) == {0.0}


@pytest.mark.parametrize("rho", [-0.8, -0.3, 0.5, 0.95])
def test_two_drivers_move_together_as_given(rho: float) -> None:
    kinds = {name: DistributionSpec(low=0.5, high=1.5) for name in ("growth", "churn")}
    found = drawn(CorrelationSpec(a="growth", b="churn", rho=rho), **kinds)
    ranks = stats.spearmanr(found["growth"], found["churn"]).statistic
    assert ranks == pytest.approx(6 / np.pi * np.arcsin(rho / 2), abs=0.02)


def test_the_usual_correlations_are_possible() -> None:
    assert draws(UncertaintySpec(), 100).adjusted == ()


def test_correlations_that_contradict_each_other_give_way_and_that_is_told() -> None:
    pairs = (
        CorrelationSpec(a="growth", b="churn", rho=0.9),
        CorrelationSpec(a="churn", b="price", rho=0.9),
        CorrelationSpec(a="growth", b="price", rho=-0.9),
    )
    used = nearest_correlation(correlation_matrix(pairs))
    assert np.linalg.eigvalsh(used)[0] > -1e-8
    np.testing.assert_allclose(np.diag(used), 1)
    told = draws(UncertaintySpec(correlations=pairs), 100).adjusted
    assert {(one.a, one.b) for one in told} == {("growth", "churn"), ("churn", "price"), ("growth", "price")}
    assert all(abs(one.used) < abs(one.given) for one in told)


def test_the_nearest_correlation_is_highams() -> None:
    """N. J. Higham (2002), the example of section 4: off-diagonal 0.7607 and 0.1573."""
    found = nearest_correlation(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]))
    assert found[0, 1] == pytest.approx(0.7607, abs=1e-4)
    assert found[0, 2] == pytest.approx(0.1573, abs=1e-4)


def test_a_pair_given_twice_with_two_values_is_refused() -> None:
    pairs = (CorrelationSpec(a="growth", b="churn", rho=0.3), CorrelationSpec(a="churn", b="growth", rho=-0.3))
    with pytest.raises(InvalidInput, match="growth"):
        correlation_matrix(pairs)


def test_more_runs_begin_with_the_same_ones() -> None:
    few, many = draws(UncertaintySpec(), 100), draws(UncertaintySpec(), 300)
    np.testing.assert_array_equal(few.values["churn"], many.values["churn"][:100])


# ── what comes of them ──


@pytest.fixture(scope="module")
def short() -> MonteCarlo:
    return monte_carlo(short_of_cash(), runs=RUNS)


def test_the_same_seed_gives_the_same_and_another_seed_another(short: MonteCarlo) -> None:
    again, other = monte_carlo(short_of_cash(), runs=RUNS), monte_carlo(short_of_cash(), runs=RUNS, seed=8)
    assert (again.cash.values == short.cash.values).all()
    assert again.runway == short.runway
    assert (other.cash.values != short.cash.values).any()


@pytest.mark.parametrize("chunk", [1, 7, 150])
def test_the_result_does_not_depend_on_the_size_of_a_chunk(chunk: int) -> None:
    spec = short_of_cash(months=12)
    one, other = monte_carlo(spec, runs=100), monte_carlo(spec, runs=100, chunk=chunk)
    assert (one.cash.values == other.cash.values).all()
    assert (one.chance_out == other.chance_out).all()
    assert one.influences == other.influences


def test_every_run_is_the_plan_under_its_drivers() -> None:
    spec = everything(months=18)
    drawn_ = draws(spec.uncertainty, 20, 3).values
    found = paths(spec, drawn_, chunk=6)
    for run in (0, 5, 6, 19):
        alone = plan(spec, ScenarioSpec(**{name: float(drawn_[name][run]) for name in NAMES}))
        assert (found.cash[run] == alone.cash[0]).all()
        assert (found.mrr[run] == alone.recurring[0]).all()


def test_without_uncertainty_every_percentile_is_the_plan() -> None:
    found = monte_carlo(certain(everything()), runs=100)
    base = plan(everything())
    assert all((found.cash.at(level) == base.cash[0]).all() for level in LEVELS)
    assert found.influences == ()


def test_percentiles_are_values_of_runs_in_their_order() -> None:
    spec = short_of_cash(months=12)
    found = monte_carlo(spec, runs=500)
    ends = np.sort(paths(spec, draws(spec.uncertainty, 500).values).cash[:, -1])
    assert found.cash.values[:, -1].tolist() == [ends[-(-500 * level // 100) - 1] for level in LEVELS]
    assert (np.diff(found.cash.values, axis=0) >= 0).all()


def test_the_chance_of_running_out_only_grows_and_agrees_with_the_runway(short: MonteCarlo) -> None:
    assert (np.diff(short.chance_out) >= 0).all()
    middle = short.runway[50]
    assert middle is not None
    assert short.chance_out[middle] >= 0.5 > short.chance_out[middle - 1]
    assert short.runway[10] <= middle  # type: ignore[operator]


def test_the_chance_before_a_month_leaves_that_month_out(short: MonteCarlo) -> None:
    assert short.chance_before("2027-01") == 0
    assert short.chance_before("2026-01") == 0
    assert short.chance_before("2028-01") == short.chance_out[11]
    assert short.chance_before("2030-01") == short.chance_out[35]
    with pytest.raises(InvalidInput, match="beyond the plan"):
        short.chance_before("2030-02")


def test_a_runway_beyond_the_plan_is_not_given_as_a_number() -> None:
    found = monte_carlo(everything(opening_cash=90_000_000), runs=200)
    assert found.runway == {10: None, 50: None, 90: None}
    assert found.runway_words(50) == "> 36 months"
    assert found.start == {10: None, 50: None}


def test_a_bad_course_has_to_raise_no_later_than_a_middling_one(short: MonteCarlo) -> None:
    assert short.start[10] is not None
    assert short.start[50] is None or short.start[10] <= short.start[50]


def test_what_alone_varies_explains_all_of_the_spread() -> None:
    kinds = {"churn": DistributionSpec(low=0.5, high=2)}
    found = monte_carlo(with_uncertainty(everything(), distributions=kinds, correlations=()), runs=500)
    assert [one.name for one in found.influences] == ["churn"]
    assert found.influences[0].share == 1
    assert found.influences[0].correlation == pytest.approx(-1, abs=1e-6)


def test_influences_are_shares_of_a_whole_with_the_strongest_first(short: MonteCarlo) -> None:
    shares = [one.share for one in short.influences]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_more_money_at_the_start_moves_every_percentile_by_just_that() -> None:
    less, more = monte_carlo(short_of_cash(), runs=300), monte_carlo(short_of_cash(opening_cash=300_001), runs=300)
    assert (more.cash.values - less.cash.values == 100).all()


def test_one_run_is_enough() -> None:
    found = monte_carlo(everything(months=1), runs=1)
    assert found.cash.values.shape == (len(LEVELS), 1)


def test_the_middle_of_a_symmetric_spread_is_near_the_plan() -> None:
    kinds = {"expenses": DistributionSpec(kind="uniform", low=0.5, high=1.5)}
    spec = with_uncertainty(everything(), distributions=kinds, correlations=())
    base = plan(spec, BASE).cash[0, -1]
    assert monte_carlo(spec, runs=RUNS).cash.at(50)[-1] == pytest.approx(base, rel=0.02)


def test_ten_thousand_runs_of_five_years_are_there_in_seconds() -> None:
    began = time.perf_counter()
    monte_carlo(everything(months=60), runs=10_000)
    assert time.perf_counter() - began < 8  # 1 s on a quiet machine; benchmarks.plan measures
