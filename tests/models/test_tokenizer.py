"""Text ↔ ids ↔ bytes, on tiny tokenizers; and the chat template beside transformers' rendering."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Fast
from tokenizers import decoders, models, pre_tokenizers, processors

from core.errors import CorruptFile, InvalidInput, ModelNotFound, ModelRefused
from core.models.tokenizer import Tokenizer
from tests.models import tiny

CHATS = (
    [("user", "hi")],
    [("system", "Be brief."), ("user", "Café 中文 😀")],
    [("user", "a"), ("assistant", "b  "), ("user", " c\n")],
    [("user", "{{ bos_token }} {% raw %}")],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "tiny"
    path.mkdir()
    tiny.save_tokenizer(path)
    return path


def test_bytes_of_the_tokens_join_to_the_bytes_of_the_text(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    text = "hello 👩‍👩‍👧 \x00\x1b tab\t中"
    ids = tokenizer.encode(text)
    assert b"".join(map(tokenizer.token_bytes, ids)) == text.encode()
    assert tokenizer.decode(ids) == text


def test_special_tokens_are_parsed_and_stand_for_their_text(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.encode("<s><|end|>") == [0, 2]
    assert tokenizer.token_bytes(2) == b"<|end|>"
    assert tokenizer.special_ids == {0, 1, 2}
    assert tokenizer.decode([0, 2], skip_special_tokens=True) == ""


def test_every_end_id_is_found(folder: Path) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 7]}))
    settings = {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": False}}  # as older files write it
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = Tokenizer.load(folder)
    assert (tokenizer.eos_ids, tokenizer.bos_id) == ((1, 2, 7), 0)


def test_an_unknown_id_has_no_bytes_and_does_not_crash(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    for odd in (-1, 10**6, 2**40):
        assert tokenizer.token_bytes(odd) == b""
        assert tokenizer.token_text(odd) == f"⟨id {odd}⟩"
    assert tokenizer.decode([-1, 10**6, *tokenizer.encode("a")]) == "a"


def test_lone_surrogates_become_replacement_characters(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.decode(tokenizer.encode("a\ud83d b \ude00")) == "a\ufffd b \ufffd"
    assert tokenizer.decode(tokenizer.encode("\ud83d\ude00")) == "😀"
    assert "\ufffd" in tokenizer.render([("user", "\udfff")])


def test_lone_bytes_are_shown_by_number(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    shown = [tokenizer.token_text(id_) for id_ in tokenizer.encode("é")]
    assert shown == ["⟨0xC3⟩", "⟨0xA9⟩"]


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("prompt", [True, False])
def test_rendering_equals_transformers(folder: Path, chat: list[tuple[str, str]], prompt: bool) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs = PreTrainedTokenizerFast.from_pretrained(str(folder))
    messages = [{"role": role, "content": content} for role, content in chat]
    ours = Tokenizer.load(folder)
    expected = theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
    assert ours.render(chat, add_generation_prompt=prompt) == expected
    ids = theirs.apply_chat_template(messages, add_generation_prompt=prompt, return_dict=False)
    assert ours.encode_chat(chat, add_generation_prompt=prompt) == ids


@pytest.mark.parametrize(
    "template", [tiny.TEMPLATE, tiny.TEMPLATE.replace("message['content']", "message.content|trim")]
)
def test_continuing_equals_transformers(folder: Path, template: str) -> None:
    from transformers import PreTrainedTokenizerFast

    (folder / "chat_template.jinja").write_text(template)
    chat = [("user", "hi"), ("assistant", "Well, ")]
    messages = [{"role": role, "content": content} for role, content in chat]
    theirs = PreTrainedTokenizerFast.from_pretrained(str(folder))
    expected = theirs.apply_chat_template(messages, tokenize=False, continue_final_message=True)
    assert Tokenizer.load(folder).render(chat, continue_final=True) == expected


def test_templates_get_the_helpers_they_are_written_for(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(
        "{% generation %}{{ messages[0] | tojson }}{% endgeneration %}{{ strftime_now('%Y') | length }}"
        "{% for i in [1, 2] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{{ dict(a=1).a }}"
    )
    assert Tokenizer.load(folder).render([("user", "é<")]) == '{"role": "user", "content": "é<"}411'


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ("{{ raise_exception('no system message') }}", InvalidInput),
        ("{% for %}", ModelRefused),
        ("{{ ().__class__.__bases__ }}", InvalidInput),
        ("{{ 1 / 0 }}", ModelRefused),
    ],
)
def test_a_template_that_fails_is_told_in_words(folder: Path, template: str, error: type[Exception]) -> None:
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(error, match="chat template"):
        Tokenizer.load(folder).render([("user", "hi")])


def test_no_second_bos(folder: Path) -> None:
    fast = Fast.from_file(str(folder / "tokenizer.json"))
    fast.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    fast.save(str(folder / "tokenizer.json"))
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.encode_chat([("user", "hi")]).count(0) == 1
    assert tokenizer.encode("<s>a", add_special_tokens=True).count(0) == 1
    assert tokenizer.encode("a", add_special_tokens=True)[0] == 0
    (folder / "chat_template.jinja").unlink()
    plain = Tokenizer.load(folder)
    assert plain.encode_chat([("user", "hi")]).count(0) == 1
    assert plain.encode_chat([("user", "hi")])[0] == 0


def test_without_a_template_the_plain_form_serves(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    tokenizer = Tokenizer.load(folder)
    chat = [("system", "Be kind."), ("user", "hi")]
    assert not tokenizer.has_chat_template
    assert tokenizer.render(chat) == "System: Be kind.\nUser: hi\nAssistant:"
    assert tokenizer.render([*chat, ("assistant", "We")], continue_final=True).endswith("Assistant: We")


def test_an_empty_conversation_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        Tokenizer.load(folder).render([])


def test_sentencepiece_spelling(tmp_path: Path) -> None:
    vocabulary = {"<unk>": 0, "▁a": 1, "<0xF0>": 2, "b": 3}
    fast = Fast(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>"))
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    fast.decoder = decoders.Sequence(parts)
    fast.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path)
    assert [tokenizer.token_bytes(id_) for id_ in (1, 2, 3)] == [b" a", b"\xf0", b"b"]
    assert tokenizer.token_text(2) == "⟨0xF0⟩"


def test_wordpiece_spelling_and_no_truncation(tmp_path: Path) -> None:
    fast = Fast(models.WordPiece(vocab={"[UNK]": 0, "play": 1, "##ing": 2}, unk_token="[UNK]"))
    fast.pre_tokenizer = pre_tokenizers.Whitespace()
    fast.decoder = decoders.WordPiece(prefix="##")
    fast.enable_truncation(2)
    fast.enable_padding(length=9)
    fast.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.encode("playing play") == [1, 2, 1]
    assert tokenizer.token_bytes(2) == b"ing"


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(CorruptFile, match=r"tokenizer\.json"):
        Tokenizer.load(tmp_path)
