"""One click ends mails: without cookies, for good, and nothing but mails."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.preferences import MAILED
from headway.domain.times import MINUTE
from headway.ledger.erase import erase
from headway.store import confirmed
from headway.store.catalog import Catalog
from headway.store.mailing_tables import notice_mail, notice_preference
from tests.http.postbox import SITE, Box, Post, changes, graded, parts, subscriber, tell, to_stop
from tests.http.server import Site

HOUR = 60 * MINUTE
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("how", ["one click", "multipart", "page"])
def test_one_click_ends_the_mails_of_a_kind_without_cookies_and_whatever_asks(
    site: Site, post: Post, box: tuple[Box, int], how: str
) -> None:
    ada = subscriber(post.database, "ada@example.org", post.now, "grades", "certificates")
    tell(post.database, ada, post.now, **graded(post))
    assert post.sweep() == 1
    path = to_stop(box[0].letters[0])
    client = site.client()
    url = site.url + path
    for _ in range(2):  # a program that looks at what links lead to ends nothing
        page = client.get(url)
        assert (page.status_code, "No more of these" in page.text) == (200, True)
        assert page.headers["cache-control"] == "no-store"
    tell(post.database, ada, post.now, **graded(post))
    box[0].refused = {"ada@example.org": "450 later"}
    post.sweep()  # put down by now
    box[0].refused = {}
    other_site = {"origin": "https://mail.example.com", "sec-fetch-site": "cross-site"}
    sent = {
        "one click": lambda: client.post(url, content="List-Unsubscribe=One-Click", headers=FORM | other_site),
        "multipart": lambda: client.post(url, files={"List-Unsubscribe": (None, "One-Click")}),
        "page": lambda: client.post(site.url + re.findall(r'action="([^"]+)"', page.text)[0]),
    }[how]()
    assert (sent.status_code, "set-cookie" in sent.headers) == (200, False)
    assert client.post(url).status_code == 200
    tell(post.database, ada, post.now, **changes(post.now)["certificate_issued"])
    tell(post.database, ada, post.now, **graded(post))
    assert post.sweep(HOUR) == 1
    assert [one["Subject"] for one in box[0].letters] == ["Graded: For loops", "Your certificate for Python basics"]


def test_every_kind_is_ended_at_once_and_a_token_opens_nothing_else(
    site: Site, post: Post, box: tuple[Box, int]
) -> None:
    ada = subscriber(post.database, "ada@example.org", post.now, *MAILED)
    bob = subscriber(post.database, "bob@example.org", post.now, *MAILED)
    for one in (ada, bob):
        tell(post.database, one, post.now, **graded(post))
    post.sweep()
    letter = next(one for one in box[0].letters if one["To"] == "ada@example.org")
    path, client = to_stop(letter), site.client()
    token = path.rpartition("/")[2]
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    wrong = [f"/unsubscribe/{kind}/{token}" for kind in ("streak", "all", "none", "Grades")]
    wrong += [f"/unsubscribe/grades/{one}" for one in (flipped, token[:-1], token + "=", "x", "é", "a" * 9_000)]
    for one in wrong:
        assert [client.get(site.url + one).status_code, client.post(site.url + one).status_code] == [404, 404], one
    found = re.search(rf"{SITE}(/unsubscribe/all/\S+)", parts(letter)["text/plain"])
    assert found is not None
    assert client.post(site.url + found[1]).status_code == 200
    with post.database.read() as connection:
        rows = connection.execute(sa.select(notice_preference)).all()
    assert {(row.learner_id, row.mailed_since is None) for row in rows} == {(ada, True), (bob, False)}
    assert all(row.in_app and row.stream for row in rows)
    # Perhaps it never was her account: before there is any mail again, she is asked.
    with post.database.read() as connection:
        assert [confirmed.is_confirmed(connection, one) for one in (ada, bob)] == [False, True]
    # Whoever was erased is sent nothing either, and the link of an old mail says no more than before.
    assert erase(post.database, Catalog(), ada, now=post.now) is not None
    assert client.post(site.url + path).status_code == 200
    assert {row["learner_id"] for row in left(post)} == {bob}


def left(post: Post) -> list[Any]:
    with post.database.read() as connection:
        found = [connection.execute(sa.select(one)).mappings().all() for one in (notice_mail, notice_preference)]
    return [row for rows in found for row in rows]


@pytest.mark.usefixtures("site")
def test_a_damaged_course_holds_up_no_mail(post: Post, box: tuple[Box, int]) -> None:
    tell(post.database, subscriber(post.database, "ada@example.org", post.now, "grades"), post.now, **graded(post))
    with post.database.transaction() as connection:
        assert connection.execute(sa.text("UPDATE course_version SET manifest = '{}'")).rowcount
    assert post.sweep() == 1
    assert box[0].letters[0]["Subject"] == "Graded: for 1"
