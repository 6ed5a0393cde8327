"""Passwords tried, changed and reset at the same time: whoever is right gets in, and nobody waits for each other."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.domain.errors import HeadwayError
from headway.http import passwords, who
from headway.http.tokens import hash_of
from headway.ledger import own_passwords
from headway.ledger.security import Origin
from headway.ledger.throttles import SIGN_IN, SIGN_IN_ADDRESS, Throttle, succeeded, take
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.store.schema import session, throttle
from tests.http.server import PASSWORD, Site, serving

HERE = Origin("203.0.113.7")
RACES = 25

pytestmark = pytest.mark.real_hashes  # what is raced for is the time that they take


def test_many_who_are_right_at_one_address_all_get_in(database_url: str) -> None:
    with serving(database_url, rate_limits=True) as site:
        emails = [f"ada{number}@example.org" for number in range(6)]
        for email in emails:
            site.person(email)
        clients = [site.client() for _ in range(18)]

        def sign_in(number: int) -> httpx2.Response:
            sent = {"email": emails[number % 6], "password": PASSWORD}
            return clients[number].post("/auth/login", json=sent)

        with ThreadPoolExecutor(len(clients)) as pool:
            replies = [one for _ in range(3) for one in pool.map(sign_in, range(len(clients)))]
    assert Counter(one.status_code for one in replies) == {200: len(replies)}


def test_of_passwords_beyond_those_that_may_wait_each_is_busy_and_counts_for_nothing(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "WAITING_MAX", 2)
    with serving(sqlite_url, rate_limits=True) as site:
        clients = [site.client() for _ in range(24)]

        def sign_in(number: int) -> httpx2.Response:
            sent = {"email": f"ada{number}@example.org", "password": PASSWORD}
            return clients[number].post("/auth/login", json=sent)

        with ThreadPoolExecutor(len(clients)) as pool:
            replies = list(pool.map(sign_in, range(len(clients))))
        statuses = Counter(one.status_code for one in replies)
        assert set(statuses) == {401, 503}
        busy = next(one for one in replies if one.status_code == 503)
        assert (busy.json()["type"], busy.headers["retry-after"]) == ("/problems/busy", "2")
        with site.database.read() as connection:
            counted = sum(connection.execute(sa.select(throttle.c.count)).scalars())
        assert counted == 3 * statuses[401]
        assert sign_in(0).status_code == 401


def test_counting_tries_of_six_accounts_at_one_address_never_ends_in_a_deadlock(database_url: str) -> None:
    """The same without the passwords, whose hashing leaves few that come at the same time."""
    database = Database(database_url)
    migrate(database)
    address = Throttle(SIGN_IN_ADDRESS, ("203.0.113.7",))

    def right_at_once(number: int) -> None:
        account = Throttle(SIGN_IN, ("203.0.113.7", f"ada{number % 6}"))
        take(database, [account, address], now=0)
        succeeded(database, clear=[account], give_back=[address])

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(right_at_once, range(300))) == [None] * 300
    database.close()


def test_of_a_reset_and_a_change_at_once_one_is_done_and_the_other_is_told(site: Site) -> None:
    told = [told_of_race(site, f"ada{number}@example.org") for number in range(RACES)]
    # Whoever comes second finds the reset forgotten, or the session ended: they are told so, and no deadlock.
    assert set(told) <= {("done", "session has ended"), ("token is none", "done")}


def told_of_race(site: Site, email: str) -> tuple[str, ...]:
    with site.client() as client:
        reply = client.post("/auth/register", json={"email": email, "password": PASSWORD})
    learner_id = reply.json()["learner"]["id"]
    own_passwords.ask_reset(site.database, email, hash_of(email), now=who.now(), origin=HERE)
    with site.database.read() as connection:
        mine = sa.select(session.c.token_hash).where(session.c.learner_id == learner_id)
        session_hash = connection.execute(mine).scalar_one()
    barrier, now = Barrier(2), who.now()
    acts = [
        partial(own_passwords.reset, site.database, hash_of(email), "by reset"),
        partial(own_passwords.change, site.database, session_hash, learner_id, "by change"),
    ]

    def run(act: Any) -> str:
        barrier.wait()
        try:
            act(now=now, origin=HERE)
        except HeadwayError as refusal:
            return next(one for one in ("token is none", "session has ended") if one in refusal.detail)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        return tuple(pool.map(run, acts))
