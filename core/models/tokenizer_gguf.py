"""A tokenizer from GGUF metadata: the same ids as the model's own tokenizer.

Byte-level BPE (`tokenizer.ggml.model == "gpt2"`) is built here, as its way of splitting text (`tokenizer.ggml.pre`)
decides the ids and transformers' converter falls back to GPT-2's for names it does not list, "smollm" among them. Every
other kind goes through transformers' converter. The splits are those of llama.cpp `llama-vocab.cpp`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from core.artefacts import write_json
from core.errors import CorruptFile, ModelRefused
from core.models.gguf_header import GgufHeader

_GPT2 = ("gpt-2", "gpt2", "mpt", "olmo", "jais", "trillion", "phi-2")
_SINGLE_DIGITS = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
_WHOLE_WORDS_FIRST = ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "tekken")
"""llama.cpp looks a split word up whole before it merges (`ignore_merges`)."""
_COMPOSED = ("qwen2", "deepseek-r1-qwen", "qwen35")
"""Their own tokenizers bring text into Unicode's composed form (NFC) first."""

_CONTROL, _USER_DEFINED = 3, 4
_NAMED = {
    "bos_token": "bos",
    "eos_token": "eos",
    "unk_token": "unknown",
    "pad_token": "padding",
    "sep_token": "seperator",
}
_END_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")


def write_tokenizer(header: GgufHeader, folder: Path) -> tuple[str, list[int]]:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja into `folder`.

    Returns a note for the card ("" normally) and the ids that end an answer. Raises CorruptFile, ModelRefused.
    """
    metadata = header.metadata
    tokens = metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list) or not tokens:
        raise CorruptFile(f"{header.path} holds no vocabulary.", next_step="Get the model from another source.")
    byte_level = metadata.get("tokenizer.ggml.model") == "gpt2"
    note = ""
    if byte_level:
        tokenizer, note = _byte_level(metadata, tokens)
    else:
        tokenizer = _converted(header)
    _add_specials(tokenizer, metadata, tokens)
    named = {
        name: tokens[id_]
        for name, key in _NAMED.items()
        if isinstance(id_ := metadata.get(f"tokenizer.ggml.{key}_token_id"), int) and 0 <= id_ < len(tokens)
    }
    adds_bos = bool(metadata.get("tokenizer.ggml.add_bos_token", not byte_level)) and "bos_token" in named
    if adds_bos:
        _put_bos_first(tokenizer, named["bos_token"], tokens.index(named["bos_token"]))
    tokenizer.save(str(folder / "tokenizer.json"))
    context = metadata.get(f"{header.architecture}.context_length")
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context, "add_bos_token": adds_bos, **named},
    )
    if isinstance(template := metadata.get("tokenizer.chat_template"), str) and template:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    ends = {metadata.get(f"tokenizer.ggml.{key}") for key in _END_KEYS}
    return note, sorted(id_ for id_ in ends if isinstance(id_, int))


def _byte_level(metadata: dict[str, Any], tokens: list[str]) -> tuple[Tokenizer, str]:
    pre = str(metadata.get("tokenizer.ggml.pre", "default"))
    merges = [tuple(merge.split(" ", 1)) for merge in metadata.get("tokenizer.ggml.merges", [])]
    try:
        model = models.BPE(
            vocab={token: id_ for id_, token in enumerate(tokens)},
            merges=[(pair[0], pair[1]) for pair in merges],
            fuse_unk=False,
            byte_fallback=False,
            ignore_merges=pre in _WHOLE_WORDS_FIRST,
        )
    except Exception as error:  # the Rust side raises plain Exception
        raise CorruptFile(
            f"The vocabulary and its merges do not fit each other: {error}.", next_step="Get the file again."
        ) from error
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer, known = _splitter(pre)
    tokenizer.decoder = decoders.ByteLevel()
    if pre in _COMPOSED:
        tokenizer.normalizer = normalizers.NFC()
    note = (
        ""
        if known
        else f"Its file names a way of splitting text ({pre}) that is not known here; GPT-2's is used instead, "
        "so some words may become other tokens than the model was trained on."
    )
    return tokenizer, note


def _splitter(pre: str) -> tuple[pre_tokenizers.PreTokenizer, bool]:
    """How text is cut before merging, and whether that is known to be right for `pre`."""
    if pre in _GPT2:
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True), True
    if pre in _SINGLE_DIGITS:
        digits = pre_tokenizers.Digits(individual_digits=True)
        return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]), True
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    split = GGUF_PRE_TOKENIZER_SPLITS.get(pre)
    if split is None:
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True), False
    cut = pre_tokenizers.Split(Regex(split), behavior="isolated")
    return pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), True


def _converted(header: GgufHeader) -> Tokenizer:
    """Through transformers' converter (SentencePiece, Unigram)."""
    from transformers.integrations.gguf import GGUF_TOKENIZER_MAPPING, convert_gguf_tokenizer

    names: dict[str, str] = GGUF_TOKENIZER_MAPPING["tokenizer"]
    values = {
        name: header.metadata[f"tokenizer.{key}"]
        for key, name in names.items()
        if f"tokenizer.{key}" in header.metadata
    }
    try:
        tokenizer, _ = convert_gguf_tokenizer(header.architecture, values)
    except Exception as error:  # the converter raises what its classes raise
        raise ModelRefused(
            f"{header.path} has a tokenizer ({values.get('tokenizer_type')!r}) that transformers does not convert: "
            f"{error}.",
            next_step="Add the model's safetensors folder or hub id instead.",
        ) from error
    # through JSON: transformers hands back an object that it still owns
    return Tokenizer.from_str(tokenizer.to_str())


def _add_specials(tokenizer: Tokenizer, metadata: dict[str, Any], tokens: list[str]) -> None:
    kinds = metadata.get("tokenizer.ggml.token_type") or []
    control = [token for token, kind in zip(tokens, kinds, strict=False) if kind == _CONTROL]
    plain = [token for token, kind in zip(tokens, kinds, strict=False) if kind == _USER_DEFINED]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain])


def _put_bos_first(tokenizer: Tokenizer, bos: str, bos_id: int) -> None:
    safe = bos.replace(":", "")  # a template reads `name:type`, so the piece gets a name without a colon
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{safe} $A",
        pair=f"{safe} $A {safe}:1 $B:1",
        special_tokens=[{"id": safe, "ids": [bos_id], "tokens": [bos]}],
    )
