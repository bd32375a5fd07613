"""API against own hosting: arithmetic by hand, a staircase searched step by step, and every regime's sentence."""

from __future__ import annotations

import math
import random
import re
from itertools import pairwise

import pytest

from core.errors import InvalidInput
from core.estimate.api_prices import price
from core.estimate.breakeven import breakeven, curve, saving
from core.estimate.breakeven_question import ApiSide, Demand, OwnSide, Question
from core.estimate.breakeven_volume import cross
from core.estimate.crossing import Costs
from core.estimate.ranges import Range
from core.estimate.sentence import sentence
from core.estimate.tornado import tornado

X = Range.exactly
THREE_USD, FAST_IN, FAST_OUT, HALF, WHOLE = X(3.0), X(40_000), X(8_000), X(0.5), X(1.0)


def ask(
    tokens: float = 2e9,
    *,
    out: float = 0.25,
    cached: float = 0.0,
    api_in: float | Range = 0.5,
    api_out: float | Range = 0.8,
    api_cached: float | None = None,
    gpu_hour: Range = THREE_USD,
    speed_in: Range = FAST_IN,
    speed_out: Range = FAST_OUT,
    utilisation: Range = HALF,
    reach: Range = WHOLE,
    **own: object,
) -> Question:
    return Question(
        demand=Demand.of(tokens * (1 - out), tokens * out, cached),
        api=ApiSide(
            name="someone",
            usd_per_million_input=api_in if isinstance(api_in, Range) else X(api_in),
            usd_per_million_output=api_out if isinstance(api_out, Range) else X(api_out),
            usd_per_million_cached_input=None if api_cached is None else X(api_cached),
        ),
        own=OwnSide(
            model="Llama 3.1 8B",
            gpu="H100",
            usd_per_gpu_hour=gpu_hour,
            prefill_tokens_per_s=speed_in,
            output_tokens_per_s=speed_out,
            utilisation=utilisation,
            own_cache_ratio=reach,
            **own,  # type: ignore[arg-type]
        ),
    )


def test_both_costs_by_hand() -> None:
    # API: 2e9 · (0.75 · 0.5 + 0.25 · 0.8) / 1e6 = 1,150. Own: one GPU, 730 h · 3 = 2,190.
    found = breakeven(ask())
    assert found.api_usd_per_month.value.expected == pytest.approx(1150)
    assert found.own_usd_per_month.value.expected == pytest.approx(2190)
    assert found.saving.expected == pytest.approx(-1040)
    assert found.crossing.expected_tokens == pytest.approx(2190 / 0.575e-6)


def test_capacity_adds_the_times_of_reading_and_writing() -> None:
    # A token takes 0.75/40,000 + 0.25/8,000 s = 50 µs; a month at half use, 730 · 3600 · 0.5 s, 26.28 billion tokens.
    assert breakeven(ask(26.2e9)).replicas.value.expected == 1
    assert breakeven(ask(26.3e9)).replicas.value.expected == 2
    assert breakeven(ask()).own_usd_per_million_tokens.value.expected == pytest.approx(2190 / 26_280)


def test_cached_input_is_cheaper_on_both_sides() -> None:
    plain, cached = breakeven(ask()), breakeven(ask(cached=0.5, api_cached=0.1))
    assert cached.api_usd_per_month.value.expected == pytest.approx(1150 - 2e3 * 0.75 * 0.5 * 0.4)
    assert cached.own_usd_per_million_tokens.value.expected < plain.own_usd_per_million_tokens.value.expected
    unreached = breakeven(ask(cached=0.5, api_cached=0.1, reach=X(0.0)))
    assert unreached.own_usd_per_million_tokens.value.expected == plain.own_usd_per_million_tokens.value.expected


def test_unknown_cached_price_is_the_full_price_and_noted() -> None:
    found = breakeven(ask(cached=0.5))
    assert found.api_usd_per_month.value.expected == pytest.approx(1150)
    assert any("cached" in note for note in found.notes)


def test_the_staircase_is_crossed_where_a_search_step_by_step_finds_it() -> None:
    chance = random.Random(7)
    for _ in range(300):
        full = chance.uniform(0.1, 3)
        costs = Costs(
            api_usd_per_token=chance.uniform(0.05, 3),
            fixed_usd=chance.choice([0.0, chance.uniform(0, 10)]),
            reserved_usd=full * chance.uniform(0.4, 1),
            replica_usd=full,
            tokens_per_replica=chance.uniform(0.5, 3),
            minimum=chance.choice([0, 1, 2, 3]),
            reserved=chance.choice([0, 0, 1, 4]),
        )
        found = costs.stays_cheaper_from()
        if found == math.inf:
            assert costs.api_usd_per_token * costs.tokens_per_replica <= costs.replica_usd
            continue
        after = [found * (1 + 1e-6) + costs.tokens_per_replica * step * 0.037 + 1e-9 for step in range(400)]
        assert all(costs.own_usd(tokens) <= costs.api_usd(tokens) + 1e-9 for tokens in after)
        if found > 0:
            assert costs.own_usd(found * (1 - 1e-6)) > costs.api_usd(found * (1 - 1e-6))
        assert costs.first_cheaper_at() <= found


def test_with_several_crossings_the_last_counts_and_the_first_is_told() -> None:
    # A replica costs 2,190 and holds 26.28e9 tokens; at 0.115 USD/1M the API asks 3,022 for a full one.
    asked = ask(api_in=0.1, api_out=0.16, people_usd=X(1000))
    found = cross(asked)
    assert found.first_tokens < found.expected_tokens
    window = saving(ask(found.first_tokens * 1.001, api_in=0.1, api_out=0.16, people_usd=X(1000)))
    assert window.expected > 0
    assert "until a further replica" in sentence(
        breakeven(ask(found.first_tokens * 1.001, api_in=0.1, api_out=0.16, people_usd=X(1000)))
    )


def test_a_window_below_the_lasting_crossing_is_told_wherever_the_reader_stands() -> None:
    first = cross(ask(api_in=0.1, api_out=0.16, people_usd=X(1000))).first_tokens
    for volume in (first / 100, first * 1.001, first * 100):
        said = sentence(breakeven(ask(volume, api_in=0.1, api_out=0.16, people_usd=X(1000))))
        assert "for good" in said
        assert "until a further replica is needed" in said
    assert "for good" not in sentence(breakeven(ask()))


def test_a_speed_is_computed_a_price_is_somebodys_and_the_demand_the_readers() -> None:
    figure = breakeven(ask(source="a list", speed_source="computed: the serving estimate")).own_usd_per_month
    sources = {one.name: one.source for one in figure.inputs}
    assert sources["price of a GPU-hour"] == "a list"
    assert sources["input speed of a replica"].startswith("computed")
    assert sources["tokens a month"] == ""


def test_never_when_a_full_replica_is_dearer_than_the_api() -> None:
    found = breakeven(ask(api_in=0.02, api_out=0.05))
    assert found.crossing.verdict == "never"
    assert found.crossing.to_json()["expected"] is None
    assert found.crossing.figure is None
    assert "GPU time" in found.crossing.why
    assert "does not pay at any volume" in sentence(found)


def test_always_when_hours_are_paid_by_use() -> None:
    found = breakeven(ask(minimum_replicas=0))
    assert found.crossing.verdict == "always"
    assert found.own_usd_per_month.value.expected == pytest.approx(2e9 / 26.28e9 * 2190)
    assert sentence(found).endswith("; it pays at any volume.")
    assert "by the hour" in sentence(found)


def test_people_and_minimum_replicas_raise_the_floor() -> None:
    found = breakeven(ask(minimum_replicas=2, people_usd=X(1000), other_usd=X(10), gpus_per_replica=2))
    assert found.own_usd_per_month.value.expected == pytest.approx(2 * 2 * 2190 + 1010)
    assert found.curve[0].own_usd.expected == pytest.approx(2 * 2 * 2190 + 1010)


def test_a_reservation_lowers_the_price_and_binds_for_its_months() -> None:
    found = breakeven(ask(reserved_discount=X(0.4), months_committed=12))
    assert found.own_usd_per_month.value.expected == pytest.approx(2190 * 0.6)
    assert found.commitment_usd is not None
    assert found.commitment_usd.value.expected == pytest.approx(2190 * 0.6 * 12)


def test_reserved_replicas_are_paid_when_idle_and_others_at_the_full_price() -> None:
    asked = ask(reserved_discount=X(0.5), reserved_replicas=3, months_committed=6)
    assert breakeven(asked).own_usd_per_month.value.expected == pytest.approx(3 * 2190 * 0.5)
    more = ask(4 * 26.28e9, reserved_discount=X(0.5), reserved_replicas=3, months_committed=6)
    assert breakeven(more).own_usd_per_month.value.expected == pytest.approx(3 * 2190 * 0.5 + 2190)


def test_the_breakeven_range_is_no_narrower_than_any_factor_alone_nor_wider_than_all_together() -> None:
    ranges = {"gpu_hour": Range(2, 3, 4.5), "people_usd": Range(500, 1000, 2000), "utilisation": Range(0.2, 0.4, 0.6)}
    whole = cross(ask(**ranges))  # type: ignore[arg-type]
    for name in ranges:
        fixed = {key: value if key == name else X(value.expected) for key, value in ranges.items()}
        alone = cross(ask(**fixed))  # type: ignore[arg-type]
        assert whole.low_tokens <= alone.low_tokens
        assert whole.high_tokens >= alone.high_tokens
    best = cross(ask(gpu_hour=X(2), people_usd=X(500), utilisation=X(0.6))).expected_tokens
    worst = cross(ask(gpu_hour=X(4.5), people_usd=X(2000), utilisation=X(0.2))).expected_tokens
    assert best < whole.low_tokens < whole.expected_tokens < whole.high_tokens < worst


def test_a_breakeven_that_may_never_come_has_no_upper_end() -> None:
    found = breakeven(ask(api_in=0.1, api_out=0.16, utilisation=Range(0.2, 0.5, 0.7)))
    assert found.crossing.verdict == "from"
    assert found.crossing.high_tokens == math.inf
    assert "perhaps never" in sentence(found)


def test_a_breakeven_that_most_likely_never_comes_says_its_best_case() -> None:
    found = breakeven(ask(api_in=0.06, api_out=0.09, utilisation=Range(0.2, 0.5, 0.9)))
    assert found.crossing.verdict == "never"
    assert found.crossing.low_tokens < math.inf
    assert "most likely never pays, and at best from" in sentence(found)


def test_the_saving_may_be_negative_and_its_ends_hold_its_drivers() -> None:
    found = saving(ask(gpu_hour=Range(2, 3, 4.5), people_usd=Range(0, 500, 900)))
    assert found.low < found.expected < found.high
    for driver in found.drivers:
        assert found.low <= driver.low <= driver.high <= found.high


def test_the_curve_is_log_spaced_and_holds_both_the_volume_and_the_breakeven() -> None:
    asked = ask(gpu_hour=Range(2, 3, 4.5))
    found = cross(asked)
    points = curve(asked, found)
    ratios = [b.monthly_tokens / a.monthly_tokens for a, b in pairwise(points)]
    assert max(ratios) == pytest.approx(min(ratios))
    assert points[0].monthly_tokens < 2e9 < found.high_tokens < points[-1].monthly_tokens
    assert [point.own_usd.expected for point in points] == sorted(point.own_usd.expected for point in points)
    cheaper = [p.own_usd.expected < p.api_usd.expected for p in points if p.monthly_tokens > found.expected_tokens]
    assert all(cheaper)


def test_the_tornado_moves_one_input_at_a_time_and_is_sorted() -> None:
    asked = ask(gpu_hour=Range(2, 3, 4.5), people_usd=Range(900, 1000, 1100))
    found = tornado(asked)
    assert [bar.key for bar in found.bars] == ["usd_per_gpu_hour", "people_usd"]
    assert found.bars[0].saving_at_low == pytest.approx(1150 - 730 * 2 - 1000)
    assert found.bars[0].swing_usd == pytest.approx(730 * 2.5)
    assert found.bars[1].tokens_at_high == pytest.approx((2190 + 1100) / 0.575e-6)


def test_the_tornado_can_move_exact_inputs_and_says_that_it_did() -> None:
    bars = {bar.key: bar for bar in tornado(ask(), vary_exact=0.2).bars}
    assert bars["api_input"].assumed
    assert bars["api_input"].saving_at_high - bars["api_input"].saving_at_low == pytest.approx(2e3 * 0.75 * 0.2)
    assert "prefill_tokens_per_s" in {bar.key for bar in tornado(ask(2e11), vary_exact=0.2).bars}


def test_the_sentence_of_the_founder() -> None:
    said = sentence(breakeven(ask(2.1e9, gpu_hour=Range(2.88, 3.5, 4.66))))
    assert said == (
        "At 2.1 billion tokens a month, hosting Llama 3.1 8B yourself on 1 × H100 costs $2,100–3,400 a month against"
        " $1,210 for the API; it pays from 3.66–5.92 billion tokens a month."
    )


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (1e9, "it pays from 3.66–5.92"),
        (9e9, "it pays already, from 3.66–5.92"),
        (4.5e9, "so that here it may go either way"),
    ],
)
def test_the_sentence_knows_on_which_side_the_reader_stands(tokens: float, words: str) -> None:
    assert words in sentence(breakeven(ask(tokens, gpu_hour=Range(2.88, 3.5, 4.66))))


def test_a_range_too_wide_to_plan_on_is_called_so() -> None:
    said = sentence(breakeven(ask(people_usd=Range(10, 3000, 90_000), gpu_hour=Range(0.1, 1, 3))))
    assert "too wide to plan on: the cost of people moves it most" in said


def test_the_sentence_is_right_in_every_regime() -> None:
    chance = random.Random(3)
    for _ in range(60):

        def around(middle: float) -> Range:
            return Range.around(middle * chance.uniform(0.3, 3), chance.choice([1.0, 1.3, 3.0]))

        found = breakeven(
            ask(
                10 ** chance.uniform(7, 12),
                api_in=around(0.2),
                api_out=around(0.4),
                gpu_hour=around(3),
                speed_out=around(5000),
                people_usd=chance.choice([X(0), around(2000)]),
                minimum_replicas=chance.choice([0, 1, 2]),
            )
        )
        said, saved = sentence(found), found.saving.expected
        assert not re.search(r"\binf\b|nan|-\$|\$-", said), said
        if "pays already" in said:
            assert saved > 0, said
        if "does not pay at any volume" in said:
            assert saved <= 0, said
        crossing = found.crossing
        assert crossing.low_tokens <= crossing.expected_tokens <= crossing.high_tokens


def test_prices_of_the_data_can_be_asked_directly() -> None:
    api = price("groq", "llama-3.1-8b-instant", input_tokens=1000, output_tokens=250)
    side = ApiSide.of(api, tokens_per_request=1250)
    asked = Question(demand=Demand.of(1e9, 2.5e8), api=side, own=ask().own)
    per_million = breakeven(asked).api_usd_per_million_tokens.value.expected
    assert per_million == pytest.approx(api.usd_per_million_tokens.value.expected)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"input price is missing.*GPU-hour is missing.*utilisation.*at least 1"):
        ask(api_in=0.0, gpu_hour=X(0.0), utilisation=X(1.5), gpus_per_replica=0)


@pytest.mark.parametrize(("given", "taken"), [(0.0, 0.0), (-1.0, 5.0), (math.nan, 1.0), (math.inf, 1.0)])
def test_no_demand_is_refused(given: float, taken: float) -> None:
    with pytest.raises(InvalidInput, match="no demand"):
        Demand.of(given, taken)


def test_a_zero_capacity_is_refused() -> None:
    with pytest.raises(InvalidInput, match="output speed"):
        ask(speed_out=Range(0, 100, 200))


def test_the_figures_carry_formula_inputs_and_drivers() -> None:
    found = breakeven(ask(gpu_hour=Range(2, 3, 4.5), measurement_ids=("m1",)))
    for figure in found.figures:
        assert figure.formula
        assert figure.source
        assert figure.inputs
    assert found.own_usd_per_month.drivers[0].name == "price of a GPU-hour"
    assert found.own_usd_per_month.measurement_ids == ("m1",)
    assert found.crossing.figure is not None
    assert found.crossing.figure.drivers[0].high == pytest.approx(730 * 4.5 / 0.575e-6)
