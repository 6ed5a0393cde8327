"""Throttles: what is tried too often is 429 with Retry-After, told beforehand, and nobody is locked out by others."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.http import who
from headway.http.limits import by_address
from headway.ledger.throttles import NEW_LEARNERS, SIGN_IN, SIGN_INS, Limit, RateLimited, Throttle, succeeded, take
from headway.ledger.tidying import tidy
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.store.schema import learner, security_event, throttle
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import counted, event

ADDRESS = "x-forwarded-for"


@pytest.fixture
def limited(database_url: str) -> Any:
    """A site with limits, behind a proxy that may say whence requests come."""
    with serving(database_url, rate_limits=True, trusted_proxies="127.0.0.1") as site:
        site.publish()
        yield site


def sign_in(client: httpx2.Client, password: str, email: str = "ada@example.org", **headers: str) -> httpx2.Response:
    return client.post("/auth/login", json={"email": email, "password": password}, headers=headers)


def test_of_a_thousand_wrong_passwords_ten_are_looked_at_and_the_owner_gets_in_from_elsewhere(limited: Site) -> None:
    limited.person("ada@example.org")

    def guess(number: int) -> httpx2.Response:
        return sign_in(clients[number % 16], f"guess {number}", **{ADDRESS: "203.0.113.7"})

    clients = [limited.client() for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(guess, range(1_000)))
    statuses = [one.status_code for one in replies]
    assert (statuses.count(401), statuses.count(429)) == (10, 990)
    refused = next(one for one in replies if one.status_code == 429)
    assert refused.json()["type"] == "/problems/rate-limited"
    assert 0 < int(refused.headers["retry-after"]) <= 900
    # The right one does not help who guesses on, nor does another spelling of the address; the owner gets in.
    assert sign_in(clients[0], PASSWORD, "ADA@example.org ", **{ADDRESS: "203.0.113.7"}).status_code == 429
    assert sign_in(clients[0], PASSWORD, **{ADDRESS: "198.51.100.4"}).status_code == 200
    with limited.database.read() as connection:
        failed = sa.select(sa.func.count()).where(security_event.c.kind == "sign-in-failed")
        assert connection.execute(failed).scalar_one() == 10


def test_the_replies_tell_what_is_left_and_a_right_password_starts_anew(limited: Site) -> None:
    limited.person("ada@example.org")
    client = limited.client()
    for left in (9, 8):
        reply = sign_in(client, "wrong")
        policies = ['"sign-in";q=10;w=900', '"sign-in-address";q=100;w=900', '"sign-ins";q=60;w=60']
        assert reply.headers["ratelimit-policy"].split(", ") == policies
        said = dict(one.split(";", 1) for one in reply.headers["ratelimit"].split(", "))
        assert said['"sign-in"'].startswith(f"r={left};t=")
        assert said['"sign-in-address"'].startswith(f"r={left + 90};t=")
    assert sign_in(client, PASSWORD).status_code == 200
    told = sign_in(client, "wrong").headers["ratelimit"]
    assert '"sign-in";r=9;' in told
    assert '"sign-in-address";r=97;' in told
    assert '"sign-ins";r=56;' in told


def test_right_passwords_are_limited_for_an_account_and_address_and_for_nobody_else(limited: Site) -> None:
    for email in ("ada@example.org", "bob@example.org"):
        limited.person(email)
    with limited.database.transaction() as connection:
        key = Throttle(SIGN_INS, ("127.0.0.1",), "ada@example.org").key
        connection.execute(sa.insert(throttle).values(key=key, count=59, ends_at=who.now() + 60_000_000))
    client = limited.client()
    replies = [sign_in(client, PASSWORD) for _ in range(2)]
    assert [one.status_code for one in replies] == [200, 429]
    assert 0 < int(replies[1].headers["retry-after"]) <= 60
    assert sign_in(client, PASSWORD, "bob@example.org").status_code == 200
    assert sign_in(client, PASSWORD, **{ADDRESS: "198.51.100.4"}).status_code == 200


def test_one_address_that_tries_many_accounts_is_stopped(limited: Site) -> None:
    client = limited.client()
    statuses = [sign_in(client, "wrong", f"ada{number}@example.org").status_code for number in range(102)]
    assert statuses == [401] * 100 + [429] * 2


@pytest.mark.parametrize("how", ["register", "guest", "event"])
def test_of_sixty_new_learners_a_minute_no_more_come_from_one_address(limited: Site, how: str) -> None:
    with limited.database.transaction() as connection:
        _fill(connection, 59)
    codes = [_newcomer(limited, how, number) for number in range(3)]
    assert [one.status_code for one in codes] == [201 if how != "event" else 200, 429, 429]
    assert codes[0].headers["ratelimit"].startswith('"new-learners";r=0;t=')
    assert int(codes[1].headers["retry-after"]) <= 60
    assert counted(limited, learner) == 1
    assert _newcomer(limited, how, 9, **{ADDRESS: "198.51.100.4"}).is_success


def _fill(connection: Any, count: int) -> None:
    key = Throttle(NEW_LEARNERS, ("127.0.0.1",)).key
    connection.execute(sa.insert(throttle).values(key=key, count=count, ends_at=who.now() + 60_000_000))


def _newcomer(site: Site, how: str, number: int, **headers: str) -> httpx2.Response:
    with site.client(**headers) as client:
        if how == "register":
            sent = {"email": f"ada{number}@example.org", "password": PASSWORD}
            return client.post("/auth/register", json=sent)
        return client.post("/auth/guest") if how == "guest" else client.post("/events", json={"events": [event()]})


def test_moving_guests_counts_as_new_learners_do(limited: Site) -> None:
    ada, guest = limited.person("ada@example.org"), limited.client().post("/auth/guest").json()["token"]
    with limited.database.transaction() as connection:
        connection.execute(sa.delete(throttle))
        _fill(connection, 59)
    replies = [ada.post("/auth/merge", json={"guest_token": token}) for token in ("nobody's", guest)]
    assert [one.status_code for one in replies] == [200, 429]
    assert replies[0].headers["ratelimit"].startswith('"new-learners";r=0;t=')
    assert counted(limited, learner) == 2


def test_a_nobody_of_whom_nothing_is_recorded_counts_for_no_newcomer(limited: Site) -> None:
    reply = limited.client().post("/events", json={"events": [event("nowhere")]})
    assert reply.headers["ratelimit"].startswith('"new-learners";r=59;')
    again = limited.client().post("/events", json={"events": [event("nowhere")]})
    assert again.headers["ratelimit"].startswith('"new-learners";r=59;')


def test_who_is_known_writes_without_a_limit(limited: Site) -> None:
    client = limited.guest()
    with limited.database.read() as connection:
        before = connection.execute(sa.select(throttle)).all()
    for _ in range(70):
        reply = client.post("/events", json={"events": [event()]})
        assert (reply.status_code, "ratelimit" in reply.headers) == (200, False)
    with limited.database.read() as connection:
        assert connection.execute(sa.select(throttle)).all() == before


def test_the_switch_lifts_them_all(site: Site) -> None:
    client = site.client()
    for number in range(12):
        reply = sign_in(client, "wrong")
        assert (reply.status_code, "ratelimit" in reply.headers, number) == (401, False, number)
    assert all(_newcomer(site, "guest", number).status_code == 201 for number in range(65))
    assert counted(site, throttle) == 0


def test_who_is_no_trusted_proxy_cannot_choose_an_address(database_url: str) -> None:
    with serving(database_url, rate_limits=True) as site:
        client = site.client()
        statuses = [
            sign_in(client, "wrong", **{ADDRESS: f"203.0.113.{n}", "x-forwarded-proto": "https"}).status_code
            for n in range(11)
        ]
        assert statuses == [401] * 10 + [429]


class From:
    def __init__(self, address: str | None) -> None:
        self.address = address


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7:80", "203.0.113.7", True),
        ("203.0.113.7:80", "203.0.113.8:80", False),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::1", True),
        ("[2001:db8:1:2::1]", "2001:db8:1:3::1", False),
        ("fe80:0:0:7::1%eth0", "fe80:0:0:7::1", True),
        ("fe80:0:0:7::1%eth0", "fe80:0:0:8::1%eth0", False),
        ("64:ff9b::203.0.113.7", "64:ff9b::203.0.113.8", False),
        ("64:ff9b::203.0.113.7", "203.0.113.7", True),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7", True),
        (None, "garbage", True),
    ],
)
def test_a_network_of_ipv6_is_one_address(one: str | None, other: str, alike: bool) -> None:
    keys = [by_address(From(address), SIGN_IN, "ada").key for address in (one, other)]  # type: ignore[arg-type]  # no more of it is looked at
    assert (keys[0] == keys[1]) is alike


def test_windows_end_and_are_thrown_away(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    one, limit = Throttle(Limit("x", 2, 60), ("a",)), 60_000_000
    assert [take(database, [one], now=now)[0].remaining for now in (0, 1)] == [1, 0]
    with pytest.raises(RateLimited) as refusal:
        take(database, [one], now=limit // 2)
    assert refusal.value.retry_after_s == 30
    assert take(database, [one], now=limit)[0].remaining == 1
    succeeded(database, clear=[one])
    assert take(database, [one], now=limit)[0].remaining == 1
    assert tidy(database, now=limit, events_before=0, notices_before=0, sent_before=0) == 0
    assert tidy(database, now=2 * limit, events_before=0, notices_before=0, sent_before=0) == 1
    database.close()


def test_of_two_limits_neither_is_counted_where_one_is_used_up(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    narrow, wide = Throttle(Limit("narrow", 1, 60), ("a",)), Throttle(Limit("wide", 9, 60), ("a",))
    take(database, [narrow, wide], now=0)
    for _ in range(3):
        with pytest.raises(RateLimited):
            take(database, [narrow, wide], now=1)
    assert take(database, [wide], now=2)[0].remaining == 7
    database.close()
