"""What can go wrong while replaying: the message, the way out, the exit code, and that a rerun continues."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fixtures.chat_server import ChatServer, Fault, chat_server
from tests.fixtures.fake_vllm import install
from tests.fixtures.small_audit import CONFIG, put_labels, right, table

from tieraudit.cli.main import run
from tieraudit.store import Store


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(right) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a classified log, and a config whose small tier is `server` with a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMALL_KEY", "sk-small-1234567890")
    write_config(tmp_path, server.base_url)
    with Store(tmp_path / "tieraudit.duckdb") as store:
        put_labels(store)
    return tmp_path


def write_config(folder: Path, base_url: str, *, extra: str = 'api_key_env = "SMALL_KEY"') -> None:
    text = CONFIG.format(small=base_url, frontier=base_url, extra=extra, more="")
    (folder / "tieraudit.toml").write_text(text, encoding="utf-8")


def status_of(folder: Path) -> str:
    with Store(folder / "tieraudit.duckdb") as store:
        return str(table(store, "audits")[0]["status"])


def replies_of(folder: Path) -> int:
    with Store(folder / "tieraudit.duckdb") as store:
        return len(table(store, "replies"))


def test_a_missing_endpoint(folder: Path, server: ChatServer, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(folder, "http://127.0.0.1:9/v1")
    assert run(["replay"]) == 4
    err = capsys.readouterr().err
    assert "http://127.0.0.1:9/v1: cannot be reached" in err
    assert "base_url" in err
    assert "Traceback" not in err
    write_config(folder, server.base_url)
    assert run(["replay"]) == 0


def test_a_refused_key(folder: Path, server: ChatServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.always = Fault(status=401, error={"error": {"message": "Incorrect API key: sk-small-1234567890"}})
    assert run(["replay"]) == 4
    err = capsys.readouterr().err
    assert "the key was refused (401)" in err
    assert "SMALL_KEY" in err
    assert "sk-small" not in err
    assert status_of(folder) == "interrupted"
    server.always = None
    assert run(["replay"]) == 0
    assert status_of(folder) == "finished"


def test_a_key_that_is_refused_on_the_way_keeps_what_was_answered(folder: Path, server: ChatServer) -> None:
    server.faults = [Fault()] * 10 + [Fault(status=401)] * 10
    assert run(["replay"]) == 4
    kept = replies_of(folder)
    assert kept >= 7
    server.faults = []
    asked = len(server.bodies)
    assert run(["replay"]) == 0
    with Store(folder / "tieraudit.duckdb") as store:
        keys = [row["request_key"] for row in table(store, "replies")]
    assert len(keys) == len(set(keys))
    assert len(server.bodies) - asked == len(keys) - kept


def test_a_missing_key(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SMALL_KEY")
    assert run(["replay"]) == 2
    err = capsys.readouterr().err
    assert "the environment has no SMALL_KEY" in err
    assert "export SMALL_KEY" in err


def test_a_full_budget(folder: Path, server: ChatServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--budget", "0.01"]) == 5
    err = capsys.readouterr().err
    assert "the budget of $0.01 does not cover the next request" in err
    assert "higher limit" in err
    assert status_of(folder) == "budget"
    paid = len(server.bodies)
    assert 0 < paid == replies_of(folder)
    assert run(["replay", "--budget", "5"]) == 0
    assert len(server.bodies) == replies_of(folder)


def test_nothing_secret_is_stored(folder: Path, server: ChatServer) -> None:
    server.faults = [Fault(status=400, error={"error": {"message": "no: sk-small-1234567890"}})]
    assert run(["replay"]) == 0
    for path in folder.glob("tieraudit.duckdb*"):
        assert b"sk-small-1234567890" not in path.read_bytes()


def start(folder: Path) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("tieraudit")), "replay"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def wait_for(server: ChatServer, requests: int) -> None:
    deadline = time.monotonic() + 60
    while len(server.bodies) < requests and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(server.bodies) >= requests


def test_ctrl_c_keeps_what_was_answered_and_a_rerun_goes_on(folder: Path, server: ChatServer) -> None:
    server.latency_s = 0.15
    with start(folder) as process:
        wait_for(server, 12)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert status_of(folder) == "interrupted"
    kept = replies_of(folder)
    assert kept >= 8
    server.latency_s = 0.0
    asked = len(server.bodies)
    assert run(["replay"]) == 0
    assert len(server.bodies) - asked == replies_of(folder) - kept


def test_kill_9_loses_only_what_was_in_flight(folder: Path, server: ChatServer) -> None:
    server.latency_s = 0.15
    with start(folder) as process:
        wait_for(server, 12)
        process.kill()
        process.communicate(timeout=30)
    asked = len(server.bodies)
    kept = replies_of(folder)
    assert kept >= asked - 8
    server.latency_s = 0.0
    assert run(["replay"]) == 0
    assert len(server.bodies) - asked == replies_of(folder) - kept


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes under /proc")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_that_we_started_ends_with_us(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: signal.Signals
) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path)), prepend=":")
    monkeypatch.delenv("TIERAUDIT_VLLM_PYTHON", raising=False)
    asked = tmp_path / "asked"
    arguments = ["--marked", str(tmp_path), "--touch", str(asked)]
    text = (folder / "tieraudit.toml").read_text(encoding="utf-8")
    text = text.replace('engine = "openai"', f'engine = "vllm"\nargs = {arguments}', 1).replace(
        "base_url", "# base_url", 1
    )
    (folder / "tieraudit.toml").write_text(text, encoding="utf-8")
    with start(folder) as process:
        wait_until(asked.exists)
        assert servers(str(tmp_path))
        process.send_signal(end)
        process.communicate(timeout=30)
    assert process.returncode == (130 if end is signal.SIGINT else -end)
    wait_until(lambda: not servers(str(tmp_path)))


def servers(marker: str) -> list[str]:
    """The command lines of the processes that were started with ``marker``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if marker in words:
            found.append(" ".join(words))
    return found


def wait_until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()
