"""Operations and saved activations of networks that are followed on the meta device, against published figures."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.errors import InvalidInput, ModelRefused
from core.estimate.shape_from_config import shape_from_config
from core.estimate.traced import trace


def test_resnet_50_has_its_published_operations() -> None:
    shape = shape_from_config({"model_type": "resnet", "architectures": ["ResNetForImageClassification"]})
    assert shape.flop_per_sample == pytest.approx(2 * 4.09e9, rel=0.01)  # torchvision: 4.09 G multiply-adds at 224²


def test_resnet_50_keeps_the_activations_that_are_known_of_it() -> None:
    """11.1 million convolution outputs (as the RegNet paper counts, arXiv 2003.13678), each kept by its batch norm and
    again by what follows it."""
    shape = shape_from_config({"model_type": "resnet", "architectures": ["ResNetForImageClassification"]})
    assert shape.activation_elements_per_sample == pytest.approx(2 * 11.1e6, rel=0.1)


def test_a_linear_layer_is_counted_by_hand() -> None:
    with torch.device("meta"):
        model = nn.Linear(30, 20)
        inputs = torch.zeros(1, 7, 30)
    sample = trace(model, {"input": inputs})
    assert sample.flop == 2 * 7 * 30 * 20
    assert sample.activation_elements == 7 * 30  # its input, for the gradient of the weights


def test_a_storage_is_counted_once_however_often_it_is_kept() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.a(x) + self.b(x)

    with torch.device("meta"):
        model, inputs = Twice(), torch.zeros(1, 5, 8)
    assert trace(model, {"x": inputs}).activation_elements == 5 * 8


def test_half_precision_counts_numbers_not_bytes() -> None:
    with torch.device("meta"):
        model, inputs = nn.Linear(30, 20).half(), torch.zeros(1, 7, 30, dtype=torch.float16)
    assert trace(model, {"input": inputs}).activation_elements == 7 * 30


def test_meta_count_is_what_a_real_forward_pass_keeps() -> None:
    def network() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten())

    with torch.device("meta"):
        predicted = trace(network(), {"input": torch.zeros(1, 3, 16, 16)}).activation_elements
    real, saved = network(), {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        own = {weight.untyped_storage().data_ptr() for weight in [*real.parameters(), *real.buffers()]}
        if (storage := tensor.untyped_storage()).data_ptr() not in own:
            saved[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        real(torch.zeros(1, 3, 16, 16))
    assert predicted == pytest.approx(sum(storage.nbytes() for storage in saved.values()) / 4, rel=0.01)


def test_a_network_that_looks_at_values_is_followed() -> None:
    class Looks(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return super().forward(input if (input > 0).all() else input * int(input.sum().item() + 1))

    with torch.device("meta"):
        model, inputs = Looks(4, 4), torch.zeros(1, 4)
    assert trace(model, {"input": inputs}).flop == 2 * 4 * 4


def test_a_pass_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            while True:
                input = super().forward(input)

    monkeypatch.setattr("core.estimate.traced.TRACE_SECONDS", 0.1)
    with torch.device("meta"):
        model, inputs = Endless(2, 2), torch.zeros(1, 2)
    with pytest.raises(ModelRefused, match="not through"):
        trace(model, {"input": inputs})


def test_real_weights_are_refused() -> None:
    with pytest.raises(InvalidInput, match="real weights"):
        trace(nn.Linear(2, 2), {"input": torch.zeros(1, 2)})


def test_a_pass_that_fails_is_told_in_words() -> None:
    with torch.device("meta"):
        model = nn.Linear(2, 2)
        wrong = torch.zeros(1, 3)
    with pytest.raises(ModelRefused, match="Linear cannot be followed"):
        trace(model, {"input": wrong})


def test_an_input_that_cannot_be_made_up_is_refused() -> None:
    with pytest.raises(ModelRefused, match="of which no sample can be made"):
        shape_from_config({"model_type": "decision_transformer"})
