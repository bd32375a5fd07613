"""API prices against the package's own calculator and its printed prices; unknown stays unknown."""

from __future__ import annotations

import math
import socket
from datetime import UTC, datetime

import pytest

from core.errors import InvalidInput
from core.estimate.api_catalogue import data_version, providers
from core.estimate.api_prices import price, search

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("provider", "model", "input_tokens", "cached"),
    [
        ("openai", "gpt-4o", 1000, 0),
        ("openai", "gpt-4o", 1000, 400),
        ("anthropic", "claude-sonnet-4-5", 200_000, 0),
        ("anthropic", "claude-sonnet-4-5", 200_001, 50_000),
        ("google", "gemini-2.5-pro", 300_000, 100_000),
        ("groq", "llama-3.1-8b-instant", 1000, 300),
        ("deepseek", "deepseek-v4-pro", 1000, 300),
        ("perplexity", "sonar", 1000, 0),
    ],
)
def test_a_request_costs_what_the_package_itself_charges(
    provider: str, model: str, input_tokens: int, cached: int
) -> None:
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=input_tokens, output_tokens=500, cache_read_tokens=cached)
    truth = calc_price(usage, model, provider_id=provider, genai_request_timestamp=AT)
    found = price(
        provider, model, input_tokens=input_tokens, output_tokens=500, cached_share=cached / input_tokens, at=AT
    )
    fee = found.usd_per_request_fee.value.expected if found.usd_per_request_fee else 0.0
    # The package leaves the fee out unless requests are counted.
    assert found.usd_per_request.value.expected - fee == pytest.approx(float(truth.input_price + truth.output_price))


def test_a_large_request_is_priced_by_its_tier() -> None:
    small = price("anthropic", "claude-sonnet-4-5", input_tokens=200_000, output_tokens=1, at=AT)
    large = price("anthropic", "claude-sonnet-4-5", input_tokens=200_001, output_tokens=1, at=AT)
    assert small.usd_per_million_input.value.expected == 3
    assert large.usd_per_million_input.value.expected == 6


def test_the_batch_price_is_that_of_the_data() -> None:
    found = price("openai", "gpt-4o", input_tokens=1000, output_tokens=100, batch=True, at=AT)
    assert found.usd_per_million_input.value.expected == 1.25
    assert found.usd_per_million_output is not None
    assert found.usd_per_million_output.value.expected == 5


def test_a_batch_price_that_the_data_lacks_is_refused_unless_the_reader_names_the_discount() -> None:
    with pytest.raises(InvalidInput, match="batch_discount"):
        price("groq", "llama-3.1-8b-instant", input_tokens=1000, output_tokens=100, batch=True)
    found = price(
        "groq", "llama-3.1-8b-instant", input_tokens=1, output_tokens=1, batch=True, batch_discount=0.5, at=AT
    )
    assert found.usd_per_million_input.value.expected == pytest.approx(0.025)


def test_a_price_that_starts_later_is_not_yet_charged() -> None:
    before = price(
        "novita",
        "meta-llama/llama-3.1-8b-instruct",
        input_tokens=1,
        output_tokens=1,
        at=datetime(2026, 10, 1, tzinfo=UTC),
    )
    after = price("novita", "meta-llama/llama-3.1-8b-instruct", input_tokens=1, output_tokens=1, at=AT)
    assert before.usd_per_million_input.value.expected == 0.05
    assert after.usd_per_million_input.value.expected == 0.02


def test_a_price_that_changes_by_the_hour_is_a_range_over_the_day() -> None:
    found = price("deepseek", "deepseek-v4-pro", input_tokens=1000, output_tokens=500)
    value = found.usd_per_million_input.value
    assert value.low < value.expected < value.high
    # 7 of 24 hours are dear: 01:00–04:00 and 06:00–10:00 UTC.
    assert value.expected == pytest.approx(value.low + (value.high - value.low) * 7 / 24)


def test_unknown_cached_price_is_none_and_counted_in_full() -> None:
    found = price("groq", "llama-3.1-8b-instant", input_tokens=1000, output_tokens=0, cached_share=1.0, at=AT)
    assert found.usd_per_million_cached_input is None
    assert found.usd_per_million_tokens.value.expected == found.usd_per_million_input.value.expected
    assert any("cached" in note for note in found.notes)


def test_cache_writes_are_charged_when_they_are_counted() -> None:
    found = price("anthropic", "claude-sonnet-4-5", input_tokens=1e6 / 10, output_tokens=0, written_share=1.0, at=AT)
    assert found.usd_per_million_tokens.value.expected == pytest.approx(3.75)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openrouter", "gemma-3-27b-it:free"), ("google", "gemma-4-31b-it"), ("github-copilot", "gpt-4o")],
)
def test_a_model_without_a_price_is_unknown_never_free(provider: str, model: str) -> None:
    with pytest.raises(InvalidInput, match="not known"):
        price(provider, model, input_tokens=1000, output_tokens=100)


def test_no_model_of_the_data_costs_nothing() -> None:
    from genai_prices.data import providers as bundled

    for provider in bundled:
        for model in provider.models[:12]:
            try:
                found = price(provider.id, model.id, input_tokens=1000, output_tokens=100, at=AT)
            except InvalidInput:
                continue
            assert found.usd_per_request.value.low > 0, (provider.id, model.id)


def test_an_embedding_has_an_input_price_only() -> None:
    found = price("openai", "text-embedding-3-small", input_tokens=1000, output_tokens=0, at=AT)
    assert found.usd_per_million_output is None
    with pytest.raises(InvalidInput, match="output price"):
        price("openai", "text-embedding-3-small", input_tokens=1000, output_tokens=1, at=AT)


def test_a_reseller_without_a_price_of_its_own_says_whose_it_is() -> None:
    found = price("azure", "gpt-4o", input_tokens=1, output_tokens=1, at=AT)
    assert found.priced_by == "openai"
    assert any("OpenAI" in note for note in found.notes)


def test_unknown_model_and_provider_offer_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="gpt-4o"):
        price("openai", "gtp-4o", input_tokens=1, output_tokens=1)
    with pytest.raises(InvalidInput, match="openai"):
        price("opnai", "gpt-4o", input_tokens=1, output_tokens=1)


def test_every_fault_of_a_request_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"input_tokens.*output_tokens.*cached_share"):
        price("openai", "gpt-4o", input_tokens=-1, output_tokens=math.nan, cached_share=2)
    with pytest.raises(InvalidInput, match="no tokens"):
        price("openai", "gpt-4o", input_tokens=0, output_tokens=0)


def test_search_finds_every_word_and_puts_unpriced_models_last() -> None:
    found = search("llama 3.1 8b")
    assert {"groq", "together"} <= {one.provider for one in found}
    priced = [one.usd_per_million_input is not None for one in found]
    assert priced == sorted(priced, reverse=True)
    assert not search("no-such-model-anywhere")


def test_the_source_names_the_version_of_the_data() -> None:
    found = price("openai", "gpt-4o", input_tokens=1, output_tokens=1, at=AT)
    assert "0.2.3" in data_version()
    assert data_version() in found.usd_per_million_input.source
    assert len(providers()) > 40


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    price("openai", "gpt-4o", input_tokens=1, output_tokens=1)
    search("gpt")
