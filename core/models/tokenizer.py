"""`Tokenizer`: text ↔ token ids of a prepared model, its bytes token by token, and its chat template.

Stands on `tokenizers` and Jinja2 alone: serving imports neither torch nor transformers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as FastTokenizer

from core.errors import CorruptFile, InvalidInput, ModelNotFound
from core.models.chat_template import Message, render_plain, render_template
from core.models.token_bytes import TokenSpelling

CHAT_TEMPLATE_FILE = "chat_template.jinja"
_NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class Tokenizer:
    """The tokenizer of one prepared model. Immutable after `load`, safe to share between threads."""

    def __init__(self, fast: FastTokenizer, settings: dict[str, Any], template: str | None) -> None:
        """settings: config.json, tokenizer_config.json and generation_config.json under those keys, {} if absent."""
        self._fast = fast
        self._template = template
        added = fast.get_added_tokens_decoder()
        self._spelling = TokenSpelling(fast, {id_: token.content for id_, token in added.items()})
        self._named = _named_tokens(settings, fast)
        self.special_ids: frozenset[int] = frozenset(id_ for id_, token in added.items() if token.special)
        self.eos_ids: tuple[int, ...] = _eos_ids(settings, self._named, fast)
        self.bos_id: int | None = fast.token_to_id(self._named["bos_token"]) if "bos_token" in self._named else None
        self.vocabulary_size: int = fast.get_vocab_size(with_added_tokens=True)
        bare = fast.encode("", add_special_tokens=True).ids
        self._adds_bos = self.bos_id is not None and bare[:1] == [self.bos_id]

    @classmethod
    def load(cls, folder: Path) -> Tokenizer:
        """Read a prepared folder. Raises ModelNotFound without a tokenizer.json, CorruptFile if it does not parse."""
        fast = load_fast(folder)
        names = ("config", "tokenizer_config", "generation_config", "special_tokens_map")
        settings = {name: read_json(folder / f"{name}.json") for name in names}
        return cls(fast, settings, _chat_template(folder, settings["tokenizer_config"]))

    @property
    def has_chat_template(self) -> bool:
        return self._template is not None

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        """Token ids; special tokens written in the text are parsed. Never a second BOS; lone surrogates → U+FFFD."""
        ids: list[int] = self._fast.encode(well_formed(text), add_special_tokens=add_special_tokens).ids
        if add_special_tokens and self._adds_bos and ids[1:2] == [self.bos_id]:
            return ids[1:]
        return ids

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """The text; ids that no token has (a model's padded vocabulary) are left out."""
        known = [id_ for id_ in ids if self._spelling.is_known(id_)]
        return str(self._fast.decode(known, skip_special_tokens=skip_special_tokens))

    def token_bytes(self, token_id: int) -> bytes:
        """Exactly the bytes that a token stands for; b"" for an id that no token has."""
        return self._spelling.bytes_of(token_id)

    def token_text(self, token_id: int) -> str:
        """A token for display: its text, with bytes that are no whole character as ⟨0xF0⟩."""
        if not self._spelling.is_known(token_id):
            return f"⟨id {token_id}⟩"
        return _display(self.token_bytes(token_id))

    def continues_word(self, token_id: int) -> bool | None:
        """Whether a token goes on with the word before it, where the vocabulary marks that (WordPiece); else None."""
        return self._spelling.continues_word(token_id)

    def render(
        self, messages: Sequence[Message], add_generation_prompt: bool = True, continue_final: bool = False
    ) -> str:
        """The conversation as text, through the model's chat template (as transformers renders it).

        continue_final leaves the last message open for the model to go on with, and rules out a generation prompt.
        Without a template: `System: …\\nUser: …\\nAssistant:`. Raises InvalidInput for an empty or unacceptable one.
        """
        if not messages:
            raise InvalidInput("The conversation is empty.", next_step="Write at least one message.")
        clean = [(role, well_formed(content)) for role, content in messages]
        if self._template is None:
            return render_plain(clean, add_generation_prompt=add_generation_prompt, continue_final=continue_final)
        return render_template(
            self._template,
            clean,
            self._named,
            add_generation_prompt=add_generation_prompt,
            continue_final=continue_final,
        )

    def encode_chat(
        self, messages: Sequence[Message], add_generation_prompt: bool = True, continue_final: bool = False
    ) -> list[int]:
        """Token ids of the rendered conversation, with one BOS where the model wants one.

        A template writes its own special tokens; only the plain fallback gets the tokenizer's BOS in front.
        """
        text = self.render(messages, add_generation_prompt, continue_final)
        ids = self.encode(text)
        if self._template is None and self._adds_bos and self.bos_id is not None and ids[:1] != [self.bos_id]:
            return [self.bos_id, *ids]
        return ids


def well_formed(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates replaced: neither tokenizers nor UTF-8 take those."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _display(data: bytes) -> str:
    parts: list[str] = []
    while data:
        try:
            parts.append(data.decode("utf-8"))
            break
        except UnicodeDecodeError as error:
            parts.append(data[: error.start].decode("utf-8"))
            parts.extend(f"⟨0x{byte:02X}⟩" for byte in data[error.start : error.end])
            data = data[error.end :]
    return "".join(parts)


def load_fast(folder: Path, next_step: str = "Prepare the model again.") -> FastTokenizer:
    """tokenizer.json; it neither cuts nor pads. Raises ModelNotFound without one, CorruptFile if it does not parse."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelNotFound(f"There is no tokenizer.json in {folder}.", next_step=next_step)
    try:
        fast = FastTokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises plain Exception
        raise CorruptFile(f"{path} does not parse: {error}.", next_step=next_step) from error
    fast.no_truncation()  # files saved for training may cut at 128 tokens and pad
    fast.no_padding()
    return fast


def read_json(path: Path, next_step: str = "Prepare the model again.") -> dict[str, Any]:
    """A JSON object; {} when the file is not there or holds none. Raises CorruptFile if it does not parse."""
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptFile(f"{path} is not JSON: {error}.", next_step=next_step) from error
    return values if isinstance(values, dict) else {}


def _chat_template(folder: Path, tokenizer_config: dict[str, Any]) -> str | None:
    path = folder / CHAT_TEMPLATE_FILE
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return template_of(tokenizer_config.get("chat_template"))


def template_of(value: Any) -> str | None:
    """The template out of a `chat_template` value: text, or a list of named ones of which `default` counts."""
    if isinstance(value, list):
        named = {entry.get("name"): entry.get("template") for entry in value if isinstance(entry, dict)}
        value = named.get("default", next(iter(named.values()), None))
    return value if isinstance(value, str) and value else None


def _named_tokens(settings: dict[str, Any], fast: FastTokenizer) -> dict[str, str]:
    """bos_token, eos_token… → their text: tokenizer_config.json, else special_tokens_map.json, else config.json."""
    named: dict[str, str] = {}
    for name in _NAMED_TOKENS:
        for origin in ("tokenizer_config", "special_tokens_map"):
            if name in settings.get(origin, {}):
                value = settings[origin][name]
                text = value.get("content") if isinstance(value, dict) else value
                if isinstance(text, str):
                    named[name] = text
                break
        else:
            id_ = settings.get("config", {}).get(f"{name}_id")
            text = fast.id_to_token(id_) if isinstance(id_, int) and id_ >= 0 else None
            if text is not None:
                named[name] = text
    return named


def _eos_ids(settings: dict[str, Any], named: dict[str, str], fast: FastTokenizer) -> tuple[int, ...]:
    found: set[int] = set()
    for origin in ("generation_config", "config"):
        found.update(_integers(settings.get(origin, {}).get("eos_token_id")))
    if "eos_token" in named and (id_ := fast.token_to_id(named["eos_token"])) is not None:
        found.add(id_)
    return tuple(sorted(found))


def _integers(value: Any) -> Iterable[int]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, int) and not isinstance(item, bool) and item >= 0]
