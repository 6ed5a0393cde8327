"""Mail goes to who is known to read it: a stranger is asked a few times at most, and otherwise left in peace."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from benchmarks.servers import free_port
from headway.domain.preferences import unsubscribe_token
from headway.domain.times import SECOND
from headway.http import who
from headway.http.confirm_page import mail_link, next_link
from headway.ledger.confirming import LINKS
from headway.ledger.erase import erase
from headway.ledger.external import Vouched, account_of
from headway.store import confirmed, erasures, learners
from headway.store.catalog import Catalog
from headway.store.mailing_tables import confirmed_address
from tests.http.postbox import Box, Post, confirm_path, graded, mailbox, options, tell
from tests.http.server import PASSWORD, Site, serving

PATH = "/notifications/preferences"
ADA = "ada@example.org"
WANTED = {"grades": {"email": True}}


@pytest.fixture
def mailing(database_url: str, box: tuple[Box, int]) -> Iterator[Site]:
    with serving(database_url, rate_limits=True, **options(box[1])) as site:
        yield site


def is_confirmed(client: httpx2.Client) -> bool:
    shown: bool = client.get(PATH).json()["email_confirmed"]
    return shown


def asked(client: httpx2.Client) -> dict[str, Any]:
    reply = client.patch(PATH, json=WANTED)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def send_link(post: Post, learner_id: str) -> None:
    link = next_link(post.services, learner_id)
    if link is not None:
        mail_link(post.services, link)


def told_of_link(client: httpx2.Client, expected: str) -> None:
    """What came of the link is told, once that is known."""
    until = time.monotonic() + 30
    while (found := client.get(PATH).json()["confirmation"]) != expected:
        assert time.monotonic() < until, found
        time.sleep(0.02)


def id_of(client: httpx2.Client) -> str:
    return str(client.get("/auth/me").json()["learner"]["id"])


def test_nothing_is_mailed_but_a_link_until_that_was_opened_and_agreed_to(
    mailing: Site, post: Post, box: tuple[Box, int]
) -> None:
    ada, stranger = mailing.person(ADA), mailing.client()
    shown = asked(ada)
    assert (shown["email_confirmed"], shown["no_email"], shown["email_address"]) == (False, None, ADA)
    (link,) = box[0].wait_for(1)
    assert (link["To"], link["Subject"]) == (ADA, "Confirm your address for Headway")
    post.now = who.now()
    tell(post.database, id_of(ada), post.now, **graded(post))
    assert post.sweep() == 0
    url = mailing.url + confirm_path(link)
    for _ in range(2):  # a program that looks at what links lead to confirms nothing
        page = stranger.get(url)
        assert (page.status_code, "Yes, it is mine" in page.text, is_confirmed(ada)) == (200, True, False)
    with post.database.read() as connection:
        key, whose = erasures.key(connection), id_of(ada)
    token = url.rpartition("/")[2]
    other = id_of(mailing.person("bob@example.org"))
    for wrong in (token[:-1], token + "=", "é", "x" * 9_000, unsubscribe_token(key, whose, "grades"), f"{other}"):
        address = f"{mailing.url}/confirm-email/{wrong}"
        assert [stranger.get(address).status_code, stranger.post(address).status_code] == [404, 404], wrong
    assert not is_confirmed(ada)
    done = stranger.post(url, headers={"origin": "https://mail.example.com", "sec-fetch-site": "cross-site"})
    assert (done.status_code, "set-cookie" in done.headers, is_confirmed(ada)) == (200, False, True)
    assert stranger.post(url).status_code == 200
    post.now = who.now()
    tell(post.database, whose, post.now, **graded(post))
    assert post.sweep() == 2  # what was told meanwhile as well
    asked(ada)
    assert {one["Subject"] for one in box[0].letters[1:]} == {"Graded: for 1"}


def test_a_stranger_is_mailed_three_links_in_thirty_days_whoever_registers_how_often(
    mailing: Site, post: Post, box: tuple[Box, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = 0
    for turn in range(3):
        eve = mailing.person(ADA)
        for _ in range(2):
            sent += 1
            asked(eve)
            box[0].wait_for(min(sent, LINKS.quota))
            send_link(post, id_of(eve))  # beside the server, so that it is known to be over
            sent += 1
        assert erase(post.database, Catalog(), id_of(eve), now=who.now()) is not None, turn
    assert len(box[0].came) == LINKS.quota == 3
    again = mailing.person(ADA)
    assert asked(again)["confirmation"] == "used-up"
    anew = id_of(again)
    now = who.now() + LINKS.window_s * SECOND
    monkeypatch.setattr(who, "now", lambda: now)
    send_link(post, anew)
    assert len(box[0].came) == 4


def test_where_nothing_is_limited_no_link_is_the_last(sqlite_url: str, box: tuple[Box, int]) -> None:
    with serving(sqlite_url, rate_limits=False, **options(box[1])) as site:
        ada = site.person(ADA)
        for count in range(1, LINKS.quota + 2):
            assert asked(ada)["confirmation"] == "mailed", count
            box[0].wait_for(count)
        assert ada.get(PATH).json()["confirmation"] == "mailed"


def test_a_link_that_no_mail_server_took_is_none_and_told_to_be(
    sqlite_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    port, logged = free_port(), ""
    with serving(sqlite_url, rate_limits=True, **options(port)) as site:
        ada = site.person(ADA)
        assert ada.get(PATH).json()["confirmation"] == "none"
        for turn in range(1, LINKS.quota + 2):
            assert site.client().post("/auth/password/reset", json={"email": ADA}).status_code == 202
            assert asked(ada)["confirmation"] in ("mailed", "none")
            told_of_link(ada, "none")
            until = time.monotonic() + 30
            while logged.count("mail_failed") < 2 * turn:  # the other mail as well: it must not find the server below
                assert time.monotonic() < until, logged
                time.sleep(0.02)
                logged += capfd.readouterr().out
        with mailbox(port) as (box, _):
            assert asked(ada)["confirmation"] == "mailed"
            (link,) = box.wait_for(1)
            assert site.client().post("/auth/password/reset", json={"email": ADA}).status_code == 202
            assert box.wait_for(2)[1]["Subject"] == "A new password for Headway"
            told_of_link(ada, "mailed")
            assert ada.post(site.url + confirm_path(link)).status_code == 200
            assert asked(ada)["confirmation"] is None


def test_where_limits_are_lifted_so_is_that_of_links(sqlite_url: str, box: tuple[Box, int]) -> None:
    with serving(sqlite_url, **options(box[1])) as site:
        ada = site.person(ADA)
        for sent in range(1, LINKS.quota + 2):
            asked(ada)
            box[0].wait_for(sent)


def test_who_read_a_mail_with_a_code_or_is_vouched_for_by_a_provider_is_not_asked(
    mailing: Site, post: Post, box: tuple[Box, int]
) -> None:
    mailing.person(ADA)
    client = mailing.client()
    assert client.post("/auth/password/reset", json={"email": ADA}).status_code == 202
    (letter,) = box[0].wait_for(1)
    code = next(one for one in str(letter.get_payload()).split() if len(one) == 43)
    sent = {"token": code, "password": f"{PASSWORD} anew"}
    assert client.post("/auth/password/reset/confirm", json=sent).is_success
    assert is_confirmed(client)
    vouched = Vouched("https://id.example", "bob", "bob@example.org", None)
    bob = account_of(post.database, vouched, may_join=False, now=post.now)
    nameless = account_of(post.database, vouched._replace(subject="x", email=None), may_join=False, now=post.now)
    with post.database.read() as connection:
        assert [confirmed.is_confirmed(connection, one) for one in (bob, nameless)] == [True, False]
    for one in (id_of(client), bob, nameless):
        send_link(post, one)
    assert len(box[0].came) == 1
    # What was confirmed was that address and no other.
    with post.database.transaction() as connection:
        learners.change(connection, bob, {"email": "bobby@example.org"})
        assert connection.execute(sa.select(confirmed_address.c.email).order_by("email")).scalars().all()
    with post.database.read() as connection:
        assert not confirmed.is_confirmed(connection, bob)
