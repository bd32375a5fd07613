"""The real SmolLM2: its token ids against llama.cpp's, its template against transformers', and how it is prepared."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.models import catalogue
from core.models.tokenizer import Tokenizer
from tests.models.test_tokenizer import CHATS
from tests.real_models import ROOT, SMOLLM2

FACTS = json.loads((ROOT / "tests/facts/tokens_smollm2.json").read_text(encoding="utf-8"))
PREPARE = f"from core.models import catalogue; print(catalogue.prepare({SMOLLM2!r}, lambda f, t: print(t, flush=True)))"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tokenizer(smollm2: Path) -> Tokenizer:
    return Tokenizer.load(smollm2)


@pytest.mark.parametrize("case", FACTS["cases"], ids=lambda case: repr(case["text"])[:30])
def test_token_ids_are_those_of_llama_cpp(tokenizer: Tokenizer, case: dict[str, object]) -> None:
    ids = tokenizer.encode(str(case["text"]))
    assert ids == case["ids"]
    assert tokenizer.decode(ids) == case["text"]
    assert b"".join(map(tokenizer.token_bytes, ids)) == str(case["text"]).encode()


def test_its_special_tokens(tokenizer: Tokenizer) -> None:
    assert (tokenizer.bos_id, tokenizer.eos_ids, tokenizer.vocabulary_size) == (1, (2,), 49_152)
    assert len(tokenizer.special_ids) == 17


@pytest.mark.parametrize("chat", CHATS)
def test_its_template_renders_as_in_transformers(
    smollm2: Path, tokenizer: Tokenizer, chat: list[tuple[str, str]]
) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(str(smollm2))
    messages = [{"role": role, "content": content} for role, content in chat]
    expected = theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert tokenizer.render(chat) == expected
    ids = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert tokenizer.encode_chat(chat) == ids
    assert ids[:2] != [1, 1]


def test_it_speaks(smollm2: Path, tokenizer: Tokenizer) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(smollm2), dtype=torch.float32)
    ids = tokenizer.encode_chat([("user", "What is the capital of France? Answer in one word.")])
    with torch.no_grad():
        out = model.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False)
    assert "Paris" in tokenizer.decode(out[0, len(ids) :].tolist())


def _start(home: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"GROUNDWORK_HOME": str(home)}
    return subprocess.Popen([sys.executable, "-c", PREPARE], cwd=ROOT, env=environment, stdout=-1, text=True)


def test_two_processes_convert_it_once(home: Path) -> None:
    outputs = [process.communicate(timeout=300)[0] for process in [_start(home), _start(home)]]
    assert sorted("Unpacking weights 1/272" in output for output in outputs) == [False, True]
    assert len({output.strip().splitlines()[-1] for output in outputs}) == 1
    assert catalogue.is_prepared(SMOLLM2)


def test_kill_9_leaves_nothing_that_looks_finished(home: Path) -> None:
    process = _start(home)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Unpacking weights 100/"):
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait(timeout=30)
    process.stdout.close()
    assert not catalogue.is_prepared(SMOLLM2)
    assert list((home / "models" / SMOLLM2).glob("*.partial"))
    assert catalogue.prepare(SMOLLM2) == catalogue.folder(SMOLLM2)
    assert [path.name for path in (home / "models" / SMOLLM2).iterdir() if path.is_dir()] == [
        catalogue.get(SMOLLM2).revision
    ]
