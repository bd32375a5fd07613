"""Personal data and secrets in texts: where they stand, how many there are, and the texts with them masked.

A text is first looked at for signs (an @, seven digits, a long word with digits); most texts have none and cost next
to nothing. What is found is never shown whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from core.artefacts import Progress, no_progress
from core.training.data.api_keys import api_keys
from core.training.data.findings import MOST_ROWS
from core.training.data.national_ids import national_ids
from core.training.data.personal import cards, emails, ibans, ipv4, ipv6, phones
from core.training.data.prepared import PrivacyFinding
from core.training.data.spans import Span

MASKS = {
    "API key or password": "[SECRET]",
    "e-mail": "[E-MAIL]",
    "payment card": "[CARD]",
    "IBAN": "[IBAN]",
    "national id": "[ID]",
    "IP address": "[IP]",
    "phone number": "[PHONE]",
}
"""What stands in place of each kind. Where two kinds overlap, the earlier one here is taken."""

EXAMPLES = 3
_EVERY = 2_000  # texts between two words of progress
_SEVEN_DIGITS = re.compile(r"\d(?:[^\d\n]{0,3}\d){6}")
_DIGIT = re.compile(r"\d")


def find(text: str) -> list[Span]:
    """What is personal or secret, in the order of the text; spans do not overlap."""
    found = sorted(_all(text), key=lambda span: (list(MASKS).index(span.kind), span.start, -span.end))
    chosen: list[Span] = []
    for span in found:
        if all(span.end <= other.start or span.start >= other.end for other in chosen):
            chosen.append(span)
    return sorted(chosen, key=lambda span: span.start)


def mask(text: str) -> tuple[str, int]:
    """The text with each find replaced by a word in brackets, and how many there were."""
    found = find(text)
    return _without(text, found), len(found)


def masked(text: str, found: Sequence[Span]) -> str:
    """The text without what `find` found in it."""
    return _without(text, found)


def find_all(texts: Sequence[str], progress: Progress = no_progress) -> dict[int, list[Span]]:
    """place in `texts` → what was found there; places without anything are not in it."""
    found = {}
    for place, text in enumerate(texts):
        if place % _EVERY == 0:
            progress(place / len(texts), f"Looking for personal data: {place:,} of {len(texts):,}")
        if spans := find(text):
            found[place] = spans
    return found


def scan(texts: Sequence[str]) -> tuple[PrivacyFinding, ...]:
    """Counts, rows (from 1) and shortened examples of each kind, the most frequent first."""
    return summed_up(texts, find_all(texts), range(1, len(texts) + 1))


def summed_up(
    texts: Sequence[str], found: Mapping[int, Sequence[Span]], rows: Sequence[int]
) -> tuple[PrivacyFinding, ...]:
    """What `find_all` found, by kind. rows: number of the row that each text is of."""
    counts: dict[str, int] = {}
    where: dict[str, dict[int, None]] = {}
    examples: dict[str, dict[str, None]] = {}
    for place, spans in found.items():
        for span in spans:
            counts[span.kind] = counts.get(span.kind, 0) + 1
            where.setdefault(span.kind, {})[rows[place]] = None
            shown = examples.setdefault(span.kind, {})
            if len(shown) < EXAMPLES:
                shown[shortened(texts[place][span.start : span.end])] = None
    return tuple(
        PrivacyFinding(kind, counts[kind], tuple(where[kind])[:MOST_ROWS], tuple(examples[kind]))
        for kind in sorted(counts, key=lambda kind: -counts[kind])
    )


def shortened(secret: str) -> str:
    """Enough to find it by, not enough to use it: "an…@….org", "41…11"."""
    name, at, domain = secret.partition("@")
    if at and "." in domain:
        return f"{name[:1]}…@….{domain.rpartition('.')[2]}"
    ends = 2 if len(secret) > 8 else 1
    return f"{secret[:ends]}…{secret[-ends:]}" if len(secret) > 4 else "…"


def _without(text: str, found: Sequence[Span]) -> str:
    for span in reversed(found):
        text = f"{text[: span.start]}{MASKS[span.kind]}{text[span.end :]}"
    return text


def _all(text: str) -> Iterator[Span]:
    if "@" in text:
        yield from emails(text)
    digits = len(_DIGIT.findall(text))
    if digits >= 7 and _SEVEN_DIGITS.search(text):
        yield from cards(text)
        yield from phones(text)
        yield from ibans(text)
    if digits >= 6:  # a British insurance number has six, with letters around them
        yield from national_ids(text)
    if digits >= 4 and text.count(".") >= 3:
        yield from ipv4(text)
    if "::" in text or text.count(":") >= 7:
        yield from ipv6(text)
    yield from api_keys(text)
