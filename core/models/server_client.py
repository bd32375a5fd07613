"""The official `openai` client, set up for a server of the user's own choice, and its faults in our words.

Importing this imports openai, which takes half a second: do it where a server is asked, not where one is listed.
No message here holds the key, not even when the server repeats it, and none has openai's exception as its cause: that
one holds what the server said word for word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import SecretStr

from core.errors import InvalidInput, RemoteFailed
from core.settings import get_settings

CONNECT_S = 10.0
LIST_S = 15.0  # a model list needs no thought
WORDS = 300  # characters of a server's own message that are shown
NO_KEY = "none"  # the client insists on a key; servers without one ignore it

_ANOTHER_LANGUAGE = (ValueError, TypeError, AttributeError, KeyError, IndexError)  # from reading what it sent
_TOO_LONG = re.compile(r"context.{0,20}(length|size|window)|maximum.{0,20}length|too (long|many tokens)", re.IGNORECASE)


class ServerClient(openai.OpenAI):
    """Tells the server its own key and nothing else: OPENAI_* variables and platform facts are not for it."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return dict(_HEADERS)


class AsyncServerClient(openai.AsyncOpenAI):
    """The same, for answers: what waits can be cancelled, whatever it waits for."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return dict(_HEADERS)


_HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "groundwork"}


class _Patient(openai.DefaultAsyncHttpxClient):
    """Is silent for `server_timeout_s` once, not once a try: the server may be at work on the first request still."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        try:
            return await super().send(request, **options)
        except httpx2.ReadTimeout as error:
            raise openai.APITimeoutError(request=request) from error  # which the client does not retry


def open_client(base_url: str, key: SecretStr | None) -> ServerClient:
    """A client for short questions. Raises InvalidInput for a key that no header can carry."""
    settings = get_settings()
    wait = min(LIST_S, settings.server_timeout_s)
    timeout = httpx2.Timeout(wait, connect=min(CONNECT_S, wait))
    return ServerClient(
        api_key=_header_value(key), base_url=base_url, timeout=timeout, max_retries=settings.server_retries
    )


def open_async_client(base_url: str, key: SecretStr | None) -> AsyncServerClient:
    """A client for answers. Raises InvalidInput for a key that no header can carry."""
    settings = get_settings()
    timeout = httpx2.Timeout(settings.server_timeout_s, connect=CONNECT_S)
    return AsyncServerClient(
        api_key=_header_value(key),
        base_url=base_url,
        timeout=timeout,
        max_retries=settings.server_retries,
        http_client=_Patient(base_url=base_url, timeout=timeout),
    )


def _header_value(key: SecretStr | None) -> str:
    value = key.get_secret_value().strip() if key else ""
    if not (value.isascii() and value.isprintable()):
        raise InvalidInput(
            "The key has characters that no key has.",
            allowed="Letters, digits and signs of ASCII, in one line.",
            next_step="Copy it again; it is not shown here.",
        )
    return value or NO_KEY


@contextmanager
def in_our_words(
    base_url: str, key: SecretStr | None, *, asked: str = "", begun: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Turn what the client raises into RemoteFailed. asked: the model's name, where one was asked for. begun: whether
    the answer has, so that its end is missing."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _refusal(error, _Server(base_url, key), asked) from None
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, OSError, *_ANOTHER_LANGUAGE) as error:
        server = _Server(base_url, key)
        fault, why = _no_answer(error, server)
        raise (broke_off(server.host, why) if begun() else fault) from None


def not_compatible(base_url: str) -> RemoteFailed:
    """The fault of a server that answers, but not as this protocol has it."""
    return RemoteFailed(
        f"What answers at {base_url} is no OpenAI-compatible server.",
        next_step="Check the address: the base URL of most servers ends in /v1.",
    )


def broke_off(host: str, why: str) -> RemoteFailed:
    """The fault of an answer that has no end."""
    return RemoteFailed(
        f"{host} broke off in the middle of its answer: {why.rstrip('.')}.",
        next_step="What was written so far is kept. Regenerate the answer to have it whole.",
    )


def refused_names(error: openai.APIStatusError, names: Mapping[str, str]) -> set[str]:
    """Which of the request's fields the server names in its refusal. names: field → what to look for."""
    told = str(error.body).lower()
    return {field for field, word in names.items() if word in told}


class _Server:
    """A server as it is named in a message, and the one word that is never in it."""

    def __init__(self, base_url: str, key: SecretStr | None) -> None:
        self.base_url = base_url
        self.host = urlsplit(base_url).netloc
        self._key = key.get_secret_value().strip() if key else ""

    @property
    def has_key(self) -> bool:
        return bool(self._key)

    def words(self, body: object) -> str:
        """The server's own message: one line, at most 300 characters, without the key; "" when it gave none."""
        text = _words_of(body)
        text = text.replace(self._key, "…") if self._key else text
        line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        if len(line) > WORDS:
            line = line[: WORDS - 1] + "…"
        return line if not line or line.endswith((".", "!", "?", "…")) else f"{line}."


def _words_of(body: object) -> str:
    """The message in an error body: {"error": {"message": …}}, {"message": …}, {"detail": …} or plain text."""
    if isinstance(body, str):
        return "" if body.lstrip().startswith("<") else body  # a proxy's HTML page
    if isinstance(body, list):  # FastAPI: [{"loc": [...], "msg": …}]
        return "; ".join(filter(None, (_words_of(item) for item in body)))
    if isinstance(body, dict):
        told = next((body[name] for name in ("error", "message", "detail", "msg") if body.get(name)), "")
        where = ".".join(str(part) for part in body["loc"]) if isinstance(body.get("loc"), list) else ""
        return f"{where}: {_words_of(told)}" if where else _words_of(told)
    return ""


def _refusal(error: openai.APIStatusError, server: _Server, asked: str) -> RemoteFailed:
    status, words, host = error.status_code, server.words(error.body), server.host
    if status in (401, 403):
        return RemoteFailed(
            f"{host} refused the key ({status})." if server.has_key else f"{host} wants a key ({status}).",
            next_step="Check the key: type it again, or set it in GROUNDWORK_SERVER_KEYS.",
        )
    if status == 404:
        return RemoteFailed(
            f"{host} knows no model {asked!r}, or not this address (404). {words}".rstrip()
            if asked
            else f"There is no model list at {server.base_url} (404).",
            next_step="Check the address, which ends in /v1 for most servers, and ask for its model list again.",
        )
    if status == 429:
        return RemoteFailed(
            f"{host} has too many requests (429), after {_tries(error)}. {words}".rstrip(),
            next_step="Wait a while, or use another model.",
        )
    if status >= 500:
        return RemoteFailed(
            f"{host} failed ({status}), after {_tries(error)}. {words}".rstrip(),
            next_step="Try again later; its own log says why.",
        )
    if status == 413 or _TOO_LONG.search(words):
        return RemoteFailed(
            f"{host} found the request too long ({status}). {words}".rstrip(),
            next_step="Shorten the text, start a new session, or ask for a shorter answer.",
        )
    return RemoteFailed(
        f"{host} refused the request ({status}). {words}".rstrip(), next_step="Change what it names, and ask again."
    )


def _no_answer(error: Exception, server: _Server) -> tuple[RemoteFailed, str]:
    """What went wrong on the way: the fault when there is no answer yet, and the reason when there is a part of one."""
    cause = error.__cause__ or error
    if isinstance(error, openai.APITimeoutError) and not isinstance(cause, httpx2.ConnectTimeout):
        silence = error.request.extensions.get("timeout", {}).get("read", get_settings().server_timeout_s)
        fault = RemoteFailed(
            f"{server.host} said nothing for {silence:g} s.",
            allowed="A longer silence can be allowed with GROUNDWORK_SERVER_TIMEOUT_S.",
            next_step="Try again, or look whether the server is at work.",
        )
        return fault, f"it said nothing for {silence:g} s (GROUNDWORK_SERVER_TIMEOUT_S)"
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError | httpx2.InvalidURL | OSError):
        why = server.words(str(cause)) or f"{type(cause).__name__}."
        fault = RemoteFailed(
            f"{server.host} cannot be reached, after {_tries(error)}. {why}",
            next_step="Check the address and the port, that the server runs, and that no firewall is in between.",
        )
        return fault, why
    words = server.words(getattr(error, "body", None))
    if words:  # an error sent as a piece of the stream
        return RemoteFailed(f"{server.host} failed. {words}", next_step="Try again later; its own log says why."), words
    return not_compatible(server.base_url), "what it sent cannot be read"


def _tries(error: Exception) -> str:
    """How often it was asked; the client counts in a header of each request."""
    request = getattr(error, "request", None)
    tries = 1 + int(request.headers.get("x-stainless-retry-count", 0)) if request is not None else 1
    return "one try" if tries == 1 else f"{tries} tries"
