"""Runs one server as a child and ends it, with all it started, when stdin closes: the parent asked for it, or died.

Run by path in a fresh interpreter (`server_process` does), never imported: only the standard library is used.
A pipe tells of every way a parent can end, kill -9 included, on every Unix.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time

GRACE_S = 10.0
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def main(command: list[str]) -> None:
    """Run ``command`` until it ends or stdin closes, then kill the process group, which this process leads."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # preexec_fn is safe here: this process has one thread.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_before_exec)  # noqa: PLW1509, S603
    if _ends_before_stdin(child):
        sys.stderr.write(f"the process ended with exit code {child.returncode}\n")
        sys.stderr.flush()
    else:
        os.killpg(os.getpgrp(), signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _before_exec() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if LIBC is not None:
        # The pipe covers the death of our parent; this covers a kill -9 of this process itself.
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _ends_before_stdin(child: subprocess.Popen[bytes]) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        while child.poll() is None:
            if selector.select(timeout=0.1) and not os.read(sys.stdin.fileno(), 1024):
                return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
