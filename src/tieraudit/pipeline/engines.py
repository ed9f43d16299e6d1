"""The engines of one run: made for each tier, started on first need, stopped at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tieraudit.backends import BACKENDS, Backend
from tieraudit.backends.address import public_url
from tieraudit.backends.base import Say
from tieraudit.config import Engine
from tieraudit.pipeline.reply_cost import Rates

Confirm = Callable[[tuple[str, ...]], None]
"""Takes the hosts that are about to bill; returns to go on, raises `UsageError` to stop."""


def agree(hosts: tuple[str, ...]) -> None:
    """Nobody asks: the default `Confirm`."""


class Engines:
    """Backends by tier. One whose replies are all stored is never entered: no server, no key, no connection."""

    def __init__(self, *, confirm: Confirm = agree, say: Say) -> None:
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

    async def enter(self, needed: Iterable[tuple[Engine, str]]) -> None:
        """Start what is needed, by (engine, model), and is not at work yet; asks once before anybody bills."""
        fresh = {engine.name: (engine, model) for engine, model in needed if engine.name not in self._entered}
        hosts = {public_url(e.base_url) for e, model in fresh.values() if e.base_url and Rates(e, model).paid}
        if hosts:
            self._confirm(tuple(sorted(hosts)))
        for engine, _ in fresh.values():
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
