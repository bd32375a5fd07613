"""`python -m core estimate train`: figures under keys with units, one JSON object on stdout, faults in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Call
from tests.real_models import ROOT

RUN: dict[str, Any] = {"parameters": "7B", "tokens": "1T", "gpu": "a100-sxm-80gb", "gpus": 512}
KEYS = ("days", "gpu_hours", "total_flops", "tflops_per_gpu", "mfu", "step_s", "cost_usd")


def written(folder: Path, given: Any) -> str:
    file = folder / "run.yaml"
    file.write_text(given if isinstance(given, str) else yaml.safe_dump(given), encoding="utf-8")
    return str(file)


def told(call: Call, folder: Path, given: Any) -> dict[str, Any]:
    status, out, err = call("estimate", "train", written(folder, given), "--json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def fault(call: Call, file: str) -> str:
    status, out, err = call("estimate", "train", file, "--json")
    assert (status, out) == (2, "")
    lines = err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    return lines[0]


def test_each_key_has_low_expected_and_high_in_order(call: Call, tmp_path: Path) -> None:
    found = told(call, tmp_path, RUN)
    for key in KEYS:
        assert list(found[key]) == ["low", "expected", "high"]
        assert 0 < found[key]["low"] <= found[key]["expected"] <= found[key]["high"], key
    assert found["total_flops"]["expected"] == pytest.approx(6 * 7e9 * 1e12)
    assert found["kind"] == "train"
    assert found["spec"] == RUN
    assert found["notes"]
    assert "7 billion parameters" in found["sentence"]


def test_the_optional_keys_of_the_issue_are_taken(call: Call, tmp_path: Path) -> None:
    """The Megatron step of 22 billion parameters: 1.10 s (arXiv 2205.05198, table 5)."""
    architecture = {"layers": 48, "hidden": 6144, "heads": 64, "vocabulary": 51_200}
    run = {"tokens": "300B", "gpu": "a100-sxm-80gb", "gpus": 8}
    more = {"recompute": "selective", "sequence_length": 2048, "global_batch": 4}
    assert told(call, tmp_path, architecture | run | more)["step_s"]["expected"] == pytest.approx(1.10, rel=0.1)


def test_numbers_in_yaml_are_read_as_they_stand(call: Call, tmp_path: Path) -> None:
    """YAML reads 7e9 as text, since it wants 7.0e+9."""
    text = "parameters: 7e9\ntokens: 1_000_000_000_000\ngpu: A100-SXM-80GB\ngpus: 512 # as many as we have\n"
    assert told(call, tmp_path, text)["days"] == told(call, tmp_path, RUN)["days"]


def test_a_config_json_by_its_path(call: Call, tmp_path: Path) -> None:
    config = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 4, "vocab_size": 100}
    (tmp_path / "config.json").write_text(json.dumps(config))
    run = {"config": str(tmp_path / "config.json"), "tokens": "1B", "gpu": "t4", "gpus": 1}
    parameters = 2 * 100 * 64 + 2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64) + 64
    assert told(call, tmp_path, run)["total_flops"]["expected"] == pytest.approx(6 * parameters * 1e9)


def test_without_json_the_answer_is_a_sentence_and_a_line_a_figure(call: Call, tmp_path: Path) -> None:
    status, out, err = call("estimate", "train", written(tmp_path, RUN))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("Training 7 billion parameters on 1 trillion tokens with 512 × NVIDIA A100 SXM4 80GB")
    assert any("Time of the run" in line and " to " in line and "days" in line for line in lines)
    assert any(line.startswith("- Assumed: ") for line in lines)


def test_a_price_that_nobody_knows_is_no_zero(call: Call, tmp_path: Path) -> None:
    found = told(call, tmp_path, RUN | {"gpu": "tpu-v4-32gb"})
    assert not (found.get("cost_usd") or {}).get("expected")
    assert any("No cost" in note for note in found["notes"])


def test_an_unknown_gpu_is_refused_with_the_nearest_names(call: Call, tmp_path: Path) -> None:
    line = fault(call, written(tmp_path, RUN | {"gpu": "h100-sxm-96gb"}))
    assert "'h100-sxm-96gb' is no GPU of the table" in line
    assert "Nearest: h100-sxm-80gb" in line


def test_all_faults_are_told_at_once(call: Call, tmp_path: Path) -> None:
    line = fault(call, written(tmp_path, {"tokens": -1, "gpus": 0, "method": "magic", "colour": "red"}))
    for part in ("tokens: ", "gpus: ", "method: ", "colour: unknown key", "gpu: Field required", "a model is needed"):
        assert part in line


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("parameters: [1", "is no YAML"),
        ("just words", "no mapping"),
        ("", "no mapping"),
        ("a: &x 1\nb: *x", "aliases"),
        ("tokens: 2024-99-99", "is no YAML"),
        ("parameters: 7B\ntokens: .nan\ngpu: l4", "tokens"),
        ("parameters: 7B\ntokens: .inf\ngpu: l4", "tokens"),
        ("parameters: yes\ntokens: 1T\ngpu: l4", "not a yes or no"),
        ("parameters: 1e30\ntokens: 1T\ngpu: l4", "parameters"),
        ("parameters: 7\ntokens: 1T\ngpu: l4", "7e9 or 7B"),
        ("model: lama-3-8b\ntokens: 1T\ngpu: l4", "Llama 3 8B"),
        ("config: /nowhere/config.json\ntokens: 1T\ngpu: l4", "cannot be read"),
        ("parameters: 7B\ntokens: 1T\ngpu: a100-sxm-80gb\nprecision: fp8", "No fp8 peak"),
    ],
    ids=range(13),
)
def test_what_cannot_be_is_told_in_one_line(call: Call, tmp_path: Path, text: str, part: str) -> None:
    assert part in fault(call, written(tmp_path, text))


def test_a_file_that_is_not_there_a_folder_and_bytes(call: Call, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "bytes"):
        assert "cannot be read" in fault(call, str(path))


def test_in_a_process_of_its_own_stdout_holds_one_object_and_stderr_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "estimate", "train", written(tmp_path, RUN), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert set(KEYS) <= json.loads(done.stdout).keys()
