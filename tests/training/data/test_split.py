"""The split: seeded, stratified, and no content on two sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.training.data.split import Split, split


def whole(found: Split) -> list[int]:
    return sorted(np.concatenate([found.train, found.validation, found.test]).tolist())


def test_each_label_has_its_share_in_every_part() -> None:
    labels = pd.Series(["a"] * 700 + ["b"] * 200 + ["c"] * 100)
    found = split(pd.Series(range(1_000)), labels, 0.1, 0.2, seed=3)
    for places, share in ((found.train, 0.7), (found.validation, 0.1), (found.test, 0.2)):
        assert labels.iloc[places].value_counts().to_dict() == {
            "a": round(700 * share),
            "b": round(200 * share),
            "c": round(100 * share),
        }
    assert whole(found) == list(range(1_000))


def test_a_seed_gives_the_same_split_and_another_another() -> None:
    keys = pd.Series(range(100))
    one, same, other = (split(keys, None, 0.1, 0.2, seed) for seed in (1, 1, 2))
    assert one.test.tolist() == same.test.tolist()
    assert one.test.tolist() != other.test.tolist()


def test_few_rows_are_learned_from_first() -> None:
    labels = pd.Series(["one", "two", "two", "three", "three", "three"])
    found = split(pd.Series(range(6)), labels, 0.1, 0.2, seed=0)
    assert sorted(labels.iloc[found.train]) == ["one", "three", "two"]
    assert sorted(labels.iloc[found.test]) == ["three", "two"]
    assert list(labels.iloc[found.validation]) == ["three"]


@pytest.mark.parametrize("seed", range(60))
def test_no_content_straddles_and_no_row_is_lost(seed: int) -> None:
    generator = np.random.default_rng(seed)
    keys = generator.integers(0, 12, generator.integers(1, 80)).tolist()
    validation, test = generator.uniform(0, 0.45, 2) * generator.integers(0, 2, 2)
    labels = pd.Series([str(place % 3) for place in range(len(keys))])
    found = split(pd.Series(keys), labels, validation, test, seed)
    assert whole(found) == list(range(len(keys)))
    sides = [{keys[place] for place in places} for places in (found.train, found.validation, found.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert len(found.train)
    assert len(found.test) == 0 or test > 0
    for places in (found.train, found.validation, found.test):
        assert list(places) == sorted(places)
