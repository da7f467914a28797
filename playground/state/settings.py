"""The one machine for what a page lets one choose: from the link to the session and back.

Settings are a frozen dataclass whose fields are `fields.setting`s. Their names are the keys in the link; one at its
default is left out of it. A value that cannot be is never quietly replaced: it gets a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from playground.state import link
from playground.state.fields import Kind, NearestError, quoted
from playground.state.labels import labelled
from playground.state.problems import note_problem

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def outdated(key: str, keys: str) -> bool:
    """Whether `key` is of a widget that has gone, where those on the page have keys that begin with `keys`.

    A widget is still at its old value in the browser for a moment after the page has changed what it shows, and
    whatever else the browser asks for in that moment brings the old value along as if it had been chosen. So a widget
    gets another key whenever what it shows changes otherwise than by itself. Streamlit then calls back for the
    widget of the old key once more, with its old value: that is nobody's choice.
    """
    return not key.startswith(keys)


class PageSettings(Generic[S]):
    """The settings of a page, or the selection of all pages, for whoever visits.

    Args:
        name: their key in the session, and the beginning of their widgets' keys
        default: the settings as they are at first
        restart: by the name of a setting, others that start over when its widget changes it
    """

    def __init__(self, name: str, default: S, *, restart: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.default = default
        self._about = {item.name: item.metadata for item in fields(default)}
        self._restart = restart or {}
        self._state, self._generation, self._notes = name, f"{name}.generation", f"{name}.notes"

    def current(self) -> S:
        """The settings. A fragment's run asks these alone: its copy of the link may be older than they are."""
        settings: S = st.session_state.get(self._state, self.default)
        return settings

    def from_link(self, *, arrived: bool = False) -> S:
        """The settings: from the link where it says something, else as they were. Asked when a page is opened.

        The browser may still send, for a moment, what stood in its address before the page changed it, as when keys are
        pressed quickly: that is nobody's choice. Going back in the browser's history is one, and then the link says
        everything: what could stand in it and does not is as it was at first.

        Args:
            arrived: whether the visitor was on another page until now: what the link does not say then stays as it was
        """
        before = self.current()
        if link.stays_bare():
            return before
        found: dict[str, Any] = {}
        went_back = link.went_back()
        for name, about in self._about.items():
            text, kept = link.given(name, about["title"]), self.in_link(before, name)
            if text is None:
                if went_back and not arrived and kept is not None:
                    found[name] = getattr(self.default, name)
            elif text != kept and (went_back or not link.stale(name, text)):
                found |= self._read(before, name, text)
        if found:
            self._renew()
        settings = st.session_state[self._state] = replace(before, **found)
        link.complete(self._all_in_link(settings))
        return settings

    def _read(self, before: S, name: str, text: str) -> dict[str, Any]:
        """The value that stands in the link, by its name; where it cannot be, the nearest or none, and a sentence."""
        about = self._about[name]
        kind: Kind = about["kind"]
        try:
            return {name: kind.parse(text)}
        except ValueError as error:
            found = {name: error.nearest} if isinstance(error, NearestError) else {}
            value = found.get(name, getattr(before, name))
            at_first = value == getattr(self.default, name)
            stands = about["at_first"] if at_first else quoted(kind.format(value) or str(value))
            form = f" Use the form {kind.form}." if kind.form else ""
            note_problem(f"The link's {about['title']} cannot be used: {error}.{form} Used instead: {stands}.")
            return found

    def change(self, *, renew: bool = True, **values: Any) -> None:
        """Change settings, in the session and in the link; other than by their own widgets, those are made anew."""
        settings = st.session_state[self._state] = replace(self.current(), **values)
        link.put(self._all_in_link(settings))
        if renew:
            self._renew()

    def can_be(self, name: str, value: Any) -> bool:
        """Whether a setting can have this value, as far as it stands in a link: whether the link could give it."""
        kind: Kind = self._about[name]["kind"]
        written = kind.format(value)
        try:
            return value == getattr(self.default, name) or written is None or kind.parse(written) == value
        except ValueError:
            return False

    def correct(self, *notes: str, **nearest: Any) -> None:
        """Put the nearest that can be in the place of settings that cannot, and note why.

        The notes stand on the page until the settings change.
        """
        said = (*self.notes(), *notes)
        self.change(**nearest)
        st.session_state[self._notes] = self.current(), tuple(dict.fromkeys(said))

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the settings as they are."""
        settings, said = st.session_state.get(self._notes, (None, ()))
        return said if settings == self.current() else ()

    def key(self, name: str) -> str:
        """Key of a widget that shows a setting; see `outdated`."""
        return f"{self._state}.{st.session_state.get(self._generation, 0)}.{name}"

    def widget(self, name: str, where: str = "", *, labels: Sequence[str] = ()) -> dict[str, Any]:
        """What the widget of a setting is given so that it changes the setting.

        Args:
            name: the setting
            where: of a setting that several parts of a page have a widget for, the part. Streamlit knows a widget by
                its key: with one key for two, the second would stand at what the first was left at, whatever it is
                given to show
            labels: of what it stands at, where the labels of its options may change under it; see `labelled`
        """
        key = self.key(f"{name}.{where}" if where else name)
        key = labelled(key, *labels) if labels else key
        return {"key": key, "on_change": self._from_widget, "args": (name, key)}

    def _from_widget(self, name: str, key: str) -> None:
        if not outdated(key, self.key(name)):
            value = st.session_state[key]
            self.take(name, tuple(value) if isinstance(value, list) else value)  # settings are frozen

    def take(self, name: str, value: Any) -> None:
        """Set what the setting's own widget shows; those that start over with it do."""
        others = {other: getattr(self.default, other) for other in self._restart.get(name, ())}
        renew = any(getattr(self.current(), other) != before for other, before in others.items())
        self.change(renew=renew, **{name: value}, **others)

    def in_link(self, settings: S, name: str) -> str | None:
        """A setting as it stands in the link; None if it does not."""
        value = getattr(settings, name)
        kind: Kind = self._about[name]["kind"]
        return None if value == getattr(self.default, name) else kind.format(value)

    def link_of(self, settings: S) -> dict[str, str]:
        """What stands in the link for these settings, by key."""
        return {name: text for name, text in self._all_in_link(settings).items() if text is not None}

    def _all_in_link(self, settings: S) -> dict[str, str | None]:
        return {name: self.in_link(settings, name) for name in self._about}

    def _renew(self) -> None:
        st.session_state[self._generation] = st.session_state.get(self._generation, 0) + 1
