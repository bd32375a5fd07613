"""Configuration files: what is read, and every fault told at once, briefly, whatever the file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.config import ArchitectureSpec, ModelSpec, RangeSpec, ShareSpec, parse, read_file
from core.estimate.specs import BreakevenSpec, TrainSpec

RUN: dict[str, Any] = {"parameters": "7B", "tokens": "1T", "gpu": "h100-sxm-80gb"}


def refused(given: dict[str, Any], kind: type[Any] = TrainSpec) -> str:
    with pytest.raises(InvalidInput) as fault:
        parse(kind, given)
    return str(fault.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("7B", 7e9),
        ("1.4T", 1.4e12),
        ("300e9", 3e11),
        ("3E11", 3e11),
        ("15,000,000", 15e6),
        ("1_000_000", 1e6),
        (" 70 b ", 70e9),
        ("125m", 125e6),
        (".5K", 500),
        ("4.1K", 4_100),
        ("8.03B", 8_030_000_000),
        (7_000_000, 7e6),
        (1e12, 1e12),
    ],
)
def test_counts_are_read_as_people_write_them(written: Any, meant: float) -> None:
    assert parse(TrainSpec, RUN | {"tokens": written}).tokens == meant


def test_a_whole_count_may_have_a_suffix_and_no_rest() -> None:
    assert parse(TrainSpec, RUN | {"gpus": "4.1K"}).gpus == 4_100
    assert parse(TrainSpec, RUN | {"gpus": 512.0}).gpus == 512
    assert "gpus" in refused(RUN | {"gpus": 1.5})


BAD = [0, -1, "-7B", "0", "1,5T", "1.2.3", "7e400", "seven", "", "nan", "B", True, False, [], [7e9], {"a": 1}, 1e30]
BAD += [float("nan"), float("inf"), -float("inf"), 10**40, "1,00", "9" * 5_000]


@pytest.mark.parametrize("bad", BAD, ids=lambda value: repr(value)[:20])
def test_no_count_is_zero_negative_endless_a_truth_value_or_no_number(bad: Any) -> None:
    for key in ("tokens", "parameters", "active_parameters", "gpus", "sequence_length", "global_batch"):
        told = refused(RUN | {key: bad})
        assert told.startswith(f"{key}: ")
        assert len(told) < 400


@pytest.mark.parametrize(
    "bad", [-1, float("nan"), float("inf"), True, "x", [], "40x", "140%", {"low": 3, "expected": 2, "high": 1}]
)
def test_no_range_is_negative_endless_turned_round_or_no_number(bad: Any) -> None:
    assert refused(RUN | {"hfu": bad}).startswith("hfu")


@pytest.mark.parametrize(
    ("written", "low", "expected", "high"),
    [
        (2, 2, 2, 2),
        ("2", 2, 2, 2),
        ("$2.50", 2.5, 2.5, 2.5),
        ("2 to 8", 2, 4, 8),
        ("2 – 8", 2, 4, 8),
        ("2-8", 2, 4, 8),
        ("1 / 2 / 4", 1, 2, 4),
        ("1B–4B", 1e9, 2e9, 4e9),
        ("0 to 8", 0, 4, 8),
        ("1e-3", 1e-3, 1e-3, 1e-3),
        ({"low": 1, "expected": 2, "high": 3}, 1, 2, 3),
    ],
)
def test_ranges_are_read_as_people_write_them(written: Any, low: float, expected: float, high: float) -> None:
    found = RangeSpec.model_validate(written).range()
    assert (found.low, found.expected, found.high) == (low, expected, high)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [("40%", 0.4, 0.4), ("20% to 60%", 0.2, 0.6), ("20 to 60%", 0.2, 0.6), ("20–60 %", 0.2, 0.6), ("0.4", 0.4, 0.4)],
)
def test_a_share_may_be_written_in_percent(written: str, low: float, high: float) -> None:
    found = ShareSpec.model_validate(written).range()
    assert (found.low, found.high) == (low, high)


def test_a_percentage_of_nothing_and_a_mixed_one_are_refused() -> None:
    assert "a percentage" in refused(RUN | {"usd_per_gpu_hour": "40%"})
    assert "behind each number" in refused(RUN | {"hfu": "0.2 to 60%"})


def test_a_range_has_one_fault_and_not_three() -> None:
    assert refused(RUN | {"hfu": "40x"}).startswith(
        "hfu: '40x' is no number; a number, or a range such as 0.2 to 0.6. Correct"
    )
    assert refused(RUN | {"hfu": {"low": -1, "expected": -1, "high": -1}}).count("(it is -1)") == 1
    assert "such as 0.4 or 40%" in refused(RUN | {"hfu": 40})


def test_no_hour_is_free_and_no_month_is_beyond_this_world() -> None:
    asked = {"model": "gpt2", "gpu": "h100-sxm-80gb", "monthly_tokens": "1B", "api_model": "x"}
    assert "unknown is not free" in refused(asked | {"usd_per_gpu_hour": 0}, BreakevenSpec)
    assert "up to 1e+18 tokens" in refused(asked | {"monthly_tokens": "1e19"}, BreakevenSpec)
    assert "up to 1e+12 USD" in refused(asked | {"people_usd_per_month": 1e13}, BreakevenSpec)


def test_a_range_of_four_numbers_is_refused_and_not_cut() -> None:
    assert "low, expected and high" in refused(RUN | {"hfu": "0.1 / 0.2 / 0.3 / 0.4"})


def test_all_faults_are_told_at_once_each_with_its_value() -> None:
    told = refused({"tokens": -3, "gpus": 0, "recompute": "some", "presicion": "bf16"})
    for part in (
        "tokens: ",
        "(it is -3)",
        "gpu: Field required",
        "gpus: ",
        "(it is 0)",
        "'none', 'selective' or 'full'",
    ):
        assert part in told
    assert "presicion: unknown key, perhaps precision" in told
    assert "a model is needed: one of model, config, architecture, parameters" in told


def test_a_hundred_faults_are_not_told_one_by_one() -> None:
    told = refused(RUN | {f"key{number}": 1 for number in range(100)})
    assert "and 88 more" in told


@pytest.mark.parametrize("value", [["x"] * 100_000, {"x": "y" * 100_000}, "y" * 100_000])
def test_a_huge_value_is_not_repeated(value: Any) -> None:
    assert len(refused(RUN | {"gpus": value})) < 600
    assert len(refused(RUN | {"x" * 100_000: 1})) < 2_000


def test_a_value_that_holds_itself_many_times_is_not_written_out() -> None:
    nested: Any = "x"
    for _ in range(60):
        nested = [nested, nested]
    assert len(refused(RUN | {"tokens": nested})) < 400


@pytest.mark.parametrize("key", [1, None, 2.5])
def test_keys_that_are_no_text_are_refused(key: Any) -> None:
    assert "strings" in refused(RUN | {key: 1})


def test_training_in_a_precision_that_nothing_multiplies_in_is_refused() -> None:
    assert "'fp8'" in refused(RUN | {"precision": "int4"})


def test_layers_and_widths_may_stand_on_the_first_level() -> None:
    flat = parse(ModelSpec, {"layers": 32, "hidden": 4096, "kv_heads": 8})
    nested = parse(ModelSpec, {"architecture": {"layers": 32, "hidden": 4096, "kv_heads": 8}})
    assert flat == nested
    assert flat.architecture == ArchitectureSpec(layers=32, hidden=4096, kv_heads=8)


def test_a_part_of_an_architecture_says_what_it_needs() -> None:
    assert "context: belongs to an architecture, which needs layers and hidden" in refused(RUN | {"context": 8_192})
    assert "architecture.hidden: Field required" in refused({"layers": 3}, ModelSpec)


def test_two_ways_to_name_the_model_are_refused() -> None:
    assert "give one of them" in refused({"model": "llama-3-8b", "layers": 40, "hidden": 5120}, ModelSpec)


def test_a_yes_or_no_of_yaml_is_no_count_of_an_architecture() -> None:
    told = refused({"layers": 3, "hidden": 64, "experts": True, "window": True}, ModelSpec)
    assert "architecture.experts: not a yes or no" in told
    assert "architecture.window: not a yes or no" in told
    assert parse(ModelSpec, {"layers": 3, "hidden": 64, "tied": True}).architecture is not None


# --- files


def test_yaml_and_json_are_read(tmp_path: Path) -> None:
    yaml, json_file = tmp_path / "a.yaml", tmp_path / "a.json"
    yaml.write_text("\ufeff# a run\nparameters: 7B\ntokens: 1.0e+12\ngpu: h100-sxm-80gb\n", encoding="utf-8")
    json_file.write_text(json.dumps(RUN))
    assert parse(TrainSpec, read_file(yaml)) == parse(TrainSpec, read_file(json_file))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds NoneType, no mapping"),
        ("- 1", "holds list, no mapping"),
        ("7B", "holds str, no mapping"),
        ("a: [1", "is no YAML"),
        ("a: 1\n---\nb: 2", "is no YAML"),
        ("a: !!python/object/apply:os.system [ls]", "is no YAML"),
        ("a: 2024-99-99", "month must be in 1..12"),
        ("a: " + "9" * 5_000, "is no YAML"),
        ("a: !!int x", "is no YAML"),
        ("a: \x00", "is no YAML"),
        ("[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ("{a: " * 5_000 + "1" + "}" * 5_000, "nested too deeply"),
        ("a: &x [1]\nb: *x", "has aliases"),
        ("a: &x {b: *x}", "has aliases"),
        ("#" * 200_000, "is too long"),
    ],
    ids=range(15),
)
def test_what_is_no_configuration_is_refused_in_words(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as fault:
        read_file(file)
    assert told in str(fault.value)
    assert "run.yaml" in str(fault.value)


def test_a_folder_a_missing_file_and_bytes_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00\x01")
    for path in (tmp_path, tmp_path / "missing.yaml", tmp_path / "bytes", tmp_path / ("x" * 3_000)):
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_file(path)
