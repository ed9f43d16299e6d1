"""A server of our own: started on loopback, waited for, its log kept, ended on every exit path."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tieraudit.backends.base import Say, silent
from tieraudit.errors import EngineFailed

SUPERVISOR = Path(__file__).with_name("supervisor.py")
POLL_S = 0.1
SAY_EVERY_S = 5.0
STOP_WITHIN_S = 15.0
TAIL_LINES = 12
# The first exception is the cause; what the last lines show is often only that a worker ended.
RAISED = re.compile(r"(^|\s)[\w.]+(Error|Exception): \S")


@dataclass(frozen=True, slots=True)
class Cure:
    """A known cause of a failed start: a text in the log, what it means and what to do about it."""

    seen: str
    cause: str
    hint: str


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """What to start: ``command`` serves a port of 127.0.0.1; ``environment`` comes on top of ours and holds the key."""

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    start_within_s: float = 300.0
    cures: Sequence[Cure] = ()


class ServerProcess:
    """One running server with its whole process group.

    It ends when `stop` is called, and when this process ends in any way, kill -9 included: the supervisor that runs
    it sees the pipe on its stdin close. The log is a temporary file that `stop` removes.
    """

    def __init__(self, plan: ServerPlan, *, say: Say = silent) -> None:
        self.plan = plan
        self._say = say
        self._log: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Where the server listens, without a path."""
        return f"http://127.0.0.1:{self.plan.port}"

    @property
    def ended(self) -> bool:
        """True when the server is not running."""
        return self._process is None or self._process.poll() is not None

    async def start(self) -> None:
        """Start it and wait until /health answers; raises `EngineFailed` with the log's last lines and the cure."""
        handle, name = tempfile.mkstemp(prefix=f"tieraudit-{self.plan.name}-", suffix=".log")
        self._log = Path(name)
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(SUPERVISOR), *self.plan.command],
                stdin=subprocess.PIPE,
                stdout=handle,
                stderr=handle,
                env={**os.environ, **self.plan.environment},
                start_new_session=True,
            )
        finally:
            os.close(handle)
        try:
            await self._wait_until_healthy()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server and everything it started; harmless when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            await _wait_for_end(process)
        if self._log is not None:
            self._log.unlink(missing_ok=True)
            self._log = None

    def failure(self, what: str) -> EngineFailed:
        """The error for ``what`` happened: the log's last lines, and the cause and cure where it shows a known one."""
        log, hint = self.tail(400), "the server's own last lines are above"
        for cure in self.plan.cures:
            if cure.seen.lower() in log.lower():
                what, hint = cure.cause, cure.hint
                break
        last = self.tail(TAIL_LINES)
        root = next((line for line in log.splitlines() if RAISED.search(line)), "")
        lines = [f"{self.plan.name}: {what}", "" if root in last else root, last]
        return EngineFailed("\n".join(line for line in lines if line), hint=hint)

    def tail(self, lines: int) -> str:
        """The last ``lines`` of the server's log."""
        if self._log is None or not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    async def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + self.plan.start_within_s
        next_word = time.monotonic() + SAY_EVERY_S
        while not await asyncio.to_thread(_healthy, f"{self.base_url}/health"):
            if self.ended:
                raise self.failure("the server ended while starting")
            if time.monotonic() > deadline:
                raise self.failure(f"not ready after {self.plan.start_within_s:.0f} s")
            if time.monotonic() > next_word:
                next_word += SAY_EVERY_S
                self._say(f"{self.plan.name}: {self.tail(1)[:160]}")
            await asyncio.sleep(POLL_S)
        self._say(f"{self.plan.name}: ready")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def random_key() -> str:
    """A key for one server's life: nobody else on this machine can use the server, or pass for it."""
    return secrets.token_urlsafe(24)


def _healthy(url: str) -> bool:
    # No proxy: the environment's may not know that loopback is here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


async def _wait_for_end(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STOP_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
