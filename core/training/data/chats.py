"""Chats as models learn them: an optional system turn, then user and assistant by turns, an answer at the end.

Takes what people have: `messages` of OpenAI's shape, `from`/`value` of ShareGPT's, either as JSON text in a cell.
"""

from __future__ import annotations

import json
from typing import Any

from core.training.data.findings import about_rows
from core.training.data.prepared import Finding

Chat = list[dict[str, str]]

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
"""Roles by the names that files give them."""


class BadChat(ValueError):
    """Why one row is no chat: the words of a finding, such as "unknown role"."""


def read_chat(cell: Any) -> Chat:
    """One row's turns. Raises BadChat."""
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise BadChat("no JSON") from error
    if not isinstance(cell, list) or not cell:
        raise BadChat("no list of turns")
    turns = [_turn(turn) for turn in cell]
    if turns[0]["role"] == "system" and not turns[0]["content"].strip():
        turns = turns[1:]
    _check_order(turns)
    return turns


def turns_of(prompt: str, completion: str) -> Chat:
    """A question and its answer, as a cell of messages would hold them."""
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]


def chat_text(chat: Chat) -> str:
    """All turns as one text, to tell chats apart and to look for personal data."""
    return "\n".join(turn["content"] for turn in chat)


def chat_findings(faults: dict[str, list[int]]) -> list[Finding]:
    """faults: rows by what is wrong with them."""
    return [
        finding
        for fault, rows in faults.items()
        for finding in about_rows(
            "bad chats",
            "warning",
            f"{{n}} {{rows}} no whole chat and left out: {fault}",
            rows,
            next_step='A row is [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
        )
    ]


def _turn(turn: Any) -> dict[str, str]:
    if not isinstance(turn, dict):
        raise BadChat("a turn is no object")
    role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
    if isinstance(content, list):  # parts, of which the texts count
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(role, str) or role.strip().casefold() not in ROLES:
        raise BadChat("a role that is not system, user or assistant")
    if not isinstance(content, str):
        raise BadChat("a turn without content")
    return {"role": ROLES[role.strip().casefold()], "content": content}


def _check_order(turns: Chat) -> None:
    spoken = turns[1:] if turns[:1] and turns[0]["role"] == "system" else turns
    if not any(turn["role"] == "assistant" for turn in spoken):
        raise BadChat("no answer of the assistant")
    for place, turn in enumerate(spoken):
        if turn["role"] != ("user", "assistant")[place % 2]:
            raise BadChat("user and assistant do not take turns, beginning with the user")
        if not turn["content"].strip():
            raise BadChat("an empty turn")
    if spoken[-1]["role"] != "assistant":
        raise BadChat("the last turn is no answer")
