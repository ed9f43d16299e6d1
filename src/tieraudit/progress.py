"""How a stage tells of its progress without knowing a terminal."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A stage calls `start` once per phase and `advance` as it goes; `say` is one line of talk."""

    def start(self, label: str, total: int | None = None) -> None:
        """Begin a phase; ``total`` None when it is unknown."""

    def advance(self, steps: int = 1) -> None:
        """``steps`` more are done."""

    def say(self, line: str) -> None:
        """One line that a user should see."""


class Silent:
    """Progress that nobody watches: the default of every stage."""

    def start(self, label: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, steps: int = 1) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Nothing."""
