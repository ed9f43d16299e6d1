"""The judge's model as a plain function, with the reply cache and the budget of the audit behind it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from decimal import Decimal
from types import TracebackType
from typing import Any, TypeVar

from tieraudit.backends.address import public_url
from tieraudit.backends.base import Answer, CaseFailed
from tieraudit.config import Engine
from tieraudit.domain import JsonObject, Reply
from tieraudit.errors import BudgetReached, ConfigError
from tieraudit.pipeline.engines import Confirm, Engines, agree
from tieraudit.pipeline.reply_cost import JUDGE_OUTPUT_TOKENS, ZERO, Rates, SharedClock, nano, size_of
from tieraudit.pipeline.sending import replies_table, request_key
from tieraudit.progress import Progress, Silent
from tieraudit.store import Store

T = TypeVar("T")


class Judge:
    """Asks ``engine`` one question after the other, or several at once from several threads.

    A context manager: its engine starts with the first question that is not in the reply cache, and stops at the end.
    Replies are stored in `replies` under the audit that pays.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        budget_usd: Decimal | None = None,
        confirm: Confirm = agree,
        progress: Progress | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._budget_usd = budget_usd
        self._rates = Rates(engine, engine.model or "")
        hosts = (public_url(engine.base_url),) if engine.base_url and self._rates.paid else ()
        self._engines = Engines(say=(progress or Silent()).say, hosts=hosts, confirm=confirm)
        self._clock = SharedClock()
        self._lock = threading.Lock()
        self._reserved = ZERO
        self._starting = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._engines.close(), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            if self._thread is not None:
                self._thread.join()
            loop.close()

    def ask(self, audit_id: str, system: str, user: str) -> str:
        """The judge's answer to one question, from the cache where it was asked before.

        Raises ValueError when the judge does not answer this one, `BudgetReached` when the question does not fit into
        the audit's budget, and `BackendError` or `ConfigError` when no question can be answered.
        """
        model = self._engine.model or ""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        body = {"messages": messages, "temperature": 0, "max_tokens": JUDGE_OUTPUT_TOKENS}
        with self._lock:
            key = request_key(self._engines.endpoint(self._engine), model, body, 0)
            cached = self._store.rows("replay_cached", request_key=key)
        if cached:
            return str(json.loads(cached[0]["output"])["text"] or "")
        worst = self._reserve(audit_id, body)
        try:
            answer, cost = self._run(self._complete(body, model))
            self._keep(audit_id, key, model, answer, cost)
        except CaseFailed as failure:
            raise ValueError(f"the judge did not answer ({failure.kind})") from failure
        finally:
            with self._lock:
                self._reserved -= worst
        return answer.output.text or ""

    async def _complete(self, body: JsonObject, model: str) -> tuple[Answer, Decimal | None]:
        async with self._starting:
            await self._engines.enter([self._engine])
        mark = self._clock.start()
        share = 0.0
        try:
            answer = await self._engines.entered(self._engine).complete(body, model=model)
        finally:
            share = self._clock.stop(mark)
        return answer, self._rates.cost(answer.usage, share_s=share)

    def _reserve(self, audit_id: str, body: JsonObject) -> Decimal:
        worst = self._rates.worst(size_of(body))
        with self._lock:
            if self._budget_usd is not None:
                if worst is None:
                    raise ConfigError(
                        f"the price of the judge's model {self._engine.model} is unknown, so no budget can hold",
                        hint="set input_usd_per_mtok and output_usd_per_mtok under [judge]",
                    )
                spent = self._store.one("replay_spent", audit_id=audit_id)["spent_usd"]
                if spent + self._reserved + worst > self._budget_usd:
                    raise BudgetReached("the budget does not cover the judge's next question", hint="raise --budget")
            self._reserved += worst or ZERO
        return worst or ZERO

    def _keep(self, audit_id: str, key: str, model: str, answer: Answer, cost: Decimal | None) -> None:
        reply = Reply(
            request_key=key,
            model=model,
            endpoint=self._engines.endpoint(self._engine),
            trial=0,
            output=answer.output,
            usage=answer.usage,
            cost_usd=None if cost is None else nano(cost),
            latency_ms=answer.latency_ms,
            time_to_first_token_ms=answer.time_to_first_token_ms,
            served_model=answer.served_model,
            dropped=answer.dropped,
        )
        with self._lock:
            self._store.insert("replies", replies_table(audit_id, [reply]))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        # A loop of its own: questions come from whatever thread scores a case.
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="judge", daemon=True)
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
