"""A loaded export: the same logits as the package's own binding, alone and in a batch, and other threads go on."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorruptFile
from core.models import catalogue
from core.onnx import genai
from core.onnx.exports import list_exports
from core.onnx.session import OnnxModel, open_model
from tests.conftest import TINY
from tests.real_models import link_real_models

TOKENS = [*range(100, 356)]


@pytest.fixture
def export(home: Path) -> Path:
    link_real_models(home)
    exports = list_exports(catalogue.get("smollm2-135m-instruct"), "cpu")
    return next(export.path for export in exports if export.precision == "int8")


@pytest.fixture
def model(export: Path) -> OnnxModel:
    return open_model(export, device="cpu", threads=2)


@pytest.mark.slow
def test_its_logits_are_those_of_the_packages_own_binding(export: Path, model: OnnxModel) -> None:
    import onnxruntime_genai as og

    config = og.Config(str(export))
    config.overlay('{"model": {"decoder": {"session_options": {"intra_op_num_threads": 2}}}}')
    package = og.Model(config)
    parameters = og.GeneratorParams(package)
    parameters.set_search_options(max_length=512, do_sample=False)
    generator = og.Generator(package, parameters)
    context = model.open_context(512)
    for piece in (TOKENS[:64], TOKENS[64:65], TOKENS[65:80]):
        generator.append_tokens(np.array(piece, dtype=np.int32))
        np.testing.assert_array_equal(context.append(piece), np.array(generator.get_logits()[0, -1]))
    context.rewind(64)
    generator.rewind_to(64)
    generator.append_tokens(np.array([7], dtype=np.int32))
    np.testing.assert_array_equal(context.append([7]), np.array(generator.get_logits()[0, -1]))


@pytest.mark.slow
def test_other_threads_go_on_while_a_prompt_is_read(model: OnnxModel) -> None:
    context = model.open_context(1024)
    context.append(TOKENS[:8])
    reading = threading.Event()
    looks = 0

    def look() -> None:
        nonlocal looks
        while not reading.is_set():
            time.sleep(0.001)
            looks += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    context.append(TOKENS)  # one call into the library, of a quarter of a second
    seen = looks
    reading.set()
    watcher.join()
    assert seen > 10


@pytest.mark.slow
def test_two_threads_decode_on_one_model_as_one_after_the_other(model: OnnxModel) -> None:
    def decode(first: int, out: list[int]) -> None:
        context = model.open_context(256)
        logits = context.append(TOKENS[first : first + 20])
        for _ in range(30):
            out.append(int(logits.argmax()))
            logits = context.append(out[-1:])

    alone: list[list[int]] = [[], []]
    together: list[list[int]] = [[], []]
    for number in (0, 1):
        decode(number * 50, alone[number])
    threads = [threading.Thread(target=decode, args=(number * 50, together[number])) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def tiny_model(tiny_home: Path) -> OnnxModel:
    [folder] = (tiny_home / "exports" / TINY).glob("*/cpu-fp32")
    model = open_model(folder, device="cpu", threads=2)
    assert isinstance(model, OnnxModel)
    return model


def test_the_rows_of_a_batch_get_the_logits_that_they_get_alone(tiny_home: Path) -> None:
    model = tiny_model(tiny_home)
    random = np.random.default_rng(0)
    rows, further = (random.integers(3, 262, shape).astype(np.int32) for shape in ((3, 100), (3, 5)))
    batch = model.open_batch(3, 128)
    alone = [model.open_context(128) for _ in rows]
    for piece in (rows, *np.split(further, 5, axis=1)):  # the further ones are not what the model would choose
        expected = np.stack([one.append(ids.tolist()) for one, ids in zip(alone, piece, strict=True)])
        np.testing.assert_allclose(batch.append(piece), expected, atol=1e-4)
    assert batch.length == alone[0].length == 105
    batch.close()


def test_a_batch_that_has_begun_takes_one_token_a_row_and_none_that_ends_it(tiny_home: Path) -> None:
    batch = tiny_model(tiny_home).open_batch(2, 32)
    logits = batch.append(np.array([[1, 5], [6, 7]], dtype=np.int32))  # in a prompt 1, an end token, is as any other
    assert logits.shape == (2, 262)
    assert batch.end_ids == {1, 2}
    for refused in ([[5], [1]], [[5, 6], [7, 8]], [[5]]):
        with pytest.raises(ValueError, match="one token a row"):
            batch.append(np.array(refused, dtype=np.int32))
    assert batch.append(np.array([[5], [6]], dtype=np.int32)).shape == (2, 262)


@pytest.mark.slow
def test_the_process_may_end_in_mid_answer(export: Path) -> None:
    """A thread that computes when the interpreter ends must not take the process down with a crash."""
    program = f"""
import threading, time
from pathlib import Path
from core.onnx.session import open_model
context = open_model(Path({str(export)!r}), device="cpu", threads=2).open_context(4096)
def decode():
    while True:
        context.append([100])
threading.Thread(target=decode, daemon=True).start()
time.sleep(1)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_a_fault_of_the_library_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="genai_config"):
        genai.Config(tmp_path)


def test_a_damaged_export_is_named(tmp_path: Path) -> None:
    (tmp_path / "genai_config.json").write_text('{"model": {"context_length": 8, "vocab_size": 9}}')
    with pytest.raises(CorruptFile, match="cannot be loaded"):
        open_model(tmp_path, device="cpu", threads=1)
