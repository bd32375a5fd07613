"""Workbooks read and changed as the XML that they are, and calculated anew by LibreOffice."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"


@dataclass(frozen=True, slots=True)
class Cell:
    """formula: without its equals sign, "" for none."""

    formula: str
    value: float | str


class Workbook:
    """The parts of an .xlsx file."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self._parts = {name: archive.read(name) for name in archive.namelist()}

    @property
    def names(self) -> dict[str, str]:
        """Defined names, each with its cell, as Inputs!$C$5."""
        found = self._xml("xl/workbook.xml").iter(f"{MAIN}definedName")
        return {one.attrib["name"]: (one.text or "").replace("'", "") for one in found}

    def sheet(self, name: str) -> dict[str, Cell]:
        """Cells by their address, those that hold something."""
        shared = self._shared()
        return {
            one.attrib["r"]: _cell(one, shared)
            for one in self._xml(self._path(name)).iter(f"{MAIN}c")
            if one.find(f"{MAIN}v") is not None or one.find(f"{MAIN}is") is not None or one.find(f"{MAIN}f") is not None
        }

    def sheets(self) -> list[str]:
        return [one.attrib["name"] for one in self._xml("xl/workbook.xml").iter(f"{MAIN}sheet")]

    def text(self) -> str:
        """All XML, for what must not be in it."""
        return "\n".join(part.decode("utf-8", errors="replace") for part in self._parts.values())

    def changed(self, values: Mapping[str, float | str]) -> bytes:
        """The file with other values in named cells, and none beside the formulas: to be calculated anew."""
        parts = dict(self._parts)
        for sheet in self.sheets():
            path = self._path(sheet)
            root = self._xml(path)
            for cell in root.iter(f"{MAIN}c"):
                value = cell.find(f"{MAIN}v")
                if cell.find(f"{MAIN}f") is not None and value is not None:
                    cell.remove(value)
            for name, new in values.items():
                where, address = self.names[name].split("!")
                if where == sheet:
                    _put(root, address.replace("$", ""), new)
            parts[path] = ElementTree.tostring(root, xml_declaration=True, encoding="UTF-8")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        return buffer.getvalue()

    def _xml(self, path: str) -> ElementTree.Element:
        return ElementTree.fromstring(self._parts[path])

    def _path(self, sheet: str) -> str:
        [wanted] = [
            one.attrib[LINK] for one in self._xml("xl/workbook.xml").iter(f"{MAIN}sheet") if one.attrib["name"] == sheet
        ]
        links = self._xml("xl/_rels/workbook.xml.rels").iter(f"{PACKAGE}Relationship")
        [target] = [one.attrib["Target"] for one in links if one.attrib["Id"] == wanted]
        return target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def _shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._parts:
            return []
        items = self._xml("xl/sharedStrings.xml").iter(f"{MAIN}si")
        return ["".join(text.text or "" for text in one.iter(f"{MAIN}t")) for one in items]


def results(data: bytes) -> dict[str, tuple[float | str, ...]]:
    """low, expected and high of each figure, by its key."""
    cells = Workbook(data).sheet("Results")
    rows = {cell.value: re.sub(r"\D", "", address) for address, cell in cells.items() if address.startswith("F")}
    return {
        str(key): tuple(cells[f"{column}{row}"].value for column in "BCD")
        for key, row in rows.items()
        if f"B{row}" in cells and key != "Key"
    }


def calculated(files: Mapping[str, bytes], folder: Path) -> dict[str, bytes]:
    """The workbooks as LibreOffice calculates them; one start for all. Skips the test where there is none."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice Calc is not installed (apt-get install libreoffice-calc-nogui)")
    source, target = folder / "given", folder / "calculated"
    source.mkdir()
    for name, data in files.items():
        (source / f"{name}.xlsx").write_bytes(data)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, "--headless", "--norestore", profile, "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    command += ["--outdir", str(target), *(str(source / f"{name}.xlsx") for name in files)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    missing = [name for name in files if not (target / f"{name}.xlsx").is_file()]
    assert not missing, done.stderr.decode(errors="replace")[-2000:]
    return {name: (target / f"{name}.xlsx").read_bytes() for name in files}


def _cell(cell: ElementTree.Element, shared: list[str]) -> Cell:
    formula, value, kind = cell.findtext(f"{MAIN}f") or "", cell.findtext(f"{MAIN}v") or "", cell.attrib.get("t", "n")
    if kind == "s":
        return Cell(formula, shared[int(value)])
    if kind == "inlineStr":
        return Cell(formula, "".join(text.text or "" for text in cell.iter(f"{MAIN}t")))
    return Cell(formula, float(value) if kind in ("n", "b") and value else value)


def _put(root: ElementTree.Element, address: str, new: float | str) -> None:
    [cell] = [one for one in root.iter(f"{MAIN}c") if one.attrib["r"] == address]
    for child in list(cell):
        cell.remove(child)
    if isinstance(new, str):
        cell.attrib["t"] = "inlineStr"
        ElementTree.SubElement(ElementTree.SubElement(cell, f"{MAIN}is"), f"{MAIN}t").text = new
    else:
        cell.attrib.pop("t", None)
        ElementTree.SubElement(cell, f"{MAIN}v").text = repr(float(new))
