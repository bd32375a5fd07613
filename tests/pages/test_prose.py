"""safe_markdown: what stays Markdown, and what a model cannot do with it."""

from __future__ import annotations

import time

import pytest

from pages.widgets.prose import safe_markdown

JOINER = "\u2060"


@pytest.mark.parametrize(
    "text",
    [
        "# Title\n\n- one\n- **two**\n  1. three\n\n> quoted, *gently*\n\n---\n\n~~gone~~",
        "| a | b |\n| --- | :-: |\n| 1 | `x` |",
        "- [ ] open\n- [x] done",
        "`$HOME`, `:red[x]`, ``a`b`` and `![x](http://y)`",
        "```py\nprice = '$5'  # :smile: ![x](http://y)\n\tif x < 3:\n```",
        "~~~\n$a$\n```\n~~~",
        "[text](https://a.example/b_(c)?q=1#d), <https://a.example>, <me@a.example>, [mail](mailto:me@a.example)",
        "see https://a.example:8080/x_y or www.a.example",
        "[text][1]\n\n[1]: https://a.example/x",
        "Really! Two lines\\\nbroken \\*here\\*.",
        "a: b and c : d",
    ],
)
def test_ordinary_markdown_stays_as_it_is(text: str) -> None:
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from $5 to $6", "from \\$5 to \\$6"),
        ("$$x$$", "\\$\\$x\\$\\$"),
        ("already \\$5", "already \\$5"),
        (":red[x]", "\\:red[x]"),
        (":::note", "\\:\\:\\:note"),
        (":material/home:", f"\\:{JOINER}material/home:"),
        (":streamlit: :smile: :+1:", f"\\:{JOINER}streamlit: \\:{JOINER}smile: \\:{JOINER}+1:"),
        ("&#58;smile&colon;", f"\\:{JOINER}smile:"),
        ("<b>x</b>", "\\<b>x\\</b>"),
        ("a < b", "a \\< b"),
        ("[^1] and [^1]: note", "\\[^1] and \\[^1\\]: note"),
    ],
)
def test_signs_with_a_second_meaning_become_text(text: str, expected: str) -> None:
    assert safe_markdown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![a cat](https://a.example/c.png)", "[a cat](https://a.example/c.png)"),
        ('![](https://a.example/c.png "title")', "[image](https://a.example/c.png)"),
        ("![chart](data:image/png;base64,AAAA)", "chart"),
        ("!![x](https://a.example)", "[x](https://a.example)"),
        ("![x][1]", "\\![x][1]"),
        ("[![x](http://a.example/i)](http://b.example)", "[[x](http://a.example/i)](http://b.example)"),
    ],
)
def test_an_image_becomes_a_link_or_its_description(text: str, expected: str) -> None:
    assert safe_markdown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](/settings)",
        "[x](#top)",
        "[x](\njavascript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](ftp://a.example)",
        "[x]: javascript:alert(1)",
    ],
)
def test_other_links_are_no_links(text: str) -> None:
    assert "\\]" in safe_markdown(text)


def test_autolinks_of_other_kinds_are_no_links() -> None:
    assert safe_markdown("<javascript:alert(1)>").startswith("\\<")


@pytest.mark.parametrize("opening", ["```py", "~~~", "- a\n\n  ```py", "> ```"])
def test_an_open_fence_is_closed(opening: str) -> None:
    fence = "~~~" if "~" in opening else "```"
    assert safe_markdown(opening).split("\n")[-1].strip(" >") == fence


def test_a_fence_in_a_list_cannot_be_left_by_a_line_that_is_not_indented() -> None:
    assert safe_markdown("- ```\n  a\n![x](http://y)\n").split("\n")[2] == "  ![x](http://y)"


def test_a_fence_in_a_quotation_ends_with_it() -> None:
    assert safe_markdown("> ```\n> $a\n$b") == "> ```\n> $a\n> ```\n\\$b"


def test_a_drawing_is_shown_as_its_source() -> None:
    assert safe_markdown("```mermaid\ngraph\n```") == "```\ngraph\n```"


@pytest.mark.parametrize(
    "text",
    [
        "an `open span\n![x](https://a.example)`",
        "| a | b |\n|---|---|\n| `a | ![x](https://a.example) ` |",
        "| a | b |\n|---|---|\n| `a\\\\| ![x](https://a.example) ` |",
        "[a](https://b.example/`c) ![x](https://a.example) `d",
        "https://b.example/`c ![x](https://a.example) `d",
        "- > ~~~\n![x](https://a.example)",
        "para\n    ~~~\n![x](https://a.example)",
    ],
)
def test_code_that_a_browser_would_not_see_as_code_hides_no_image(text: str) -> None:
    assert "![x](" not in safe_markdown(text).replace("    ![x](", "")


def test_every_prefix_of_an_answer_can_be_shown() -> None:
    text = "Hi `a` ![b](https://c.example) $5\n\n```py\nx = 1\n```\n| a |\n|---|\n[l](https://d.example)"
    for end in range(len(text)):
        safe_markdown(text[:end])


@pytest.mark.parametrize("unit", ["!", "![](", "`", "[a](", "- ", "<", ":", "https://", "| ", "```\n", "> "])
def test_long_and_hostile_text_is_quick(unit: str) -> None:
    started = time.perf_counter()
    safe_markdown(unit * (20_000 // len(unit)))
    assert time.perf_counter() - started < 1
