"""What a program records arrives once, as whoever made it, whatever happens meanwhile."""

import stat
import threading
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from headway.client import AddressInvalid, EventInvalid, Headway, NotSaved, SignInNeeded, make_event
from headway.client.errors import Refused, Unreachable
from tests.client.devices import COURSE, Device, bodies, events_of, learners
from tests.client.trouble import FATES, Trouble, problem
from tests.http.server import Site


def account(site: Site) -> tuple[str, str]:
    """A new account's learner id, and a token of its own."""
    client = site.person(f"{uuid.uuid4().hex}@example.org")
    token = client.post("/auth/tokens", json={"name": "terminal", "scopes": ["read", "write"]}).json()["token"]
    return client.get("/auth/me").json()["learner"]["id"], token


def test_what_is_recorded_tells_how_the_step_stands_and_what_it_brought_about(headway: Headway) -> None:
    outcome = headway.attempted("walk", "a", score=80)
    assert (outcome.status, outcome.reason, outcome.is_recorded) == ("recorded", None, True)
    assert outcome.progress is not None
    assert (outcome.progress["step"], outcome.progress["best_score"]) == ("a", 0.8)
    assert {one["type"] for one in outcome.changes} >= {"step_completed"}
    assert headway.counts() == {"waiting": 0, "locked": 0, "aside": 0}


def test_every_way_to_record_says_what_was_done(headway: Headway, site: Site) -> None:
    at = datetime.fromisoformat("2026-03-01T21:14:05+09:00")
    headway.opened("walk", "a", occurred_at=at)
    headway.worked("walk", "a", duration_s=90.5, hints=2, occurred_at=at)
    headway.attempted("walk", "a", score={"raw": 3, "max": 4}, duration_s=10, hints=1, occurred_at=at)
    headway.completed("walk", "a", score=1, duration_s=1, occurred_at=at)
    sent = sorted(bodies(site), key=lambda body: str(body["type"]))
    place = {"course": "walk", "step": "a", "occurred_at": "2026-03-01T21:14:05.000+09:00"}
    assert sent == [
        {"type": "attempted", **place, "score": {"raw": 3, "max": 4}, "duration_s": 10, "hints": 1},
        {"type": "completed", **place, "score": 1, "duration_s": 1},
        {"type": "opened", **place},
        {"type": "worked", **place, "duration_s": 90.5, "hints": 2},
    ]


def test_an_event_is_on_the_disk_before_it_is_sent(device: Device, trouble: Trouble, site: Site) -> None:
    headway = device.program()
    headway.opened("walk", "a")
    trouble.always = problem(500, "internal")
    seen: list[int] = []
    trouble.looks_on = lambda: seen.append(device.program().counts()["waiting"])
    assert headway.attempted("walk", "a", score=1).status == "saved"
    assert seen == [1]


def test_what_was_saved_offline_is_sent_by_the_next_program(device: Device, trouble: Trouble, site: Site) -> None:
    trouble.always = problem(503, "unavailable", retry_after="0")
    first = device.program()
    saved = [first.attempted("walk", step, score=1) for step in ("a", "b")]
    assert [one.status for one in saved] == ["saved", "saved"]
    assert all("unavailable" in (one.reason or "") for one in saved)
    trouble.always = None
    with Headway(device.url, state_folder=device.folder) as second:
        wait_until_sent(second)
    assert set(events_of(site)) == {one.id for one in saved}
    assert len(learners(site, "guest")) == 1


def wait_until_sent(headway: Headway) -> None:
    until = time.monotonic() + 20
    while headway.counts()["waiting"]:
        assert time.monotonic() < until, "the background does not send"
        time.sleep(0.02)


def test_the_background_tries_again_by_itself(device: Device, trouble: Trouble, site: Site) -> None:
    with device.program(background=True) as headway:
        trouble.always = problem(500, "internal")
        saved = [headway.attempted("walk", "a", score=1).id for _ in range(3)]
        asked = len(trouble.asked)
        assert headway.attempted("walk", "a", score=1).status == "saved"
        assert len(trouble.asked) == asked, "who was cut off a moment ago is not made to wait for each event"
        trouble.always = None
        wait_until_sent(headway)
    assert set(saved) < set(events_of(site))


def test_one_guest_is_made_however_often_it_is_tried(device: Device, trouble: Trouble, site: Site) -> None:
    trouble.always = problem(503, "unavailable", retry_after="0")
    programs = [device.program() for _ in range(4)]
    for one in programs:
        one.opened("walk", "a")
    trouble.always = None
    threads = [threading.Thread(target=one.opened, args=("walk", "a")) for one in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert device.program().sync(10).waiting == 0
    assert len(learners(site, "guest")) == 1
    assert len(events_of(site)) == 8


def test_a_guest_moves_into_the_account_that_signs_in_with_what_is_sent_and_what_is_not(
    device: Device, trouble: Trouble, site: Site
) -> None:
    learner, token = account(site)
    guest = device.program()
    before = guest.attempted("walk", "a", score=0.5)
    trouble.always = problem(503, "unavailable", retry_after="0")
    unsent = guest.attempted("walk", "a", score=1)
    device.sign_in(token, learner)
    trouble.always = None
    headway = device.program()
    after = headway.attempted("walk", "b", score=1)
    (guest_id,) = learners(site, "guest")
    assert events_of(site) == {before.id: guest_id, unsent.id: learner, after.id: learner}
    assert headway.course_progress("walk").data["modules"][0]["steps"][0]["attempts"] == 2


@pytest.mark.parametrize("fate", ["the request is lost", "the answer is lost", "500"])
def test_a_move_of_which_nothing_is_heard_is_tried_again(
    device: Device, trouble: Trouble, site: Site, fate: str
) -> None:
    learner, token = account(site)
    first = device.program().attempted("walk", "a", score=1)
    device.sign_in(token, learner)
    trouble.fates.extend([FATES[fate]] * 2)
    second = device.program().attempted("walk", "b", score=1)
    trouble.fates.clear()
    assert second.status == "saved"
    assert device.program().sync().waiting == 0
    assert set(events_of(site)) == {first.id, second.id}
    assert device.program().progress().data["steps_completed"] == 2


def test_a_guest_of_whom_the_server_never_heard_is_never_made(device: Device, trouble: Trouble, site: Site) -> None:
    learner, token = account(site)
    trouble.always = problem(503, "unavailable", retry_after="0")
    saved = device.program().attempted("walk", "a", score=1)
    device.sign_in(token, learner)
    trouble.always = None
    device.program().sync()
    assert events_of(site) == {saved.id: learner}
    assert learners(site, "guest") == []


def test_what_one_account_made_is_never_sent_as_another(device: Device, trouble: Trouble, site: Site) -> None:
    (ann, anns), (bob, bobs) = account(site), account(site)
    trouble.always = problem(503, "unavailable", retry_after="0")
    of_ann = device.program(anns).attempted("walk", "a", score=1)
    trouble.always = None
    of_bob = device.program(bobs).attempted("walk", "a", score=1)
    assert of_bob.is_recorded
    assert events_of(site) == {of_bob.id: bob}
    # On the same device a guest, who is moved into Bob's account, is not Ann either.
    device.sign_in(bobs, bob)
    assert device.program().sync().waiting == 1
    assert device.program(anns).sync().waiting == 0
    assert events_of(site) == {of_ann.id: ann, of_bob.id: bob}


def test_two_tokens_of_one_account_are_one_identity(device: Device, site: Site, trouble: Trouble) -> None:
    client = site.person("ann@example.org")
    first, second = (
        client.post("/auth/tokens", json={"name": name, "scopes": ["read", "write"]}).json()["token"] for name in "ab"
    )
    trouble.always = problem(503, "unavailable", retry_after="0")
    saved = device.program(first).attempted("walk", "a", score=1)
    trouble.always = None
    other = device.program(second).attempted("walk", "b", score=1)
    assert device.program(first).sync().waiting == 0
    learner = client.get("/auth/me").json()["learner"]["id"]
    assert events_of(site) == {saved.id: learner, other.id: learner}


def test_a_token_that_is_dead_drops_nothing_and_asks_to_sign_in(device: Device, site: Site) -> None:
    learner, token = account(site)
    device.sign_in("hwp_gone", learner)
    outcome = device.program().attempted("walk", "a", score=1)
    assert outcome.status == "saved"
    assert "sign in again" in (outcome.reason or "")
    with pytest.raises(SignInNeeded, match="sign in again"):
        device.program().progress()
    device.sign_in(token, learner)
    synced = device.program().sync()
    assert (synced.recorded, synced.waiting, synced.why) == (1, 0, None)
    assert events_of(site) == {outcome.id: learner}


def test_a_dead_token_keeps_nobody_else_waiting(device: Device, site: Site, trouble: Trouble) -> None:
    _, live = account(site)
    assert device.program("hwp_dead").attempted("walk", "a", score=1).status == "saved"
    assert device.program(live).attempted("walk", "a", score=1).is_recorded
    assert device.program().attempted("walk", "a", score=1).is_recorded


def test_a_token_that_may_only_read_keeps_what_it_cannot_write(device: Device, site: Site) -> None:
    client = site.person("reader@example.org")
    token = client.post("/auth/tokens", json={"name": "reader", "scopes": ["read"]}).json()["token"]
    outcome = device.program(token).attempted("walk", "a", score=1)
    assert outcome.status == "saved"
    assert "scope write" in (outcome.reason or "")


def test_what_the_server_refuses_is_set_aside_with_its_reason_and_blocks_nothing(device: Device, site: Site) -> None:
    headway = device.program()
    unknown = headway.attempted("walk", "nowhere", score=1)
    graded = headway.attempted("walk", "a", score=1)
    assert (unknown.status, graded.status) == ("refused", "recorded")
    assert (unknown.reason or "").startswith("unknown-step: ")
    assert headway.counts() == {"waiting": 0, "locked": 0, "aside": 1}
    assert headway.sync().aside == 1
    assert set(events_of(site)) == {graded.id}


def test_what_is_locked_is_kept_and_sent_when_another_device_has_unlocked_it(
    device: Device, site: Site, tmp_path: Path
) -> None:
    learner, token = account(site)
    here = device.program(token)
    locked = here.attempted("walk", "d", score=1)
    assert (locked.status, here.counts()["locked"]) == ("locked", 1)
    assert (locked.reason or "").startswith("locked: ")
    assert here.sync().locked == 1
    with Device(device.url, tmp_path / "elsewhere") as other:
        assert all(other.program(token).completed("walk", step).is_recorded for step in ("a", "b", "c"))
    synced = here.sync()
    assert (synced.recorded, synced.locked) == (1, 0)
    assert events_of(site)[locked.id] == learner


def test_what_is_locked_is_sent_again_as_soon_as_something_unlocks_it(headway: Headway) -> None:
    locked = headway.attempted("walk", "d", score=1)
    for step in ("a", "b"):
        headway.completed("walk", step)
    assert headway.counts()["locked"] == 1
    headway.completed("walk", "c")
    assert headway.counts() == {"waiting": 0, "locked": 0, "aside": 0}
    assert locked.status == "locked"


def test_events_go_in_batches_of_five_hundred(headway: Headway, trouble: Trouble, site: Site) -> None:
    headway.opened("walk", "a")
    trouble.always = problem(503, "unavailable", retry_after="0")
    events = [make_event("attempted", "walk", "a", score=number % 2) for number in range(1_201)]
    headway.record(*events)
    trouble.always, trouble.asked[:] = None, []
    assert headway.sync().recorded == 1_201
    assert [len(batch) for batch in trouble.batches()] == [500, 500, 201]
    assert [one for batch in trouble.batches() for one in batch] == [one["id"] for one in events]
    assert len(events_of(site)) == 1_202


def test_large_answers_travel_in_smaller_batches(headway: Headway, trouble: Trouble) -> None:
    headway.opened("walk", "a")
    trouble.always = problem(503, "unavailable", retry_after="0")
    headway.record(*(make_event("attempted", "walk", "a", response="x" * 60_000) for _ in range(40)))
    trouble.always, trouble.asked[:] = None, []
    assert headway.sync().recorded == 40
    assert max(map(len, trouble.batches())) <= 15


def test_a_request_says_when_it_was_sent(headway: Headway, trouble: Trouble) -> None:
    headway.opened("walk", "a")
    body = trouble.asked[-1][2]
    assert abs(datetime.fromisoformat(body["sent_at"]).timestamp() - time.time()) < 60


@pytest.mark.parametrize("wrong", ["not an address", "ftp://x", "http://", "http://me@host", "http://h:99999", "h:1"])
def test_an_address_that_is_none_is_refused(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(AddressInvalid):
        Headway(wrong, state_folder=tmp_path)


def test_an_address_may_be_that_of_the_api(device: Device, trouble: Trouble) -> None:
    device.url = f"{trouble.url}/api/v1/"
    assert device.program().opened("walk", "a").is_recorded


@pytest.mark.parametrize("wrong", ["", "two words", "line\nbreak", "café"])
def test_a_token_that_can_be_none_is_refused(wrong: str, device: Device) -> None:
    with pytest.raises(SignInNeeded):
        device.program(wrong)


def test_https_to_a_server_that_speaks_none_is_told_as_that(site: Site, device: Device) -> None:
    with Headway(f"https://127.0.0.1:{site.port}", state_folder=device.folder, background=False) as program:
        assert "is its address http://" in (program.opened("walk", "a").reason or "")


def test_what_does_not_fit_is_refused_before_it_is_saved(headway: Headway) -> None:
    with pytest.raises(EventInvalid):
        headway.attempted("walk", "a", score=float("nan"))
    one: Any = make_event("opened", "walk", "a")
    odd: list[Any] = [{}, {"id": "x", "type": "opened"}, one | {"id": None}, [one], "one"]
    for event in odd:
        with pytest.raises(EventInvalid):
            headway.record(event)
    assert headway.counts()["waiting"] == 0


def test_nobody_else_can_read_what_is_on_the_device(device: Device) -> None:
    device.folder.mkdir(mode=0o755)
    (device.folder / "outbox.db").touch(0o644)
    device.program().opened("walk", "a")
    for name in ("outbox.db", "outbox.db-journal"):
        assert stat.S_IMODE((device.folder / name).stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_told_at_once(device: Device) -> None:
    device.folder.parent.mkdir(exist_ok=True)
    device.folder.write_text("a file")
    with pytest.raises(NotSaved, match="state"):
        device.program(background=False).opened("walk", "a")


def test_a_file_that_is_no_outbox_is_told_at_once(device: Device) -> None:
    device.folder.mkdir()
    (device.folder / "outbox.db").write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(NotSaved, match=r"outbox\.db"):
        device.program().opened("walk", "a")


def test_an_outbox_of_a_newer_headway_is_left_alone(device: Device) -> None:
    device.program().opened("walk", "a")
    with device.store.writing() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NotSaved, match="newer"):
        device.program().opened("walk", "a")


def test_reading_falls_back_on_what_was_last_known(device: Device, trouble: Trouble) -> None:
    headway = device.program()
    with pytest.raises(Refused):
        headway.course_progress("nowhere")
    headway.completed("walk", "a")
    assert headway.course_progress("walk").is_fresh
    trouble.always = problem(503, "unavailable", retry_after="0")
    known = device.program().course_progress("walk")
    assert (known.is_fresh, known.data["modules"][0]["steps"][0]["completed"]) == (False, True)
    with pytest.raises(Unreachable):
        headway.progress()


def test_what_was_read_is_not_sent_again_where_nothing_changed(headway: Headway, trouble: Trouble) -> None:
    headway.completed("walk", "a")
    first, second = headway.progress(), headway.progress()
    assert first.data == second.data
    assert second.is_fresh
    trouble.asked.clear()
    assert headway.cached("/progress", 60) is not None
    headway.completed("walk", "b")
    assert headway.cached("/progress", 60) is None, "something was recorded since"
    assert headway.cached("/progress") is not None
    assert headway.progress().data["steps_completed"] == 2


def test_all_courses_are_listed_page_by_page(headway: Headway, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        site.publish({**COURSE, "id": f"other-{number}"})
    monkeypatch.setattr("headway.client.sdk._PAGE", 2)
    assert [one["id"] for one in headway.courses()] == ["other-0", "other-1", "other-2", "walk"]
    assert headway.outline("walk").data["modules"][0]["steps"][0]["id"] == "a"
    assert len(headway.history(7).data["days"]) == 7
