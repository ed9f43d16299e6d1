"""Engine `openai`: any endpoint that speaks Chat Completions, by base_url and api_key_env."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from tieraudit.backends.address import is_loopback, public_url
from tieraudit.backends.base import Answer, Say, silent
from tieraudit.backends.chat_client import ChatClient
from tieraudit.config import Engine
from tieraudit.errors import ConfigError


class OpenAIFactory:
    """OpenAI, Azure, OpenRouter, a LiteLLM proxy, a vLLM or llama.cpp server that already runs, ..."""

    name = "openai"

    def open(self, engine: Engine, *, say: Say = silent) -> OpenAIBackend:
        """A backend for ``engine.base_url``; raises `ConfigError` when there is none."""
        if not engine.base_url:
            raise ConfigError(
                f"tier '{engine.name}': engine 'openai' needs base_url", hint='base_url = "http://host:port/v1"'
            )
        return OpenAIBackend(engine, engine.base_url)


class OpenAIBackend:
    """Connects when entered; the key is read from the environment then, and raises `ConfigError` when it is missing."""

    def __init__(self, engine: Engine, base_url: str) -> None:
        self.endpoint = public_url(base_url)
        self._engine = engine
        self._base_url = base_url
        self._client: ChatClient | None = None

    async def __aenter__(self) -> OpenAIBackend:
        self._client = ChatClient(self._base_url, _key(self._engine, self._base_url), self._engine)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def complete(self, request: dict[str, Any], *, model: str) -> Answer:
        """See `Backend.complete`."""
        if self._client is None:
            raise RuntimeError("a backend is used inside its context")
        return await self._client.complete(request, model=model)


def _key(engine: Engine, base_url: str) -> str:
    if engine.api_key_env:
        key = os.environ.get(engine.api_key_env, "").strip()
        if not key:
            raise ConfigError(
                f"tier '{engine.name}': the environment has no {engine.api_key_env}",
                hint=f"export {engine.api_key_env}=... and run the same command again",
            )
        return key
    if is_loopback(base_url):
        return "no-key"
    raise ConfigError(
        f"tier '{engine.name}': {public_url(base_url)} needs a key",
        hint='api_key_env = "NAME_OF_VARIABLE" under the tier in tieraudit.toml',
    )
