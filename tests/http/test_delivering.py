"""How messages are shared out and locked, of several endpoints and by several who act at once."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.times import SECOND
from headway.http import outward
from headway.ledger import delivering
from headway.ledger import webhooks as endpoints
from headway.store import webhooks
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.store.schema import learner
from headway.store.webhook_tables import webhook, webhook_due
from tests.http.receiving import Receiver, receiving
from tests.http.sending import OWN, Still, complete
from tests.http.server import serving

pytestmark = pytest.mark.usefixtures("quick")


def test_nothing_is_promised_of_an_endpoint_that_is_sent_nothing(still: Still, receiver: Receiver) -> None:
    hook = still.hook(receiver.url, types=["step_completed"])
    complete(still.site.guest(), "for-1")
    still.pump()
    receiver.answer = lambda _: 410
    complete(still.site.guest(), "for-1")
    still.pump()
    receiver.answer = lambda _: 204
    admin = still.site.client()
    assert admin.post("/auth/login", json={"email": "root@example.org", "password": "correct horse battery"}).is_success
    *_, first = admin.get(f"/webhooks/{hook}/deliveries").json()["items"]
    again = f"/webhooks/{hook}/deliveries/{first['id']}/redelivery"
    refused = admin.post(again)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/webhook-disabled")
    assert admin.post(f"/webhooks/{hook}/resumption").status_code == 204
    assert admin.post(again).status_code == 202
    assert (still.pump(10 * SECOND), receiver.taken[-1].id) == (1, first["message_id"])


def test_several_receivers_that_are_slow_hold_up_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr(outward, "PATIENCE_S", 60)
    let_go = threading.Event()
    with ExitStack() as stack, serving(database_url, webhook_networks=OWN) as site:
        slow = [stack.enter_context(receiving()) for _ in range(3)]
        for one in slow:
            one.answer = lambda _: 204 + 0 * let_go.wait(60)
        site.publish()
        admin = site.person("root@example.org", "admin")
        for one in (*slow, receiver):
            assert admin.post("/webhooks", json={"url": one.url, "types": ["step_completed"]}).status_code == 201
        for _ in range(30):
            complete(site.guest(), "for-1")
        receiver.wait(lambda: len(receiver.taken) == 30)
        assert [len(one.taken) for one in slow] == [0, 0, 0]
        let_go.set()
        for one in slow:
            one.wait(lambda one=one: len(one.taken) == 30)  # type: ignore[misc]  # mypy takes no default of a lambda


def made(database: Database, each: int, *hooks: str, roles: str = "admin") -> str:
    """Endpoints of an account, to each of which as many messages are due; the account."""
    migrate(database)
    owner = str(uuid4())
    runs = {"url": "http://x", "types": "", "secret": "x", "created_at": 1, "active": True, "failures": 0}
    with database.transaction() as connection:
        person = {"id": owner, "kind": "account", "time_zone": "UTC", "created_at": 1, "roles": roles}
        connection.execute(sa.insert(learner).values(**person))
        for hook in hooks:
            connection.execute(sa.insert(webhook).values(id=hook, learner_id=owner, retry_at=0, **runs))
            due = {"webhook_id": hook, "seq": 1, "n": 0, "tries": 0}
            rows = [due | {"learner_id": str(uuid4()), "due_at": n} for n in range(each)]
            connection.execute(sa.insert(webhook_due), rows)
    return owner


def chosen(
    database: Database, monkeypatch: pytest.MonkeyPatch, limit: int, under_way: Iterable[str] = ()
) -> Counter[str]:
    """Of which endpoints what is due is taken up, how often."""
    taken = Counter[str]()

    def lease(_: Connection, due: Iterable[webhooks.DueDelivery], __: int) -> list[webhooks.DueDelivery]:
        taken.update(one.webhook_id for one in due)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "lease", lease)
        delivering.take(database, limit, now=100, under_way=under_way)
    return taken


def test_places_go_to_those_with_the_fewest_and_some_are_kept(
    new_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(new_database_url)
    slow, quick, other = hooks = [str(uuid4()) for _ in range(3)]
    made(database, 20, *hooks)
    assert chosen(database, monkeypatch, 16) == {slow: 4, quick: 4, other: 4}
    assert chosen(database, monkeypatch, 12, [slow] * 4) == {quick: 4, other: 4}
    assert chosen(database, monkeypatch, 4, [slow] * 6 + [other] * 6) == {quick: 1}
    assert chosen(database, monkeypatch, 2, [slow] * 6) == {quick: 1, other: 1}
    assert chosen(database, monkeypatch, 10, [slow] * 6) == {quick: 3, other: 3}
    database.close()


def deadlocks(database: Database) -> int:
    asked = "SELECT pg_stat_get_db_deadlocks(oid) FROM pg_database WHERE datname = current_database()"
    time.sleep(1.2)  # the server counts them now and then
    with database.read() as connection:
        return int(connection.exec_driver_sql(asked).scalar_one())


@pytest.mark.parametrize("act", [endpoints.remove, endpoints.resume])
def test_one_that_is_removed_while_its_owner_may_have_it_no_more_is_no_deadlock(
    new_postgresql_url: str, monkeypatch: pytest.MonkeyPatch, act: Callable[[Database, str, None], None]
) -> None:
    database, hook = Database(new_postgresql_url), str(uuid4())
    made(database, 3, hook, roles="")
    looked = threading.Event()
    allowed = webhooks.allowed

    def slow(*given: Any) -> Any:
        looked.set()
        time.sleep(0.5)
        return allowed(*given)

    monkeypatch.setattr(webhooks, "allowed", slow)
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(delivering.take, database, 10, now=10)
        looked.wait()
        time.sleep(0.2)
        act(database, hook, None)
        assert taking.result() == []
    assert deadlocks(database) == 0
    database.close()


def test_two_who_disable_the_same_endpoints_at_once_are_no_deadlock(
    new_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Database(new_postgresql_url), Database(new_postgresql_url)
    hooks = [str(uuid4()) for _ in range(2)]
    made(one, 12, *hooks, roles="")
    together, allowed = threading.Barrier(2), webhooks.allowed

    def at_once(connection: Connection, found: Any) -> Any:
        if len(found) > 1:
            together.wait(10)
        return allowed(connection, found)

    monkeypatch.setattr(webhooks, "allowed", at_once)
    with ThreadPoolExecutor() as pool:
        taking = [pool.submit(delivering.take, database, 8, now=100) for database in (one, other)]
        assert [each.result() for each in taking] == [[], []]
    with one.read() as connection:
        assert connection.execute(sa.select(webhook.c.id).where(webhook.c.active)).all() == []
    assert deadlocks(one) == 0
    one.close()
    other.close()
