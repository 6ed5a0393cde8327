"""`headway reset`: who is named how, the question, and what is told."""

import json

import pytest

from tests.cli.test_erase import ADA, url
from tests.torture.proof import query
from tests.torture.server import Command

__all__ = ["url"]


def test_it_asks_and_tells_what_it_cleared(url: str) -> None:  # a fixture
    done = Command("reset", "Ada@Example.org", "--database", url, given="n\n")
    assert (done.code, done.out.strip()) == (1, "")
    assert "Clear everything of ada@example.org (account, 0 events)?" in done.err
    assert query(url, "SELECT type FROM ledger") == []
    done = Command("reset", ADA, "--yes", "--database", url)
    assert (done.code, done.out.strip()) == (0, "Cleared: 0 steps, 0 attempts, 0 sessions, 0 active days."), str(done)
    assert query(url, "SELECT type FROM ledger") == [("reset",)]


@pytest.mark.parametrize("named", [ADA, "oulad:7"])
def test_as_json(url: str, named: str) -> None:  # a fixture
    done = Command("reset", named, "--yes", "--json", "--database", url)
    assert json.loads(done.out) == {"cleared": {"steps": 0, "attempts": 0, "sessions": 0, "days": 0}}, str(done)


def test_a_course_that_is_not_there_and_a_learner_who_is_not(url: str) -> None:  # as above
    for asked, said in ((("oulad:7", "--course", "nowhere"), "no course"), (("nobody",), "there is no learner")):
        done = Command("reset", *asked, "--yes", "--database", url)
        assert (done.code, said in done.err) == (1, True), str(done)
