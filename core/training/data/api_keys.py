"""Secrets in a text: detect-secrets' detectors line by line, and a few prefixes of keys that it does not know yet.

Its detectors are asked for strings alone (`analyze_string`): nothing is ever sent anywhere to see whether a key works.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from core.training.data.spans import Span

DETECTORS = (
    "artifactory.ArtifactoryDetector",
    "aws.AWSKeyDetector",
    "azure_storage_key.AzureStorageKeyDetector",
    "basic_auth.BasicAuthDetector",
    "cloudant.CloudantDetector",
    "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector",
    "gitlab_token.GitLabTokenDetector",
    "high_entropy_strings.Base64HighEntropyString",
    "high_entropy_strings.HexHighEntropyString",
    "ibm_cloud_iam.IbmCloudIamDetector",
    "ibm_cos_hmac.IbmCosHmacDetector",
    "jwt.JwtTokenDetector",
    "keyword.KeywordDetector",
    "mailchimp.MailchimpDetector",
    "npm.NpmDetector",
    "openai.OpenAIDetector",
    "private_key.PrivateKeyDetector",
    "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector",
    "slack.SlackDetector",
    "softlayer.SoftlayerDetector",
    "square_oauth.SquareOAuthDetector",
    "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector",
    "twilio.TwilioKeyDetector",
)

SHORTEST_KEY = 16
_SHORTEST_SECRET, _SHORTEST_GROUP = 4, 8
_NAMES = ("key", "pass", "pwd", "secret", "token", "auth", "contras", "credential")
_MORE = re.compile(
    r"\b(?:github_pat_\w{22,}|hf_[A-Za-z]{30,}|AIza[\w-]{35}|sk-(?:proj-|ant-|or-|svcacct-)?[\w-]{20,}|AGE-SECRET-KEY-1\w{58})"
)
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r".*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)


def api_keys(text: str) -> Iterator[Span]:
    """Keys, tokens and passwords; of a private key the whole block."""
    for match in _PEM.finditer(text):
        yield Span(match.start(), match.end(), "API key or password")
    start = 0
    for line in text.split("\n"):
        if _is_likely(line):
            for secret in sorted(_secrets(line)):
                for match in re.finditer(re.escape(secret), line):
                    yield Span(start + match.start(), start + match.end(), "API key or password")
        start += len(line) + 1


def _is_likely(line: str) -> bool:
    """Whether there is what every detector needs: a long word with a digit or a colon in it, or a quoted value after a
    name such as password. Most lines of prose have neither."""
    for word in line.split():
        if len(word) >= SHORTEST_KEY and (":" in word or any(map(str.isdigit, word)) or _MORE.search(word)):
            return True
    if "PRIVATE KEY" in line or "PuTTY" in line:
        return True
    if "'" not in line and '"' not in line:
        return False
    folded = line.casefold()
    return any(name in folded for name in _NAMES)


def _secrets(line: str) -> set[str]:
    found = {match.group() for match in _MORE.finditer(line)}
    for detector in _detectors():
        if hasattr(detector, "denylist"):
            found.update(_secret_of(match) for pattern in detector.denylist for match in pattern.finditer(line))
            continue
        limit = getattr(detector, "entropy_limit", None)
        for secret in detector.analyze_string(line):
            # The entropy detectors give every quoted word; only analyze_line, which makes records, weighs them.
            if secret and (limit is None or detector.calculate_shannon_entropy(secret) > limit):
                found.add(secret)
    return {secret.strip(" \t\"'") for secret in found if len(secret) >= _SHORTEST_SECRET}


def _secret_of(match: re.Match[str]) -> str:
    """The group that captures the password; all of the match where groups only hold a prefix, such as "ghp"."""
    longest = max((group for group in match.groups() if group), key=len, default="")
    return longest if len(longest) >= _SHORTEST_GROUP else match.group()


@lru_cache(maxsize=1)
def _detectors() -> tuple[Any, ...]:
    made = []
    for path in DETECTORS:
        module, _, name = path.partition(".")
        made.append(getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)())
    return tuple(made)
