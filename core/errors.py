"""What may go wrong, in the user's words.

Every error says what happened, the value that caused it, what is allowed and what to do next. Code in `core` raises
these; pages and the command line turn them into a message. A user never sees a traceback.
"""

from __future__ import annotations


class GroundworkError(Exception):
    """Base of everything a user may be told. `str(error)` is the whole message.

    happened: what went wrong, with the value that caused it. allowed: what would have been accepted ("" when that
    does not apply). next_step: what the reader can do now.
    """

    def __init__(self, happened: str, *, allowed: str = "", next_step: str = "") -> None:
        self.happened = happened
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(" ".join(part for part in (happened, allowed, next_step) if part))


class InvalidInput(GroundworkError):
    """A value the user gave is out of range or of the wrong kind."""


class ModelNotFound(GroundworkError):
    """No such model in the catalogue, on disk or on the hub."""


class ModelRefused(GroundworkError):
    """The model exists but will not be loaded: pickled weights, custom code, unknown architecture."""


class CorruptFile(GroundworkError):
    """A file is truncated, tampered with or not of the kind its name says."""


class ExportFailed(GroundworkError):
    """A model could not be built as ONNX, or its export did not pass its proof."""


class DeviceUnavailable(GroundworkError):
    """The device, precision or backend asked for cannot be had on this machine."""


class ContextOverflow(GroundworkError):
    """The prompt does not fit the model's context.

    prompt_tokens, context_length: in tokens. over_by: how many tokens have to go.
    """

    def __init__(self, prompt_tokens: int, context_length: int) -> None:
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length
        self.over_by = prompt_tokens + 1 - context_length
        super().__init__(
            f"The prompt has {prompt_tokens:,} tokens, {self.over_by:,} too many for this model.",
            allowed=f"It reads {context_length:,} tokens at most, with room for at least one token of answer.",
            next_step="Shorten the text, or drop the oldest turns.",
        )


class RemoteFailed(GroundworkError):
    """Another machine's server would not answer, or not to the end."""


class Busy(GroundworkError):
    """Too many runs wait for this model already."""


class StorageError(GroundworkError):
    """The disk or the database would not take or give what was asked."""


class NotFound(GroundworkError):
    """No row of that id in the record."""


class Cancelled(GroundworkError):
    """The user stopped it."""

    def __init__(self, what: str = "The work") -> None:
        super().__init__(
            f"{what} was cancelled.", next_step="Start it again when you like: nothing was left half-made."
        )
