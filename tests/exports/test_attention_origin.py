from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version

from core import __version__
from exports.attention_origin import LONGEST_TITLE, NOT_EXPLANATION, as_json, facts, origin, told
from tests.exports.attentions import ORIGIN, subject


def test_it_is_of_the_subject_and_of_what_is_installed() -> None:
    made = origin(subject(("[CLS]", " Hello", "\n", "world")), precision="fp32", command="attend", note="n")
    assert (made.model_id, made.revision, made.precision, made.command, made.note) == (
        "org/<model>",
        "abc123",
        "fp32",
        "attend",
        "n",
    )
    assert made.title == "Hello world"  # in one line, without special tokens
    assert made.run_id == ""
    assert (made.app_version, made.transformers) == (__version__, version("transformers"))
    assert made.torch == version("torch")
    assert made.made_at.tzinfo is not None


def test_a_run_is_named_and_a_long_text_cut() -> None:
    made = origin(replace(subject(("a", *[" word"] * 40)), run_id="r1"), precision="bf16", command="")
    assert made.run_id == "r1"
    assert len(made.title) <= LONGEST_TITLE
    assert made.title.startswith("word word")
    assert made.title.endswith("…")


def test_facts_leave_out_what_is_unknown_and_are_fit_for_every_file() -> None:
    known = dict(facts(replace(ORIGIN, run_id="", transformers="")))
    assert "Run" not in known
    assert known["With"] == "torch 2.13.0"
    assert known["Made"] == "Groundwork 0.1.0, 2026-11-23 12:30 UTC"
    assert known["Repeat it"].endswith('␇"')
    told(ORIGIN).encode()  # no half surrogate pair is left
    assert NOT_EXPLANATION in told(ORIGIN)


def test_a_program_can_read_it() -> None:
    read = json.loads(as_json(ORIGIN))
    assert read["model_id"] == "org/<model>"
    assert read["made_at"] == "2026-11-23T12:30:00+00:00"
    assert read["caution"] == NOT_EXPLANATION
    assert as_json(ORIGIN).isascii()
