"""`shape`: cells of a file become rows of a kind, with the columns that `prepared` lists, or a finding says why not."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pandas as pd

from core.training.data.chats import BadChat, Chat, chat_findings, read_chat, turns_of
from core.training.data.findings import about_rows
from core.training.data.numbers import as_numbers, is_blank
from core.training.data.prepared import Finding, Kind
from core.training.data.read import Table
from core.training.data_config import Columns

NO_GROUP = "(none)"


def shape(frame: pd.DataFrame, kind: Kind, columns: Columns) -> Table:
    """Rows of the kind, `row` and `group` among their columns. Rows that cannot be read stay out and are told."""
    shapers = {"chat": _chats, "text": _texts, "labelled": _labelled, "numbers": _numbers}
    shaped, findings = shapers[kind](frame, columns)
    shaped["row"] = [int(index) + 1 for index in shaped.index]
    if columns.group:
        shaped["group"] = pd.Series([label_of(cell) or NO_GROUP for cell in frame.loc[shaped.index, columns.group]])
        shaped["group"] = shaped["group"].to_numpy()
    return Table(shaped.reset_index(drop=True), tuple(findings))


def text_of(cell: Any) -> str:
    """A cell as text to learn from: "" for nothing, JSON for a list or an object."""
    if isinstance(cell, str):
        return cell
    if cell is None or cell != cell:
        return ""
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, (list, dict)) else str(cell)


def label_of(cell: Any) -> str:
    """A cell as the name of a class: 1.0 and "1" and 1 are one class."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(text_of(cell).split())


def _texts(frame: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, list[Finding]]:
    return pd.DataFrame({"text": _strings(frame, columns.text)}, index=frame.index), []


def _labelled(frame: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, list[Finding]]:
    labels = pd.Series([label_of(cell) for cell in frame[columns.label]], index=frame.index, dtype="str")
    return pd.DataFrame({"text": _strings(frame, columns.text), "label": labels}, index=frame.index), []


def _strings(frame: pd.DataFrame, column: str) -> pd.Series:
    return pd.Series([text_of(cell) for cell in frame[column]], index=frame.index, dtype="str")


def _chats(frame: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, list[Finding]]:
    faults: dict[str, list[int]] = defaultdict(list)
    kept: dict[int, Chat] = {}
    if columns.messages:
        cells = list(frame[columns.messages])
    else:
        pairs = zip(_strings(frame, columns.prompt), _strings(frame, columns.completion), strict=True)
        cells = [turns_of(prompt, completion) for prompt, completion in pairs]
    for index, cell in zip(frame.index, cells, strict=True):
        try:
            kept[int(index)] = read_chat(cell)
        except BadChat as fault:
            faults[str(fault)].append(int(index) + 1)
    messages = pd.Series(list(kept.values()), index=list(kept), dtype=object)
    return pd.DataFrame({"messages": messages}), chat_findings(faults)


def _numbers(frame: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, list[Finding]]:
    """Features and `target` as float64; a feature of the name "target" that is not the target gets another name."""
    findings: list[Finding] = []
    found: dict[str, pd.Series] = {}
    for name in (*columns.features, columns.target):
        numbers = as_numbers(frame[name])
        odd = numbers.isna() & ~is_blank(frame[name]) & (frame[name].map(text_of).str.casefold() != "nan")
        findings += about_rows(
            "not a number",
            "warning",
            f"{{n}} {{have}} no number in {name!r}",
            [int(index) + 1 for index in frame.index[odd]],
            next_step="Correct these cells; rows without a number stay out.",
        )
        found[feature_name(name) if name != columns.target else "target"] = numbers
    return pd.DataFrame(found, index=frame.index), findings


def feature_name(column: str) -> str:
    """The column's name, unless the frame uses that for something else."""
    taken = ("target", "row", "group", "label", "text", "messages", "image", "digest")
    return f"{column} " if column in taken else column
