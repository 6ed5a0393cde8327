"""`headway serve` believes a proxy that is named, and nobody else, not even on the same machine."""

from pathlib import Path

import httpx2
import pytest

from tests.torture.server import Server


@pytest.mark.parametrize(("named", "believed"), [("", False), ("10.0.0.0/8", False), ("10.0.0.0/8, 127.0.0.1", True)])
def test_only_a_proxy_that_is_named_is_believed(sqlite_url: str, tmp_path: Path, named: str, believed: bool) -> None:
    with Server(sqlite_url, tmp_path, HEADWAY_TRUSTED_PROXIES=named) as server:
        headers = {"x-forwarded-proto": "https"}
        reply = httpx2.get(f"http://127.0.0.1:{server.port}/health/live", headers=headers, timeout=30)
    assert ("strict-transport-security" in reply.headers) is believed
