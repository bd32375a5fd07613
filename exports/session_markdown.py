"""A session to read: the active branch as Markdown, with the model and its speed under each answer.

Messages keep their Markdown, but cannot break out of their place: their headings move below ours, a code fence left
open is closed, and HTML at the start of a line is shown as text.
"""

from __future__ import annotations

import re

from core.store.database import Database
from core.store.runs import RunRecord, RunRepository
from core.store.sessions import SessionRepository

SPEAKERS = {"system": "System", "user": "User", "assistant": "Model"}
LOWEST_OWN_HEADING = 2  # "# title" and "## turn" are ours

_LINE_END = re.compile(r"\r\n|\n|\r")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"^( {0,3})(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_HTML_START = re.compile(r"^( {0,3})<")


def session_markdown(db: Database, session_id: str) -> bytes:
    """The active branch as Markdown in UTF-8. Times in UTC. Raises NotFound."""
    sessions, runs = SessionRepository(db), RunRepository(db)
    session, branch = sessions.get(session_id), sessions.path(session_id)
    by_id = {run.id: run for run in runs.list(limit=len(sessions.messages(session_id)), session_id=session_id)}
    parts = [f"# {_escaped(session.title)}", f"{session.created_at:%Y-%m-%d %H:%M} UTC"]
    if session.system_prompt.strip():
        parts += ["## System prompt", contained(session.system_prompt)]
    for number, message in enumerate(branch, start=1):
        parts.append(f"## {number}. {SPEAKERS.get(message.role, message.role)}")
        run = by_id.get(message.run_id or "")
        if run is not None:
            parts.append(f"*{_model_line(run)}*")
        parts.append(contained(message.content))
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8")


def contained(text: str) -> str:
    """`text` such that it cannot be taken for a part of the document around it (see the module)."""
    lines: list[str] = []
    fence = ""
    for line in _LINE_END.split(text.strip("\r\n")):
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
        else:
            line = _outside_fence(line, after_text=bool(lines and lines[-1].strip()))
        lines.append(line)
    if fence:
        lines.append(fence)
    return "\n".join(lines)


def _outside_fence(line: str, *, after_text: bool) -> str:
    heading = _HEADING.match(line)
    if heading:
        level = min(6, len(heading[2]) + LOWEST_OWN_HEADING)
        return heading[1] + "#" * level + line[heading.end() :]
    # A line of = or - makes a heading of the line above it; escaped, it is text.
    if after_text and _UNDERLINE.match(line):
        return "\\" + line.lstrip()
    return _HTML_START.sub(r"\1\\<", line)


def _model_line(run: RunRecord) -> str:
    facts = [
        _escaped(run.model_id),
        run.precision,
        f"{run.backend} on {run.device}",
        f"{run.completion_tokens:,} tokens",
    ]
    if run.tokens_per_s is not None:
        facts.append(f"{run.tokens_per_s:.1f} tokens/s")
    if run.ttft_s is not None:
        facts.append(f"first token after {run.ttft_s:.2f} s")
    if run.status != "done":
        facts.append(run.status)
    elif run.finish_reason == "length":
        facts.append("cut at its length limit")
    return " · ".join(filter(None, facts))  # a server does not tell its precision


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
