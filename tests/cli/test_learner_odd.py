"""The learner's commands where things are odd: a guest who is gone, an outbox that is long, a terminal of old."""

import json
import subprocess

import pytest

from headway.client import make_event, outbox
from headway.client.identities import Bearer, current
from headway.client.store import Store
from tests.cli.terminal import Terminal
from tests.client.trouble import Fate, Trouble, problem
from tests.http.server import Site
from tests.torture.server import HEADWAY, environment

QUEUED, FAILED = 75, 1


def test_a_guest_who_is_gone_from_the_server_is_told_how_to_go_on(terminal: Terminal) -> None:
    assert terminal.run("logout") == 0
    assert terminal.out == "Nobody was signed in.\n"
    assert terminal.run("submit", "py/hello") == 0, terminal.err
    assert terminal.run("api", "DELETE", "/auth/me") == 0, terminal.err
    assert terminal.run("status") == FAILED
    assert "`headway logout` begins anew" in terminal.err
    assert terminal.run("submit", "py/fizz", "--score", "1") == QUEUED
    assert "and not sent: FizzBuzz. The server does not know the guest of this device any more" in terminal.err
    assert terminal.run("logout") == 0
    assert terminal.out.endswith(": you begin anew as another.\n")
    (course,) = terminal.json("status")["courses"]
    assert course["steps_completed"] == 1, "what waited is the other's"
    assert terminal.json("outbox") == {"items": []}
    assert terminal.json("logout") == {"signed_out": False, "waiting": 0}


def test_who_begins_anew_is_told_what_waits_still(terminal: Terminal, trouble: Trouble) -> None:
    assert terminal.run("submit", "py/hello") == 0, terminal.err
    assert terminal.run("api", "DELETE", "/auth/me") == 0, terminal.err
    assert terminal.run("submit", "py/fizz", "--score", "1") == QUEUED
    trouble.fates.extend([Fate(), problem(503, "unavailable", retry_after="0")])
    assert terminal.run("logout") == 0
    assert terminal.out.endswith(": you begin anew as another.\n")
    assert terminal.err == "1 event waits on this device: it is unavailable.\n"


def test_all_of_a_long_outbox_is_listed(terminal: Terminal, site: Site) -> None:
    store = Store()
    with store.writing() as connection:
        me = current(connection, Bearer(site.url, None))
        outbox.append(connection, me.id, [make_event("opened", "py", "fizz") for _ in range(1_500)])
    assert len(terminal.json("outbox")["items"]) == 1_500


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_terminal_that_knows_fewer_characters_shows_the_others_as_question_marks(
    terminal: Terminal, site: Site, encoding: str
) -> None:
    site.publish(
        {
            "id": "walk",
            "title": "散歩",
            "modules": [{"id": "m", "title": "M", "steps": [{"id": "s", "kind": "lesson", "title": "S"}]}],
        }
    )
    asked = [str(HEADWAY), "courses", "--server", site.url]
    variables = environment() | {"PYTHONIOENCODING": encoding, "HEADWAY_STATE_FOLDER": str(terminal.folder / "state")}

    def said(*more: str) -> str:
        done = subprocess.run([*asked, *more], capture_output=True, env=variables, timeout=60, check=True)
        return done.stdout.decode(encoding)

    assert "walk  ??\n" in said()
    assert "散歩" in [one["title"] for one in json.loads(said("--json"))["items"]]


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_step_is_shown_where_nothing_can_be_saved(terminal: Terminal, flags: tuple[str, ...]) -> None:
    assert terminal.run("open", "py/hello") == 0
    with Store().writing() as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'no room'); END")
    assert terminal.run("open", "py/hello", *flags) == FAILED
    assert "Programs are text." in terminal.out
    assert "nothing was saved: " in terminal.err
