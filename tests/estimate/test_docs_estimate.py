"""docs/estimate.md: every example runs, and the keys it names are there."""

import re
from pathlib import Path

import pytest
import yaml

from core.estimate.estimates import estimate

TEXT = (Path(__file__).parents[2] / "docs" / "estimate.md").read_text(encoding="utf-8")
KINDS = {
    "Training": "train",
    "Memory": "memory",
    "Serving": "serve",
    "API or own": "breakeven",
    "What an hour costs": "train",
}
EXAMPLES = [
    (KINDS[part.split("\n")[0]], block)
    for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)
    for block in re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)
]


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_an_example_of_the_documentation_gives_an_estimate(kind, text):
    report = estimate(kind, yaml.safe_load(text))
    assert report.figures
    assert report.sentence.endswith(".")


def test_the_keys_that_the_documentation_names_for_training_are_given():
    asked = {"parameters": "7B", "tokens": "1T", "gpu": "h100-sxm-80gb", "gpus": 256, "region": "fr"}
    report = estimate("train", asked)
    named = re.search(r"^Gives (.*?)\. Without", TEXT, re.DOTALL | re.MULTILINE)
    assert named
    for key in re.findall(r"`(\w+)`", named[1]):
        assert report.get(key) is not None, key
