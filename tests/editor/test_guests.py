"""The editor of a guest whom the server does not know any more."""

import json
from pathlib import Path

import pytest

from tests.editor.conftest import World
from tests.torture.client import COURSE, STEPS, Client

pytestmark = pytest.mark.long

OF = {"course": COURSE, "step": STEPS[0]}
NOTHING_LEFT = {"waiting": 0, "refused": 0, "held": 0, "why": None}


def token_in(folder: Path) -> str:
    notes = [json.loads(one.read_text()) for one in (folder / "store" / "notes").glob("*.json")]
    (token,) = [one["value"] for one in notes if one["key"] == "guest token"]
    return str(token)


def test_a_guest_who_is_gone_from_the_server_begins_anew_with_what_waits(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert world.driver.run(folder, events=1, anew=True, **OF).told("anew") == ["false"], "nobody is here"
    assert world.driver.run(folder, anew=True).told("anew") == ["false"], "the server knows this one"
    guest = Client(world.server.port, token=token_in(folder))
    assert guest.send("DELETE", "/auth/me").status == 204
    ended = world.driver.run(folder, events=1, **OF)
    assert ended.left == {**NOTHING_LEFT, "waiting": 1, "why": "signed-out"}
    again = world.driver.run(folder, anew=True, patience=20_000)
    assert (again.told("anew"), again.left) == (["true"], NOTHING_LEFT)
    more = world.driver.run(folder, events=1, **OF)
    assert more.left == NOTHING_LEFT
    meant = ended.told("meant") + more.told("meant")
    recorded = [(learner, event) for learner, event in world.recorded().elements() if event in meant]
    assert (sorted(event for _, event in recorded), len(dict(recorded))) == (sorted(meant), 1)
