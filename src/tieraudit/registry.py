"""Name -> adapter: the built-ins of a plug-in folder first, then entry points of installed packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from tieraudit.errors import UsageError

T = TypeVar("T")


class Registry(Generic[T]):
    """The adapters of one kind, imported on first use.

    ``builtins`` maps a name to ``"package.module:attribute"``; the attribute is a class without constructor
    arguments or a ready instance. Packages add more through the entry-point group ``tieraudit.<kind>``; a
    built-in name cannot be taken over.
    """

    def __init__(self, kind: str, builtins: Mapping[str, str]) -> None:
        self.kind = kind
        self._targets = dict(builtins)
        self._loaded: dict[str, T] = {}
        self._scanned = False

    def names(self) -> list[str]:
        """All known names, built-ins first and in the order of their table."""
        self._scan()
        return list(self._targets)

    def get(self, name: str) -> T:
        """The adapter called ``name``; raises `UsageError` with the closest names when there is none."""
        self._scan()
        if name not in self._targets:
            close = get_close_matches(name, self._targets, n=1)
            meant = f"did you mean '{close[0]}'? " if close else ""
            raise UsageError(f"unknown {self.kind} '{name}'", hint=f"{meant}known: {', '.join(self._targets)}")
        if name not in self._loaded:
            module, _, attribute = self._targets[name].partition(":")
            target: Any = getattr(import_module(module), attribute)
            self._loaded[name] = target() if isinstance(target, type) else target
        return self._loaded[name]

    def __iter__(self) -> Iterator[T]:
        return (self.get(name) for name in self.names())

    def _scan(self) -> None:
        if self._scanned:
            return
        for point in entry_points(group=f"tieraudit.{self.kind}"):
            self._targets.setdefault(point.name, point.value)
        self._scanned = True
