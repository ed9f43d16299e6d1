"""One process of `workers`: batches in at standard input, what became of them out at standard output."""

from __future__ import annotations

import pickle
import signal
import sys

from tieraudit.pipeline.conversion import convert


def main() -> None:
    """Convert batches until the pipe ends; Ctrl-C is the business of the process at its other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            # Written by our own code at the other end of a private pipe.
            job, batch = pickle.load(asked)  # noqa: S301
        except EOFError:
            return
        pickle.dump(convert(job, batch), told, protocol=5)
        told.flush()


if __name__ == "__main__":
    main()
