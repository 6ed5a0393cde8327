"""A server with a small course, as an operator sets it up; a browser is a client that keeps cookies."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.torture.server import Command, Server

COURSE = """
id: python-basics
title: Python basics
complete_by: steps
modules:
  - id: first
    title: First steps
    steps:
      - {id: welcome, kind: lesson, title: Welcome, topics: [start]}
      - {id: ranges, kind: quiz, title: Ranges, topics: [loops], prompt: "What does range(2) give?",
         grader: {type: choice, options: {a: "0 1", b: "1 2"}, answer: a}}
  - id: loops
    title: Loops
    steps:
      - {id: fizz, kind: exercise, title: FizzBuzz, topics: [loops]}
      - {id: sum, kind: exercise, title: Sums, topics: [loops]}
"""


@pytest.fixture
def server(new_database_url: str, tmp_path: Path) -> Iterator[Server]:
    file = tmp_path / "course.yaml"
    file.write_text(COURSE)
    published = Command("course", "publish", str(file), "--database", new_database_url, cold=True)
    assert published.code == 0, str(published)
    with Server(new_database_url, tmp_path, cold=True) as started:
        yield started


@pytest.fixture
def browser(server: Server) -> Iterator[httpx2.Client]:
    with new_browser(server) as opened:
        yield opened


def new_browser(server: Server) -> httpx2.Client:
    return httpx2.Client(base_url=f"http://127.0.0.1:{server.port}/api/v1", timeout=30)
