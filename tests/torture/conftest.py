"""What the crash and multi-process tests share."""

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.torture.client import prepare
from tests.torture.server import Server


@pytest.fixture
def rng() -> Random:
    """Chance; its seed is shown where a test fails, and CHANCE_SEED sets it."""
    seed = int(os.environ.get("CHANCE_SEED") or secrets.randbits(32))
    sys.stdout.write(f"seed {seed}\n")
    return Random(seed)


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server at work on a database with the course published: the test runs once on each kind."""
    prepare(database_url)
    with Server(database_url, tmp_path) as started:
        yield started
