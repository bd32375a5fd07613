"""Findings in words: how a sentence with a count and the rows it is about is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.training.data.prepared import Finding, Severity

MOST_ROWS = 48
"""Rows that a finding names; `count` tells how many there are."""


def about_rows(code: str, severity: Severity, told: str, rows: Iterable[int], *, next_step: str = "") -> list[Finding]:
    """One finding, or none without rows. told: `{n}` is the count, `{rows}` and other nouns agree with it and bring
    their verb: "3 rows are", "1 line is"."""
    found = list(rows)
    if not found:
        return []
    one = len(found) == 1
    words = {
        "rows": "row is" if one else "rows are",
        "lines": "line is" if one else "lines are",
        "entries": "entry is" if one else "entries are",
        "files": "file is" if one else "files are",
        "have": "row has" if one else "rows have",
    }
    sentence = told.format(n=f"{len(found):,}", **words) + f" ({name_rows(found)})."
    return [Finding(code, severity, sentence, len(found), tuple(found[:MOST_ROWS]), next_step)]


def name_rows(rows: Sequence[int], most: int = 8) -> str:
    """ "row 3", "rows 3, 4 and 9", "rows 3, 4, … and 12 more"."""
    if len(rows) == 1:
        return f"row {rows[0]:,}"
    named = [f"{row:,}" for row in rows[:most]]
    if len(rows) > most:
        return f"rows {', '.join(named)} and {len(rows) - most:,} more"
    return f"rows {', '.join(named[:-1])} and {named[-1]}"
