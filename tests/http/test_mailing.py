"""Mails to learners: what they asked for, once, from whichever process; and one click ends them."""

import os
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from email.message import Message
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from headway.domain.preferences import GIVEN_UP_AFTER, MAILED, Preference
from headway.domain.times import DAY, MINUTE, SECOND
from headway.http import mail, mailing, who
from headway.http.mailing import send_due, why_no_mails
from headway.ledger.mailing import TAKEN_FOR
from headway.ledger.publish import publish
from headway.ledger.tidying import tidy
from headway.settings import Settings
from headway.store import confirmed, preferences
from headway.store.mailing_tables import notice_mail
from headway.store.schema import learner
from tests.http.postbox import (
    SITE,
    Box,
    Post,
    changes,
    confirm,
    confirm_path,
    graded,
    hanging,
    options,
    parts,
    settings_of,
    subscriber,
    tell,
    trickling,
)
from tests.http.server import COURSE, serving
from tests.http.test_events import event
from tests.ledger.at_once import at_once

HOUR = 60 * MINUTE
ONE_CLICK = "List-Unsubscribe=One-Click"


def outcomes(post: Post) -> dict[str, Any]:
    with post.database.read() as connection:
        return {row.notice_id: row.outcome for row in connection.execute(sa.select(notice_mail))}


def rows_of(post: Post) -> set[tuple[int, str | None, bool]]:
    """Of the mails how often each was tried, what came of it, and whether it is due now."""
    with post.database.read() as connection:
        found = connection.execute(sa.select(notice_mail)).all()
    return {(row.tries, row.outcome, row.due_at is not None and row.due_at <= post.now) for row in found}


def told(post: Post, address: str) -> str:
    """Somebody with an address is told of a grade, a little later than whoever was before; the notice's id."""
    post.now += 1
    learner_id = subscriber(post.database, address, post.now, "grades")
    return tell(post.database, learner_id, post.now, **graded(post))


def test_two_processes_that_sweep_again_and_again_mail_each_notice_once(
    post: Post, box: tuple[Box, int], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(who, "now", lambda: post.now)
    everybody = [subscriber(post.database, f"a{n}@example.org", post.now, *MAILED) for n in range(8)]
    told = [tell(post.database, one, post.now, **change) for one in everybody for change in changes(post.now).values()]
    other = Post(database_url, box[1])
    other.now = post.now  # each looks by a clock that stands still
    taken = at_once(*(lambda one=one: send_due(one.services, threading.Event()) for one in (post, other)))
    assert sum(taken) + post.sweep() + other.sweep(2 * TAKEN_FOR) == len(told) == len(box[0].came)
    other.database.close()
    assert sorted(str(one["Message-ID"]) for one in box[0].letters) == sorted(f"<{one}@example.org>" for one in told)
    assert outcomes(post) == dict.fromkeys(told, "sent")
    # A sweep that was killed before it noted how far it had come looks at the same again.
    with post.database.transaction() as connection:
        connection.execute(sa.text("DELETE FROM reminded"))
    assert post.sweep() == 0


KILLED = """
import sys
import threading
from headway.http.mailing import send_due
from headway.http.services import Services
from tests.http.postbox import settings_of
send_due(Services(settings_of(sys.argv[1], int(sys.argv[2]))), threading.Event())
"""


def test_what_a_server_was_killed_at_is_mailed_by_another_under_the_same_id(
    post: Post, box: tuple[Box, int], database_url: str
) -> None:
    post.now = who.now()
    ada = subscriber(post.database, "ada@example.org", post.now, "grades")
    told = tell(post.database, ada, post.now, **changes(post.now)["step_graded"])
    box[0].held = threading.Event()
    killed = subprocess.Popen([sys.executable, "-c", KILLED, database_url, str(box[1])], env=dict(os.environ))
    assert box[0].begun.wait(60)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    box[0].held.set()
    box[0].held = None
    post.now = who.now()
    assert post.sweep() == 0  # it is taken: perhaps the mail server is only slow
    assert post.sweep(TAKEN_FOR) == 1
    # At least once: the mail server may have taken the first as well.
    assert {str(one["Message-ID"]) for one in box[0].letters} == {f"<{told}@example.org>"}
    assert 1 <= len(box[0].came) <= 2
    assert post.sweep(2 * TAKEN_FOR) == 0


def test_an_address_that_is_refused_is_left_and_one_that_is_put_off_is_tried_again_for_days(
    post: Post, box: tuple[Box, int]
) -> None:
    gone, late, full, well, odd = (
        tell(post.database, subscriber(post.database, address, post.now, "grades"), post.now, **graded(post))
        for address in ("gone@example.org", "late@example.org", "full@example.org", "well@example.org", "a,b@c.d")
    )
    box[0].refused = {
        "gone@example.org": "550 no such user",
        "late@example.org": "450 later",
        "full@example.org": "452 full",
    }
    with capture_logs() as log:
        assert post.sweep() == 1
    assert "@example.org" not in str(log)
    del box[0].refused["late@example.org"]
    assert post.sweep(30) == 0
    assert post.sweep(2 * MINUTE) == 1
    for _ in range(40):
        post.sweep(3 * HOUR)
    ended = {gone: "refused", late: "sent", full: "given-up", well: "sent", odd: "refused"}
    assert outcomes(post) == ended
    assert (box[0].to, box[0].asked.count("gone@example.org")) == (["well@example.org", "late@example.org"], 1)
    tries = box[0].asked.count("full@example.org")
    assert 10 < tries < 30
    post.sweep(GIVEN_UP_AFTER)
    assert box[0].asked.count("full@example.org") == tries
    gone_by = {"events_before": 0, "sent_before": 0, "notices_before": post.now + 1}
    assert tidy(post.database, now=post.now, **gone_by) == 10
    assert outcomes(post) == {}


def test_a_mail_server_that_hangs_is_left_after_one_try_and_what_waits_is_mailed_later(
    post: Post, box: tuple[Box, int], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(mailing.AT_ONCE + 5):
        told(post, f"a{n}@example.org")
    with hanging() as (port, came), monkeypatch.context() as impatient:
        impatient.setattr(mail, "PATIENCE_S", 0.3)
        stuck = Post(database_url, port)
        stuck.now = post.now
        assert (stuck.sweep(), len(came)) == (0, 1)
        stuck.database.close()
    assert rows_of(post) == {(0, None, True)}
    assert post.sweep() == mailing.AT_ONCE + 5  # at once: none of them was tried


@pytest.mark.parametrize(
    ("said", "row"), [([], (0, None, True)), ([b"220 hello\r\n", b"250 localhost\r\n"], (1, None, False))]
)
def test_a_mail_server_that_answers_byte_by_byte_is_left(
    post: Post, database_url: str, monkeypatch: pytest.MonkeyPatch, said: list[bytes], row: tuple[int, None, bool]
) -> None:
    told(post, "ada@example.org")
    monkeypatch.setattr(mail, "WHOLE_S", 0.3)
    with trickling(*said) as port:
        slow = Post(database_url, port)
        slow.now = post.now
        assert slow.sweep() == 0
        slow.database.close()
        mails = slow.services.mail
        # By whether anything of an answer came in time.
        assert re.match("SMTPConnectError|SMTPServerDisconnected|it refuses mails", mails.fault() or "")
        assert not mails.send(mail.Letter("ada@example.org", "Hello", "Hello.\n"))
    assert rows_of(post) == {row}


@pytest.mark.parametrize("how", ["421 for the address", "421 for the letter", "hung up"])
def test_a_letter_that_costs_the_connection_waits_behind_all_others(post: Post, box: tuple[Box, int], how: str) -> None:
    poison = [f"poison{n}@example.org" for n in range(3)]
    well = [f"well{n}@example.org" for n in range(4)]
    for address in (well[0], *poison[:2], *well[1:3]):
        told(post, address)
    answers = dict.fromkeys(poison, "421 try another time")
    if how == "hung up":
        box[0].cut = {*poison}
    else:
        box[0].refused, box[0].refused_late = ({}, answers) if "letter" in how else (answers, {})
    assert (post.sweep(), {*box[0].to}) == (3, {*well[:3]})
    assert rows_of(post) == {(1, "sent", False), (1, None, False)}
    told(post, poison[2])
    assert post.sweep() == 0
    # So many in a row that it may be the mail server's fault: the rest is left for the next time, as it was.
    told(post, well[3])
    assert (post.sweep(2 * MINUTE), len(box[0].came)) == (0, 3)
    assert rows_of(post) == {(1, "sent", False), (2, None, False), (0, None, True)}
    assert (post.sweep(), len(box[0].came)) == (1, 4)
    post.sweep(GIVEN_UP_AFTER)
    assert sorted(outcomes(post).values()) == ["given-up"] * 3 + ["sent"] * 4


def test_while_a_mail_is_being_sent_recording_goes_on(database_url: str, box: tuple[Box, int]) -> None:
    with serving(database_url, **options(box[1])) as site:
        site.publish(COURSE | {"certificate": True})
        ada = site.person("ada@example.org")
        confirm(site.database, "ada@example.org")
        assert ada.patch("/notifications/preferences", json={"certificates": {"email": True}}).is_success
        certify(ada)
        post = Post(database_url, box[1])
        box[0].held = threading.Event()
        sending = threading.Thread(target=post.sweep)
        sending.start()
        assert box[0].begun.wait(30)
        assert ada.post("/events", json={"events": [event(step="for-1", type="worked", duration_s=5)]}).is_success
        assert ada.patch("/notifications/preferences", json={"streak": {"email": True}}).is_success
        box[0].held.set()
        sending.join(30)
        post.database.close()
    (letter,) = box[0].letters
    certificate = ada_certificate(letter)
    assert f"{SITE}/certificates/{certificate}" in parts(letter)["text/html"]
    assert (letter["To"], letter["Subject"]) == ("ada@example.org", "Your certificate for Python basics")


def ada_certificate(letter: Message) -> str:
    found = re.search(r"/certificates/([0-9a-f-]{36})\s", parts(letter)["text/plain"])
    assert found is not None
    return found[1]


def certify(client: Any) -> None:
    steps = [event(step=one, type="completed") for one in ("for-1", "fizz")]
    sent = {"events": [*steps, event(step="quiz", type="attempted", response="a")]}
    assert client.post("/events", json=sent).is_success


def test_nothing_is_mailed_that_was_not_asked_for_or_is_of_no_use_any_more(post: Post, box: tuple[Box, int]) -> None:
    some = changes(post.now)
    quiet = subscriber(post.database, "quiet@example.org", post.now)
    bare = subscriber(post.database, None, post.now, *MAILED)
    ada = subscriber(post.database, "ada@example.org", post.now, "streak", "weekly_summary")
    for one in (quiet, bare, ada):
        for change in some.values():
            tell(post.database, one, post.now, **change)
    tell(post.database, ada, post.now - DAY - MINUTE, **some["weekly_summary"])  # before she asked
    tell(post.database, ada, post.now, type="achievement_unlocked", achievement="x", title="X")
    assert post.sweep() == 2
    assert sorted(str(one["Subject"]) for one in box[0].letters) == [
        "Your streak of 12 days ends tonight",
        "Your week: 3 active days, 1 exercise",
    ]
    # In Tokyo the day is over at 15:00 UTC: who was not reached by then is not told what is past.
    tokyo = subscriber(post.database, "tokyo@example.org", post.now, "streak", zone="Asia/Tokyo")
    late = tell(post.database, tokyo, post.now, **changes(post.now, "Asia/Tokyo")["streak_at_risk"])
    box[0].refused = {"tokyo@example.org": "450 later"}
    post.sweep()
    box[0].refused = {}
    assert (post.sweep(4 * HOUR), outcomes(post)[late]) == (0, "stale")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"final": True}, "it counts as 40 %."),
        ({"final": False}, "it counts as at least 40 %."),
        ({"final": False, "waived": True}, "you need not do it."),
    ],
)
def test_a_mail_of_a_decision_says_no_more_than_it_does(
    post: Post, box: tuple[Box, int], said: dict[str, bool], told: str
) -> None:
    ada = subscriber(post.database, "ada@example.org", post.now, "grades")
    change = {**changes(post.now)["step_overridden"], "score": 0.4, "waived": False, **said}
    tell(post.database, ada, post.now, **change)
    assert post.sweep() == 1
    assert told in box[0].came[0][1].decode()


def test_a_step_is_called_by_the_title_that_it_has_now_and_by_its_id_once_it_is_gone(
    post: Post, box: tuple[Box, int]
) -> None:
    publish(post.database, titled("Loops, explained"), now=post.now)
    ada = subscriber(post.database, "ada@example.org", post.now, "grades")
    for step in ("for-1", "left-out"):
        tell(post.database, ada, post.now, **graded(post) | {"step": step})
    publish(post.database, titled("Loops, explained anew"), now=post.now)
    assert post.sweep() == 2
    assert {str(one["Subject"]) for one in box[0].letters} == {"Graded: Loops, explained anew", "Graded: left out"}


def titled(title: str) -> dict[str, Any]:
    """A course that is called so, with a step that is."""
    steps = [{"id": "for-1", "kind": "lesson", "title": title}]
    return COURSE | {"title": title, "modules": [{"id": "m", "title": "M", "steps": steps}]}


def test_a_kind_that_is_turned_off_ends_mails_that_were_taken_up_by_then(
    post: Post, box: tuple[Box, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(who, "now", lambda: post.now)
    notices = {address: told(post, address) for address in (f"a{n}@example.org" for n in range(4))}
    box[0].held, sent = threading.Event(), list[int]()
    sending = threading.Thread(target=lambda: sent.append(send_due(post.services, threading.Event())))
    sending.start()
    assert box[0].begun.wait(30)
    first = box[0].asked[0]
    off, moved, last = notices.keys() - {first}
    with post.database.transaction() as connection:
        whose = {row.email: row.id for row in connection.execute(sa.select(learner))}
        preferences.put(connection, [Preference(whose[off], "grades", mailed_since=None)])
        confirmed.put(connection, whose[moved], "elsewhere@example.org", post.now)
    box[0].held.set()
    sending.join(30)
    assert (sent, box[0].to) == ([2], [first, last])
    unwanted = dict.fromkeys([notices[off], notices[moved]], "unwanted")
    assert outcomes(post) == dict.fromkeys(notices.values(), "sent") | unwanted


def test_a_mail_says_what_it_is_about_in_text_and_html_and_follows_nobody(post: Post, box: tuple[Box, int]) -> None:
    evil = "<b>Evil</b> & co\r\nBcc: eve@example.com\u202e"
    publish(post.database, titled(evil), now=post.now)
    zone = "Pacific/Kiritimati"
    ada = subscriber(post.database, "ada@example.org", post.now, *MAILED, zone=zone)
    some = changes(post.now, zone)
    some["step_graded"]["feedback"] = f"{evil} {'ä' * 3_000}"
    some["step_overridden"]["step"] = f"x\r\nTo: eve@example.com {'long ' * 99}"
    for change in some.values():
        tell(post.database, ada, post.now, **change)
    assert post.sweep() == len(some)
    assert set(box[0].to) == {"ada@example.org"}
    whole = ""
    for raw, letter in zip((raw for _, raw in box[0].came), box[0].letters, strict=True):
        head = "\r\n" + raw.partition(b"\r\n\r\n")[0].decode("ascii") + "\r\n"
        assert re.findall(r"\n(?:to|b?cc):[^\r]*", head, re.IGNORECASE) == ["\nTo: ada@example.org"]
        assert f"\r\nList-Unsubscribe-Post: {ONE_CLICK}\r\n" in head
        assert re.search(rf"\r\nList-Unsubscribe: <{SITE}/unsubscribe/\w+/[\w-]{{43}}>\r\n", head)
        assert letter["Auto-Submitted"] == "auto-generated"
        shown = parts(letter)
        assert shown.keys() == {"text/plain", "text/html"}
        assert not re.search(r"<(?:b|img|script|link|iframe)\b|//(?!learn\.example\.org/)", shown["text/html"])
        assert "\u202e" not in shown["text/plain"] + shown["text/html"]
        # Nothing tells which mail was opened, or by whom: but for the links that end them, all lead where all are led.
        links = re.findall(r"https://\S+", shown["text/plain"])
        assert not [one for one in links if ada in one or str(letter["Message-ID"])[1:37] in one]
        whole += shown["text/plain"]
    assert "Attempts: 1,200 (the week before: 1,200)" in whole
    assert "before midnight (Pacific/Kiritimati)" in whole
    assert "Your work on <b>Evil</b> & co" in whole
    # Kiritimati is 14 hours ahead: at noon in UTC it is the next day there.
    there = datetime.fromtimestamp((post.now + DAY) // SECOND, UTC)
    assert f"on {there.day} {there:%B %Y} with 92.5 %" in whole


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "smtp_url and public_url"),
        ({"smtp_url": "smtp://localhost", "mail_from": "h@example.org"}, "public_url"),
        ({"public_url": SITE}, "smtp_url"),
        ({"smtp_url": "smtp://localhost", "mail_from": "h@example.org", "public_url": "http://localhost"}, "https"),
    ],
)
def test_without_a_mail_server_or_an_address_nobody_can_ask_for_mails_and_it_is_said(
    sqlite_url: str, settings: dict[str, Any], missing: str
) -> None:
    why_not = why_no_mails(Settings(database_url=sqlite_url, **settings)) or ""
    assert missing in why_not
    with serving(sqlite_url, **settings) as site:
        ada = site.person("ada@example.org")
        assert ada.get("/notifications/preferences").json()["no_email"] == why_not
        refused = ada.patch("/notifications/preferences", json={"streak": {"email": True}})
        assert (refused.status_code, refused.json()["errors"]) == (
            422,
            [{"field": "streak.email", "message": why_not}],
        )
    assert why_no_mails(settings_of(sqlite_url, 25)) is None


def test_a_server_mails_by_itself(database_url: str, box: tuple[Box, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "LOOK_S", 0.1)
    with serving(database_url, **options(box[1])) as site:
        site.publish(COURSE | {"certificate": True})
        ada = site.person("ada@example.org")
        assert ada.patch("/notifications/preferences", json={"certificates": {"email": True}}).is_success
        (link,) = box[0].wait_for(1)
        assert ada.post(site.url + confirm_path(link)).is_success
        certify(ada)
        assert box[0].wait_for(2)[1]["Subject"] == "Your certificate for Python basics"
