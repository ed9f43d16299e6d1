"""What an address says."""

from __future__ import annotations

import pytest

from tieraudit.backends.address import is_loopback, public_url


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:9/v1", "http://127.3.2.1"]
)
def test_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "http://10.0.0.1/v1", "http://localhost.example.com/v1"])
def test_elsewhere(url: str) -> None:
    assert not is_loopback(url)


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    assert public_url("https://user:pass@host:8443/v1/?key=secret") == "https://host:8443/v1"
    assert public_url("http://[::1]:9/v1") == "http://[::1]:9/v1"
