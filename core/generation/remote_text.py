"""A server's pieces become token events: text that is final, one event a token where the server tells tokens.

The text is the server's own (`delta.content`). The bytes of its tokens only say which token has which part of it; where
the two disagree (text held back for a stop string, an end token), the last token of the piece has all of it.
"""

from __future__ import annotations

import codecs

from core.generation.remote_wire import Entry, Piece
from core.generation.request import TokenEvent
from core.generation.text import TextStream


class RemoteText:
    """Feed it the pieces of one answer. stop: servers differ in whether they leave it out, so it is cut here too."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._stream = TextStream(stop)
        self._tokens = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._halves = codecs.getincrementaldecoder("utf-16-le")(errors="replace")  # joins surrogates across pieces
        self._index = 0

    @property
    def stopped(self) -> bool:
        """A stop string was met; what follows is left out."""
        return self._stream.stopped

    def events(self, piece: Piece) -> list[TokenEvent]:
        """The tokens of a piece, or the piece as one; none for a piece without text."""
        text = self._halves.decode(piece.text.encode("utf-16-le", "surrogatepass"))
        if not piece.entries:
            self._tokens.reset()
            return [self._event(None, text, piece.time_s)] if text and not self.stopped else []
        events: list[TokenEvent] = []
        for entry, part in zip(piece.entries, self._parts(piece.entries, text), strict=True):
            if self.stopped:
                break
            events.append(self._event(entry, part, piece.time_s))
        return events

    def finish(self, time_s: float) -> list[TokenEvent]:
        """What was held back, as an event of its own, if there is any."""
        rest = self._stream.push(self._halves.decode(b"", final=True).encode()) + self._stream.finish()
        if not rest:
            return []
        self._index += 1
        return [TokenEvent(self._index - 1, -1, rest, rest, None, None, (), time_s)]

    def _parts(self, entries: tuple[Entry, ...], text: str) -> list[str]:
        parts = [self._tokens.decode(entry.data) for entry in entries]
        return parts if "".join(parts) == text else [*[""] * (len(parts) - 1), text]

    def _event(self, entry: Entry | None, text: str, time_s: float) -> TokenEvent:
        self._index += 1
        return TokenEvent(
            index=self._index - 1,
            token_id=-1,
            text=self._stream.push(text.encode()),
            token_text=entry.token if entry else text,
            logprob=entry.logprob if entry else None,
            sampled_probability=None,
            alternatives=entry.alternatives if entry else (),
            time_s=time_s,
        )
