"""The images recipe: what it builds from pictures, what training sees of them, and that it learns digits."""

from __future__ import annotations

import base64
import io
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import InvalidInput
from core.models import catalogue
from core.onnx.exports import ensure_export
from core.onnx.network import PictureClassifier
from core.training.data.prepared import PreparedData
from core.training.evaluation.report import from_json
from core.training.recipes import images, picture_set
from core.training.recipes.picture_set import Changes, PictureSet, changed
from tests.training.recipes import made_data
from tests.training.recipes.plain_trainer import config_of, context_of, train

pytestmark = pytest.mark.slow

STRONG = Changes(rotation=30, shift=0.2, scale=0.2, crop=0.2)


@pytest.fixture
def digits(tmp_path: Path) -> PreparedData:
    """400 digits of ten classes."""
    return made_data.digits(tmp_path / "digits", rows=400)


def test_size_and_colour_come_from_the_pictures(digits: PreparedData, tmp_path: Path) -> None:
    built = images.build(config_of("images"), digits, context_of(tmp_path / "run"))
    assert (built.model.shape.size, built.model.shape.colours) == (8, 1)
    assert len(built.train) == len(digits.train)
    pixels = np.stack([built.train.picture(i) for i in range(len(built.train))]) / 255
    assert built.model.mean.item() == pytest.approx(pixels.mean(), abs=1e-6)
    assert built.model.spread.item() == pytest.approx(pixels.std(), abs=1e-6)


def test_large_coloured_pictures_are_brought_to_64_pixels(tmp_path: Path) -> None:
    for place in range(40):
        file = tmp_path / "raw" / str(place % 2) / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 150), (250, 10 * (place % 2), 5 * place)).save(file)
    data = made_data.pictures(tmp_path / "raw")
    built = images.build(config_of("images"), data, context_of(tmp_path / "run"))
    assert (built.model.shape.size, built.model.shape.colours) == (64, 3)
    assert built.train[0]["inputs"].shape == (3, 64, 64)
    grey = images.build(config_of("images", network={"colour": False, "size": 16}), data, context_of(tmp_path / "run"))
    assert grey.train[0]["inputs"].shape == (1, 16, 16)


def test_more_blocks_than_the_pictures_allow_are_refused(digits: PreparedData, tmp_path: Path) -> None:
    config = config_of("images", network={"channels": [4, 4, 4, 4]})
    with pytest.raises(InvalidInput, match="At most 3 blocks for pictures of 8 pixels"):
        images.build(config, digits, context_of(tmp_path / "run"))


def test_pictures_change_with_the_epoch_and_with_nothing_else(digits: PreparedData, tmp_path: Path) -> None:
    one, other = (images.build(config_of("images"), digits, context_of(tmp_path / "run")).train for _ in range(2))
    first = [one[i]["inputs"] for i in range(20)]
    torch.rand(100)
    np.random.default_rng()
    for place in reversed(range(20)):  # the order in which they are asked for does not matter
        torch.testing.assert_close(other[place]["inputs"], first[place], rtol=0, atol=0)
    other.set_epoch(1)
    assert sum(torch.equal(other[i]["inputs"], first[i]) for i in range(20)) < 3
    other.set_epoch(0)
    assert torch.equal(other[3]["inputs"], first[3])


def test_what_judges_is_never_changed(digits: PreparedData, tmp_path: Path) -> None:
    built = images.build(config_of("images"), digits, context_of(tmp_path / "run"))
    before = built.validation[0]["inputs"]
    built.validation.set_epoch(5)
    assert torch.equal(built.validation[0]["inputs"], before)
    assert (before * 255 == torch.from_numpy(built.validation.picture(0))).all()


def test_no_change_leaves_a_picture_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (3, 9, 9)).astype(np.uint8)
    assert (changed(picture, Changes(0, 0, 0, 0), np.random.default_rng(1)) == picture).all()


@pytest.mark.parametrize("name", ["rotation", "shift", "scale", "crop"])
def test_each_change_does_something_of_its_own(name: str) -> None:
    picture = np.zeros((1, 16, 16), dtype=np.uint8)
    picture[0, 4:12, 6:10] = 255
    values = {"rotation": 0.0, "shift": 0.0, "scale": 0.0, "crop": 0.0, name: 45.0 if name == "rotation" else 0.4}
    random = np.random.default_rng(3)
    found = [changed(picture, Changes(**values), random) for _ in range(20)]
    assert len({one.tobytes() for one in found}) > 10
    light = np.array([one.sum() for one in found]) / picture.sum()
    rows = [np.argwhere(one[0] > 128).mean(axis=0) for one in found if (one[0] > 128).any()]
    drift = np.abs(np.array(rows) - np.argwhere(picture[0] > 128).mean(axis=0)).max()
    if name == "rotation":
        assert drift < 0.5
        assert np.ptp(light) < 0.1
    elif name == "shift":
        assert drift > 2
    elif name == "scale":
        assert drift < 0.6
        assert light.max() > 1.2
        assert light.min() < 0.8
    else:
        assert light.min() > 0.85  # it only comes nearer
        assert light.max() > 1.2


def test_what_comes_in_has_the_colour_of_the_border() -> None:
    picture = np.full((1, 12, 12), 200, dtype=np.uint8)
    picture[0, 4:8, 4:8] = 10
    found = changed(picture, STRONG, np.random.default_rng(0))
    assert (found[0, 0] == 200).all()


def test_more_pictures_than_memory_are_read_when_asked_for(
    digits: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = images.build(config_of("images"), digits, context_of(tmp_path / "run")).train
    monkeypatch.setattr(picture_set, "HELD_BYTES", 100)
    read = images.build(config_of("images"), digits, context_of(tmp_path / "run")).train
    assert not read._pictures
    assert torch.equal(read[5]["inputs"], held[5]["inputs"])


def test_trained_judged_saved_and_served(digits: PreparedData, tmp_path: Path) -> None:
    config = config_of("images", network={"channels": [8], "dense": 32})
    built, trainer = train(images, config, digits, tmp_path / "run", steps=60, eval_strategy="steps", eval_steps=30)
    assert trainer.state.log_history[-2]["eval_accuracy"] > 0.5
    report = images.evaluate(built, config, digits, context_of(tmp_path / "run"))
    assert report == from_json(report.to_json())
    assert report.metric("accuracy").value > 0.5
    assert report.metric("accuracy").baseline is not None
    assert sum(map(sum, report.confusion)) == len(digits.test) == report.rows
    assert len(report.extra["grid"]) == 25
    cell = report.extra["grid"][0]
    assert Image.open(io.BytesIO(base64.b64decode(cell["image"]))).size == (64, 64)
    assert digits.test.set_index("row").loc[cell["row"], "label"] == cell["truth"]
    (tmp_path / "model").mkdir()
    images.save(built, config, digits, tmp_path / "model")
    export = ensure_export(catalogue.add(str(tmp_path / "model")).id, device="cpu")
    classifier = PictureClassifier(export.path, device="cpu", threads=1)
    assert len(classifier.samples()) == images.KEPT
    file = tmp_path / "digits" / digits.test["image"].iloc[0]
    told = classifier.classify([classifier.read(file)])[0][0]
    said = next((e for e in report.extra["grid"] if e["row"] == digits.test["row"].iloc[0]), None)
    if said:
        assert told.probability == pytest.approx(said["probability"], abs=1e-4)
    assert {sample.label for sample in classifier.samples()} == set(digits.test["label"])


def test_two_classes(tmp_path: Path) -> None:
    data = made_data.digits(tmp_path / "digits", classes=2)
    config = config_of("images", network={"channels": [4], "dense": 8})
    built, _ = train(images, config, data, tmp_path / "run", steps=40)
    report = images.evaluate(built, config, data, context_of(tmp_path / "run"))
    assert built.model.shape.outputs == 1
    assert report.metric("accuracy").value > 0.95


def test_the_trainer_tells_the_pictures_which_epoch_it_is(digits: PreparedData, tmp_path: Path) -> None:
    seen: list[int] = []
    told = PictureSet.set_epoch

    def listening(self: PictureSet, epoch: int) -> None:
        seen.append(epoch)
        told(self, epoch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PictureSet, "set_epoch", listening)
        train(images, config_of("images"), digits, tmp_path / "run", steps=27, batch=32)  # 9 steps an epoch
    assert sorted(set(seen)) >= [0, 1, 2]


@pytest.mark.slow
def test_digits_are_learned_in_two_minutes(tmp_path: Path) -> None:
    data = made_data.digits(tmp_path / "digits")
    config = config_of("images")
    torch.set_num_threads(2)
    began = time.monotonic()
    built, _ = train(
        images, config, data, tmp_path / "run", steps=800, batch=64, eval_strategy="steps", eval_steps=80,
        save_strategy="steps", save_steps=80, load_best_model_at_end=True, save_total_limit=1,
        metric_for_best_model="eval_accuracy", greater_is_better=True, warmup_steps=40,
    )  # fmt: skip
    assert time.monotonic() - began < 120
    report = images.evaluate(built, config, data, context_of(tmp_path / "run"))
    accuracy = report.metric("accuracy")
    assert accuracy.value >= 0.985
    assert accuracy.baseline is not None
    assert accuracy.value > accuracy.baseline
