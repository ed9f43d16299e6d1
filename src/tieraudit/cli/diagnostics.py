"""The one owner of stderr and exit codes: progress, talk, errors with hints. Never a traceback."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tieraudit.errors import TierauditError

INTERRUPTED = 130


class Diagnostics:
    """Talk on stderr. As a `tieraudit.progress.Progress` it draws bars, which vanish when stderr is no terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars: Progress | None = None
        self._bar: TaskID | None = None

    def __enter__(self) -> Diagnostics:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def start(self, label: str, total: int | None = None) -> None:
        """Begin a phase with a bar (a pulse when ``total`` is unknown)."""
        self.finish()
        if self.quiet or not self._console.is_terminal:
            return
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bars.start()
        self._bar = self._bars.add_task(escape(label), total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        if self._bars is not None and self._bar is not None:
            self._bars.advance(self._bar, steps)

    def finish(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._bar = None

    def say(self, line: str) -> None:
        """One line of talk, unless quiet."""
        if not self.quiet:
            self._console.print(escape(printable(line)))

    def error(self, error: TierauditError) -> int:
        """Print what, where and the way out; returns the exit code."""
        self.finish()
        self._console.print(f"[bold red]error:[/] {escape(printable(error.message))}")
        if error.hint:
            self._console.print(f"[bold]hint:[/] {escape(printable(error.hint))}")
        return error.exit_code


def printable(text: str) -> str:
    """``text`` without terminal control characters: what comes from a log must not move a cursor."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def report_crash(error: BaseException) -> int:
    """The last resort: an error we did not foresee, in one line, without the traceback that could show content."""
    sys.stderr.write(f"error: internal error ({type(error).__name__})\n")
    sys.stderr.write("hint: this is a bug; run again with TIERAUDIT_DEBUG=1 for the traceback and report it\n")
    return 1
