"""Every error a user can meet; each says what, where and the way out, and carries its exit code.

TierauditError
├── UsageError        2   wrong option, unknown name, bad config
│   └── ConfigError   2   tieraudit.toml or tasks.toml, with the line where there is one
├── InputError        3   a log that cannot be read
│   └── Rejected      -   one row of a log; caught by ingest and counted, never shown alone
├── StoreError        3   the database is locked, newer than this version, or not ours
├── BackendError      4   an endpoint or engine failed
│   ├── EngineFailed  4   a server we started did not come up or died
│   └── Unauthorised  4   the key was refused
├── BudgetReached     5   the budget ended before every task was decided
└── CheckFailed       1   an alarm, or a check of an exported config that did not hold
"""

from __future__ import annotations


class TierauditError(Exception):
    """Base of all errors shown to a user: one line that says what and where, and a hint that says the way out."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TierauditError):
    """The command line or a name on it is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """tieraudit.toml or tasks.toml cannot be used."""


class InputError(TierauditError):
    """A log file cannot be read at all."""

    exit_code = 3


class UnknownFormat(InputError):
    """A file can be read, and is a log in no format that is known."""


class Rejected(InputError):
    """One row is not a call; ingest counts it in quarantine under this reason and goes on."""


class StoreError(TierauditError):
    """The database cannot be opened or is not ours."""

    exit_code = 3


class BackendError(TierauditError):
    """An endpoint or engine failed in a way that a retry does not mend."""

    exit_code = 4


class EngineFailed(BackendError):
    """A server that we started did not come up, or died."""


class Unauthorised(BackendError):
    """The endpoint refused the key."""


class BudgetReached(TierauditError):
    """The budget ended before every task was decided; what was paid for is stored."""

    exit_code = 5


class CheckFailed(TierauditError):
    """An alarm of `monitor`, or a check of an exported config, did not hold."""

    exit_code = 1
