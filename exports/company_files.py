"""Every paper of a company's report, written to a folder: HTML, workbook, Markdown and CSV, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from core.artefacts import PARTIAL_SUFFIX
from core.errors import StorageError
from core.store.columns import utc_now
from core.store.database import Database, open_database
from core.venture.spec import CompanySpec
from exports.company_book import company_xlsx
from exports.company_csv import report_csv
from exports.company_report import AUDIENCES, report, wanted
from exports.company_report_html import report_html
from exports.company_report_markdown import report_markdown
from exports.filenames import safe_filename


def write_report(
    spec: CompanySpec,
    out: Path,
    *,
    audience: str = "investors",
    sections: Sequence[str] = (),
    db: Database | None = None,
    at: datetime | None = None,
) -> list[Path]:
    """The paths written, HTML first. out: made where it is not there. db: default, the record of the settings.

    Raises InvalidInput for an unknown audience or section, and StorageError for a record that cannot be read
    or a folder that cannot be written to.
    """
    chosen, reader = wanted(audience, sections)
    record, when = db or open_database(), at or utc_now()
    document = report(spec, record, audience=reader, sections=chosen, at=when)
    makers: dict[str, Callable[[], bytes]] = {
        "html": lambda: report_html(document),
        "xlsx": lambda: company_xlsx(spec, record, audience=reader, sections=chosen, at=when),
        "md": lambda: report_markdown(document),
        "zip": lambda: report_csv(spec, record, audience=reader, sections=chosen, at=when),
    }
    files = {suffix: make() for suffix, make in makers.items()}  # all of them, before the first is written
    try:
        out.mkdir(parents=True, exist_ok=True)
        return [_write(out / file_name(spec, reader, suffix), data) for suffix, data in files.items()]
    except OSError as error:
        raise StorageError(
            f"The report cannot be written to {out}: {error.strerror or error}.",
            next_step="Choose a folder that you may write to, with room for a few megabytes.",
        ) from error


def _write(path: Path, data: bytes) -> Path:
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    partial.write_bytes(data)
    partial.replace(path)
    return path


def file_name(spec: CompanySpec, audience: str, suffix: str) -> str:
    """Example Notes Ltd - investor report.html"""
    kind = next(title for key, title in AUDIENCES.items() if key == audience).lower()
    return safe_filename(f"{spec.company.name} {kind}", suffix, fallback="report")
