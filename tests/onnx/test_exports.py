"""Exports of a model of random weights: made once, proved, refused past their bar, never half there."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorruptFile, DeviceUnavailable, ExportFailed, StorageError
from core.generation.engine import Engine
from core.generation.request import GenerationRequest
from core.models import catalogue
from core.onnx import devices, exports
from core.onnx.exports import (
    delete_export,
    ensure_export,
    export_folder,
    find_export,
    list_exports,
    verify_export,
)
from core.settings import reload_settings
from tests.conftest import TINY
from tests.models import tiny
from tests.real_models import ROOT

EXPORT = f"from core.onnx.exports import ensure_export; ensure_export({TINY!r}, precision='int8', device='cpu', "
TELLING = "progress=lambda f, t: print(t, flush=True))"


def perturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports that answer with logits which are a little off."""
    honest = exports.export_logits

    def noisy(*args: object, **named: object) -> np.ndarray:
        logits = honest(*args, **named)  # type: ignore[arg-type]
        return logits + np.random.default_rng(0).normal(0, 1, logits.shape).astype(np.float32)

    monkeypatch.setattr(exports, "export_logits", noisy)


def test_an_export_is_made_once_with_its_proof(tiny_home: Path) -> None:
    told: list[str] = []
    made = ensure_export(TINY, precision="int8", device="cpu", progress=lambda fraction, text: told.append(text))
    card = catalogue.get(TINY)
    assert made == find_export(card, "int8", "cpu")
    assert made.usable
    assert made.block_size == 64
    assert made.sha256.keys() == {"model.onnx", "model.onnx.data"}
    assert made.path == export_folder(card, "int8", "cpu")
    assert json.loads(json.dumps(made.to_json()))["proof"]["mean_kl"] == made.proof.mean_kl
    assert any("Proving" in text for text in told)
    told.clear()
    ensure_export(TINY, precision="int8", device="cpu", progress=lambda fraction, text: told.append(text))
    assert not any("Building" in text for text in told)
    assert [export.precision for export in list_exports(card)] == ["int8", "fp32"]
    assert delete_export(made) > 0
    assert find_export(card, "int8", "cpu") is None


def test_an_export_past_its_bar_is_refused_and_no_choice(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    perturbed(monkeypatch)
    with pytest.raises(ExportFailed, match=r"int8 export of tiny is not the same model: mean KL .* \(bar 0\.01\)"):
        ensure_export(TINY, precision="int8", device="cpu")
    kept = find_export(catalogue.get(TINY), "int8", "cpu")
    assert kept is not None
    assert kept.block_size == 32  # the finer blocks were tried too
    assert [(export.precision, export.usable) for export in list_exports(catalogue.get(TINY))] == [
        ("int8", False),
        ("fp32", True),
    ]
    with pytest.raises(ExportFailed, match="not the same model"):
        list(Engine().stream(GenerationRequest(TINY, raw_prompt="hello", precision="int8", device="cpu")))


def test_an_architecture_the_builder_does_not_know_is_told_with_the_way_out(tiny_home: Path, tmp_path: Path) -> None:
    (tiny_home / "models").unlink()
    catalogue.add(str(tiny.save_gpt2(tmp_path / "gpt2")), model_id="tiny-gpt2")
    with pytest.raises(ExportFailed, match=r"architecture GPT2LMHeadModel.*torch backend"):
        ensure_export("tiny-gpt2", precision="int4", device="cpu")  # the exporter's graphs have no int4
    assert list_exports(catalogue.get("tiny-gpt2")) == ()
    answer = GenerationRequest("tiny-gpt2", raw_prompt="hello", backend="torch", device="cpu")
    assert len(list(Engine().stream(answer))) > 0


def test_a_shape_that_no_kernel_takes_is_told(home: Path, tmp_path: Path) -> None:
    catalogue.add(str(tiny.save_llama(tmp_path / "narrow")), model_id="narrow")  # heads of 8
    with pytest.raises(ExportFailed, match=r"does not run here: .*head_size.*torch backend"):
        ensure_export("narrow", precision="fp32", device="cpu")
    assert find_export(catalogue.get("narrow"), "fp32", "cpu") is None


def test_a_damaged_record_hides_no_other_export_and_is_made_anew(tiny_home: Path) -> None:
    card = catalogue.get(TINY)
    folder = export_folder(card, "int8", "cpu")
    folder.mkdir(parents=True)
    (folder / "export.json").write_text('{"model_id": "tiny"}')
    with pytest.raises(CorruptFile, match=r"export.json is damaged.*Delete that folder"):
        find_export(card, "int8", "cpu")
    assert [export.precision for export in list_exports(card, "cpu")] == ["fp32"]
    assert ensure_export(TINY, precision="int8", device="cpu").usable


def test_a_record_of_a_newer_version_can_be_read(tiny_home: Path) -> None:
    made = ensure_export(TINY, precision="int8", device="cpu")
    record = json.loads((made.path / "export.json").read_text())
    (made.path / "export.json").write_text(json.dumps(record | {"something_new": 1}))
    assert find_export(catalogue.get(TINY), "int8", "cpu") == made


def test_a_damaged_model_file_says_which_folder_to_delete(tiny_home: Path) -> None:
    made = ensure_export(TINY, precision="int8", device="cpu")
    (made.path / "model.onnx").write_bytes(b"not ONNX")
    with pytest.raises(CorruptFile, match=r"cannot be loaded.*Delete that folder"):
        list(Engine().stream(GenerationRequest(TINY, raw_prompt="hello", precision="int8", device="cpu")))


def test_a_tampered_file_is_found_and_named(tiny_home: Path) -> None:
    made = ensure_export(TINY, precision="int8", device="cpu")
    assert verify_export(made) == ()
    data = made.path / "model.onnx.data"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    (made.path / "model.onnx").unlink()
    assert verify_export(made) == ("model.onnx", "model.onnx.data")


def test_a_full_disk_names_the_path_and_what_to_do(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exports, "build_decoder", full)
    with pytest.raises(StorageError, match=r"disk is full: .*cpu-int8.*MB free.*GROUNDWORK_HOME"):
        ensure_export(TINY, precision="int8", device="cpu")
    assert list_exports(catalogue.get(TINY), "cpu")[0].precision == "fp32"
    assert not list(tiny_home.glob("exports/**/*.partial"))


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_told_like_a_full_disk(tiny_home: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    command = [sys.executable, "-m", "core", "export", "--model", TINY, "--precision", "int8", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert "cpu-int8" in last
    assert "Traceback" not in done.stderr
    assert find_export(catalogue.get(TINY), "int8", "cpu") is None


@pytest.mark.slow
def test_two_processes_export_once(tiny_home: Path) -> None:
    command = [sys.executable, "-c", EXPORT + TELLING]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("Building" in output for output in outputs) == [False, True]


@pytest.mark.slow
def test_kill_9_leaves_nothing_that_looks_finished(tiny_home: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", EXPORT + TELLING], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Proving"):
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait(30)
    process.stdout.close()
    card = catalogue.get(TINY)
    assert find_export(card, "int8", "cpu") is None
    assert list((tiny_home / "exports" / TINY).glob("*/cpu-int8.partial"))
    started = time.monotonic()
    assert ensure_export(TINY, precision="int8", device="cpu").usable
    assert time.monotonic() - started < 60
    assert not list((tiny_home / "exports" / TINY).glob("*/cpu-int8.partial"))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cuda_reason", lambda: "no NVIDIA driver answers")


@pytest.mark.usefixtures("no_gpu")
def test_cuda_without_a_gpu_says_why(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_DEVICE", "cuda")
    reload_settings()
    with pytest.raises(DeviceUnavailable, match=r"'cuda' cannot be used: no NVIDIA driver answers.*cpu or auto"):
        ensure_export(TINY)
    assert devices.resolve_device("cpu") == "cpu"  # the request goes before the setting


@pytest.mark.usefixtures("no_gpu")
def test_auto_takes_the_cpu_without_a_gpu(home: Path) -> None:
    assert devices.resolve_device() == "cpu"
    assert devices.resolve_precision("auto", "cpu") == "int8"


def test_auto_takes_a_gpu_where_one_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cuda_reason", lambda: "")
    assert devices.resolve_device() == "cuda"
    assert devices.resolve_precision("auto", "cuda") == "fp16"


@pytest.mark.parametrize(("precision", "backend"), [("fp16", "onnx"), ("int8", "torch"), ("q4", "onnx")])
def test_a_precision_that_the_device_lacks_lists_the_offered(home: Path, precision: str, backend: str) -> None:
    with pytest.raises(DeviceUnavailable, match=rf"{precision!r} is not offered for {backend} on cpu. Offered: "):
        devices.resolve_precision(precision, "cpu", backend)
