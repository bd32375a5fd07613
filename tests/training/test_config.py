"""A fine-tune's configuration: YAML in and out, every fault told at once, the examples in the tree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.errors import InvalidInput
from core.training.config import (
    RECIPES,
    CausalConfig,
    ClassificationConfig,
    parse_config,
    read_config,
    to_values,
    to_yaml,
    with_changes,
)
from core.training.table import ALL

CONFIGS = sorted((Path(__file__).parents[2] / "core/training/configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_an_example_reads_and_says_how_to_run_it(path: Path) -> None:
    config = read_config(path)
    assert config.recipe == path.stem
    assert f"python -m core finetune core/training/configs/{path.name}" in path.read_text(encoding="utf-8")


def test_every_recipe_has_an_example_and_a_place_in_the_table() -> None:
    assert {path.stem for path in CONFIGS} == set(RECIPES) == {recipe.name for recipe in ALL}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_yaml_comes_back_as_it_went(path: Path, tmp_path: Path) -> None:
    config = read_config(path)
    again = tmp_path / "again.yaml"
    again.write_text(to_yaml(config, "python -m core finetune again.yaml"), encoding="utf-8")
    assert read_config(again) == config


def test_every_fault_is_told_with_its_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_config(
            {
                "recipe": "gpt",
                "data": {"path": "x", "validation": 0.5, "test": 0.5},
                "network": {"hidden": 30, "heads": 4},
                "training": {"optimizer": "lion", "epochs": -1},
                "modle": "x",
            }
        )
    told = str(caught.value)
    for part in ("5 faults", "leave 0%", "7.5 wide", "'lion'", "-1", "modle: there is no such key"):
        assert part in told


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="must be one of causal"):
        parse_config({"recipe": "diffusion", "data": {"path": "x"}})


def test_changes_are_read_as_yaml_and_leave_the_rest() -> None:
    values = to_values(ClassificationConfig.model_validate({"data": {"path": "x.csv"}}))
    config = parse_config(with_changes(values, ["training.epochs=2", "lora.rank=4", "data.columns.text=body"]))
    assert isinstance(config, ClassificationConfig)
    assert (config.training.epochs, config.data.columns.text, config.data.path) == (2.0, "body", "x.csv")
    assert config.lora is not None
    assert config.lora.rank == 4
    assert values["training"]["epochs"] is None


def test_lora_is_switched_off_with_null() -> None:
    config = parse_config(with_changes({"recipe": "causal", "data": {"path": "x"}}, ["lora=null"]))
    assert isinstance(config, CausalConfig)
    assert config.lora is None


@pytest.mark.parametrize("change", ["epochs", "=3", "training.=3", "training.epochs=[1"])
def test_a_change_that_is_none_is_told(change: str) -> None:
    with pytest.raises(InvalidInput):
        with_changes({"recipe": "causal"}, [change])


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "just words"])
def test_a_file_that_is_no_configuration_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="bad"):
        read_config(path)


def test_a_path_is_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\na,b\n", encoding="utf-8")
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({"recipe": "classification", "data": {"path": "rows.csv"}}), encoding="utf-8")
    assert read_config(path).data.path == str(tmp_path / "rows.csv")
