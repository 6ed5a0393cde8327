"""What was made on a device as somebody else: sent as nobody else by itself, and as whoever says that it is theirs."""

from uuid import uuid4

from headway.client.store import Store
from tests.cli.terminal import Terminal
from tests.cli.test_learner import FAILED, MISUSED, QUEUED, token_of
from tests.cli.test_learner_offline import DOWN
from tests.client.trouble import Trouble
from tests.http.server import Site


def recorded_as(site: Site, token: str) -> list[str]:
    """The steps of what a token's account has done."""
    items = site.client(authorization=f"Bearer {token}").get("/progress/events").json()["items"]
    return sorted(one["step"] for one in items if one["trust"] != "server")


def test_what_was_made_with_a_mistyped_token_is_sent_as_whoever_adopts_it(
    terminal: Terminal, site: Site, trouble: Trouble
) -> None:
    token, _ = token_of(site)
    terminal.run("open", "py/hello")
    terminal.set("HEADWAY_TOKEN", "hwp_typo")
    assert terminal.run("submit", "py/hello") == QUEUED
    assert terminal.err.startswith("Saved on this device, and not sent: ")
    assert "`headway outbox adopt` sends it as whoever you are" in terminal.err
    assert terminal.run("outbox", "adopt") == FAILED
    terminal.set("HEADWAY_TOKEN", token)
    assert terminal.run("sync") == QUEUED
    assert "`headway outbox adopt`" in terminal.err
    assert terminal.run("outbox", "adopt", str(uuid4())) == MISUSED
    assert terminal.json("outbox", "adopt") == {"adopted": 1}
    assert terminal.json("outbox", "adopt") == {"adopted": 0}
    assert terminal.run("sync") == 0
    assert terminal.out == f"{trouble.url}: 1 event sent.\n"
    assert recorded_as(site, token) == ["hello"]


def test_what_another_account_made_is_adopted_by_its_id_alone(terminal: Terminal, site: Site, trouble: Trouble) -> None:
    others, token = token_of(site)[0], token_of(site)[0]
    terminal.set("HEADWAY_TOKEN", others)
    assert terminal.run("submit", "py/quiz", "-a", "b") == 0
    trouble.always = DOWN
    assert terminal.run("submit", "py/hello") == QUEUED
    # Of whom the server has not been asked yet is not one whom it does not know.
    terminal.set("HEADWAY_TOKEN", token_of(site)[0])
    assert terminal.run("submit", "py/fizz", "--score", "1") == QUEUED
    unasked = terminal.json("outbox")["items"][-1]["id"]
    trouble.always = None
    terminal.set("HEADWAY_TOKEN", token)
    assert terminal.run("sync") == QUEUED
    assert terminal.json("outbox", "adopt") == {"adopted": 0}
    assert terminal.run("outbox", "drop", unasked, "--yes") == 0
    left = terminal.json("outbox")["items"][0]["id"]
    assert terminal.run("outbox", "adopt", left, "--server", site.url) == MISUSED
    assert "--server names it" in terminal.err
    with Store().sending():
        assert terminal.run("outbox", "adopt", left) == FAILED
    assert "another program sends" in terminal.err
    (left,) = terminal.json("outbox")["items"]
    assert terminal.json("outbox", "adopt", left["id"]) == {"adopted": 1}
    assert terminal.run("sync") == 0
    assert (recorded_as(site, others), recorded_as(site, token)) == (["quiz"], ["hello"])
