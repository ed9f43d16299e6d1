"""One Chat Completions endpoint: sends a body as it was logged, measures, and sorts failures into case or run."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import openai

from tieraudit.backends.address import is_loopback, public_url
from tieraudit.backends.answers import Parsed, StreamFold, parse_completion
from tieraudit.backends.base import Answer, CaseFailed
from tieraudit.backends.parameters import Fit, has_media, lasting, refused_field
from tieraudit.config import Engine
from tieraudit.domain import Usage
from tieraudit.errors import BackendError, Unauthorised
from tieraudit.redaction import scrub_secrets

PATH = "/chat/completions"
MAX_REFUSALS = 6
LONGEST_MESSAGE = 300
STREAM_FIELDS = {"stream": True, "stream_options": {"include_usage": True}}
CONTEXT_WORDS = ("context_length_exceeded", "context length", "context size", "context window")
MEDIA_WORDS = ("image", "multimodal", "vision", "audio", "content type", "modalit")
UNREACHABLE = ("ConnectError", "ConnectTimeout")

_sent_at: ContextVar[list[float]] = ContextVar("sent_at")


class ChatClient:
    """Answers bodies through the openai client, which retries 408, 409, 429, 5xx and lost connections.

    Its retries wait as Retry-After says, up to two minutes (`openai._base_client`, `_calculate_retry_timeout`), else
    0.5 s doubled up to 8 s. Times are of the attempt that was answered, without the waiting before it.
    """

    def __init__(self, base_url: str, api_key: str, engine: Engine, *, dropped: frozenset[str] = frozenset()) -> None:
        """``dropped`` are fields that this kind of server is known not to take."""
        self._where = public_url(base_url)
        self._engine = engine
        self._api_key = api_key
        self._fits: dict[str, Fit] = defaultdict(lambda: Fit(set(dropped)))
        self._streams = True
        self._answered = False
        http = openai.DefaultAsyncHttpxClient(
            event_hooks={"request": [_note_time]}, trust_env=not is_loopback(base_url), timeout=engine.timeout_s
        )
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            timeout=engine.timeout_s,
            max_retries=int(engine.max_retries),
            http_client=http,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def complete(self, request: dict[str, Any], *, model: str) -> Answer:
        """See `Backend.complete`; a field that the target refuses is left out and named in ``dropped``."""
        fit = self._fits[model]
        for _ in range(MAX_REFUSALS):
            body, dropped = fit.apply(request)
            try:
                answer = await self._answer({**body, "model": model}, dropped)
            except openai.APIStatusError as error:
                name = self._refusal(error, body)
                if name is None:
                    raise self._failure(error, request, model) from error
                if name in STREAM_FIELDS:
                    self._streams = False
                    continue
                always = lasting(str(error))
                fit = fit if always else fit.copy()
                fit.refuse(name, request, rename=always)
            except openai.APIError as error:
                raise self._failure(error, request, model) from error
            else:
                self._answered = True
                return answer
        raise CaseFailed("http_400", f"{self._where} refused one field of the request after the other")

    async def _answer(self, body: dict[str, Any], dropped: tuple[str, ...]) -> Answer:
        if self._streams:
            answer = await self._streamed(body, dropped)
            if answer is not None:
                return answer
        started = _begin()
        try:
            response = await self._client.post(PATH, body=body, cast_to=object)
        except ValueError as error:
            raise CaseFailed("malformed_answer", "the response is not JSON") from error
        return _measured(parse_completion(response), started[0], None, dropped)

    async def _streamed(self, body: dict[str, Any], dropped: tuple[str, ...]) -> Answer | None:
        """The answer read as a stream; None when the stream broke off, so that it is asked for whole."""
        started = _begin()
        stream: openai.AsyncStream[Any] = await self._client.post(
            PATH, body={**body, **STREAM_FIELDS}, cast_to=object, stream=True, stream_cls=openai.AsyncStream[Any]
        )
        fold, first_at = StreamFold(), None
        try:
            async with asyncio.timeout(self._engine.timeout_s):
                async for chunk in stream:
                    if fold.add(chunk) and first_at is None:
                        first_at = time.perf_counter()
        except TimeoutError as error:
            raise CaseFailed("timeout", f"no complete answer within {self._engine.timeout_s:g} s") from error
        except openai.APIError as error:
            if not isinstance(error, openai.APIConnectionError):
                raise CaseFailed("stream_error", self._clean(error)) from error
            return None
        except Exception:  # what a broken transport raises here depends on the version of the client
            return None
        finally:
            await stream.close()
        if not fold.complete:
            return None
        parsed = fold.parsed()
        if parsed.usage == Usage():
            # The endpoint does not tell usage in a stream; money needs it more than the time to the first token.
            self._streams = False
        return _measured(parsed, started[0], first_at, dropped)

    def _refusal(self, error: openai.APIStatusError, body: Mapping[str, Any]) -> str | None:
        if error.status_code not in (400, 422):
            return None
        sent = {**STREAM_FIELDS, **body} if self._streams else body
        return refused_field(sent, error.param, str(error))

    def _failure(self, error: openai.APIError, request: Mapping[str, Any], model: str) -> Exception:
        """What the error means: the end of this case (`CaseFailed`) or of the run (`BackendError`)."""
        if isinstance(error, openai.APIStatusError):
            return self._ends_the_run(error, model) or self._ends_the_case(error, request)
        cause = type(error.__cause__).__name__
        if isinstance(error, openai.APIConnectionError) and cause in UNREACHABLE:
            return BackendError(
                f"{self._where}: cannot be reached",
                hint="is the server running, and is base_url in tieraudit.toml right?",
            )
        if isinstance(error, openai.APITimeoutError):
            return CaseFailed("timeout", f"no answer within {self._engine.timeout_s:g} s")
        return CaseFailed("connection_lost", self._clean(error))

    def _ends_the_run(self, error: openai.APIStatusError, model: str) -> BackendError | None:
        if error.status_code in (401, 403):
            where = f"the variable {self._engine.api_key_env}" if self._engine.api_key_env else "api_key_env"
            return Unauthorised(f"{self._where}: the key was refused ({error.status_code})", hint=f"check {where}")
        if error.status_code == 402 or error.code == "insufficient_quota":
            return BackendError(
                f"{self._where}: the account has no credit left ({error.status_code})",
                hint="top it up and run the same command again: what was paid for is stored",
            )
        if error.status_code == 404 and not self._answered:
            return BackendError(
                f"{self._where}: no such path, or no model '{model}' (404)",
                hint="check base_url (it usually ends in /v1) and model in tieraudit.toml",
            )
        return None

    def _ends_the_case(self, error: openai.APIStatusError, request: Mapping[str, Any]) -> CaseFailed:
        message = self._clean(error)
        lowered = message.lower()
        if has_media(request) and any(word in lowered for word in MEDIA_WORDS):
            return CaseFailed("unsupported_input", message)
        if any(word in lowered for word in CONTEXT_WORDS) or error.code == "exceed_context_size_error":
            return CaseFailed("context_too_long", message)
        return CaseFailed(f"http_{error.status_code}", message)

    def _clean(self, error: openai.APIError) -> str:
        return scrub_secrets(str(error).replace(self._api_key, "***"))[:LONGEST_MESSAGE]


async def _note_time(request: object) -> None:
    # The client runs this in the task of `complete`, once per attempt.
    _sent_at.get([0.0])[0] = time.perf_counter()


def _begin() -> list[float]:
    started = [time.perf_counter()]
    _sent_at.set(started)
    return started


def _measured(parsed: Parsed, started: float, first_at: float | None, dropped: tuple[str, ...]) -> Answer:
    return Answer(
        output=parsed.output,
        usage=parsed.usage,
        latency_ms=(time.perf_counter() - started) * 1000,
        time_to_first_token_ms=None if first_at is None else (first_at - started) * 1000,
        served_model=parsed.served_model,
        dropped=dropped,
    )
