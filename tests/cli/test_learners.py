"""`headway learners`: found, given roles, linked."""

import json

from tests.cli.test_erase import ADA, url
from tests.torture.server import Command

__all__ = ["url"]


def test_learners_are_found_given_roles_and_linked(url: str) -> None:  # a fixture
    done = Command("learners", "find", "ada@example.org", "--json", "--database", url)
    assert [one["id"] for one in json.loads(done.out)["items"]] == [ADA], str(done)
    assert json.loads(Command("learners", "find", "nobody", "--json", "--database", url).out) == {"items": []}
    found = Command("learners", "find", "nobody", "--database", url)
    assert (found.code, found.out, found.err) == (0, "", "Nobody is called so.\n")
    done = Command("learners", "roles", ADA, "--give", "admin", "--give", "creator", "--database", url)
    assert (done.code, done.out.strip()) == (0, f"{ADA}: admin, creator."), str(done)
    done = Command("learners", "roles", ADA, "--take", "admin", "--database", url)
    assert (done.code, "last admin" in done.err) == (1, True), str(done)
    done = Command("learners", "claim-code", "oulad:7", "--json", "--database", url)
    assert (done.code, len(json.loads(done.out)["code"])) == (0, 32), str(done)
    done = Command("learners", "link", "oulad:7", "ada@example.org", "--database", url)
    assert (done.code, done.out.strip()) == (0, "Linked: 0 events on 0 steps count for ada@example.org now."), str(done)
