"""The README's settings table lists every setting with its reason."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from core.settings import Settings, get_settings, reload_settings
from tests.real_models import ROOT

ROW = re.compile(r"^\|\s*`(?P<name>GROUNDWORK_[A-Z_]+)`[^|]*\|(?P<default>[^|]*)\|(?P<why>.*)\|\s*$", re.MULTILINE)
TABLE = {row["name"]: row["why"].strip() for row in ROW.finditer((ROOT / "README.md").read_text(encoding="utf-8"))}
FIELDS = {f"GROUNDWORK_{name.upper()}": field.description for name, field in Settings.model_fields.items()}


def test_the_readme_lists_every_setting_and_no_other() -> None:
    assert sorted(TABLE) == sorted(FIELDS)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_readme_says_what_the_setting_is_for(name: str) -> None:
    assert _words(TABLE.get(name, "")) == _words(FIELDS[name] or "no description")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_THREADS", "3")
    monkeypatch.setenv("GROUNDWORK_MAX_WAITING", "7")
    assert (reload_settings().threads, get_settings().max_waiting) == (3, 7)


def test_the_hub_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_HUB_TOKEN", "hf_secret")
    assert "hf_secret" not in repr(reload_settings())


def test_the_keys_of_servers_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_KEYS", '{"box": "sk-secret"}')
    settings = reload_settings()
    assert settings.server_keys["box"].get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize("keys", ["sk-secret", '["sk-secret"]', '{"box": ["sk-secret"]}'])
def test_keys_that_cannot_be_read_are_refused_unseen(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("GROUNDWORK_SERVER_KEYS", keys)
        with pytest.raises(ValidationError, match="it must be a JSON object of names and keys") as caught:
            reload_settings()
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("THREADS", "0"), ("DEVICE", "tpu"), ("MEMORY_BUDGET_BYTES", "1")])
def test_a_value_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(f"GROUNDWORK_{name}", value)
        with pytest.raises(ValidationError, match=name.lower()):
            reload_settings()


def _words(text: str) -> str:
    return " ".join(text.replace("`", "").replace("\\|", "|").split())
