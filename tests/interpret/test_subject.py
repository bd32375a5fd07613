from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput, NotFound
from core.generation.engine import Engine
from core.generation.record import RecordedRun
from core.generation.request import GenerationRequest, Message, SamplingParameters
from core.interpret.subject import PART, from_ids, from_run, from_text
from core.store.database import Database
from core.store.runs import NewRun, RunRepository
from tests.conftest import TINY

REAL = "smollm2-135m-instruct"


def test_words_and_sentences_of_a_decoder(real_home: Path) -> None:
    subject = from_text(REAL, "The trophy didn't fit. It was big!\nYes")
    assert "".join(subject.pieces) == "The trophy didn't fit. It was big!\nYes"
    words = [
        "".join(piece for piece, number in zip(subject.pieces, subject.words, strict=True) if number == word)
        for word in range(subject.words[-1] + 1)
    ]
    expected = ["The", "trophy", "didn't", "fit.", "It", "was", "big!", "Yes"]
    assert [word.strip() for word in words if word.strip()] == expected
    assert subject.sentences[0] == 0
    assert subject.sentences[subject.pieces.index(" It")] == 1
    assert subject.sentences[-1] == 2
    assert subject.causal


def test_word_pieces_of_an_encoder_are_words_again(real_home: Path) -> None:
    subject = from_text("minilm-l6", "Unquestionably embeddings matter")
    assert subject.special[0]
    assert subject.special[-1]
    assert len(set(subject.words)) == 5  # three words, [CLS] and [SEP]
    assert subject.text == " unquestionably embeddings matter"
    assert not subject.causal


def test_characters_without_spaces_are_words_each(real_home: Path) -> None:
    subject = from_text(REAL, "東京は大きい")
    assert subject.words[-1] > 1


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_text_is_told(tiny_home: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        from_text(TINY, text)


def test_a_run_comes_back_token_by_token(tiny_home: Path, db: Database) -> None:
    request = GenerationRequest(
        TINY, SamplingParameters(max_new_tokens=5, seed=1), messages=(Message("user", "hello"),), precision="fp32"
    )
    run = RecordedRun(Engine(), db, request)
    events = list(run.events())
    subject = from_run(db, run.run_id)
    assert subject.answer_start == run.completion.prompt_tokens
    assert list(subject.ids[subject.answer_start :]) == [event.token_id for event in events]
    assert subject.run_id == run.run_id
    assert subject.run_precision == "fp32"


def test_a_completion_is_read_as_it_was_prompted(tiny_home: Path, db: Database) -> None:
    request = GenerationRequest(TINY, SamplingParameters(max_new_tokens=2, seed=1), raw_prompt="hell", precision="fp32")
    run = RecordedRun(Engine(), db, request)
    list(run.events())
    assert from_run(db, run.run_id).answer_start == run.completion.prompt_tokens


def recorded(db: Database, **values: object) -> str:
    fields = {"model_id": TINY, "revision": "r", "precision": "fp32", "backend": "onnx", "device": "cpu"}
    return RunRepository(db).start(NewRun(**fields | {"parameters": {}, "prompt": {"raw_prompt": "x"}} | values))  # type: ignore[arg-type]


def test_a_run_of_a_server_cannot_be_seen_inside(tiny_home: Path, db: Database) -> None:
    with pytest.raises(InvalidInput, match="written by a server"):
        from_run(db, recorded(db, backend="remote", model_id="box/model"))


def test_a_run_that_wrote_nothing(tiny_home: Path, db: Database) -> None:
    with pytest.raises(InvalidInput, match="wrote no token"):
        from_run(db, recorded(db))


def test_a_run_without_its_prompt(tiny_home: Path, db: Database) -> None:
    with pytest.raises(NotFound, match="not on record"):
        from_run(db, recorded(db, prompt={}))


def test_parts_of_a_text(tiny_home: Path) -> None:
    subject = from_ids(TINY, range(5, 25), answer_start=12)
    assert subject.first(4).ids == (5, 6, 7, 8)
    assert subject.first(4).answer_start is None
    assert subject.last(10).ids == tuple(range(15, 25))
    assert subject.last(10).answer_start == 2
    assert subject.last(3).answer_start == 0
    assert subject.last(3).words[0] == 0


def test_a_character_of_several_tokens_stands_at_the_one_that_completes_it(real_home: Path) -> None:
    subject = from_text(REAL, "Hi 🏴‍☠️ ok")
    assert "".join(piece for piece in subject.pieces if piece != PART) == "Hi 🏴‍☠️ ok"
    assert PART in subject.pieces
    assert subject.text == "Hi 🏴‍☠️ ok"
