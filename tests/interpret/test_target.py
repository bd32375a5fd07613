"""What may be explained, and what may not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.interpret.open_model import open_model
from core.interpret.subject import from_ids, from_text
from core.interpret.target import (
    NOWHERE,
    Target,
    class_of,
    default_target,
    masked_token,
    next_token,
    sentence_embedding,
)
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.interpret.conftest import IDS
from tests.models import tiny


@pytest.fixture
def encoder(home: Path):
    def make(head: str, **config: object) -> Trace:
        catalogue.add(str(tiny.save_encoder(home / "sources" / head, head=head, **config)), model_id=head.lower())
        return trace(open_model(head.lower(), device="cpu"), from_text(head.lower(), "the model is a text"))

    return make


def test_token_that_stands_there_is_explained_from_those_before_it(llama: Trace) -> None:
    target = next_token(llama, 4)
    assert target == Target(4, IDS[4], None, "next")
    assert target.inputs(llama) == IDS[:4]


def test_after_the_end_the_likeliest_token_is_explained(llama: Trace) -> None:
    target = default_target(llama, None)
    assert target == Target(len(IDS), int(llama.logits(len(IDS) - 1).argmax()), None, "next")
    assert target.inputs(llama) == IDS


@pytest.mark.parametrize(
    ("position", "token", "against", "told"),
    [
        (0, None, None, "nothing stands before it"),
        (len(IDS) + 1, None, None, f"1 to {len(IDS)}"),
        (-1, None, None, "position is -1"),
        (3, 262, None, "no token 262.*0 to 261"),
        (3, -1, None, "no token -1"),
        (3, 5, 262, "no token 262"),
        (3, 5, 5, "compared with itself"),
    ],
)
def test_bad_next_tokens_are_named(
    llama: Trace, position: int, token: int | None, against: int | None, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        next_token(llama, position, token, against)


def test_masked_word_is_hidden_from_the_model(encoder) -> None:
    read = encoder("BertForMaskedLM")
    target = masked_token(read, 2)
    assert target.token_id == read.subject.ids[2]
    hidden = read.opened.tokenizer.encode("[MASK]")[0]
    assert target.inputs(read) == (*read.subject.ids[:2], hidden, *read.subject.ids[3:])
    assert default_target(read, None).position == read.tokens - 2  # the last word, not [SEP]


def test_mask_already_in_the_text_is_filled_with_the_likeliest(encoder) -> None:
    opened = encoder("BertForMaskedLM").opened
    read = trace(opened, from_text("bertformaskedlm", "the [MASK] is"))
    place = read.subject.ids.index(opened.tokenizer.encode("[MASK]")[0])
    assert masked_token(read, place).token_id == int(np.argmax(read.logits(place)))


def test_class_is_the_likeliest_unless_named(encoder) -> None:
    read = encoder("BertForSequenceClassification", num_labels=3)
    logits = read.opened.forward(input_ids=read.opened.tensor(read.subject.ids)).logits[0]
    assert default_target(read, None) == Target(NOWHERE, int(logits.argmax()), None, "class")
    assert class_of(read, 2, against=0).against == 0
    with pytest.raises(InvalidInput, match=r"no class 3.*0 to 2"):
        class_of(read, 3)
    with pytest.raises(InvalidInput, match="predicts no tokens"):
        masked_token(read, 1)


def test_encoder_without_logits_explains_its_embedding(encoder) -> None:
    read = encoder("BertModel")
    assert default_target(read, 3) == sentence_embedding(read) == Target(NOWHERE, NOWHERE, None, "embedding")
    for wrong in (next_token, masked_token):
        with pytest.raises(InvalidInput, match="predicts no tokens"):
            wrong(read, 1)


def test_each_kind_asks_for_its_own_model(llama: Trace, encoder) -> None:
    for wrong, told in ((class_of, "no classes"), (sentence_embedding, "no sentence embedding")):
        with pytest.raises(InvalidInput, match=told):
            wrong(llama)
    with pytest.raises(InvalidInput, match="left to right"):
        masked_token(llama, 1)
    with pytest.raises(InvalidInput, match="no token of it comes next"):
        next_token(encoder("BertForMaskedLM"), 1)


def test_masked_language_model_without_a_mask_token_is_refused(opened) -> None:
    read = trace(opened("bert"), from_ids("bert", IDS))
    with pytest.raises(InvalidInput, match="no mask token"):
        masked_token(read, 1)
