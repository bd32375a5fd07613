"""Sample sets: there, the same every time, licensed, and good enough to learn from."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.models.digests import file_digest
from core.settings import reload_settings
from core.training.config import RECIPES
from core.training.data.prepare import prepare
from core.training.data.samples import SAMPLES, sample, sample_path
from core.training.data_config import DataConfig

OTHERS = [("causal", "story-text"), ("masked", "story-text"), ("masked", "support-tickets")]


@pytest.mark.parametrize(
    ("recipe", "name"), [*((one.recipe, one.name) for one in SAMPLES if one.name != "digits"), *OTHERS]
)
def test_a_sample_is_prepared_without_a_warning(home: Path, recipe: str, name: str) -> None:
    data = prepare(recipe, DataConfig(path=f"sample:{name}"), None)
    assert data.record.findings == ()
    assert data.record.privacy == ()
    assert data.record.source == f"sample:{name}"
    assert data.record.licence == sample(name).licence != ""
    assert sum(step.dropped for step in data.record.steps) == 0
    assert len(data.train) + len(data.validation) + len(data.test) == data.record.rows


def test_every_recipe_has_a_sample_and_every_sample_says_where_it_is_from() -> None:
    assert {one.recipe for one in SAMPLES} | {"masked"} == set(RECIPES)
    assert all(one.title and one.told and one.source and one.licence for one in SAMPLES)


@pytest.mark.slow
def test_digits_are_prepared_without_a_warning(home: Path) -> None:
    data = prepare("images", DataConfig(path="sample:digits"), None)
    assert data.record.findings == ()
    assert len(data.train) + len(data.validation) + len(data.test) == data.record.rows == 1_797
    assert data.labels == tuple("0123456789")


@pytest.mark.parametrize("name", [one.name for one in SAMPLES if one.name != "digits"])
def test_a_sample_is_the_same_in_every_home(
    name: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = file_digest(sample_path(name))
    monkeypatch.setenv("GROUNDWORK_HOME", str(tmp_path / "other"))
    reload_settings()
    assert str(sample_path(name)).startswith(str(tmp_path / "other"))
    assert file_digest(sample_path(name)) == first


def test_a_sample_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(InvalidInput, match="support-tickets"):
        sample_path("support-ticket")


def test_chats_are_200_and_all_answers_have_one_shape(home: Path) -> None:
    chats = [json.loads(line)["messages"] for line in sample_path("support-chats").read_text("utf-8").splitlines()]
    assert len(chats) == 200
    answers = [turn["content"] for chat in chats for turn in chat if turn["role"] == "assistant"]
    assert all(text.startswith("In short: ") and text.endswith("— Robin, Spoke & Chain") for text in answers)
    assert 50 < sum(len(chat) > 3 for chat in chats) < 120


def test_stories_are_a_megabyte_without_a_gap_in_the_grammar(home: Path) -> None:
    text = sample_path("story-text").read_text("utf-8")
    assert 1_000_000 <= len(text) < 1_002_000
    assert not set("{}[]|") & set(text)
    assert "  " not in text


def test_tickets_are_2000_in_five_classes_with_a_channel(home: Path) -> None:
    config = DataConfig.model_validate({"path": "sample:support-tickets", "columns": {"group": "channel"}})
    start = time.monotonic()
    data = prepare("classification", config, None)
    assert time.monotonic() - start < 10  # 0.5 s on an idle machine
    assert data.record.rows == 2_000
    assert data.labels == ("account", "billing", "delivery", "fault", "returns")
    assert min(data.record.labels.values()) > 380
    assert set(data.train["group"]) == {"chat", "e-mail", "web form"}
    assert not data.train["text"].str.contains(r"[{}\[\]|]").any()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "low", "high"), [("support-tickets", 0.74, 0.9), ("reviews", 0.8, 0.93)])
def test_counting_words_goes_some_way_and_not_all_of_it(home: Path, name: str, low: float, high: float) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline

    scores = []
    for seed in range(3):
        data = prepare("classification", DataConfig(path=f"sample:{name}", seed=seed), None)
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        model = make_pipeline(words, LogisticRegression(max_iter=2_000))
        model.fit(data.train["text"], data.train["label"])
        scores.append(f1_score(data.test["label"], model.predict(data.test["text"]), average="macro"))
    assert low < float(np.mean(scores)) < high


@pytest.mark.slow
def test_digits_are_as_scikit_learn_ships_them(home: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    folder = sample_path("digits")
    assert len(list(folder.rglob("*.png"))) == 1_797
    with Image.open(folder / str(found.target[17]) / "0017.png") as image:
        assert np.array_equal(np.asarray(image), (found.images[17] * (255 / 16)).round())


def test_the_line_has_the_slope_it_was_made_with(home: Path) -> None:
    data = prepare("regression", DataConfig(path="sample:linear-line"), None)
    slope, start = np.polyfit(data.train["hours"], data.train["target"], 1)
    assert slope == pytest.approx(1.8, abs=0.15)
    assert start == pytest.approx(4.0, abs=1.0)
