"""What the client's tests share: a real server, a way to it on which things happen, and a learner's device."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.client import Headway
from tests.client.devices import COURSE, Device, look_away
from tests.client.trouble import Trouble, trouble
from tests.conftest import Templates, tables
from tests.http.server import Site, serving

__all__ = ["trouble"]


@pytest.fixture(scope="module")
def started(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running server with a course, for all tests of a file: what the client meets is the same on every database."""
    with templates.copy("sqlite", tables, tmp_path_factory.mktemp("site")) as (url, _), serving(url) as site:
        site.publish(COURSE)
        yield site


@pytest.fixture
def site(started: Site) -> Site:
    """The server, of which a test sees what comes about in it alone."""
    look_away(started)
    return started


@pytest.fixture
def device(trouble: Trouble, tmp_path: Path) -> Iterator[Device]:
    """A device that reaches the server that way."""
    with Device(trouble.url, tmp_path / "state") as made:
        yield made


@pytest.fixture
def headway(device: Device) -> Headway:
    """A program on the device, of a guest."""
    return device.program()
