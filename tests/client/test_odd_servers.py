"""Servers, and what stands before them, at their worst: nothing is lost, nothing counts twice, nothing blocks."""

import time

import pytest

from headway.client import Headway, make_event
from headway.client.transport import Transport
from tests.client.devices import Device, events_of
from tests.client.trouble import FATES, PORTAL, Fate, Picky, Trouble, problem
from tests.http.server import Site


@pytest.mark.parametrize("name", FATES)
def test_after_any_answer_the_event_is_recorded_once(name: str, headway: Headway, trouble: Trouble, site: Site) -> None:
    headway.opened("walk", "a")
    # A connection that was kept may have been closed by the time: the request is sent once more by another.
    trouble.fates.extend([FATES[name]] * 2)
    outcome = headway.attempted("walk", "a", score=1)
    trouble.fates.clear()
    assert outcome.status == "saved", outcome
    assert outcome.reason
    assert headway.counts() == {"waiting": 1, "locked": 0, "aside": 0}
    assert headway.sync().waiting == 0
    assert outcome.id in events_of(site)


@pytest.mark.parametrize("name", FATES)
def test_a_guest_is_made_after_any_answer(name: str, headway: Headway, trouble: Trouble, site: Site) -> None:
    trouble.fates.append(FATES[name])
    outcome = headway.attempted("walk", "a", score=1)
    assert outcome.status == "saved"
    assert headway.sync().waiting == 0
    assert set(events_of(site)) == {outcome.id}


@pytest.mark.parametrize("slowly", ["never", "byte by byte"])
def test_a_slow_server_is_waited_for_no_longer_than_was_said(device: Device, trouble: Trouble, slowly: str) -> None:
    headway = device.program(timeout_s=1.0)
    headway.opened("walk", "a")
    trouble.fates.append(Fate(200, PORTAL * 20, "application/json", slowly=30 if slowly == "never" else 0.05))
    outcome = headway.attempted("walk", "a", score=1)
    assert outcome.status == "saved"
    assert "too long" in (outcome.reason or "")
    assert headway.sync().waiting == 0


def test_a_server_that_is_gone_is_told(headway: Headway, trouble: Trouble) -> None:
    headway.opened("walk", "a")
    headway.close()
    trouble.__exit__()
    outcome = headway.attempted("walk", "a", score=1)
    assert (outcome.status, "cannot be reached" in (outcome.reason or "")) == ("saved", True)


@pytest.mark.parametrize(
    "answer", [problem(429, "rate-limited", retry_after="3000"), problem(503, "busy", retry_after="3000")]
)
def test_who_asks_to_be_left_alone_is_left_alone(
    headway: Headway, trouble: Trouble, answer: Fate, monkeypatch: pytest.MonkeyPatch
) -> None:
    headway.opened("walk", "a")
    trouble.fates.append(answer)
    assert headway.attempted("walk", "a", score=1).status == "saved"
    asked = len(trouble.asked)
    assert headway.sync().waiting == 1
    assert len(trouble.asked) == asked
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3_001)
    assert headway.sync().waiting == 0
    # A clock that is set back must not make it wait for years.
    trouble.fates.append(answer)
    assert headway.attempted("walk", "a", score=1).status == "saved"
    monkeypatch.setattr(time, "time", lambda: now() - 9e8)
    assert headway.sync().waiting == 0


def test_a_date_says_as_well_when_to_come_again(headway: Headway, trouble: Trouble) -> None:
    headway.opened("walk", "a")
    trouble.fates.append(problem(429, "rate-limited", retry_after="Fri, 31 Dec 2100 23:59:59 GMT"))
    headway.attempted("walk", "a", score=1)
    asked = len(trouble.asked)
    assert headway.sync().waiting == 1
    assert len(trouble.asked) == asked


def test_a_proxy_that_asks_for_rest_is_obeyed(headway: Headway, trouble: Trouble) -> None:
    headway.opened("walk", "a")
    trouble.fates.append(Fate(429, PORTAL, "text/html", (("retry-after", "3000"),)))
    headway.attempted("walk", "a", score=1)
    asked = len(trouble.asked)
    assert headway.sync().waiting == 1
    assert len(trouble.asked) == asked


@pytest.mark.parametrize("answer", [problem(413, "too-large"), problem(422, "invalid"), problem(400, "malformed")])
def test_a_batch_that_is_refused_as_a_whole_is_halved_until_the_poison_is_alone(
    answer: Fate, site: Site, device: Device
) -> None:
    events = [make_event("attempted", "walk", "a", score=1) for _ in range(30)]
    poison = {events[number]["id"] for number in (0, 7, 29)}
    with Picky(site.port, answer, poison) as picky:
        device.url = picky.url
        headway = device.program()
        outcomes = {one.id: one for one in headway.record(*events)}
        assert headway.counts() == {"waiting": 0, "locked": 0, "aside": 3}
    assert {one for one in outcomes if outcomes[one].status == "refused"} == poison
    assert {outcomes[one].reason for one in poison} == {f"{answer_slug(answer)}: it is {answer_slug(answer)}"}
    assert set(events_of(site)) == set(outcomes) - poison


def answer_slug(fate: Fate) -> str:
    return fate.body.partition("/problems/")[2].partition('"')[0]


def test_a_proxy_that_takes_less_at_a_time_is_sent_less_and_sets_nothing_aside(site: Site, device: Device) -> None:
    events = [make_event("attempted", "walk", "a", score=1) for _ in range(30)]
    with Picky(site.port, Fate(413, PORTAL, "text/html"), set(), most=4) as picky:
        device.url = picky.url
        headway = device.program()
        assert all(one.is_recorded for one in headway.record(*events))
        picky.most = 0
        assert headway.attempted("walk", "a", score=1).status == "saved"
        assert headway.counts() == {"waiting": 1, "locked": 0, "aside": 0}


def test_what_breaks_the_server_keeps_nothing_else_waiting(site: Site, device: Device) -> None:
    events = [make_event("attempted", "walk", "a", score=1) for _ in range(40)]
    poison = {events[11]["id"]}
    with Picky(site.port, problem(500, "internal"), poison) as picky:
        device.url = picky.url
        headway = device.program()
        headway.record(*events)
        for _ in range(25):
            headway.sync()
        assert headway.counts() == {"waiting": 1, "locked": 0, "aside": 0}
        assert set(events_of(site)) == {one["id"] for one in events} - poison
        picky.poison.clear()
        assert headway.sync().waiting == 0


def test_no_token_follows_a_page_that_leads_elsewhere(device: Device, trouble: Trouble) -> None:
    with Trouble(1) as elsewhere:
        trouble.always = Fate(307, "", "text/html", (("location", f"{elsewhere.url}/api/v1/events"),))
        headway = device.program("hwp_secret")
        assert headway.opened("walk", "a").status == "saved"
        assert elsewhere.asked == []


def test_a_connection_that_was_closed_meanwhile_is_opened_again(trouble: Trouble) -> None:
    transport = Transport(trouble.url)
    assert transport.get("/courses").status == 200
    (connection,) = transport._idle
    assert connection.sock is not None
    connection.sock.shutdown(2)
    assert transport.get("/courses").status == 200
    transport.close()
    assert transport._idle == []
