"""`python -m core attend` as a script calls it: arrays equal transformers', one JSON object, faults in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.generation.engine import Engine
from core.generation.record import RecordedRun
from core.generation.request import GenerationRequest, SamplingParameters
from core.store.database import Database
from tests.conftest import TINY, Call

TEXT = "hello, small world"


@pytest.fixture
def attend(tiny_home: Path, call: Call) -> Call:
    return lambda *arguments: call("attend", "--model", TINY, *arguments)


def answer(told: tuple[int, str, str]) -> dict[str, Any]:
    status, out, errors = told
    assert status == 0, errors
    return dict(json.loads(out))


def test_the_array_is_layer_head_query_key_and_equals_transformers(attend: Call, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from core.models import catalogue

    out = tmp_path / "attention.npz"
    facts = answer(attend("--text", TEXT, "--json", "--out", str(out)))
    with np.load(out, allow_pickle=False) as file:
        found, tokens = file["attention"], list(file["tokens"])
    model = AutoModelForCausalLM.from_pretrained(catalogue.folder(TINY), attn_implementation="eager")
    with torch.inference_mode():
        made = model.eval()(input_ids=torch.tensor([facts["token_ids"]]), output_attentions=True)
    np.testing.assert_allclose(found, np.stack([layer[0].numpy() for layer in made.attentions]), atol=1e-5)
    np.testing.assert_allclose(found.sum(-1), 1.0, atol=1e-5)
    assert tokens == facts["tokens"]
    assert len(facts["heads"]) == found.shape[0] * found.shape[1]


def test_one_layer_alone(attend: Call, tmp_path: Path) -> None:
    out = tmp_path / "layer.npz"
    answer(attend("--text", TEXT, "--layer", "1", "--json", "--out", str(out)))
    with np.load(out, allow_pickle=False) as file:
        assert file["attention"].shape[0] == 1
        assert list(file["layers"]) == [1]


@pytest.mark.parametrize(
    ("method", "key"),
    [("rollout", "scores"), ("flow", "scores"), ("lens", "layers"), ("grad", "scores"), ("occlusion", "scores")],
)
def test_every_method_answers_and_writes_its_arrays(attend: Call, tmp_path: Path, method: str, key: str) -> None:
    out = tmp_path / "found.npz"
    facts = answer(attend("--text", TEXT, "--method", method, "--json", "--out", str(out)))
    assert facts["method"] == method
    assert facts[key]
    with np.load(out, allow_pickle=False) as file:
        assert {"tokens", "ids", "origin"} < set(file.files)


@pytest.mark.slow
def test_integrated_gradients_say_how_complete_they_are(attend: Call) -> None:
    facts = answer(attend("--text", TEXT, "--method", "ig", "--json"))
    assert facts["completeness"] <= 0.02
    assert len(facts["scores"]) == len(facts["tokens"])


def test_a_knock_out_ranks_all_heads_or_switches_off_what_is_named(attend: Call) -> None:
    ranked = answer(attend("--text", TEXT, "--method", "knockout", "--json"))
    assert len(ranked["heads"]) == 8
    changes = [abs(one["change"]) for one in ranked["heads"]]
    assert changes == sorted(changes, reverse=True)
    best = ranked["heads"][0]
    named = f"{best['layer']}.{best['head']}"
    off = answer(attend("--text", TEXT, "--method", "knockout", "--off", named, "--json"))
    assert off["logprob_after"] - off["logprob_before"] == pytest.approx(best["change"], abs=1e-4)


def test_why_this_token_and_not_that_one(attend: Call) -> None:
    one = answer(attend("--text", TEXT, "--method", "grad", "--focus", "3", "--against", "z", "--json"))
    assert one["against"] is not None
    assert len(one["scores"]) == 3


def test_a_recorded_run(tiny_home: Path, db: Database, call: Call) -> None:
    request = GenerationRequest(TINY, SamplingParameters(max_new_tokens=4, seed=1), raw_prompt=TEXT, precision="fp32")
    run = RecordedRun(Engine(), db, request)
    list(run.events())
    facts = answer(call("attend", "--run", run.run_id, "--json"))
    assert facts["run_id"] == run.run_id
    assert facts["answer_start"] == run.completion.prompt_tokens
    assert len(facts["tokens"]) == run.completion.prompt_tokens + run.completion.completion_tokens


def test_a_text_for_people_has_no_json(attend: Call) -> None:
    status, out, _ = attend("--text", TEXT)
    assert status == 0
    assert "2 layers × 4 heads" in out
    assert "Attention is not explanation" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--text", ""), "Nothing to look into"),
        (("--text", "   "), "empty"),
        (("--text", "h"), "single token"),
        (("--text", "h" + "a" * 300), "At most 256"),
        (("--text", TEXT, "--method", "magic"), "attention, rollout, flow"),
        (("--text", TEXT, "--focus", "99"), "There is no token 99"),
        (("--text", TEXT, "--layer", "7", "--out", "x.npz"), "layers 0 to 1"),
        (("--text", TEXT, "--out", "x.csv"), ".npz"),
        (("--text", TEXT, "--method", "knockout", "--off", "9.9,what"), "what"),
        (("--text", TEXT, "--method", "grad", "--against", "hello world"), "more than one token"),
        (("--text", TEXT, "--first", "5", "--last", "5"), "Both --first and --last"),
        (("--run", "nope"), "nope"),
        (("--text", TEXT, "--run", "nope"), "One of --text, --file and --run"),
        (("--file", "/nowhere/text.txt"), "/nowhere/text.txt"),
    ],
)
def test_faults_are_told_in_one_line(attend: Call, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    status, out, errors = attend(*arguments)
    assert status == 2
    assert not out
    last = errors.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert "Traceback" not in errors


def test_a_part_of_a_long_text(attend: Call) -> None:
    facts = answer(attend("--text", "h" + "a" * 300, "--last", "40", "--json"))
    assert len(facts["tokens"]) == 40
