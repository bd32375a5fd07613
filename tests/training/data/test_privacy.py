"""The privacy scan: what is personal is found in the shapes people write it in, and what only looks like it is not."""

from __future__ import annotations

import pytest

from core.errors import Cancelled
from core.training.data.privacy import find, find_all, mask, scan, shortened

FOUND = [
    ("write to jane.doe+shop@mail.example.co.uk please", "e-mail", "jane.doe+shop@mail.example.co.uk"),
    ("<müller@büro.de>", "e-mail", "müller@büro.de"),
    ("call +44 20 7946 0958 today", "phone number", "+44 20 7946 0958"),
    ("+1 (650) 253-0000", "phone number", "+1 (650) 253-0000"),
    ("0049 30 901820 in the office", "phone number", "0049 30 901820"),
    ("ring 650-253-0000 after six", "phone number", "650-253-0000"),
    ("(650) 253-0000.", "phone number", "(650) 253-0000"),
    ("my mobile is 6502530000, thanks", "phone number", "6502530000"),
    ("Tel.: 030 901820", "phone number", "030 901820"),
    ("06 12 34 56 78 à midi", "phone number", "06 12 34 56 78"),
    ("paid with 4111 1111 1111 1111 in May", "payment card", "4111 1111 1111 1111"),
    ("5500-0000-0000-0004", "payment card", "5500-0000-0000-0004"),
    ("amex 378282246310005", "payment card", "378282246310005"),
    ("to DE89 3704 0044 0532 0130 00 OR else", "IBAN", "DE89 3704 0044 0532 0130 00"),
    ("GB82WEST12345698765432", "IBAN", "GB82WEST12345698765432"),
    ("from 203.0.113.77:8080", "IP address", "203.0.113.77"),
    ("host 2001:db8:85a3::8a2e:370:7334 is down", "IP address", "2001:db8:85a3::8a2e:370:7334"),
    ("fe80::1ff:fe23:4567:890a", "IP address", "fe80::1ff:fe23:4567:890a"),
    ("SSN 536-90-4399", "national id", "536-90-4399"),
    ("my social security number: 536904399", "national id", "536904399"),
    ("NI number QQ 12 34 56 C is not one, AB 12 34 56 C is", "national id", "AB 12 34 56 C"),
    ("NHS number 943 476 5919", "national id", "943 476 5919"),
    ("DNI 54362315K", "national id", "54362315K"),
    ("cf RCCMNL83S18D969H", "national id", "RCCMNL83S18D969H"),
    ("né 2 95 10 99 126 111 93", "national id", "2 95 10 99 126 111 93"),
    ("Steuer-ID 36574261809", "national id", "36574261809"),
    ("bsn 111222333", "national id", "111222333"),
    ("cpf 390.533.447-05", "national id", "390.533.447-05"),
    ("aws AKIAIOSFODNN7EXAMPLE in the log", "API key or password", "AKIAIOSFODNN7EXAMPLE"),
    ("password = 'Tr0ub4dor&3'", "API key or password", "Tr0ub4dor&3"),
    ("postgres://app:s3cr3tpw@db.internal/main", "API key or password", "s3cr3tpw"),
    ("token ghp_" + "a1B2" * 9, "API key or password", "ghp_" + "a1B2" * 9),
    ("use sk-proj-" + "Ab3_" * 10 + " for it", "API key or password", "sk-proj-" + "Ab3_" * 10),
    ("x = 'd8e8fca2dc0f896fd7cb4cb0031ba249'", "API key or password", "d8e8fca2dc0f896fd7cb4cb0031ba249"),
]


@pytest.mark.parametrize(("text", "kind", "what"), FOUND, ids=[what[:20] for _, _, what in FOUND])
def test_found_as_people_write_it(text: str, kind: str, what: str) -> None:
    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [(kind, what)]


@pytest.mark.parametrize(
    "text",
    [
        "order 6502530000 has not come",
        "invoice 2024-03-05 10:22, number 20240305-0001",
        "call before 2024-03-05 or on 05.03.2024",
        "4111 1111 1111 1112 fails the check",
        "0000 0000 0000 0000",
        "DE88 3704 0044 0532 0130 00 has the wrong check digits",
        "version 10.0.19.44 and firmware v1.2.3.4",
        "127.0.0.1 and ::1 and 0.0.0.0 are everybody's",
        "300.1.2.3 is none, nor is 1.2.3",
        "std::vector and 12:30:45 and 10:20:30:40",
        "@home and me@ and a@b",
        "the part number 123-45-678, code 000-12-3456",
        "reset my password now, the token did not arrive: 'nothing'",
        "I said 'internationalization' twice",
        "a very-long-hyphenated-word-of-English",
        "see https://example.org/a/long/path/to/something/2024/03/article-number-17",
        "3.14159265358979 and 2.718281828",
        "1,234,567,890 people",
        "between 1000000 and 2000000",
        "",
        "plain words alone",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert [text[span.start : span.end] for span in find(text)] == []


def test_everything_in_a_text_is_masked_and_counted() -> None:
    text = "Mail a@example.org or b@example.org, card 4111111111111111, ring +44 20 7946 0958."
    assert mask(text) == ("Mail [E-MAIL] or [E-MAIL], card [CARD], ring [PHONE].", 4)
    assert find(mask(text)[0]) == []
    assert mask("nothing here") == ("nothing here", 0)


def test_a_private_key_goes_as_a_whole() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc/def+123=\n-----END RSA PRIVATE KEY-----"
    assert mask(f"before\n{key}\nafter") == ("before\n[SECRET]\nafter", 1)
    assert mask(f"before\n{key[:40]}")[0] == "before\n[SECRET]"  # cut off: the rest is a secret, too


def test_a_scan_counts_by_kind_with_rows_and_no_whole_example() -> None:
    texts = ["jane@example.org", "nothing", "joe@example.org and joe@example.org", "4111111111111111"]
    mails, cards = scan(texts)
    assert (mails.kind, mails.count, mails.rows) == ("e-mail", 3, (1, 3))
    assert (cards.kind, cards.count, cards.rows) == ("payment card", 1, (4,))
    shown = " ".join(mails.examples + cards.examples)
    assert "jane" not in shown
    assert "4111111111111111" not in shown
    assert scan(["clean", ""]) == ()
    assert scan([]) == ()


def test_a_shortened_secret_cannot_be_used() -> None:
    assert shortened("jane.doe@mail.example.org") == "j…@….org"
    assert shortened("4111111111111111") == "41…11"
    assert shortened("abcd") == "…"


def test_a_scan_can_be_cancelled() -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        find_all(["x"] * 5_000, stop)
