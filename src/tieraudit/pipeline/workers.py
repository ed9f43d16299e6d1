"""Conversion on every core: batches go to processes of our own and come back in order.

The processes read from a pipe, so they end when this one ends, however it ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import cast

from tieraudit.formats.rows import Block, Raw
from tieraudit.pipeline.conversion import Converted, Job, convert

ROWS = 8_000
BYTES = 16 * 2**20
# A process takes a second to start: what fits in a first, smaller batch is done before it would be of use.
FIRST_BYTES = 4 * 2**20
MODULE = "tieraudit.pipeline.worker"


class Converter:
    """Converts the rows of one log after another; a context manager that ends its processes.

    ``processes`` 0 converts here; None takes one a core.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._count = (os.cpu_count() or 1) if processes is None else processes
        self._workers: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> Converter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for worker in self._workers:
                worker.kill()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def convert(self, job: Job, rows: Iterable[Raw]) -> Iterator[Converted]:
        """The batches of ``rows`` in order; at most two a process are on their way."""
        waiting: deque[Future[Converted]] = deque()
        for number, batch in enumerate(_batches(rows)):
            if self._count < 2 or number == 0:
                yield convert(job, batch)
                continue
            waiting.append(self._submit(job, batch))
            if len(waiting) > 2 * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _submit(self, job: Job, batch: list[Raw]) -> Future[Converted]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="convert")
            self._workers = [_Worker() for _ in range(self._count)]
            for worker in self._workers:
                self._idle.put(worker)
        return self._threads.submit(self._run, job, batch)

    def _run(self, job: Job, batch: list[Raw]) -> Converted:
        worker = self._idle.get()
        try:
            return worker.run(job, batch)
        except (EOFError, OSError, pickle.UnpicklingError):
            # The process is gone, killed for memory perhaps; the batch is not.
            return convert(job, batch)
        finally:
            self._idle.put(worker)


class _Worker:
    def __init__(self) -> None:
        # The path of this process is handed on, so that the package is found the same way.
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", MODULE]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, start_new_session=True
        )

    def run(self, job: Job, batch: list[Raw]) -> Converted:
        asked, told = self._process.stdin, self._process.stdout
        if asked is None or told is None:
            raise EOFError
        pickle.dump((job, batch), asked, protocol=5)
        asked.flush()
        # What comes back was written by our own code at the other end of a private pipe.
        return cast(Converted, pickle.load(told))  # noqa: S301

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()


def _batches(rows: Iterable[Raw]) -> Iterator[list[Raw]]:
    batch: list[Raw] = []
    size, limit = 0, min(FIRST_BYTES, BYTES)
    for row in rows:
        batch.append(row)
        size += len(row.data) if isinstance(row, Block) else 0
        if len(batch) >= ROWS or size >= limit:
            yield batch
            batch, size, limit = [], 0, BYTES
    if batch:
        yield batch
