"""The sentence that lays a model beside another: its interval agrees with its words."""

from __future__ import annotations

import pytest

from core.training.evaluation.comparing import verdict
from core.training.evaluation.report import Metric


@pytest.mark.parametrize(
    ("value", "higher", "gap", "told"),
    [
        (1.0, False, (-5.3, -3.5), "better by 4.000, more than chance explains (95 % interval of the difference 3.5"),
        (9.0, False, (3.5, 5.3), "worse by 4.000, more than chance explains (95 % interval of the difference 3.5"),
        (9.0, True, (3.5, 5.3), "better by 4.000, more than chance explains (95 % interval of the difference 3.5"),
        (1.0, True, (-5.3, -3.5), "worse by 4.000, more than chance explains (95 % interval of the difference 3.5"),
        (4.0, False, (-2.0, 1.0), "cannot tell the two apart (95 % interval of the improvement −1.000 to 2.000)"),
    ],
)
def test_the_interval_has_the_sign_of_the_words(
    value: float, higher: bool, gap: tuple[float, float], told: str
) -> None:
    metric = Metric("loss", "Loss", value, higher_is_better=higher, baseline=5.0, gap_low=gap[0], gap_high=gap[1])
    [sentence] = verdict(metric, 100)
    assert told in sentence
