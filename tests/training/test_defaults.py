"""What a configuration leaves open is chosen, with a reason; what it says stands."""

from __future__ import annotations

import pytest

from core.training.config import RECIPES, parse_config
from core.training.defaults import Facts, complete, plan_steps


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_nothing_stays_open(recipe: str, device: str) -> None:
    config, choices = complete(
        parse_config({"recipe": recipe, "data": {"path": "x"}}), device, Facts(1_000, 50, 512, bf16=device == "cuda")
    )
    training = config.training
    assert None not in (training.learning_rate, training.batch_size, training.epochs)
    assert training.mixed_precision == ("bf16" if device == "cuda" else "off")
    assert getattr(config, "max_tokens", 0) is not None
    assert all(choice.why for choice in choices)


def test_what_was_said_stands() -> None:
    asked = parse_config(
        {
            "recipe": "classification",
            "max_tokens": 33,
            "data": {"path": "x"},
            "training": {"learning_rate": 0.5, "batch_size": 3, "steps": 7, "mixed_precision": "off"},
        }
    )
    config, choices = complete(asked, "cpu", Facts(1_000, 50, 512))
    assert config == asked
    assert choices == ()


def test_rows_are_cut_where_95_percent_end_or_the_model_does() -> None:
    asked = parse_config({"recipe": "classification", "data": {"path": "x"}})
    assert complete(asked, "cpu", Facts(10, 50, 512))[0].max_tokens == 56  # type: ignore[union-attr]
    assert complete(asked, "cpu", Facts(10, 900, 256))[0].max_tokens == 256  # type: ignore[union-attr]


def test_a_batch_is_no_larger_than_the_data() -> None:
    config, _ = complete(parse_config({"recipe": "images", "data": {"path": "x"}}), "cpu", Facts(5))
    assert config.training.batch_size == 5


@pytest.mark.parametrize(
    ("training", "rows", "workers", "expected"),
    [
        ({"batch_size": 10, "epochs": 2}, 95, 1, (20, 2)),
        ({"batch_size": 10, "accumulation": 2, "epochs": 2}, 95, 1, (10, 1)),
        ({"batch_size": 10, "epochs": 2}, 95, 2, (10, 1)),
        ({"batch_size": 10, "epochs": 0.5}, 95, 1, (5, 1)),
        ({"batch_size": 10, "steps": 7, "epochs": 2}, 95, 1, (7, 1)),
        ({"batch_size": 10, "steps": 7, "evaluate_every": 100}, 95, 1, (7, 7)),
    ],
)
def test_steps_are_counted(training: dict[str, float], rows: int, workers: int, expected: tuple[int, int]) -> None:
    config = parse_config({"recipe": "images", "data": {"path": "x"}, "training": training})
    assert plan_steps(config.training, rows, workers) == expected
