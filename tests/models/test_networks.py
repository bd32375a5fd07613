"""Small networks: what their files say is checked, and they come into the catalogue like every other model."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import CorruptFile, InvalidInput
from core.models import catalogue
from core.models.cards import Task
from core.models.network_config import CnnConfig, MlpConfig, read_network_config
from core.models.networks import Cnn, Mlp, load_network
from core.models.pictures import png_bytes, read_picture
from tests.models.small_networks import save_cnn, save_linear


def cnn(**changes: object) -> CnnConfig:
    facts = {"labels": ("a", "b", "c"), "channels": (4, 8), "dense": 16, "dropout": 0.0, "size": 8, "colours": 1}
    return CnnConfig.model_validate(facts | changes)


def test_a_cnn_comes_into_the_catalogue_without_a_tokenizer(tmp_path: Path) -> None:
    card = catalogue.add(str(save_cnn(tmp_path / "animals")))
    assert card.task is Task.IMAGE_CLASSIFICATION
    assert not card.task.reads_text
    assert card.architecture.parameters == sum(one.numel() for one in load_network(tmp_path / "animals").parameters())
    assert (card.architecture.layers, card.architecture.context) == (6, 0)
    held = {path.name for path in catalogue.folder(card.id).iterdir()}
    assert held == {"model.safetensors", "config.json", "samples.json", "card.json"}
    assert catalogue.get("animals") == card


def test_a_linear_model_comes_in_and_gives_its_sum(tmp_path: Path) -> None:
    card = catalogue.add(str(save_linear(tmp_path / "prices")))
    assert card.task is Task.TABULAR_REGRESSION
    assert card.architecture.parameters == 3
    found = load_network(catalogue.folder(card.id))(torch.tensor([[50.0, 2.0], [200.0, 5.0]]))
    assert found[:, 0].tolist() == pytest.approx([170_000, 470_000])


def test_weights_of_another_network_are_told_when_it_is_added(tmp_path: Path) -> None:
    folder = save_cnn(tmp_path / "odd")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"channels": [4, 9]}))
    with pytest.raises(CorruptFile, match="not of the network in its config"):
        catalogue.add(str(folder))
    assert "odd" not in {card.id for card in catalogue.list_models()}


def test_every_fault_of_a_config_is_named() -> None:
    values = cnn().to_json() | {"size": 4_000, "dropout": 2}
    with pytest.raises(CorruptFile, match=r"dropout: .*size: |size: .*dropout: ") as told:
        read_network_config(values, "here")
    assert "here" in str(told.value)


def test_more_blocks_than_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="4 blocks halve 8 pixels to nothing"):
        cnn(channels=(2, 2, 2, 2))


def test_two_classes_share_a_sigmoid() -> None:
    model = Cnn(cnn(labels=("no", "yes"))).eval()
    told = model(torch.zeros(3, 1, 8, 8), torch.tensor([0, 1, 1]))
    assert told["logits"].shape == (3, 1)
    second = torch.sigmoid(told["logits"][:, 0])
    wanted = -torch.log(torch.stack([1 - second[0], second[1], second[2]])).mean()
    torch.testing.assert_close(told["loss"], wanted)


def test_normalisation_is_part_of_the_network() -> None:
    model = Cnn(cnn()).eval()
    pictures = torch.rand(2, 1, 8, 8)
    plain = model((pictures - 0.3) / 0.2)
    model.mean.fill_(0.3)
    model.spread.fill_(0.2)
    torch.testing.assert_close(model(pictures), plain)


def test_the_loss_of_numbers_is_in_units_of_the_targets_spread() -> None:
    model = Mlp(MlpConfig(features=("x",), target="y", layers=(), typical=(0,), lowest=(0,), highest=(1,)))
    model.target_mean.fill_(500.0)
    model.target_spread.fill_(100.0)
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.zeros_(model.head.bias)
    told = model(torch.zeros(2, 1), torch.tensor([400.0, 600.0]))
    assert told["loss"].item() == pytest.approx(1.0)
    assert told["logits"][:, 0].tolist() == [500.0, 500.0]


def test_checkpointed_blocks_give_the_same_gradient_and_the_same_batch_norm() -> None:
    torch.manual_seed(0)
    usual = Cnn(cnn()).train()
    frugal = Cnn(cnn()).train()
    frugal.load_state_dict(usual.state_dict())
    frugal.activation_checkpointing_enable()
    pictures, labels = torch.rand(6, 1, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2])
    for model in (usual, frugal):
        model(pictures, labels)["loss"].backward()
    for (name, one), other in zip(usual.named_parameters(), frugal.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)
    for name, one in usual.state_dict().items():
        if "running" in name:
            torch.testing.assert_close(one, frugal.state_dict()[name], msg=name)


def test_large_pictures_are_averaged_before_the_dense_layer() -> None:
    model = Cnn(cnn(size=200, colours=3))
    assert model.dense.in_features == 8 * 4 * 4
    assert model(torch.zeros(2, 3, 200, 200)).shape == (2, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_kind_of_picture_is_read(mode: str, tmp_path: Path) -> None:
    image = Image.new("L", (30, 20), 255)
    image = Image.new("I;16", (30, 20), 65_535) if mode == "I;16" else image.convert(mode)
    file = tmp_path / "one.tiff"
    image.save(file)
    grey, coloured = (read_picture(file, size=8, colours=colours) for colours in (1, 3))
    assert grey.shape == (1, 8, 8)
    assert coloured.shape == (3, 8, 8)
    assert int(grey.min()) >= 254


def test_what_one_cannot_see_through_is_white() -> None:
    picture = read_picture(_png(Image.new("RGBA", (8, 8), (0, 0, 0, 0))), size=8, colours=1)
    assert (picture == 255).all()


def test_a_phones_picture_is_turned_upright() -> None:
    image = Image.new("L", (8, 8))
    image.paste(255, (0, 0, 4, 8))  # light on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it right by a quarter
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    picture = read_picture(file.getvalue(), size=8, colours=1)
    assert picture[0, :4].min() == 255
    assert picture[0, 4:].max() == 0


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_no_picture_is_told(content: bytes) -> None:
    with pytest.raises(CorruptFile, match=r"upload\.png is no picture"):
        read_picture(content, size=8, colours=1, name="upload.png")


def test_a_cut_off_picture_is_told() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8)
    content = _png(Image.fromarray(noise))
    with pytest.raises(CorruptFile, match="is no picture"):
        read_picture(content[: len(content) // 2], size=8, colours=1)


def test_a_picture_of_too_many_pixels_is_refused_unread() -> None:
    with pytest.raises(InvalidInput, match=r"9,000 x 9,000"):
        read_picture(_png(Image.new("1", (9_000, 9_000))), size=8, colours=1)


def test_a_picture_goes_there_and_back() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (3, 8, 8)).astype(np.uint8)
    assert (read_picture(png_bytes(picture), size=8, colours=3) == picture).all()
    assert Image.open(io.BytesIO(png_bytes(picture, side=64))).size == (64, 64)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
