"""Tokens become text that is final: never half a UTF-8 character, never the beginning of a stop string."""

from __future__ import annotations

import codecs


class TextStream:
    """Feed it the bytes of each token; it gives back the text that became final.

    stop: strings that end the text. After one is met, `stopped` is True and it, and all that follows, is left out.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = stop
        self._held = ""
        self.stopped = False

    def push(self, data: bytes) -> str:
        """Text that became final with these bytes."""
        return self._release(self._decoder.decode(data))

    def finish(self) -> str:
        """The rest: what was held back; a broken character becomes U+FFFD."""
        text = self._release(self._decoder.decode(b"", final=True))
        if self.stopped:
            return text
        text, self._held = text + self._held, ""
        return text

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        if not self._stop:
            return text
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            final, self._held = self._held[: min(found)], ""
            return final
        keep = max((_overlap(self._held, stop) for stop in self._stop), default=0)
        final, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return final


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if stop.startswith(text[-length:]):
            return length
    return 0
