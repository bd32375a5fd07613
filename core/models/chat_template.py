"""Chat templates: Jinja2 in a sandbox, rendered as transformers renders them, without importing transformers.

The environment (filters, globals, whitespace rules, the `generation` tag) follows
`transformers/utils/chat_template_utils.py` of transformers 5.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import InvalidInput, ModelRefused

Message = tuple[str, str]
"""(role, content). Roles are the template's: system, user, assistant, tool…"""

_CONTINUE_TAG = "CONTINUE_FINAL_MESSAGE_TAG "


def render_template(
    template: str,
    messages: Sequence[Message],
    special_tokens: Mapping[str, str],
    *,
    add_generation_prompt: bool,
    continue_final: bool,
) -> str:
    """The conversation as the model was trained to read it.

    special_tokens: what the template may name (`bos_token`…). Raises InvalidInput when the template does not accept
    the conversation, ModelRefused when the template itself is broken.
    """
    chat = [{"role": role, "content": content} for role, content in messages]
    if continue_final:
        chat[-1]["content"] += _CONTINUE_TAG
    try:
        rendered = _compiled(template).render(
            messages=chat,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt and not continue_final,
            **special_tokens,
        )
    except jinja2.TemplateSyntaxError as error:
        raise ModelRefused(
            f"The model's chat template does not parse: {error.message} (line {error.lineno}).",
            next_step="Use the model without chat, or fix chat_template.jinja in its folder and add it again.",
        ) from error
    except jinja2.TemplateError as error:
        raise InvalidInput(
            f"The model's chat template does not accept this conversation: {error}.",
            next_step="Change the order or the roles of the messages, or drop the system message.",
        ) from error
    except Exception as error:  # a template is foreign code: whatever it raises is about the template
        raise ModelRefused(
            f"The model's chat template failed: {type(error).__name__}: {error}.",
            next_step="Use the model without chat, or fix chat_template.jinja in its folder and add it again.",
        ) from error
    return _cut_at_tag(rendered, messages[-1][1]) if continue_final else rendered


def render_plain(messages: Sequence[Message], *, add_generation_prompt: bool, continue_final: bool) -> str:
    """The fallback of a model with no chat template: `User: …\\nAssistant: …\\n`, ending in `Assistant:`."""
    lines = [f"{role.capitalize()}: {content}" for role, content in messages]
    text = "\n".join(lines)
    if continue_final:
        return text
    return text + "\nAssistant:" if add_generation_prompt else text + "\n"


def _cut_at_tag(rendered: str, content: str) -> str:
    at = rendered.rfind(_CONTINUE_TAG.strip())
    if at < 0 or content.strip() not in rendered:
        raise InvalidInput(
            "The chat template drops or rewrites the message that is to be continued.",
            next_step="Ask for a new answer instead of continuing the last one.",
        )
    if rendered[at : at + len(_CONTINUE_TAG)] == _CONTINUE_TAG:
        return rendered[:at]
    return rendered[:at].rstrip()  # the template trims content, so the tag's own space is gone


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}` marks what the assistant said; here it only passes through."""

    tags = {"generation"}  # noqa: RUF012 (jinja2 declares it a plain set)

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _TemplateDict:
    """`dict(...)` in a template, without the class behind it."""

    def __call__(self, *args: Any, **values: Any) -> dict[Any, Any]:
        return dict(*args, **values)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args)


@lru_cache(maxsize=32)
def _compiled(template: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    helpers: dict[str, Callable[..., Any]] = {
        "raise_exception": _raise_exception,
        "strftime_now": lambda form: datetime.now().strftime(form),
        "dict": _TemplateDict(),
    }
    environment.globals.update(helpers)
    return environment.from_string(template)


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes HTML, which no model was trained on
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
