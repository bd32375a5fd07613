"""The exact bytes that a token stands for, for the ways in which vocabularies spell bytes.

Byte-level BPE writes each byte as one printable character (GPT-2's table). SentencePiece writes a space as ▁ and a byte
that has no token as <0xNN>. WordPiece marks the rest of a word with ##.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tokenizers import Tokenizer as FastTokenizer

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = "▁"


class TokenSpelling:
    """Reads tokens of one vocabulary as bytes. added: id → text of added tokens, which stand for themselves."""

    def __init__(self, fast: FastTokenizer, added: Mapping[int, str]) -> None:
        self._fast = fast
        self._added = added
        state = _decoder_state(fast)
        self._read = _reader(state)
        self._continuation = _word_piece_prefix(state)
        self._seen: dict[int, bytes] = {}

    def is_known(self, token_id: int) -> bool:
        """Whether a token has that id."""
        return 0 <= token_id < 2**32 and self._fast.id_to_token(token_id) is not None

    def bytes_of(self, token_id: int) -> bytes:
        """The bytes of a token; b"" for an unknown id."""
        if (seen := self._seen.get(token_id)) is not None:
            return seen
        if token_id in self._added:
            data = self._added[token_id].encode()
        else:
            token = self._fast.id_to_token(token_id) if self.is_known(token_id) else None
            data = b"" if token is None else self._read(token)
        self._seen[token_id] = data
        return data

    def continues_word(self, token_id: int) -> bool | None:
        """Whether a token goes on with the word before it, where the vocabulary marks that (WordPiece); else None."""
        if self._continuation is None:
            return None
        token = self._fast.id_to_token(token_id) if self.is_known(token_id) else None
        return token is not None and token_id not in self._added and token.startswith(self._continuation)


def _decoder_state(fast: FastTokenizer) -> dict[str, Any]:
    decoder = fast.decoder
    state: dict[str, Any] = json.loads(decoder.__getstate__()) if decoder is not None else {}
    return state


def _reader(state: dict[str, Any]) -> Callable[[str], bytes]:
    parts = state.get("decoders", [state])
    kinds = {part.get("type") for part in parts}
    if "ByteLevel" in kinds:
        return _read_byte_level
    if "ByteFallback" in kinds or "Metaspace" in kinds:
        space = next((part["replacement"] for part in parts if part.get("type") == "Metaspace"), _SPACE)
        return lambda token: _read_sentencepiece(token, space)
    if (prefix := _word_piece_prefix(state)) is not None:
        return lambda token: token.removeprefix(prefix).encode()
    suffix = next((part["suffix"] for part in parts if part.get("type") == "BPEDecoder"), None)
    if suffix:
        return lambda token: token.replace(suffix, " ").encode()
    return str.encode


def _word_piece_prefix(state: dict[str, Any]) -> str | None:
    parts = state.get("decoders", [state])
    return next((part["prefix"] for part in parts if part.get("type") == "WordPiece"), None)


def _read_byte_level(token: str) -> bytes:
    table = byte_alphabet()
    return b"".join(bytes([table[sign]]) if sign in table else sign.encode() for sign in token)


def _read_sentencepiece(token: str, space: str) -> bytes:
    if match := _BYTE_TOKEN.fullmatch(token):
        return bytes([int(match[1], 16)])
    return token.replace(space, " ").encode()


@cache
def byte_alphabet() -> dict[str, int]:
    """GPT-2's table: printable character → the byte it stands for (openai/gpt-2 `encoder.py`, `bytes_to_unicode`)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
