"""What the engines that start a server share: start, answer, tell a dead server from a failed case, stop."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from types import TracebackType
from typing import Any

from tieraudit.backends.base import Answer, CaseFailed, Say
from tieraudit.backends.chat_client import ChatClient
from tieraudit.backends.parameters import PROVIDER_ONLY, has_media
from tieraudit.backends.server_process import ServerPlan, ServerProcess, free_port, random_key
from tieraudit.config import Engine
from tieraudit.errors import BackendError, EngineFailed

PlanServer = Callable[[int, str], ServerPlan]
"""Port and key in, what to start out; raises `EngineFailed` when something is not installed."""


class OwnServerBackend:
    """Starts a Chat Completions server when entered and ends it when left; it answers on loopback with a random key."""

    def __init__(self, engine: Engine, plan: PlanServer, *, text_only: bool, say: Say) -> None:
        self.endpoint = endpoint_of(engine)
        self._engine = engine
        self._plan = plan
        self._text_only = text_only
        self._say = say
        self._server: ServerProcess | None = None
        self._client: ChatClient | None = None

    async def __aenter__(self) -> OwnServerBackend:
        key = random_key()
        server = ServerProcess(self._plan(free_port(), key), say=self._say)
        await server.start()
        self._server = server
        self._client = ChatClient(f"{server.base_url}/v1", key, self._engine, dropped=PROVIDER_ONLY)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        server, self._server = self._server, None
        try:
            if client is not None:
                await client.close()
        finally:
            if server is not None:
                await server.stop()

    async def complete(self, request: dict[str, Any], *, model: str) -> Answer:
        """See `Backend.complete`; raises `EngineFailed` when the server died or was started without what this needs."""
        if self._client is None or self._server is None:
            raise RuntimeError("a backend is used inside its context")
        if self._text_only and has_media(request):
            raise CaseFailed("unsupported_input", "the model takes text only")
        try:
            return await self._client.complete(request, model=model)
        except (BackendError, CaseFailed) as error:
            if self._server.ended:
                raise self._server.failure("the server died while answering") from error
            if isinstance(error, CaseFailed) and "--tool-call-parser" in error.message:
                raise EngineFailed(
                    f"{self._engine.engine}: the server was started without a parser for tool calls",
                    hint=f'args = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"] under '
                    f"[tiers.{self._engine.name}]; the parser depends on the model",
                ) from error
            raise


def endpoint_of(engine: Engine) -> str:
    """The name of a server of our own in the reply cache: other arguments may mean other answers."""
    if not engine.args:
        return engine.engine
    return f"{engine.engine}:{sha256(chr(0).join(engine.args).encode()).hexdigest()[:8]}"
