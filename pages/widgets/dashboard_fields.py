"""Fields of a company: each shows what is saved, and saves what is typed; a faulty one keeps it, with why, below."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from core.errors import GroundworkError, InvalidInput
from core.venture.spec import CompanySpec
from pages import state
from pages.widgets.dashboard_desk import Desk

_NOTHING = object()
_FAULT = re.compile(r"(?P<place>[\w.-]+): (?P<why>.*?)(?: \(it is (?P<value>[^()]*)\))?\.?", re.DOTALL)
_APART = re.compile(rf"; (?=(?:{'|'.join(CompanySpec.model_fields)})(?:\.[\w.-]+)*: )")
_LIMIT = re.compile(r"Input should be (less|greater) than(?: or equal to)? ([-\d.e+]+)")
_SHORT: dict[str, str] = {
    "valid number": "is no number",
    "valid integer": "is no whole number",
    "at least 1 character": "is empty",
    "Field required": "is empty",
    "finite number": "is no number",
}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one section. base: where it stands in the company's file: `company`, `products.0`. owner: whose
    fields they are, where rows of a list may move up."""

    desk: Desk
    base: str
    owner: str = ""

    def text(self, field: str, label: str, *, help: str = "", placeholder: str = "", optional: bool = False) -> None:
        """One line. optional: empty is "not given"."""
        read = _text_or_none if optional else _text
        key, more = self._begin(field, label, str(self.value(field) or ""), read)
        st.text_input(label, key=key, help=help or None, placeholder=placeholder, **more)
        self._tell(field)

    def area(self, field: str, label: str, *, help: str = "", placeholder: str = "") -> None:
        """Several lines."""
        key, more = self._begin(field, label, str(self.value(field) or ""), _text)
        st.text_area(label, key=key, help=help or None, placeholder=placeholder, height="content", **more)
        self._tell(field)

    def money(self, field: str, label: str, *, help: str = "") -> None:
        """An amount as people write it: 1200, 1,200.50, 12k."""
        key, more = self._begin(field, label, written(self.value(field)), lambda given: _text(given) or "0")
        st.text_input(label, key=key, help=help or None, placeholder="0", **more)
        self._tell(field)

    def number(self, field: str, label: str, *, help: str = "", step: float = 1.0) -> None:
        """A number, perhaps a fraction."""
        self._number(field, label, float(self.value(field)), lambda given: float(given or 0), help, step)

    def percent(self, field: str, label: str, *, help: str = "", step: float = 0.5) -> None:
        """A share of 0.05, shown as 5."""
        shown = float(f"{float(self.value(field)) * 100:.12g}")
        self._number(field, label, shown, lambda given: float(f"{float(given or 0) / 100:.12g}"), help, step, True)

    def whole(self, field: str, label: str, *, help: str = "") -> None:
        key, more = self._begin(field, label, int(self.value(field)), lambda given: int(given or 0))
        st.number_input(label, key=key, help=help or None, step=1, value=None, placeholder="0", **more)
        self._tell(field)

    def choice(self, field: str, label: str, options: Mapping[str, str], *, help: str = "", more: bool = False) -> None:
        """options: what is shown by what is saved. more: others may be typed."""
        given = str(self.value(field))
        shown = dict(options) if given in options else {given: given, **options}
        key, how = self._begin(field, label, given, _text)
        st.selectbox(
            label,
            list(shown),
            format_func=lambda one: shown.get(one, str(one)),
            key=key,
            help=help or None,
            accept_new_options=more,
            **how,
        )
        self._tell(field)

    def value(self, field: str) -> Any:
        """What is saved."""
        found: Any = self.desk.spec
        for key in (*self.base.split("."), field):
            found = found[int(key)] if isinstance(found, tuple) else getattr(found, key)
        return found

    def _number(
        self,
        field: str,
        label: str,
        shown: float,
        read: Callable[[Any], Any],
        help: str,
        step: float,
        percent: bool = False,
    ) -> None:
        # No least and no most value: a field that has them drops what is typed beyond without a word.
        key, more = self._begin(field, label, shown, read, percent)
        st.number_input(
            label, key=key, help=help or None, step=step, value=None, format="%.6g", placeholder="0", **more
        )
        self._tell(field)

    def _begin(
        self, field: str, label: str, saved: Any, read: Callable[[Any], Any], percent: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """The widget's key, and what it does when it changes. It is set only where it shows something else than what is
        saved: a field that is set forgets what is being typed into it. What was typed in vain comes back with its fault
        after a look at another view, unless the page says that all of it is gone."""
        name = self._name(field)
        typed = state.dashboard_value(name, _NOTHING)
        if self.desk.changed_elsewhere:
            state.set_dashboard_note(f"{name}_fault", "")
        fault = state.dashboard_note(f"{name}_fault")
        if fault and typed is _NOTHING:
            state.put_dashboard(name, state.dashboard_note(f"{name}_typed"))
        elif not fault and (typed is _NOTHING or typed != saved):
            state.put_dashboard(name, saved)
        return state.dashboard_key(name), {"on_change": self._changed, "args": (field, label, read, percent)}

    def _changed(self, field: str, label: str, read: Callable[[Any], Any], percent: bool) -> None:
        name, path = self._name(field), f"{self.base}.{field}"
        typed = state.dashboard_value(name)
        try:
            self.desk.put(path, read(typed))
        except GroundworkError as error:
            named = {path: (label, percent), self.base: ("", False)}
            state.set_dashboard_note(f"{name}_fault", fault_words(error, named.get))
            state.set_dashboard_note(f"{name}_typed", typed)
        else:
            state.set_dashboard_note(f"{name}_fault", "")

    def _tell(self, field: str) -> None:
        if fault := state.dashboard_note(f"{self._name(field)}_fault"):
            st.error(f"Not saved yet. {fault}", icon=":material/error:")

    def _name(self, field: str) -> str:
        return f"{self.base}.{field}_{self.owner}_{self.desk.id}"


Named = Callable[[str], "tuple[str, bool] | None"]
"""The label of a place in the file, and whether it is typed as a percentage; None: not on this part of the page."""


def fault_words(error: GroundworkError, named: Named) -> str:
    """Faults of a company as who typed them reads them: the label, the value as it was typed, what is allowed."""
    if not isinstance(error, InvalidInput):
        return str(error)
    return " ".join(_reader_words(one, named) for one in _APART.split(error.happened.removesuffix(".")))


def _reader_words(fault: str, named: Named) -> str:
    found = _FAULT.fullmatch(fault)
    known = named(found["place"]) if found else None
    return f"{fault}." if found is None or known is None else _told(*known, found)


def _told(label: str, percent: bool, fault: re.Match[str]) -> str:
    why, value = fault["why"], fault["value"]
    if (limit := _LIMIT.match(why)) and value is not None:
        much = "too much" if limit[1] == "less" else "too little"
        why = f"{_scaled(value, percent)} is {much}; {_allowed(fault['place'], limit, percent)}"
    elif short := next((words for part, words in _SHORT.items() if part in why), None):
        why = short if value in (None, "''") else f"{value} {short}"
    elif value is not None:
        why = f"{why} (it is {value})"
    return f"{label}: {why}." if label else f"{why[:1].upper()}{why[1:]}."


def _allowed(place: str, limit: re.Match[str], percent: bool) -> str:
    """0 to 100; above 0; where only the bound that was hit is known, that one."""
    bounds = {type(one): one for one in _bounds(place)}
    low = next((str(getattr(bounds[kind], name)) for kind, name in ((Ge, "ge"), (Gt, "gt")) if kind in bounds), None)
    high = next((str(getattr(bounds[kind], name)) for kind, name in ((Le, "le"), (Lt, "lt")) if kind in bounds), None)
    if low is None and high is None:
        return f"{'at most' if limit[1] == 'less' else 'at least'} {_scaled(limit[2], percent)}"
    begin = None if low is None else f"{'above ' if Gt in bounds else ''}{_scaled(low, percent)}"
    end = None if high is None else f"{'below ' if Lt in bounds else ''}{_scaled(high, percent)}"
    if end is None:
        return f"{begin} or more" if Gt not in bounds else str(begin)
    return f"at most {end}" if begin is None else f"{begin} to {end}"


def _bounds(place: str) -> Iterator[Any]:
    """Of a field of the file, such as products.0.churn."""
    kind: Any = CompanySpec
    info = None
    for key in place.split("."):
        info = kind.model_fields.get(key) if kind is not None else None
        if info is not None:
            kind = next((one for one in _within(info.annotation) if _is_section(one)), None)
        elif kind is None:
            return
    for one in info.metadata if info is not None else ():
        if isinstance(one, Ge | Gt | Le | Lt):
            yield one


def _within(annotation: Any) -> Iterator[Any]:
    yield annotation
    for one in get_args(annotation):
        yield from _within(one)


def _is_section(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


def _scaled(value: str, percent: bool) -> str:
    try:
        number = float(value.strip("'"))
    except ValueError:
        return value
    return f"{number * (100 if percent else 1):,.6g}"


def written(value: Decimal) -> str:
    """1,200.50; without a fraction where there is none."""
    return f"{int(value):,}" if value == value.to_integral_value() else f"{value.normalize():,f}"


def _text(given: Any) -> str:
    return str(given or "").strip()


def _text_or_none(given: Any) -> str | None:
    return _text(given) or None


def text(desk: Desk, path: str, label: str, *, help: str = "", placeholder: str = "", optional: bool = False) -> None:
    """`Fields.text` of one path, such as `company.name`; so the others."""
    base, field = path.rsplit(".", 1)
    Fields(desk, base).text(field, label, help=help, placeholder=placeholder, optional=optional)


def money(desk: Desk, path: str, label: str, *, help: str = "") -> None:
    base, field = path.rsplit(".", 1)
    Fields(desk, base).money(field, label, help=help)


def number(desk: Desk, path: str, label: str, *, help: str = "", step: float = 1.0) -> None:
    base, field = path.rsplit(".", 1)
    Fields(desk, base).number(field, label, help=help, step=step)


def whole(desk: Desk, path: str, label: str, *, help: str = "") -> None:
    base, field = path.rsplit(".", 1)
    Fields(desk, base).whole(field, label, help=help)


def percent(desk: Desk, path: str, label: str, *, help: str = "", step: float = 0.5) -> None:
    base, field = path.rsplit(".", 1)
    Fields(desk, base).percent(field, label, help=help, step=step)
