"""A server of our own: real processes that start, fail, hang, die, and never outlive us."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tieraudit.backends.server_process import Cure, ServerPlan, ServerProcess, free_port
from tieraudit.errors import EngineFailed

SERVER = """
import http.server, subprocess, sys
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
# A worker, as inference servers have them.
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
worker = subprocess.Popen([sys.executable, "-c", stubborn])
open(sys.argv[2], "w").write(str(worker.pid))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""


def plan(
    code: str, *arguments: str, port: int = 0, start_within_s: float = 20.0, cures: tuple[Cure, ...] = ()
) -> ServerPlan:
    port = port or free_port()
    return ServerPlan("engine", [sys.executable, "-c", code, str(port), *arguments], port, {}, start_within_s, cures)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def read_pid(path: Path) -> int:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return int(path.read_text())


def test_it_starts_answers_and_is_gone_with_its_workers_and_its_log(tmp_path: Path) -> None:
    said: list[str] = []

    async def run() -> tuple[int, Path]:
        server = ServerProcess(plan(SERVER, str(tmp_path / "pid")), say=said.append)
        await server.start()
        assert not server.ended
        log = server._log
        assert log is not None
        assert log.exists()
        await server.stop()
        await server.stop()
        return read_pid(tmp_path / "pid"), log

    worker, log = asyncio.run(run())
    assert gone(worker)
    assert not log.exists()
    assert said == ["engine: ready"]


def test_a_server_that_ends_while_starting_shows_its_last_words_and_the_cure() -> None:
    cures = (Cure("cannot find the model", "the model was not found", "check model"),)
    server = ServerProcess(plan("print('line one'); raise SystemExit('Cannot find the MODEL x')", cures=cures))
    with pytest.raises(EngineFailed) as caught:
        asyncio.run(server.start())
    assert caught.value.message.startswith("engine: the model was not found\n")
    assert "Cannot find the MODEL x" in caught.value.message
    assert caught.value.hint == "check model"
    assert caught.value.exit_code == 4


def test_a_server_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    code = "import os, sys, time; open(sys.argv[2], 'w').write(str(os.getpid())); time.sleep(60)"
    server = ServerProcess(plan(code, str(tmp_path / "pid"), start_within_s=1.0))
    with pytest.raises(EngineFailed, match="not ready after 1 s"):
        asyncio.run(server.start())
    assert gone(read_pid(tmp_path / "pid"))


def test_cancelling_the_start_ends_the_server(tmp_path: Path) -> None:
    code = "import os, sys, time; open(sys.argv[2], 'w').write(str(os.getpid())); time.sleep(60)"

    async def run() -> None:
        start = asyncio.create_task(ServerProcess(plan(code, str(tmp_path / "pid"))).start())
        while not (tmp_path / "pid").exists():
            await asyncio.sleep(0.05)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start

    asyncio.run(run())
    assert gone(read_pid(tmp_path / "pid"))


def test_it_dies_with_us_even_when_we_are_killed(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    parent = textwrap.dedent(
        f"""
        import asyncio, sys, time
        from tieraudit.backends.server_process import ServerPlan, ServerProcess, free_port
        port = free_port()
        command = [sys.executable, {str(tmp_path / "server.py")!r}, str(port), {str(tmp_path / "pid")!r}]
        server = ServerProcess(ServerPlan("engine", command, port))
        asyncio.run(server.start())
        print(server._process.pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        supervisor = int(process.stdout.readline())
        worker = read_pid(tmp_path / "pid")
        assert alive(worker)
        process.send_signal(signal.SIGKILL)
    assert gone(supervisor)
    assert gone(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's own")
def test_the_server_dies_with_its_supervisor(tmp_path: Path) -> None:
    code = "import os, sys, time; open(sys.argv[2], 'w').write(str(os.getpid())); time.sleep(60)"
    supervisor = Path(__file__).resolve().parents[3] / "src/tieraudit/backends/supervisor.py"
    command = [sys.executable, str(supervisor), sys.executable, "-c", code, "0", str(tmp_path / "pid")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        child = read_pid(tmp_path / "pid")
        os.kill(process.pid, signal.SIGKILL)
    assert gone(child)
