"""Which column plays which part: as asked, or found by its name; and so what kind of rows a file has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.errors import InvalidInput
from core.training.data.numbers import as_numbers, is_numeric
from core.training.data.prepared import Kind
from core.training.data_config import Columns

NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversation", "conversations", "chat", "turns", "dialogue", "dialog"),
    "prompt": ("prompt", "instruction", "question", "query", "input", "user"),
    "completion": ("completion", "response", "answer", "output", "reply", "assistant"),
    "text": ("text", "sentence", "content", "body", "message", "review", "comment", "description", "document", "tweet"),
    "label": ("label", "labels", "class", "category", "intent", "sentiment", "topic", "target", "tag"),
    "target": ("target", "y", "price", "value", "label", "output"),
    "group": ("group", "subgroup", "segment", "channel"),
}
"""Names by which a column is found, the likeliest first."""

_TEXT_LIKE = 20
"""Characters; a column whose cells are longer on average is a text."""


def resolve_columns(frame: pd.DataFrame, recipe: str, asked: Columns) -> tuple[Kind, Columns]:
    """The kind of rows for a recipe, and the columns with every part that matters filled in.

    Raises InvalidInput that names what is missing and the columns there are.
    """
    there = [str(name) for name in frame.columns]
    _check_asked(there, asked)
    group = asked.group or _found("group", there)
    if recipe == "regression":
        return "numbers", _numbers(frame, there, asked, group)
    if recipe == "classification":
        return "labelled", _labelled(frame, there, asked, group)
    if recipe == "causal":
        found = _chat(there, asked, group)
        if found is not None:
            return "chat", found
    if recipe in ("causal", "gpt", "masked"):
        text = asked.text or _text_column(frame, there, taken=(group,))
        if not text:
            chats = "; a chat, too: messages, or prompt and completion" if recipe == "causal" else ""
            raise _missing("text", there, extra=chats)
        return "text", Columns(text=text, group=group)
    raise InvalidInput(f"{recipe!r} does not learn from a table.", allowed="A zip or a folder of images.")


def _check_asked(there: Sequence[str], asked: Columns) -> None:
    named: dict[str, Any] = asked.model_dump()
    wanted = [(part, name) for part, name in named.items() if part != "features" and name]
    wanted += [("features", name) for name in asked.features]
    absent = [f"{part} is to be {name!r}" for part, name in wanted if name not in there]
    if absent:
        raise InvalidInput(
            f"No such column: {'; '.join(absent)}.", allowed=_listed(there), next_step="Choose one of these columns."
        )


def _chat(there: Sequence[str], asked: Columns, group: str) -> Columns | None:
    """None where the file has no chats, or a text was asked for."""
    if asked.text:
        return None
    messages = asked.messages or ("" if asked.prompt or asked.completion else _found("messages", there))
    if messages:
        return Columns(messages=messages, group=group)
    prompt = asked.prompt or _found("prompt", there, taken=(asked.completion,))
    completion = asked.completion or _found("completion", there, taken=(prompt,))
    if prompt and completion:
        return Columns(prompt=prompt, completion=completion, group=group)
    if asked.prompt or asked.completion:
        raise _missing("completion" if asked.prompt else "prompt", there)
    return None


def _labelled(frame: pd.DataFrame, there: Sequence[str], asked: Columns, group: str) -> Columns:
    label = asked.label or _found("label", there, taken=(asked.text, group))
    text = asked.text or _text_column(frame, there, taken=(label, group))
    if not label:
        others = [name for name in there if name not in (text, group)]
        label = others[0] if len(others) == 1 else ""
    absent = [part for part, name in (("text", text), ("label", label)) if not name]
    if absent:
        raise _missing(" and ".join(absent), there)
    if text == label:
        raise InvalidInput(f"{text!r} is both the text and the label.", allowed="Two columns.")
    return Columns(text=text, label=label, group=group)


def _numbers(frame: pd.DataFrame, there: Sequence[str], asked: Columns, group: str) -> Columns:
    numeric = [name for name in there if name not in (group, *asked.features) and is_numeric(frame[name])]
    target = asked.target or _found("target", numeric) or (numeric[-1] if numeric else "")
    if not target:
        raise _missing("target", there, extra="; a column of numbers")
    if not as_numbers(frame[target]).notna().any():
        raise InvalidInput(f"The target {target!r} holds no numbers.", allowed=_listed(numeric))
    features = asked.features or tuple(name for name in numeric if name != target)
    if not features:
        raise InvalidInput(
            f"Besides the target {target!r} there is no column of numbers.",
            allowed=_listed(there),
            next_step="Add a column of numbers to predict it from.",
        )
    if target in features:
        raise InvalidInput(f"{target!r} is both the target and a feature.", next_step="Leave it out of the features.")
    return Columns(target=target, features=features, group=group)


def _text_column(frame: pd.DataFrame, there: Sequence[str], taken: Sequence[str]) -> str:
    """Found by its name; else the only column, or the one with the longest cells, when they are long."""
    if named := _found("text", there, taken):
        return named
    free = [name for name in there if name not in taken]
    cells = {name: [cell for cell in frame[name].head(200) if isinstance(cell, str)] for name in free}
    means = {name: sum(map(len, texts)) / len(texts) for name, texts in cells.items() if texts}
    best = max(means, key=lambda name: means[name], default="")
    return best if best and (len(free) == 1 or means[best] >= _TEXT_LIKE) else ""


def _found(part: str, there: Sequence[str], taken: Sequence[str] = ()) -> str:
    folded = {name.strip().casefold(): name for name in reversed(there) if name not in taken}
    return next((folded[name] for name in NAMES[part] if name in folded), "")


def _missing(part: str, there: Sequence[str], extra: str = "") -> InvalidInput:
    return InvalidInput(
        f"No column is recognised as {part}.",
        allowed=f"{_listed(there)[:-1]}{extra}.",
        next_step="Say which column is which.",
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    return f"Columns of the file: {shown or 'none of numbers'}."
