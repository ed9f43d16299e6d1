"""What every test shares: where the optional parts are, and that a suite that must run is never skipped in silence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SUITES = ("embedded", "litellm", "vllm", "browser", "postgres", "shared_data")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with data sets beside the checkout; skips, and says so, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the data sets beside the checkout ({SHARED.name}/ is absent)")
    return SHARED


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees none of the user's switches."""
    for name in ("TIERAUDIT_DEBUG", "TIERAUDIT_OFF", "TIERAUDIT_ROUTES", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a skip into a failure for the suites named in TIERAUDIT_REQUIRE (comma-separated markers, or ``all``)."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    required = os.environ.get("TIERAUDIT_REQUIRE", "").split(",")
    marked = [suite for suite in SUITES if item.get_closest_marker(suite)]
    must_run = [suite for suite in marked if suite in required or "all" in required]
    if report.skipped and must_run and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"suite {must_run[0]!r} must run here (TIERAUDIT_REQUIRE) but was skipped: {report.longrepr}"
