"""Fields of a company: each shows what is saved, and saves what is typed; a faulty one keeps it, with why, below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

from core.errors import GroundworkError
from pages import state
from pages.widgets.dashboard_desk import Desk

_NOTHING = object()


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
        key, more = self._begin(field, str(self.value(field) or ""), read)
        st.text_input(label, key=key, help=help or None, placeholder=placeholder, **more)
        self._tell(field)

    def area(self, field: str, label: str, *, help: str = "", placeholder: str = "") -> None:
        """Several lines."""
        key, more = self._begin(field, str(self.value(field) or ""), _text)
        st.text_area(label, key=key, help=help or None, placeholder=placeholder, height="content", **more)
        self._tell(field)

    def money(self, field: str, label: str, *, help: str = "") -> None:
        """An amount as people write it: 1200, 1,200.50, 12k."""
        key, more = self._begin(field, written(self.value(field)), lambda given: _text(given) or "0")
        st.text_input(label, key=key, help=help or None, placeholder="0", **more)
        self._tell(field)

    def number(self, field: str, label: str, *, help: str = "", step: float = 1.0) -> None:
        """A number, perhaps a fraction."""
        self._number(field, label, float(self.value(field)), lambda given: float(given or 0), help, step)

    def percent(self, field: str, label: str, *, help: str = "", step: float = 0.5) -> None:
        """A share of 0.05, shown as 5."""
        shown = float(f"{float(self.value(field)) * 100:.12g}")
        self._number(field, label, shown, lambda given: float(f"{float(given or 0) / 100:.12g}"), help, step)

    def whole(self, field: str, label: str, *, help: str = "") -> None:
        key, more = self._begin(field, int(self.value(field)), lambda given: int(given or 0))
        st.number_input(label, key=key, help=help or None, step=1, value=None, placeholder="0", **more)
        self._tell(field)

    def choice(self, field: str, label: str, options: Mapping[str, str], *, help: str = "", more: bool = False) -> None:
        """options: what is shown by what is saved. more: others may be typed."""
        given = str(self.value(field))
        shown = dict(options) if given in options else {given: given, **options}
        key, how = self._begin(field, given, _text)
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

    def _number(self, field: str, label: str, shown: float, read: Callable[[Any], Any], help: str, step: float) -> None:
        # No least and no most value: a field that has them drops what is typed beyond without a word.
        key, more = self._begin(field, shown, read)
        st.number_input(
            label, key=key, help=help or None, step=step, value=None, format="%.6g", placeholder="0", **more
        )
        self._tell(field)

    def _begin(self, field: str, saved: Any, read: Callable[[Any], Any]) -> tuple[str, dict[str, Any]]:
        """The widget's key, and what it does when it changes. It is set only where it shows something else than what is
        saved: a field that is set forgets what is being typed into it."""
        name = self._name(field)
        typed = state.dashboard_value(name, _NOTHING)
        if typed is _NOTHING or (typed != saved and not state.dashboard_note(f"{name}_fault")):
            state.put_dashboard(name, saved)
            state.set_dashboard_note(f"{name}_fault", "")
        return state.dashboard_key(name), {"on_change": self._changed, "args": (field, read)}

    def _changed(self, field: str, read: Callable[[Any], Any]) -> None:
        name = self._name(field)
        try:
            self.desk.put(f"{self.base}.{field}", read(state.dashboard_value(name)))
        except GroundworkError as error:
            state.set_dashboard_note(f"{name}_fault", str(error))
        else:
            state.set_dashboard_note(f"{name}_fault", "")

    def _tell(self, field: str) -> None:
        if fault := state.dashboard_note(f"{self._name(field)}_fault"):
            st.error(f"Not saved yet: {fault}", icon=":material/error:")

    def _name(self, field: str) -> str:
        return f"{self.base}.{field}_{self.owner}_{self.desk.id}"


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
