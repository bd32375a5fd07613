"""Published models by name: counts are those that their layers and widths make, and names are found as written."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from core.errors import InvalidInput
from core.estimate import known_models as module
from core.estimate.known_models import known_model, known_models
from core.estimate.shape import ModelShape
from core.estimate.tables_csv import rows

# What the count by hand leaves out or adds, where it is more than norms and biases: a pooler (BERT, MiniLM), rounded
# counts (GPT-3, OPT), and latent attention, which has other matrices.
ROUNDED = {"gpt3-small", "gpt3-medium", "gpt3-large", "gpt3-xl", "gpt3-2.7b", "gpt3-6.7b", "gpt3-13b", "gpt3-175b"}
APART = ROUNDED | {"opt-175b", "bert-base", "bert-large", "minilm-l6", "deepseek-v2", "deepseek-v3"}


def by_hand() -> dict[str, ModelShape]:
    """The shapes as `shape_by_hand` counts them, before the published counts are put in."""
    found: dict[str, ModelShape] = {}
    with mock.patch.object(module, "replace", side_effect=lambda shape, **_: shape):
        for row in rows("known_models"):
            found[row["id"]] = module._shape(row)
    return found


def test_published_counts_are_those_that_layers_and_widths_make() -> None:
    exact, close = 0, []
    for id, shape in by_hand().items():
        missed = abs(shape.parameters / known_models()[id].parameters - 1)
        exact += missed == 0
        if missed > 5e-4 and id not in APART:
            close.append((id, missed))
    assert not close
    assert exact >= 30


def test_rounded_counts_are_within_two_percent_of_their_layers_and_widths() -> None:
    counted = by_hand()
    assert not [id for id in ROUNDED if abs(counted[id].parameters / known_models()[id].parameters - 1) > 0.02]


def test_published_active_counts_are_those_that_the_experts_make() -> None:
    """Latent attention (DeepSeek) has other matrices than a count by hand knows."""
    counted = by_hand()
    mixtures = [id for id, shape in known_models().items() if shape.is_moe and not id.startswith("deepseek")]
    assert len(mixtures) >= 6
    for id in mixtures:
        assert counted[id].active_parameters == pytest.approx(known_models()[id].active_parameters, rel=0.02), id


def test_every_shape_of_the_table_can_be() -> None:
    for id, shape in known_models().items():
        assert shape.heads % shape.kv_heads == 0, id
        assert 0 < shape.matrix_parameters <= shape.active_parameters <= shape.parameters, id
        assert shape.expert_parameters <= shape.parameters, id
        assert shape.context > 0, id
        assert shape.source, id
        assert (shape.kind == "encoder") == (shape.kv_elements_per_token == 0), id


@pytest.mark.parametrize(
    "name",
    ["llama-3.1-8b", "Llama 3.1 8B", "LLAMA-3.1 8b", "meta-llama/Llama-3.1-8B", "llama3.1_8b"],
)
def test_a_name_is_found_whatever_its_case_spaces_dashes_and_owner(name: str) -> None:
    assert known_model(name).parameters == 8_030_261_248


def test_a_beginning_is_enough_where_only_one_model_has_it() -> None:
    assert known_model("mixtral-8x22").name == "Mixtral 8x22B"


def test_a_beginning_that_many_have_is_refused_with_their_names() -> None:
    with pytest.raises(InvalidInput, match="more than one model") as refused:
        known_model("qwen2.5")
    assert "Qwen2.5 7B" in refused.value.allowed


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="no model of the table") as refused:
        known_model("lama-3-8b")
    assert "Llama 3 8B" in refused.value.allowed


@pytest.mark.parametrize("name", ["", "   ", "/", "meta-llama/", "🦙", "x" * 100_000])
def test_a_name_that_is_none_is_refused_briefly(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        known_model(name)
    assert len(str(refused.value)) < 400


def test_latent_attention_caches_576_numbers_a_layer_and_token() -> None:
    assert known_model("DeepSeek-V3 671B").kv_elements_per_token == 61 * (512 + 64)  # arXiv 2412.19437, § 4.2


def test_the_table_is_of_distinct_models() -> None:
    names = [shape.name for shape in known_models().values()]
    assert len(set(names)) == len(names) == len(rows("known_models"))
    assert not [row["id"] for row in rows("known_models") if Path(row["id"]).suffix == ".json"]
