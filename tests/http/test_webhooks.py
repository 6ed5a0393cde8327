"""Webhooks: signed, in order for each learner, at least once, whatever the receiver; to public places alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from headway.domain.streaks import STANDARD
from headway.domain.times import DAY, MINUTE, SECOND
from headway.http import delivering, outward
from headway.ledger.delivering import TAKEN_FOR, take
from headway.ledger.reminding import remind
from headway.store.webhook_tables import webhook, webhook_due
from tests.http.receiving import Receiver, receiving
from tests.http.sending import DONE, OWN, Still, complete, is_signed
from tests.http.server import COURSE, Site, serving

pytestmark = pytest.mark.usefixtures("quick")


def test_however_many_are_made_at_once_an_account_has_twenty(sending: Site) -> None:
    admin = sending.person("root@example.org", "admin")
    address = {"url": "https://93.184.215.14/hook"}
    for _ in range(17):
        assert admin.post("/webhooks", json=address).status_code == 201
    with ThreadPoolExecutor(8) as at_once:
        made = list(at_once.map(lambda _: admin.post("/webhooks", json=address).status_code, range(8)))
    assert sorted(made) == [201] * 3 + [409] * 5
    assert len(admin.get("/webhooks").json()["items"]) == 20


def test_what_learners_come_to_is_sent_in_order_and_signed(sending: Site, receiver: Receiver) -> None:
    admin = sending.person("root@example.org", "admin")
    complete(sending.guest(), "for-1")  # nobody asked for that yet
    made = admin.post("/webhooks", json={"url": receiver.url}).json()
    some = admin.post("/webhooks", json={"url": receiver.url, "types": ["course_completed"]}).json()
    guest = sending.guest()
    learner_id = complete(guest, "for-1", "fizz", "quiz")
    receiver.wait(lambda: len(receiver.taken) == 7)
    whole = [one for one in receiver.taken if is_signed(made["secret"], one)]
    (part,) = [one for one in receiver.taken if is_signed(some["secret"], one)]
    assert ([one.type for one in whole], part.type) == (DONE, "course_completed")
    assert {one.learner for one in receiver.taken} == {learner_id}
    listed = {one["id"]: one["change"] for one in guest.get("/notifications").json()["items"]}
    assert part.said["data"] | {"learner": None} in [
        {"id": key, "learner": None, "change": change} for key, change in listed.items()
    ]
    assert len({one.id for one in receiver.taken}) == 7
    assert "secret" not in str(admin.get("/webhooks").json())
    until = time.monotonic() + 10
    while len(sent := admin.get(f"/webhooks/{made['id']}/deliveries?limit=4").json()["items"]) < 4:
        assert time.monotonic() < until
    assert {(one["status"], one["attempt"], one["learner"]) for one in sent} == {(204, 1, learner_id)}
    again = admin.post(f"/webhooks/{made['id']}/deliveries/{sent[0]['id']}/redelivery")
    assert (again.status_code, again.json()) == (202, {"message_id": sent[0]["message_id"]})
    receiver.wait(lambda: len(receiver.taken) == 8)
    assert receiver.taken[-1].id == sent[0]["message_id"]
    assert admin.delete(f"/webhooks/{made['id']}").status_code == 204
    assert [one["id"] for one in admin.get("/webhooks").json()["items"]] == [some["id"]]


def test_creators_are_sent_what_comes_of_their_own_courses(sending: Site, receiver: Receiver) -> None:
    creator = sending.person("ada@example.org", "creator")
    sending.publish({**COURSE, "id": "another"})
    own = {**COURSE, "id": "own"}
    assert creator.put("/courses/own", json=own).status_code == 201
    asked = {"url": receiver.url, "course": "own"}
    for name in ("another", "no-such-course", "a\0b", "a\nb", "é" * 200):
        assert creator.post("/webhooks", json=asked | {"course": name}).status_code == 404, name
    assert creator.post("/webhooks", json={"url": receiver.url}).status_code == 403
    made = creator.post("/webhooks", json=asked)
    assert made.status_code == 201
    guest = sending.guest()
    for name in ("another", "own"):
        assert guest.post(f"/courses/{name}/steps/for-1/completion", json={}).status_code == 200
    receiver.wait(lambda: bool(receiver.taken))
    (only,) = receiver.taken
    assert only.said["data"]["change"]["course"] == "own"
    # A creator no more: what comes is sent nowhere, and said so.
    with sending.database.transaction() as connection:
        connection.execute(sa.text("UPDATE learner SET roles = '' WHERE email = 'ada@example.org'"))
    assert guest.post("/courses/own/steps/fizz/completion", json={}).status_code == 200
    until = time.monotonic() + 20
    while not (told := creator.get("/notifications").json()["items"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert (told[0]["type"], len(receiver.taken)) == ("webhook_disabled", 1)


def test_what_fails_is_tried_again_and_what_is_behind_it_waits(still: Still, receiver: Receiver) -> None:
    hook = still.hook(receiver.url)
    slow, other = (complete(still.site.guest(), "for-1", "fizz") for _ in range(2))
    failing = [3]

    def answer(one: Any) -> int:
        if one.learner == slow and failing[0]:
            failing[0] -= 1
            return 500
        return 204

    receiver.answer = answer
    still.pump()
    assert not [one for one in receiver.taken if one.learner == slow]
    still.pump(10 * SECOND)
    assert [one.type for one in receiver.taken if one.learner == other] == DONE[:3]
    still.pump(2 * MINUTE)
    still.pump(10 * MINUTE)
    found = [one for one in receiver.came if one.learner == slow]
    assert [(key, len(list(same))) for key, same in groupby(one.type for one in found)] == [
        (DONE[0], 4),
        (DONE[1], 1),
        (DONE[2], 1),
    ]
    assert len({one.id for one in found}) == 3
    assert (still.row(hook)["failures"], still.row(hook)["failing_since"], still.due()) == (0, None, 0)


def test_an_endpoint_that_fails_for_days_is_given_up_and_its_owner_told(still: Still, receiver: Receiver) -> None:
    hook = still.hook(receiver.url)
    receiver.answer = lambda _: 503
    guest = still.site.guest()
    complete(guest, "for-1", "fizz")
    for _ in range(200):
        still.pump(3 * 60 * MINUTE)
        if not still.row(hook)["active"]:
            break
        complete(guest, "for-1")
        client = still.site.guest()
        complete(client, "for-1")
    tries = len(receiver.came)
    assert (still.row(hook)["active"], still.due()) == (False, 0)
    assert 5 * DAY <= still.row(hook)["disabled_at"] - still.row(hook)["failing_since"] < 6 * DAY
    told_to = complete(guest, "quiz")
    assert (still.pump(DAY), still.due()) == (0, 0)
    admin = still.site.client()
    assert admin.post("/auth/login", json={"email": "root@example.org", "password": "correct horse battery"}).is_success
    told = admin.get("/notifications").json()["items"][0]["change"]
    assert (told["type"], told["webhook"], told["url"]) == ("webhook_disabled", hook, receiver.url)
    assert admin.get("/webhooks").json()["items"][0]["disabled_why"].startswith("nothing was taken since")
    receiver.answer = lambda _: 204
    with still.site.database.transaction() as connection:  # as by a transaction that began before it was given up
        late = {"webhook_id": hook, "learner_id": told_to, "seq": 1, "n": 0, "due_at": 1, "tries": 0}
        connection.execute(sa.insert(webhook_due).values(late))
    assert admin.post(f"/webhooks/{hook}/resumption").status_code == 204
    complete(still.site.guest(), "for-1")
    assert (still.pump(MINUTE), len(receiver.came)) == (2, tries + 2)
    receiver.answer = lambda _: 410
    complete(still.site.guest(), "for-1")
    still.pump(MINUTE)
    assert not still.row(hook)["active"]


def test_a_receiver_that_hangs_is_left_and_holds_up_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr(outward, "PATIENCE_S", 0.5)
    let_go = threading.Event()
    with receiving() as hanging, serving(database_url, webhook_networks=OWN) as site:
        hanging.answer = lambda _: 204 if let_go.wait(20) else 500
        site.publish()
        admin = site.person("root@example.org", "admin")
        stuck = admin.post("/webhooks", json={"url": hanging.url}).json()["id"]
        admin.post("/webhooks", json={"url": receiver.url})
        for _ in range(6):
            complete(site.guest(), "for-1")
        receiver.wait(lambda: len(receiver.taken) == 12)
        until = time.monotonic() + 20
        while not (sent := admin.get(f"/webhooks/{stuck}/deliveries").json()["items"]):
            assert time.monotonic() < until
        assert (sent[0]["status"], sent[0]["error"]) == (None, "no answer in 0 seconds")
        let_go.set()


def test_a_receiver_that_is_slow_holds_up_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr(outward, "PATIENCE_S", 60)
    let_go = threading.Event()
    with receiving() as slow, serving(database_url, webhook_networks=OWN) as site:
        slow.answer = lambda _: 204 + 0 * let_go.wait(60)
        site.publish()
        admin = site.person("root@example.org", "admin")
        for one in (slow, receiver):
            assert admin.post("/webhooks", json={"url": one.url, "types": ["step_completed"]}).status_code == 201
        for _ in range(40):
            complete(site.guest(), "for-1")
        receiver.wait(lambda: len(receiver.taken) == 40)
        assert not slow.taken
        let_go.set()
        slow.wait(lambda: len(slow.taken) == 40)


def test_what_was_under_way_together_fails_once(still: Still, receiver: Receiver) -> None:
    hook = still.hook(receiver.url, types=["step_completed"])
    receiver.answer = lambda _: 503
    for _ in range(5):
        complete(still.site.guest(), "for-1")
    assert (still.pump(), still.row(hook)["failures"]) == (5, 1)
    assert (still.pump(10 * SECOND), still.row(hook)["failures"]) == (5, 2)
    receiver.answer = lambda _: 204
    assert (still.pump(2 * MINUTE), still.due()) == (5, 0)


def test_many_that_answer_410_at_once_end_it_once(still: Still, receiver: Receiver) -> None:
    hook = still.hook(receiver.url, types=["step_completed"])
    for _ in range(4):
        complete(still.site.guest(), "for-1")
    together = threading.Barrier(4)
    receiver.answer = lambda _: 410 + 0 * together.wait(20)
    taken = take(still.services.database, 10, now=still.now)
    with capture_logs() as logs, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: delivering.deliver(still.services, still.outward, one), taken))
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["webhook_disabled"]
    assert (len(receiver.came), still.row(hook)["active"], still.due()) == (4, False, 0)


def test_a_redirect_is_not_followed(still: Still, receiver: Receiver) -> None:
    with receiving() as inside:
        receiver.answer = lambda _: inside.url
        hook = still.hook(receiver.url)
        complete(still.site.guest(), "for-1")
        still.pump()
        assert (len(receiver.came), inside.came, still.row(hook)["failures"]) == (1, [], 1)


def test_two_processes_send_each_change_in_order_and_none_twice(database_url: str, receiver: Receiver) -> None:
    with (
        serving(database_url, webhook_networks=OWN) as one,
        serving(database_url, webhook_networks=OWN) as other,
    ):
        one.publish()
        one.person("root@example.org", "admin").post("/webhooks", json={"url": receiver.url})
        for n in range(12):
            complete((one, other)[n % 2].guest(), "for-1", "fizz", "quiz")
        receiver.wait(lambda: len(receiver.taken) == 12 * len(DONE))
        by_learner: dict[str, list[str]] = {}
        for message in receiver.came:
            by_learner.setdefault(message.learner, []).append(message.type)
        assert set(map(tuple, by_learner.values())) == {tuple(DONE)}
        assert len({message.id for message in receiver.came}) == len(receiver.came) == 12 * len(DONE)


KILLED = """
import sys
from headway.http import delivering, who
from headway.http.outward import Outward
from headway.http.services import Services
from headway.ledger.delivering import take
from headway.settings import Settings
services = Services(Settings(database_url=sys.argv[1]))
for message in take(services.database, 1, now=who.now()):
    delivering.deliver(services, Outward("127.0.0.0/8"), message)
"""


def test_what_a_server_was_killed_at_is_sent_by_another(still: Still, receiver: Receiver) -> None:
    still.hook(receiver.url, types=["step_completed"])
    complete(still.site.guest(), "for-1")
    let_go = threading.Event()
    receiver.answer = lambda _: 500 + let_go.wait(30)
    url = still.services.database.url.render_as_string(hide_password=False)
    killed = subprocess.Popen([sys.executable, "-c", KILLED, url], env=dict(os.environ))
    receiver.wait(lambda: len(receiver.came) == 1, 60)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    let_go.set()
    receiver.answer = lambda _: 204
    assert still.pump() == 0  # it is taken: perhaps it is only slow
    assert still.pump(TAKEN_FOR) == 1
    assert (len(receiver.taken), len({one.id for one in receiver.came}), still.due()) == (1, 1, 0)


def test_who_was_taken_for_dead_settles_nothing(still: Still, receiver: Receiver) -> None:
    still.hook(receiver.url, types=["step_completed"])
    complete(still.site.guest(), "for-1", "fizz")
    (slow,) = take(still.services.database, 1, now=still.now)
    receiver.answer = lambda _: 500
    assert still.pump(TAKEN_FOR) == 1
    receiver.answer = lambda _: 204
    delivering.deliver(still.services, still.outward, slow)
    # Another has taken it up since: what comes of it counts, and the next waits for that.
    assert still.due() == 2
    assert still.pump(10 * MINUTE) == 2
    assert [one.said["data"]["change"]["step"] for one in receiver.taken] == ["for-1", "for-1", "fizz"]


def test_reminders_are_sent_as_well(still: Still, receiver: Receiver) -> None:
    still.hook(receiver.url, types=["streak_at_risk"])
    complete(still.site.guest(), "for-1")
    tonight = still.now // DAY * DAY + DAY + 19 * 60 * MINUTE
    remind(still.site.database, STANDARD, now=tonight - 1)
    assert remind(still.site.database, STANDARD, now=tonight) == 1
    assert (still.pump(2 * DAY), [one.type for one in receiver.taken]) == (1, ["streak_at_risk"])


def test_the_secret_is_sealed_where_the_operator_gave_one(database_url: str, receiver: Receiver) -> None:
    with serving(database_url, webhook_networks=OWN, signing_secret="a very long secret") as site:
        site.publish()
        admin = site.person("root@example.org", "admin")
        made = admin.post("/webhooks", json={"url": receiver.url}).json()
        with site.database.read() as connection:
            kept = connection.execute(sa.select(webhook.c.secret)).scalar_one()
        assert kept.startswith("sealed:")
        complete(site.guest(), "for-1")
        receiver.wait(lambda: len(receiver.taken) == 2)
        assert all(is_signed(made["secret"], one) for one in receiver.taken)
