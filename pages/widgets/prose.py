"""Model output made safe for st.markdown: lists, tables, bold, code and web links stay; the rest is only text.

st.markdown does more than Markdown: `$…$` becomes LaTeX, `:red[…]`, `:material/…:` and `:smile:` become colour, icons
and emoji, `mermaid` fences become drawings, and an image is fetched from wherever the model says. A reader that only
looks for bad patterns and the browser's parser will disagree somewhere. So this one works the other way round: it
goes line by line, keeps what it recognises in a form that can be read in one way only (a fence is indented and closed,
a code span ends on its line, a link holds a plain web address), and escapes every other sign that could mean something.
The price is small: code indented by four spaces is treated as text, and footnotes and link titles are not supported.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"(?P<lead>[ ]*(?:(?:[-*+]|\d{1,9}[.)])[ ]+)*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")
_QUOTE = re.compile(r"(?: {0,3}> ?)*")
_LANGUAGE = re.compile(r"\s*(?!mermaid)([A-Za-z0-9_+#.-]{1,30})", re.IGNORECASE)  # mermaid would be drawn, not shown
_TABLE_RULE = re.compile(r"[\s>|:-]*-[\s|:-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85]")  # some of them are spaces to one parser and not to the next
_COLON_ENTITY = re.compile(r"&(?:#0*58|#[xX]0*3[aA]|colon);")

_SAFE = r"(?:https?://|mailto:)"
_TARGET = re.compile(
    rf"\(\s*(?P<url>{_SAFE}(?:[^\s<>()]|\((?:[^\s<>()]|\([^\s<>()]*\))*\))+)(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)", re.I
)
_DEFINITION = re.compile(rf":[ \t]*<?(?P<url>{_SAFE}[^\s<>()]+)>?", re.I)
_AUTOLINK = re.compile(rf"<(?P<url>{_SAFE}[^\s<>]+|[\w.+-]+@[\w.-]+)>", re.I | re.A)
_BARE = re.compile(r"(?:https?://|www\.)[\w./?#@&=+,;%~*'!()-]*", re.I | re.A)
_IMAGE = re.compile(rf"!+\[(?P<alt>[^\[\]]*)\]\(\s*(?P<url>{_SAFE})?[^()]*\)", re.I)
_BANGS = re.compile(r"!+(?P<bracket>\[)?")
_CELL = re.compile(r"\||(?:\\.|[^|\\])+|\\$")
_SHORTCODE = re.compile(r":(?:material/|(?!\d+:)[\w+-]+:|100:|1234:)", re.A)
_WORD_JOINER = "\u2060"  # unseen; keeps a colon and a name from being read as one shortcode, which `\:` alone does not
_IN_URL = {ord(sign): f"%{ord(sign):02X}" for sign in '`$\\[]{}|"!'}


def safe_markdown(text: str) -> str:
    """Model output as Markdown that can only be read as prose, code, tables and links to the web.

    Works on half an answer: a code fence that is still open is closed.
    """
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = _COLON_ENTITY.sub(":", plain).split("\n")
    out: list[str] = []
    tables = _table_lines(lines)
    place = 0
    while place < len(lines):
        block, used = _fenced(lines, place, previous=out[-1] if out else "")
        if used:
            out += block
            place += used
            continue
        line = lines[place]
        if place in tables and _TABLE_RULE.fullmatch(line):
            out.append(line)
        elif place in tables:
            out.append("".join(cell if cell == "|" else _inline(cell) for cell in _CELL.findall(line)))
        else:
            out.append(_inline(line))
        place += 1
    return "\n".join(out)


# ── blocks ──


def _table_lines(lines: list[str]) -> set[int]:
    """Lines of every paragraph that could be a table: there, a `|` ends a cell, and a code span with it."""
    found: set[int] = set()
    start = 0
    for place in range(len(lines) + 1):
        if place < len(lines) and lines[place].strip(" \t>"):
            continue
        chunk = lines[start:place]
        if any(_TABLE_RULE.fullmatch(line) and ("|" in line or ":" in line) for line in chunk):
            found.update(range(start, place))
        start = place + 1
    return found


def _fenced(lines: list[str], start: int, previous: str) -> tuple[list[str], int]:
    """The code block that begins at `start`, rewritten, and how many lines it took; ([], 0) if none begins there.

    Its lines are indented as far as the fence, so that none of them can end the list item that the fence stands in.
    """
    quote = _prefix(lines[start])
    opening = _FENCE.fullmatch(lines[start][len(quote) :].expandtabs(4))
    if not opening:
        return [], 0
    lead, fence, info = opening["lead"], opening["fence"], opening["info"]
    language = _LANGUAGE.match(info)
    indent = " " * len(lead)
    out = [quote + lead + fence + (language[1] if language else "")]
    if previous.strip(" >") and (lead.strip() or len(lead) > 3):
        out.insert(0, quote.rstrip())  # neither can begin in the middle of a paragraph
    depth = quote.count(">")
    place = start + 1
    while place < len(lines):
        inside = _prefix(lines[place], depth)
        if inside.count(">") < depth:
            break  # the quotation is over, and the block with it
        line = lines[place][len(inside) :]
        place += 1
        if re.fullmatch(rf"\s*{re.escape(fence[0])}{{{len(fence)},}}\s*", line):
            break
        out.append(quote + _indented(line, len(indent)) if line.strip() else quote.rstrip())
    out.append(quote + indent + fence)
    return out, place - start


def _prefix(line: str, depth: int | None = None) -> str:
    """The quotation marks that a line begins with, at most `depth` of them."""
    if depth == 0:
        return ""
    pattern = _QUOTE if depth is None else re.compile(rf"(?: {{0,3}}> ?){{0,{depth}}}")
    found = pattern.match(line)
    return found[0] if found else ""


def _indented(line: str, width: int) -> str:
    bare = line.lstrip(" \t")
    have = len(line[: len(line) - len(bare)].expandtabs(4))
    return line if not width else " " * max(have, width) + bare


# ── within a line ──


def _inline(line: str) -> str:
    out: list[str] = []
    place = 0
    near = ""  # "bare" or "link": until the next space, the browser may count what follows as part of an address
    while place < len(line):
        sign = line[place]
        bare = _BARE.match(line, place) if sign in "hHwW" else None
        piece, used = (bare[0].rstrip("!"), len(bare[0].rstrip("!"))) if bare else _piece(line, place, near)
        if sign.isspace() or sign == "<":
            near = ""
        elif bare:
            near = "bare"
        elif sign in "]!" and used > 1:
            near = near or "link"
        out.append(piece)
        place += used
    return "".join(out)


def _piece(line: str, place: int, near: str) -> tuple[str, int]:
    """What to write for the sign at `place`, and how many signs that covers."""
    sign = line[place]
    if near == "bare" and sign in "$\\`:":
        port = sign == ":" and not line[place + 1 : place + 2].isalpha()
        return (sign if port else f"%{ord(sign):02X}"), 1
    if sign == "\\":
        return _backslash(line, place)
    if sign == "`":
        return _backticks(line, place, near)
    if sign == "!":
        return _bang(line, place)
    if sign == "]":
        return _bracket(line, place)
    if sign == ":":
        return _colon(line, place)
    if sign == "<":
        link = _AUTOLINK.match(line, place)
        return (f"<{_address(link['url'])}>", len(link[0])) if link else ("\\<", 1)
    if sign == "$":
        return "\\$", 1
    if sign == "[" and line.startswith("[^", place):
        return "\\[^", 2
    if sign == "~" and line.startswith("~~~", place):
        run = len(line) - place - len(line[place:].lstrip("~"))
        return "\\~" * run, run
    return sign, 1


def _backslash(line: str, place: int) -> tuple[str, int]:
    """An escape stays one; but an escaped colon is treated as what it stands for."""
    if line.startswith(":", place + 1):
        piece, used = _colon(line, place + 1)
        return piece if piece.startswith("\\") else f"\\{piece}", used + 1
    return line[place : place + 2], len(line[place : place + 2])


def _backticks(line: str, place: int, near: str) -> tuple[str, int]:
    """A code span that ends on this line, as it is; otherwise the backticks, escaped."""
    run = len(line) - place - len(line[place:].lstrip("`"))
    closing = re.compile(rf"(?<!`)`{{{run}}}(?!`)").search(line, place + run)
    if closing and not near:
        return line[place : closing.end()], closing.end() - place
    return "\\`" * run, run


def _bang(line: str, place: int) -> tuple[str, int]:
    """An image becomes a link to it, or its description when it is no web address."""
    bangs = _BANGS.match(line, place)
    if not bangs or not bangs["bracket"]:
        run = len(bangs[0]) if bangs else 1
        return "!" * run, run
    image = _IMAGE.match(line, place)
    if not image or "`" in image["alt"]:
        return "\\!", 1
    if image["url"]:
        return "[" if image["alt"].strip() else "[image", len(bangs[0])
    return _inline(image["alt"]) or "image", len(image[0])


def _bracket(line: str, place: int) -> tuple[str, int]:
    """The end of a link's text: what follows must be a plain web address, or it is no link."""
    follower = line[place + 1 : place + 2]
    if follower == "(":
        target = _TARGET.match(line, place + 1)
        return (f"]({_address(target['url'])})", 1 + len(target[0])) if target else ("\\]", 1)
    if follower == ":":
        definition = _DEFINITION.match(line, place + 1)
        return (f"]: {_address(definition['url'])}", 1 + len(definition[0])) if definition else ("\\]", 1)
    return "]", 1


def _colon(line: str, place: int) -> tuple[str, int]:
    if _SHORTCODE.match(line, place):
        return f"\\:{_WORD_JOINER}", 1
    return (":", 1) if not line[place + 1 : place + 2].strip() else ("\\:", 1)


def _address(url: str) -> str:
    """An address without any sign that Markdown could take for its own."""
    scheme, colon, rest = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", url).partition(":")
    return scheme.translate(_IN_URL) + colon + re.sub(r":(?!\d)", "%3A", rest).translate(_IN_URL)
