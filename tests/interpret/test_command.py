"""The command line that an export carries, and what is said of it."""

from __future__ import annotations

import pytest

from core.interpret.command import gives


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "a.npz"), "all heads of all layers"),
        (("--last", "9", "--layer", "4", "--out", "a.npz"), "a.npz: all heads of layer 4"),
        (("--method", "attention", "--focus", "7"), "read for this token"),
        (("--method", "rollout", "--focus", "7"), "prints the rollout"),
    ],
)
def test_what_a_command_gives_is_said(options: tuple[str, ...], words: str) -> None:
    assert words in gives(*options)
