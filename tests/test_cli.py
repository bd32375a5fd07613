"""`python -m core …` as a person or a script calls it: one JSON object on stdout, faults in one line, exit status 2."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Database
from core.store.runs import RunRepository
from tests.conftest import TINY, Call
from tests.real_models import ROOT, SMOLLM2, exported_smollm2_home, link_real_models

KEYS = [
    *("text", "token_ids", "logprobs", "top_logprobs", "prompt_tokens", "completion_tokens", "ttft_s", "tokens_per_s"),
    *("finish_reason", "seed", "model", "revision", "precision", "backend", "device", "run_id"),
]


@pytest.fixture
def generate(tiny_home: Path, call: Call) -> Call:
    def run(*arguments: str) -> tuple[int, str, str]:
        wishes = ("--model", TINY, "--precision", "fp32", "--max-new-tokens", "5", "--temperature", "0")
        return call("generate", *wishes, *arguments)

    return run


def in_a_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def fault(result: tuple[int, str, str]) -> str:
    """The one line of a refused command."""
    status, out, err = result
    assert status == 2
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("Error: ")
    return lines[0]


def test_models(call: Call, tiny_home: Path) -> None:
    status, out, _ = call("models", "--json")
    rows = {row["id"]: row for row in json.loads(out)}
    assert status == 0
    assert {SMOLLM2, "minilm-l6", TINY} <= rows.keys()
    assert rows[TINY]["architecture"]["layers"] == 2
    assert TINY in call("models")[1]


def test_export(call: Call, tiny_home: Path) -> None:
    status, out, _ = call("export", "--model", TINY, "--precision", "fp32", "--device", "cpu", "--json")
    made = json.loads(out)
    assert status == 0
    assert (made["model_id"], made["precision"], made["device"]) == (TINY, "fp32", "cpu")
    assert Path(made["path"]).is_dir()
    assert made["proof"].keys() >= {"mean_kl", "top1_agreement", "perplexity_ratio", "bar", "passed", "tokens"}
    assert "mean KL" in call("export", "--model", TINY, "--precision", "fp32", "--device", "cpu")[1]


def test_generate_prints_one_object_with_every_key_and_records_the_run(generate: Call, db: Database) -> None:
    status, out, _ = generate("--prompt", "hello", "--top-logprobs", "3", "--json")
    answer = json.loads(out)
    assert status == 0
    assert list(answer) == KEYS
    assert len(answer["token_ids"]) == len(answer["logprobs"]) == answer["completion_tokens"] == 5
    assert all(len(row) == 3 for row in answer["top_logprobs"])
    assert (answer["model"], answer["precision"], answer["backend"], answer["device"]) == (TINY, "fp32", "onnx", "cpu")
    assert answer["finish_reason"] in ("stop", "length")
    record = RunRepository(db).get(answer["run_id"])
    assert (record.text, record.completion_tokens, record.seed) == (answer["text"], 5, answer["seed"])


def test_generate_prints_text_on_stdout_and_figures_on_stderr(generate: Call) -> None:
    text = json.loads(generate("--prompt", "hello", "--json")[1])["text"]
    status, out, err = generate("--prompt", "hello")
    assert (status, out) == (0, text + "\n")
    assert "5 tokens" in err


def test_raw_skips_the_template(generate: Call) -> None:
    raw, chat = (json.loads(generate("--prompt", "hello", "--json", *more)[1]) for more in (["--raw"], []))
    assert raw["prompt_tokens"] < chat["prompt_tokens"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_messages_of_a_file(generate: Call, db: Database, tmp_path: Path, wrapped: bool) -> None:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello 🙂"}]
    file = tmp_path / "turns.json"
    file.write_text(json.dumps({"messages": turns} if wrapped else turns))
    answer = json.loads(generate("--messages", str(file), "--json")[1])
    assert RunRepository(db).get(answer["run_id"]).prompt["messages"] == turns


def test_a_seed_repeats(generate: Call) -> None:
    wishes = ("--prompt", "hello", "--temperature", "1", "--top-p", "1", "--seed", "4", "--json")
    first, second = (json.loads(generate(*wishes)[1]) for _ in range(2))
    assert first["token_ids"] == second["token_ids"]
    assert first["seed"] == 4


def test_a_schema_of_a_file(generate: Call, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{"enum": [1, 22]}')
    assert json.loads(json.loads(generate("--prompt", "hello", "--json-schema", str(file), "--json")[1])["text"]) in (
        1,
        22,
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--prompt", ""], "The prompt is empty. Write something"),
        (["--prompt", " \n\t "], "The prompt is empty"),
        (["--prompt", "x", "--raw", "--messages", "x.json"], "--raw takes the text of --prompt"),
        (["--raw"], "--raw takes the text of --prompt"),
        ([], "Give either --prompt or --messages"),
        (["--prompt", "x", "--messages", "x.json"], "Give either --prompt or --messages"),
        (["--messages", "no-such.json"], "no-such.json cannot be read"),
        (["--prompt", "x", "--model", "smollm"], "There is no model .smollm.\\. There are: smollm2-135m-instruct, "),
        (["--prompt", "x", "--model", "../../etc/passwd"], "There is no model"),
        (["--prompt", "x", "--model", "minilm-l6"], "does not generate text"),
        (["--prompt", "x", "--temperature", "-1"], "temperature is -1.0; it must be a number from 0 to 5"),
        (["--prompt", "x", "--top-p", "nan"], "top_p is nan"),
        (["--prompt", "x", "--top-k", "-1", "--min-p", "2"], "top_k is -1; .* min_p is 2.0"),
        (["--prompt", "x", "--max-new-tokens", "0"], "max_new_tokens is 0"),
        (["--prompt", "x", "--seed", "-5"], "seed is -5"),
        (["--prompt", "x", "--top-logprobs", "51"], "top_logprobs is 51; it must be a whole number from 0 to 50"),
        (["--prompt", "x", "--stop", ""], "stop holds an empty string"),
        (["--prompt", "x", "--backend", "tensorflow"], "Backend 'tensorflow' is unknown"),
        (["--prompt", "x", "--precision", "int3"], "Precision 'int3' is not offered .* Offered: int8, fp32, int4"),
        (["--prompt", "x", "--device", "tpu"], "Device 'tpu' is unknown"),
        (["--prompt", "x", "--top-k", "many"], "Invalid value for '--top-k'"),
        (["--prompt", "x", "--temprature", "1"], "No such option: --temprature"),
        (["--prompt", "x" * 1_000_000], "1,000,022 tokens, 999,767 too many .* 256 tokens at most"),
        (["--prompt", "x" * 4_000_001], "4,000,001 characters"),
    ],
    ids=lambda value: " ".join(value)[:40] or "nothing" if isinstance(value, list) else "",
)
def test_bad_input_is_told_in_one_line(generate: Call, arguments: list[str], told: str) -> None:
    assert re.search(told, fault(generate(*arguments)))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "holds no conversation"),
        (b"\xff\xfe", "cannot be read"),
        (b'"hello"', "holds no conversation"),
        (b"[1]", "holds no conversation"),
        (b"7", "holds no conversation"),
        (b'[{"role": "user"}]', "holds no conversation"),
        (b'[{"role": "robot", "content": "x"}]', "has the role 'robot'"),
        (b'[{"role": ["user"], "content": "x"}]', "has the role"),
        (b'[{"role": "user", "content": null}]', "holds no conversation"),
        (b'[{"role": "user", "content": 7}]', "holds no conversation"),
        (b"[]", "The prompt is empty"),
    ],
)
def test_a_file_that_holds_no_conversation(generate: Call, tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "turns.json"
    file.write_bytes(content)
    assert told in fault(generate("--messages", str(file)))


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("{", "is not JSON: .* line 1, column 2"),
        ("[]", "is a list"),
        ('{"type": "no such type"}', "This is no JSON schema"),
        ('{"type": "object", "required": 1}', "This is no JSON schema"),
    ],
)
def test_a_schema_that_is_none(generate: Call, tmp_path: Path, schema: str, told: str) -> None:
    file = tmp_path / "schema.json"
    file.write_text(schema)
    assert re.search(told, fault(generate("--prompt", "x", "--json-schema", str(file))))


@pytest.mark.parametrize("prompt", ["\x1b[31mred\x07\x00", "🙂👩‍👩‍👧‍👦 ünïcode", "שלום مرحبا", "a\udce9b"])
def test_unusual_text_is_read_and_kept(generate: Call, db: Database, prompt: str) -> None:
    status, out, _ = generate("--prompt", prompt, "--json")
    assert status == 0
    (turn,) = RunRepository(db).get(json.loads(out)["run_id"]).prompt["messages"]
    assert turn["content"] in (prompt, prompt.replace("\udce9", "\ufffd"))  # a broken byte may be marked as one


def test_what_is_refused_leaves_no_run(generate: Call, db: Database) -> None:
    generate("--prompt", "")
    generate("--prompt", "x", "--temperature", "-1")
    assert RunRepository(db).list() == []


def test_a_corrupt_gguf(call: Call, tmp_path: Path) -> None:
    for name, content in (("short", b"GGUF"), ("text", b"hello " * 1000), ("empty", b"")):
        file = tmp_path / f"{name}.gguf"
        file.write_bytes(content)
        assert str(file) in fault(call("models", "--add", str(file)))


def test_a_missing_model_file(call: Call, tmp_path: Path) -> None:
    assert "no-such.gguf" in fault(call("models", "--add", str(tmp_path / "no-such.gguf")))


def test_a_database_that_is_a_folder(generate: Call, tiny_home: Path) -> None:
    (tiny_home / "groundwork.db").mkdir()
    assert "is a folder; a database is a file" in fault(generate("--prompt", "x"))


def test_a_database_that_is_garbage_is_left_as_it_is(generate: Call, tiny_home: Path) -> None:
    file = tiny_home / "groundwork.db"
    file.write_bytes(b"garbage " * 1000)
    assert "is damaged, or is not a database" in fault(generate("--prompt", "x"))
    assert file.read_bytes() == b"garbage " * 1000


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = in_a_process("export", "--json", GROUNDWORK_HOME=str(tmp_path / "file" / "home"))
    assert str(tmp_path / "file") in fault((done.returncode, done.stdout, done.stderr))


def test_a_wrong_setting() -> None:
    done = in_a_process("models", GROUNDWORK_THREADS="many", GROUNDWORK_DEVICE="tpu")
    told = fault((done.returncode, done.stdout, done.stderr))
    assert "GROUNDWORK_THREADS is 'many'" in told
    assert "GROUNDWORK_DEVICE is 'tpu'" in told


@pytest.mark.parametrize("arguments", [[], ["bench"]])
def test_a_command_without_arguments_shows_its_help(call: Call, arguments: list[str]) -> None:
    assert "Usage" in call(*arguments)[1]


def test_an_unknown_command(call: Call) -> None:
    assert "No such command 'train'" in fault(call("train"))


def test_stdout_is_utf_8_whatever_the_locale_says(tiny_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "models", "--json"],
        cwd=ROOT,
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    json.loads(done.stdout.decode("utf-8"))


def test_a_reader_that_goes_away_ends_it_quietly(tiny_home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "core", "models", "--json"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_stdout_holds_one_object_even_when_the_model_has_to_be_prepared(tiny_home: Path) -> None:
    wishes = ["--model", TINY, "--precision", "int8", "--prompt", "hello", "--max-new-tokens", "3"]
    done = in_a_process("generate", *wishes, "--json")
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (answer["precision"], answer["completion_tokens"] <= 3) == ("int8", True)
    assert "Building the int8 model" in done.stderr


@pytest.mark.slow
def test_the_real_model_answers(real_home: Path) -> None:
    assert exported_smollm2_home().is_dir()
    wishes = [
        "--prompt",
        "What is the capital of France? Answer in one word.",
        "--temperature",
        "0",
        "--max-new-tokens",
        "16",
    ]
    answer = json.loads(in_a_process("generate", *wishes, "--json").stdout)
    assert "Paris" in answer["text"]
    assert (answer["model"], answer["precision"], answer["top_logprobs"]) == (SMOLLM2, "int8", None)
    assert len(answer["token_ids"]) == len(answer["logprobs"]) == answer["completion_tokens"]


def test_verify_tells_a_damaged_export_by_its_exit_status(call: Call, tiny_home: Path) -> None:
    assert call("verify", "--model", TINY)[0] == 0
    [folder] = (tiny_home / "exports" / TINY).glob("*/cpu-fp32")
    real = folder.resolve()
    folder.unlink()
    shutil.copytree(real, folder)
    (folder / "model.onnx.data").write_bytes(b"x")
    status, out, _ = call("verify", "--model", TINY, "--json")
    assert status == 1
    assert json.loads(out)[0]["damaged"] == ["model.onnx.data"]


@pytest.mark.slow
def test_the_benchmark_prints_ours_its_peers_and_the_ratios(home: Path) -> None:
    link_real_models(home)
    done = in_a_process("bench", "generate", "--repeats", "1", "--tokens", "8", "--json")
    figures = json.loads(done.stdout)
    speeds = figures["tokens_per_s"]
    assert {"ours_int8", "bare_genai_int8", "transformers_fp32"} <= set(speeds)
    assert figures["ratio_to_transformers"] == pytest.approx(speeds["ours_int8"] / speeds["transformers_fp32"])
    assert figures["ratio_to_bare_loop"] == pytest.approx(speeds["ours_int8"] / speeds["bare_genai_int8"])
    assert figures["load_s"] > 0
    assert 0 < figures["peak_resident_bytes"] < 700e6
