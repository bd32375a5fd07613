from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

from PIL import Image

from exports.attention_html import Section, attention_html
from exports.attention_labels import label
from exports.attention_origin import NOT_EXPLANATION
from tests.exports.attentions import HOSTILE, ORIGIN, attention, overview, subject, words
from tests.exports.test_estimate_html import Page

SECTIONS = (
    Section(
        "Rollout <b>",
        "Through all layers.",
        ("Token", "Rollout", "Kept"),
        ((HOSTILE[0], 0.12345, True), ("\n", 1e-9, False)),
    ),
    Section("Nothing", "No rows came.", ("Token",), ()),
)
HEADS = [attention(HOSTILE, head=4), attention(HOSTILE, head=7), attention(HOSTILE, layer=3, head=1)]
TEXT = attention_html(subject(HOSTILE, answer_start=5), ORIGIN, overview(), HEADS, sections=SECTIONS)
PAGE = Page(TEXT.encode())  # which asserts that every tag is closed


def test_it_shows_the_text_the_heads_and_where_they_are_from() -> None:
    for said in (
        NOT_EXPLANATION,
        "15 tokens, 10 of them its own answer",
        "all 6 heads at a glance",
        "3 previous token",
        "Layer 12, head 4",
        "Layer 12, head 7",
        "Layer 12, 2 pictures",
        "Layer 3, head 1",
        "org/<model>",
        "abc123",
        "transformers 5.23.0, torch 2.13.0",
        "python -m core attend",
        "the revision that was pinned",
        "2026-11-23 12:30 UTC",
    ):
        assert said in PAGE.words, said
    assert len(PAGE.all("svg")) == 2 + 3  # lines a layer, a map a head


def test_every_token_stands_there_with_its_id() -> None:
    titles = [one.get("title") for one in PAGE.all("span")]
    assert titles == [f"token {place}, id {100 + place}" for place in range(len(HOSTILE))]
    assert [one.get("class") for one in PAGE.all("span")][:6] == ["special", None, None, None, None, "own"]


def test_nothing_is_loaded_and_nothing_runs() -> None:
    names = {tag for tag, _ in PAGE.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "form", "base", "a"})
    assert not [one for _, one in PAGE.tags for key in one if key.startswith("on")]
    assert all((one["src"] or "").startswith("data:image/png;base64,") for one in PAGE.all("img"))
    [policy] = [one["content"] for one in PAGE.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?:|url\(|@import", TEXT)


def test_hostile_pieces_are_words_and_the_file_is_utf_8() -> None:
    assert "<script>alert(1)</script>" in PAGE.words  # shown, not run
    assert "<script" not in TEXT
    assert TEXT.count("</svg>") == len(PAGE.all("svg"))
    assert not set(TEXT) & set("\x00\x01\x07\x1b\u202e\ufffe")
    for piece in HOSTILE:
        assert label(piece) in PAGE.words


def test_the_overview_is_a_picture_in_the_page() -> None:
    [image] = PAGE.all("img")
    data = base64.b64decode((image["src"] or "").partition(",")[2])
    assert Image.open(io.BytesIO(data)).width >= 420
    assert "3 layers of 2 heads" in (image["alt"] or "")


def test_sections_of_other_methods_are_tables() -> None:
    for said in ("Rollout <b>", "Through all layers.", "0.123", "1e-09", "yes", "no", "No rows came."):
        assert said in PAGE.words
    right = [one for one in PAGE.all("td") if one.get("class") == "number"]
    assert len(right) >= 2


def test_light_dark_print_and_the_keyboard_are_provided_for() -> None:
    for said in ("prefers-color-scheme: dark", "@media print", "color-scheme: light dark"):
        assert said in TEXT
    boxes = [one for _, one in PAGE.tags if one.get("class") in ("paper", "paper whole", "tokens", "wide")]
    assert boxes
    assert all(one["tabindex"] == "0" and one["aria-label"] for one in boxes)


def test_a_text_alone_makes_a_page_too() -> None:
    page = Page(attention_html(subject((" Hi",)), replace(ORIGIN, title=""), None, []).encode())
    assert "1 token." in page.words
    assert page.all("svg") == page.all("img") == []


def test_weights_that_are_all_zero_are_told() -> None:
    picture = attention(words(3))
    page = attention_html(subject(words(3)), ORIGIN, None, [replace(picture, weights=picture.weights * 0)])
    assert "No weight is above zero." in page
