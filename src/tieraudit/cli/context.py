"""What every command shares: the global options, and the way it opens the store and the config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from tieraudit.cli.diagnostics import Diagnostics
from tieraudit.config import Config, load_config
from tieraudit.store import Store

DEFAULT_DB = Path("tieraudit.duckdb")


@dataclass(slots=True)
class Session:
    """The global options of one run of the command line."""

    db: Path
    config_path: Path | None
    json: bool
    diagnostics: Diagnostics

    def config(self) -> Config:
        """The user's configuration; raises `ConfigError`."""
        return load_config(self.config_path)

    def store(self, *, create: bool = False) -> Store:
        """The database; only `ingest` and `demo` create one. Raises `StoreError`."""
        return Store(self.db, create=create)


def session(context: typer.Context) -> Session:
    """The session that `main` put on the context."""
    found = context.find_object(Session)
    if found is None:
        raise RuntimeError("no session on the context")
    return found
