"""The theme in .streamlit/config.toml: contrast in both modes, and the settings that keep a page safe."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

CONFIG: dict[str, Any] = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text("utf-8"))
CAPTION = 0.6  # Streamlit shows captions in the text colour at this strength


def channels(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def luminance(rgb: list[float]) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, strength: float = 1.0) -> float:
    mixed = [a * strength + b * (1 - strength) for a, b in zip(channels(one), channels(other), strict=True)]
    low, high = sorted((luminance(mixed), luminance(channels(other))))
    return (high + 0.05) / (low + 0.05)


def grounds(mode: str) -> list[str]:
    theme = CONFIG["theme"][mode]
    return [theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_reaches_aa_on_every_ground(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    names = [name for name in theme if name.endswith("TextColor") and not name.startswith("dataframe")]
    for name in ["textColor", "linkColor", *names]:
        for ground in grounds(mode):
            assert contrast(theme[name], ground) >= 4.5, (name, ground)
    for ground in grounds(mode):
        assert contrast(theme["textColor"], ground, CAPTION) >= 4.5, ground


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_accent_carries_white_text_and_shows_on_the_page(mode: str) -> None:
    accent = CONFIG["theme"][mode]["primaryColor"]
    assert contrast("#FFFFFF", accent) >= 4.5
    assert all(contrast(accent, ground) >= 3 for ground in grounds(mode))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_chart_colours_stand_out_from_the_page(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    for colour in theme["chartCategoricalColors"]:
        assert contrast(colour, theme["backgroundColor"]) >= 3, colour


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_palettes_have_the_ten_colours_that_streamlit_wants(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    assert len(set(theme["chartCategoricalColors"])) == 10  # with fewer, Plotly takes none of them
    steps = [luminance(channels(colour)) for colour in theme["chartSequentialColors"]]
    assert len(steps) == len(theme["chartDivergingColors"]) == 10
    assert steps == sorted(steps, reverse=mode == "light")


def test_nothing_leaves_the_machine_and_no_traceback_reaches_a_page() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["client"]["showErrorLinks"] is False
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert "http" not in str(CONFIG["theme"])


def test_the_first_run_opens_a_browser_and_asks_nothing() -> None:
    assert "headless" not in CONFIG["server"]
    assert CONFIG["server"]["showEmailPrompt"] is False
