from __future__ import annotations

import pytest

from exports.filenames import LONGEST_BYTES, safe_filename


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Pricing call, Q3", "Pricing-call-Q3.csv"),
        ("../../etc/passwd", "etc-passwd.csv"),
        ("C:\\temp\\x?*<>|\"'", "C-temp-x.csv"),
        ("v1.2_final", "v1.2_final.csv"),
        (".hidden", "hidden.csv"),
        ("CON", "CON-session.csv"),
        ("nul.txt", "session-nul.txt.csv"),
        ("Übersicht 数据 مرحبا", "Übersicht-数据-مرحبا.csv"),
        ("evil\u202egpj.exe\0\r\n", "evil-gpj.exe.csv"),
        ("🚀", "session.csv"),
        ("", "session.csv"),
    ],
)
def test_a_title_becomes_a_safe_name(title: str, name: str) -> None:
    assert safe_filename(title, "csv") == name
    assert safe_filename(title, ".csv") == name


def test_a_long_title_is_cut_between_characters() -> None:
    name = safe_filename("数" * 200, "json")
    assert name == "数" * (LONGEST_BYTES // 3) + ".json"
