"""The engines of one run: made for each tier, started on first need, stopped at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tieraudit.backends import BACKENDS, Backend
from tieraudit.backends.base import Say
from tieraudit.config import Engine

Confirm = Callable[[tuple[str, ...]], None]
"""Takes the hosts that may bill; returns to go on, raises `UsageError` to stop."""


def agree(hosts: tuple[str, ...]) -> None:
    """Nobody asks: the default `Confirm`."""


class Engines:
    """Backends by tier. One whose replies are all stored is never entered: no server, no key, no connection."""

    def __init__(self, *, say: Say, hosts: tuple[str, ...] = (), confirm: Confirm = agree) -> None:
        """``hosts`` may bill in this run: ``confirm`` is asked for all of them before anything starts."""
        self._hosts = hosts
        self._confirm = confirm
        self._say = say
        self._made: dict[str, Backend] = {}
        self._entered: dict[str, Backend] = {}

    def endpoint(self, engine: Engine) -> str:
        """The engine's name in the reply cache."""
        return self._backend(engine).endpoint

    def entered(self, engine: Engine) -> Backend:
        """The backend at work; only after `enter`."""
        return self._entered[engine.name]

    async def enter(self, needed: Iterable[Engine]) -> None:
        """Start what is needed and not at work yet."""
        fresh = {engine.name: engine for engine in needed if engine.name not in self._entered}
        if fresh and self._hosts:
            self._confirm(self._hosts)
            self._hosts = ()
        for engine in fresh.values():
            backend = self._backend(engine)
            await backend.__aenter__()
            self._entered[engine.name] = backend

    async def close(self) -> None:
        """Stop everything, the last one started first; the first failure is raised when all had their turn."""
        failure: BaseException | None = None
        while self._entered:
            _, backend = self._entered.popitem()
            try:
                await backend.__aexit__(None, None, None)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _backend(self, engine: Engine) -> Backend:
        if engine.name not in self._made:
            self._made[engine.name] = BACKENDS.get(engine.engine).open(engine, say=self._say)
        return self._made[engine.name]
