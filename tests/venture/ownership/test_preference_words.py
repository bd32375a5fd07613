"""Preference terms in words are read to the last of them, or refused."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.venture.ownership.case import run_case

INVESTED = {"investment_usd": 2_000_000, "ownership": 0.30, "exit_usd": 10_000_000}


@pytest.mark.parametrize(
    ("words", "paid"),
    [
        ("non-participating 2x", 4_000_000),
        ("participating 2x", 5_800_000),
        ("1x capped participating at 3x", 4_400_000),
        ("1x participating up to 2x", 4_000_000),
        ("1x participating max 2x", 4_000_000),
        ("1x participating (2x max)", 4_000_000),
        ("1x participating with a 2x total cap", 4_000_000),
        ("1x participating, 2x total return", 4_000_000),
        ("1x participating, cap=2x", 4_000_000),
        ("1x participating, capped at 2 times", 4_000_000),
        ("1x participating, 200% cap", 4_000_000),
        ("1x participating, no more than 2x", 4_000_000),
        ("1x, cap 2x, participating", 4_000_000),
        ("1x not participating", 3_000_000),
        ("1x participating: no", 3_000_000),
        ("Non Participating", 3_000_000),
        ("1x full participation", 4_400_000),
        ("1x participating, no cap", 4_400_000),
        ("1x fully participating preferred, uncapped", 4_400_000),
    ],
)
def test_all_words_count(words: str, paid: int) -> None:
    assert run_case(INVESTED | {"preference": words}).to_json()["investor_usd"] == paid


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("1x senior participating", "'senior'"),
        ("1x participating, 8% dividend", "'8%', 'dividend'"),
        ("1x participating 2x", "'2x'"),
        ("1x participating, 3", "'3'"),
        ("1,5x", "'1'"),
        ("-2x", "'-'"),
        ("1x participating, capped", "'capped'"),
        ("capped participating 2x", "'capped'"),
        ("1x participating to 2x", "'2x'"),
        ("1x no", "'no'"),
        ("1x participating, not capped", "'not'"),
        ("participating non-participating", "two things at once"),
        ("1x participating, 2x cap, 3x cap", "two things at once"),
        ("preferred", "is no preference"),
        ("", "is no preference"),
    ],
)
def test_a_word_that_is_left_over_is_refused_with_what_is_understood(words: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run_case(INVESTED | {"preference": words})
    assert told in str(caught.value)
    assert "write 1x non-participating" in str(caught.value)
