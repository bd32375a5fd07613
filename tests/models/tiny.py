"""Models of a few thousand parameters, made from transformers' own classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from core.models.token_bytes import byte_alphabet

SPECIALS = ("<s>", "</s>", "<|end|>")
MERGES = (("h", "e"), ("l", "l"), ("he", "ll"))
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"
)


def vocabulary() -> list[str]:
    """Special tokens, the 256 bytes, and a few merges."""
    return [*SPECIALS, *sorted(byte_alphabet()), *("".join(pair) for pair in MERGES)]


def save_tokenizer(folder: Path, *, template: str | None = TEMPLATE) -> None:
    """A byte-level tokenizer with `bos_token` <s> and `eos_token` </s>."""
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(vocabulary())}, merges=list(MERGES)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIALS))
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    if template:
        (folder / "chat_template.jinja").write_text(template)


def _save(model: Any, folder: Path, **saving: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(folder), **saving)
    save_tokenizer(folder)
    return folder


def save_llama(folder: Path, *, hidden: int = 32, context: int = 128, **saving: Any) -> Path:
    """Two layers, four heads, two key-value heads, tied embeddings. hidden 64: wide enough for the ONNX kernels."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=hidden,
        intermediate_size=hidden * 3 // 2,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        bos_token_id=0,
        eos_token_id=[1, 2],
        tie_word_embeddings=True,
    )
    return _save(LlamaForCausalLM(config), folder, **saving)


def save_gpt2(folder: Path) -> Path:
    """Two layers, four heads."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=len(vocabulary()), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    return _save(GPT2LMHeadModel(config), folder)


def save_bert(folder: Path, *, head: str = "BertForSequenceClassification") -> Path:
    """Two layers, two heads, under the head asked for."""
    import transformers

    config = transformers.BertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    return _save(getattr(transformers, head)(config), folder)


def save_encoder(folder: Path, *, head: str, **config: Any) -> Path:
    """A tiny BERT with a WordPiece tokenizer as BERT's, [MASK] included. Words: letters, and some of the proof text."""
    import torch
    import transformers
    from tokenizers import normalizers, processors

    words = ["the", "a", "model", "text", "of", "and", "is", "in", "to", "it", "that", "was", "for", "on", "are"]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'-"
    vocabulary_ = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *words]
    places = {token: place for place, token in enumerate(dict.fromkeys(vocabulary_))}
    tokenizer = Tokenizer(models.WordPiece(vocab=places, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", places["[CLS]"]), ("[SEP]", places["[SEP]"])]
    )
    torch.manual_seed(0)
    settings = transformers.BertConfig(
        vocab_size=len(places),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        pad_token_id=0,
        **config,
    )
    folder.mkdir(parents=True, exist_ok=True)
    getattr(transformers, head)(settings).save_pretrained(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "mask_token": "[MASK]",
                "pad_token": "[PAD]",
                "cls_token": "[CLS]",
                "sep_token": "[SEP]",
            }
        )
    )
    return folder


def save_gguf(
    folder: Path, path: Path, *, architecture: str = "llama", pre: str = "gpt-2", rope: tuple[float, Any] | None = None
) -> Path:
    """The Llama in `folder` as fp32 GGUF, laid out as llama.cpp's converter does. rope: base and table of factors."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name("Tiny Llama")
    writer.add_license("mit")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(vocabulary())
    writer.add_token_types([3 if token in SPECIALS else 1 for token in vocabulary()])
    writer.add_token_merges([" ".join(pair) for pair in MERGES])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_eot_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
    if rope:
        writer.add_rope_freq_base(rope[0])
        writer.add_tensor("rope_freqs.weight", rope[1])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, weights in load_file(str(folder / "model.safetensors")).items():
        if ".q_proj." in name or ".k_proj." in name:
            count = heads if ".q_proj." in name else kv_heads
            weights = weights.reshape(count, 2, -1, weights.shape[1]).swapaxes(1, 2).reshape(weights.shape)
        writer.add_tensor(f"{names.get_name(name.removesuffix('.weight'))}.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
