"""A shape from a parameter count: near the published networks of that size, and the count itself untouched."""

from __future__ import annotations

import itertools

import pytest

from core.errors import InvalidInput
from core.estimate.flops import attention_flop_per_token
from core.estimate.known_models import known_models
from core.estimate.shape_guess import LEAST, MOST, shape_from_parameters

DENSE = ["tinyllama-1.1b", "gpt3-2.7b", "opt-175b", "llama-2-13b", "llama-3-70b", "olmo-2-7b", "falcon-180b", "mpt-7b"]


@pytest.mark.parametrize("name", DENSE)
def test_layers_and_width_are_near_those_of_published_networks_of_that_size(name: str) -> None:
    real = known_models()[name]
    guess = shape_from_parameters(real.parameters)
    assert guess.layers == pytest.approx(real.layers, rel=0.35)
    assert guess.hidden == pytest.approx(real.hidden, rel=0.25)
    assert guess.parameters == real.parameters


@pytest.mark.parametrize("name", DENSE)
def test_what_is_inferred_moves_the_operations_by_a_few_percent_at_most(name: str) -> None:
    """The attention is the only part of a token's operations that a count does not give."""
    real = known_models()[name]
    guess = shape_from_parameters(real.parameters)
    assert guess.matrix_parameters == pytest.approx(real.matrix_parameters, rel=0.06)
    missed = attention_flop_per_token(guess, 2_048) - attention_flop_per_token(real, 2_048)
    assert abs(missed) < 0.05 * 2 * real.matrix_parameters


def test_a_shape_of_a_count_alone_says_that_it_is_inferred() -> None:
    shape = shape_from_parameters(7e9)
    assert not shape.exact
    assert "inferred" in shape.source
    assert shape.name == "7 billion parameters"


def test_larger_counts_never_have_fewer_layers_or_less_width() -> None:
    shapes = [shape_from_parameters(10 ** (5 + step / 10)) for step in range(91)]
    assert all(a.layers <= b.layers and a.hidden <= b.hidden for a, b in itertools.pairwise(shapes))
    assert all(shape.layers >= 1 and shape.heads >= 1 and shape.hidden % 64 == 0 for shape in shapes)
    assert all(0 < shape.matrix_parameters <= shape.parameters for shape in shapes)


def test_active_parameters_make_experts_that_leave_so_many() -> None:
    shape = shape_from_parameters(671e9, active_parameters=37e9)
    assert (shape.parameters, shape.active_parameters) == (671e9, 37e9)
    idle = shape.expert_parameters * (1 - shape.experts_per_token / shape.experts)
    assert idle == pytest.approx(671e9 - 37e9)
    assert shape.expert_parameters < shape.parameters
    assert not shape_from_parameters(7e9, active_parameters=7e9).is_moe


@pytest.mark.parametrize(
    ("parameters", "active"),
    [
        (0, None),
        (-7e9, None),
        (7, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e30, None),
        (7e9, 8e9),
        (7e9, 0),
    ],
)
def test_impossible_counts_are_refused_with_the_range(parameters: float, active: float | None) -> None:
    with pytest.raises(InvalidInput, match="cannot be estimated") as refused:
        shape_from_parameters(parameters, active_parameters=active)
    assert f"{LEAST:,.0f} to {MOST:,.0f}" in refused.value.allowed
