"""Sends requests to the engines, each at its own concurrency, and stores every reply as it arrives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import pyarrow as pa

from tieraudit.backends.base import CaseFailed
from tieraudit.config import Engine
from tieraudit.domain import JsonObject, Reply, Usage
from tieraudit.errors import BackendError, ConfigError
from tieraudit.pipeline.budget import Budget, BudgetEnded
from tieraudit.pipeline.engines import Engines
from tieraudit.pipeline.reply_cost import ZERO, Rates, SharedClock, nano, size_of
from tieraudit.progress import Progress
from tieraudit.store import Store

REPLIES = pa.schema(
    [
        ("request_key", pa.string()),
        ("audit_id", pa.string()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("endpoint", pa.string()),
        ("model", pa.string()),
        ("served_model", pa.string()),
        ("trial", pa.int32()),
        ("output", pa.string()),
        ("input_tokens", pa.int64()),
        ("cache_read_input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("reasoning_output_tokens", pa.int64()),
        ("cost_usd", pa.decimal128(18, 9)),
        ("latency_ms", pa.float64()),
        ("time_to_first_token_ms", pa.float64()),
        ("error_type", pa.string()),
        ("error_message", pa.string()),
        ("dropped", pa.list_(pa.string())),
    ]
)
BILLED_UNSEEN = ("timeout", "connection_lost", "stream_error")
"""Failures after which a provider may bill for an answer that never came: their worst case counts as spent."""

SERVER_ERRORS = ("http_500", "http_502", "http_503", "http_504", "http_529")
FAILURES_IN_A_ROW = 12


@dataclass(frozen=True, slots=True)
class Request:
    """One reply to get: ``body`` as logged, from ``model`` at ``engine``; ``key`` names it in the reply cache."""

    key: str
    engine: Engine
    model: str
    trial: int
    body: JsonObject


def request_key(endpoint: str, model: str, body: JsonObject, trial: int) -> str:
    """The name of a reply: the same request to the same model, trial by trial, is never paid twice."""
    canonical = json.dumps([endpoint, model, body, trial], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class Sender:
    """Sends the requests of one run of an audit. The only writer of the table `replies` while it does."""

    def __init__(self, store: Store, audit_id: str, engines: Engines, budget: Budget, progress: Progress) -> None:
        self._store = store
        self._audit_id = audit_id
        self._engines = engines
        self._budget = budget
        self._progress = progress
        self._clocks: dict[str, SharedClock] = {}
        self._failures: dict[str, int] = {}
        self._rates: dict[tuple[str, str], Rates] = {}
        self._arrived: list[Reply] = []
        self.ended: BudgetEnded | None = None
        self.failed: set[str] = set()

    async def send(self, requests: Sequence[Request]) -> None:
        """Get and store the replies; returns early, with `ended` set, when the budget does not cover the next one.

        A request that failed is stored as failed, and its key kept in `failed`: the case is excluded, the run goes
        on. Raises `BackendError` when an endpoint is gone, `Unauthorised` when it refuses the key, and `ConfigError`
        when a limit in dollars meets an unknown price. Whatever ends it, the replies that came are stored.
        """
        self._check_prices(requests)
        await self._engines.enter(request.engine for request in requests)
        by_engine: dict[str, list[Request]] = {}
        for request in requests:
            by_engine.setdefault(request.engine.name, []).append(request)
        try:
            async with asyncio.TaskGroup() as group:
                for queued in by_engine.values():
                    shared = iter(queued)
                    for _ in range(min(int(queued[0].engine.concurrency), len(queued))):
                        group.create_task(self._work(shared))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._flush()

    async def _work(self, queue: Iterator[Request]) -> None:
        for request in queue:
            rates = self._rates_of(request)
            worst = rates.worst(size_of(request.body)) or ZERO
            if self.ended is not None:
                return
            try:
                await self._budget.reserve(worst)
            except BudgetEnded as ended:
                self.ended = ended
                return
            spent = worst
            try:
                reply = await self._ask(request, rates, worst)
                spent = reply.cost_usd or ZERO
                self._arrived.append(reply)
            finally:
                await self._budget.settle(worst, spent)
            # Whatever arrived in the same turn of the loop goes into one insert.
            await asyncio.sleep(0)
            self._flush()
            self._progress.advance()
            self._watch(request, reply)

    async def _ask(self, request: Request, rates: Rates, worst: Decimal) -> Reply:
        clock = self._clocks.setdefault(request.engine.name, SharedClock())
        backend = self._engines.entered(request.engine)
        mark = clock.start()
        try:
            answer = await backend.complete(request.body, model=request.model)
        except CaseFailed as failure:
            rent = rates.cost(Usage(), share_s=clock.stop(mark))
            unseen = worst if failure.kind in BILLED_UNSEEN else ZERO
            return _failed(request, backend.endpoint, failure, nano(unseen if rent is None else rent))
        except BaseException:
            clock.stop(mark)
            raise
        cost = rates.cost(answer.usage, share_s=clock.stop(mark))
        if cost is None and answer.usage.output_tokens is None and worst:
            # Billed, but the endpoint does not say how much.
            cost = worst
        return Reply(
            request_key=request.key,
            model=request.model,
            endpoint=backend.endpoint,
            trial=request.trial,
            output=answer.output,
            usage=answer.usage,
            cost_usd=None if cost is None else nano(cost),
            latency_ms=answer.latency_ms,
            time_to_first_token_ms=answer.time_to_first_token_ms,
            served_model=answer.served_model,
            dropped=answer.dropped,
        )

    def _watch(self, request: Request, reply: Reply) -> None:
        """Keep the failed keys; end the run when an endpoint only fails, before every case of the audit has failed."""
        name = request.engine.name
        if reply.error_type is None:
            self._failures[name] = 0
            return
        self.failed.add(request.key)
        if reply.error_type in BILLED_UNSEEN or reply.error_type in ("http_429", *SERVER_ERRORS):
            self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures.get(name, 0) >= max(FAILURES_IN_A_ROW, request.engine.concurrency):
            raise BackendError(
                f"{reply.endpoint}: {self._failures[name]} failures in a row, the last one {reply.error_type}: "
                f"{reply.error_message}",
                hint="when it answers again, run the same command: what was answered is stored",
            )

    def _check_prices(self, requests: Sequence[Request]) -> None:
        if not self._budget.limited:
            return
        for request in requests:
            if self._rates_of(request).worst(size_of(request.body)) is None:
                raise ConfigError(
                    f"the price of {request.model} at tier '{request.engine.name}' is unknown, so no budget can hold",
                    hint=f"set input_usd_per_mtok and output_usd_per_mtok under [tiers.{request.engine.name}]",
                )

    def _rates_of(self, request: Request) -> Rates:
        name = (request.engine.name, request.model)
        if name not in self._rates:
            self._rates[name] = Rates(request.engine, request.model)
        return self._rates[name]

    def _flush(self) -> None:
        arrived, self._arrived = self._arrived, []
        if arrived:
            self._store.insert("replies", replies_table(self._audit_id, arrived))


def replies_table(audit_id: str, replies: Sequence[Reply]) -> pa.Table:
    """Rows of the table `replies`, paid for by ``audit_id``."""
    now = datetime.now(UTC)
    rows = [
        {
            **{name: value for name, value in asdict(reply).items() if name in REPLIES.names},
            **{name: value for name, value in asdict(reply.usage).items() if name in REPLIES.names},
            "audit_id": audit_id,
            "created_at": now,
            "output": None if reply.output is None else json.dumps(reply.output.to_json()),
        }
        for reply in replies
    ]
    return pa.Table.from_pylist(rows, schema=REPLIES)


def _failed(request: Request, endpoint: str, failure: CaseFailed, cost: Decimal) -> Reply:
    return Reply(
        request_key=request.key,
        model=request.model,
        endpoint=endpoint,
        trial=request.trial,
        output=None,
        usage=Usage(),
        cost_usd=cost,
        latency_ms=0.0,
        time_to_first_token_ms=None,
        error_type=failure.kind,
        error_message=failure.message,
    )
