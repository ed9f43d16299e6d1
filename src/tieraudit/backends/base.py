"""What a backend is: something that is opened, answers Chat Completions bodies, and is closed on every exit path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from tieraudit.config import Engine
from tieraudit.domain import Output, Usage

Say = Callable[[str], None]
"""Takes one line of talk, such as the loading progress of a server."""


def silent(line: str) -> None:
    """Nobody listens: the default `Say`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, with its usage as billed and its times; ``dropped`` names request fields it cannot take."""

    output: Output
    usage: Usage
    latency_ms: float
    time_to_first_token_ms: float | None
    served_model: str | None
    dropped: tuple[str, ...] = ()


class Backend(Protocol):
    """An engine at work. Use it as an async context manager: entering starts what must be started, leaving stops it.

    ``endpoint`` names the engine in the reply cache, stable across runs (a host and path, or the engine's name for
    a server of our own whose port changes).
    """

    endpoint: str

    async def __aenter__(self) -> Backend: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def complete(self, request: dict[str, Any], *, model: str) -> Answer:
        """Answer one Chat Completions body (no ``model`` in it). Retries what is worth retrying, honours Retry-After.

        Raises `Unauthorised` when the key is refused and `BackendError` when the endpoint cannot be reached or is
        gone: both end the run. A refusal of this one request (400, context too long, retries used up on 5xx)
        raises `CaseFailed`, which is recorded on the case.
        """


class BackendFactory(Protocol):
    """Makes a backend from the user's configuration of a tier; raises `ConfigError` when something is missing."""

    name: str

    def open(self, engine: Engine, *, say: Say = silent) -> Backend:
        """A backend for ``engine``; nothing is started, read or connected before it is entered."""


class CaseFailed(Exception):
    """One request did not get an answer; ``kind`` is a short error type such as ``http_400`` or ``timeout``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
