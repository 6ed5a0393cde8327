"""A device that keeps nothing, or not any more: it is told with what to do, and nothing that was saved is lost."""

import shutil
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from headway.client import EventInvalid, Headway, NotSaved, SignInNeeded, Unreachable, make_event
from headway.client.errors import TokenUnknown
from headway.client.identities import UNHEARD, current, leave_token, token_left
from headway.client.outbox import adopt
from headway.client.signing_in import Code, begin_anew, sign_in_by_browser, sign_in_by_token
from headway.client.store import Store
from headway.client.transport import Reply, Transport
from headway.ledger import devices
from tests.client.devices import Device, events_of
from tests.client.test_disk_full import limit_pages
from tests.client.trouble import FATES, Fate, Trouble, problem
from tests.confined import run_confined
from tests.http.server import Site

DOWN = problem(503, "unavailable", retry_after="0")


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_lock_that_is_none_is_told_and_what_was_done_is_saved(device: Device, site: Site, is_folder: bool) -> None:
    headway = device.program()
    headway.opened("walk", "a")
    lock = device.folder / "sending.lock"
    lock.unlink()
    if is_folder:
        lock.mkdir()
    else:
        lock.write_bytes(b"no database, but long enough to be taken for one" * 100)
    outcome = headway.attempted("walk", "a", score=1)
    assert outcome.status == "saved"
    said = "let this user write there" if is_folder else "damaged"
    assert f"{lock} " in (outcome.reason or ""), outcome
    assert said in (outcome.reason or ""), outcome
    with pytest.raises(NotSaved, match=r"sending\.lock"):
        headway.sync()
    if is_folder:
        lock.rmdir()
    else:
        lock.unlink()
    assert headway.sync().waiting == 0
    assert outcome.id in events_of(site)


def test_a_lock_that_can_only_be_read_is_held_by_nobody(device: Device) -> None:
    with device.store.sending() as is_ours, device.store.sending() as is_theirs:
        assert (is_ours, is_theirs) == (True, False)
    lock = device.folder / "sending.lock"
    lock.chmod(0o444)
    program = "import sys; from pathlib import Path; from headway.client.store import Store\n"
    program += "with Store(Path(sys.argv[1])).sending() as is_ours: print(is_ours)"
    done = run_confined(sys.executable, "-c", program, str(device.folder))
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert f"{lock} cannot be used: attempt to write a readonly database; let this user write there" in done.stderr
    lock.chmod(0o644)
    assert run_confined(sys.executable, "-c", program, str(device.folder)).stdout == "True\n"


def test_an_outbox_that_is_damaged_is_told_with_what_to_do(device: Device) -> None:
    device.folder.mkdir()
    (device.folder / "outbox.db").write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(NotSaved, match=r"outbox\.db is damaged .*move it elsewhere"):
        device.program().counts()


def test_nobody_is_asked_to_let_a_device_in_whose_disk_is_full(
    device: Device, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    headway = device.program()
    headway.opened("walk", "a")
    trouble.asked.clear()
    limit_pages(monkeypatch)
    with closing(Transport(device.url)) as transport, pytest.raises(NotSaved, match="signed in: the disk is full"):
        sign_in_by_browser(device.store, transport, lambda _: None)
    assert trouble.asked == []


def test_a_device_that_was_let_in_is_in_whatever_the_network_does_then(
    device: Device, trouble: Trouble, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "INTERVAL_S", 1)
    person = site.person("ada@example.org")

    def let_in(code: Code) -> None:
        assert person.post("/auth/device/approve", json={"user_code": code.user_code}).status_code == 200
        trouble.fates.extend([Fate(), FATES["a portal"], FATES["the answer is lost"]])

    with closing(Transport(device.url)) as transport:
        assert sign_in_by_browser(device.store, transport, let_in).name == "ada@example.org"
    assert device.program().attempted("walk", "a", score=1).is_recorded


def test_a_token_that_was_given_is_kept_whatever_the_server_says_then(
    device: Device, trouble: Trouble, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "INTERVAL_S", 1)
    person = site.person(f"{make_event('opened', 'walk', 'a')['id']}@example.org")
    guest = device.program().attempted("walk", "a", score=1)
    trouble.asked.clear()

    def let_in(code: Code) -> None:
        assert person.post("/auth/device/approve", json={"user_code": code.user_code}).status_code == 200
        trouble.fates.extend([Fate(), problem(429, "rate-limited", retry_after="3000")])

    with closing(Transport(device.url)) as transport:
        with pytest.raises(Unreachable, match="rate-limited; you were let in: `headway sync` signs you in"):
            sign_in_by_browser(device.store, transport, let_in)
        assert [path for _, path, _, _ in trouble.asked].count("/api/v1/auth/me") == 1
    headway = device.program()
    # Nobody has said yet who that is: until then whoever was here acts here.
    trouble.always = DOWN
    later = headway.attempted("walk", "b", score=1)
    trouble.always = None
    assert headway.sync().waiting == 0
    learner = person.get("/auth/me").json()["learner"]["id"]
    assert headway.read("/auth/me").data["learner"]["id"] == learner
    assert headway.progress().data["steps_completed"] == 2
    assert set(events_of(site)) == {guest.id, later.id}
    assert headway.attempted("walk", "c", score=1).id in {one for one, by in events_of(site).items() if by == learner}


@pytest.mark.parametrize("is_let_in", [True, False])
def test_who_lost_the_answer_with_the_token_is_told_to_revoke_it(
    device: Device, trouble: Trouble, site: Site, monkeypatch: pytest.MonkeyPatch, is_let_in: bool
) -> None:
    monkeypatch.setattr(devices, "INTERVAL_S", 1)
    person = site.person(f"{make_event('opened', 'walk', 'a')['id']}@example.org")

    def decide(code: Code) -> None:
        sent = {"user_code": code.user_code, "approve": is_let_in}
        assert person.post("/auth/device/approve", json=sent).status_code == 200
        trouble.fates.append(FATES["the answer is lost"])

    said = "revoke it on your account's page" if is_let_in else "the sign-in was refused"
    with closing(Transport(device.url)) as transport, pytest.raises(SignInNeeded, match=said):
        sign_in_by_browser(device.store, transport, decide)
    assert len(person.get("/auth/tokens").json()["items"]) == int(is_let_in)


@pytest.mark.parametrize("then", ["signed out", "revoked", "signed in as another"])
def test_a_token_that_was_kept_is_not_used_once_it_is_old(
    device: Device, trouble: Trouble, site: Site, then: str
) -> None:
    kept, other = (
        site.person(f"{make_event('opened', 'walk', 'a')['id']}@example.org")
        .post("/auth/tokens", json={"name": "x", "scopes": ["read", "write"]})
        .json()["token"]
        for _ in range(2)
    )
    headway = device.program()
    guest = headway.attempted("walk", "a", score=1)
    with device.store.writing() as connection:
        leave_token(connection, device.url, kept if then != "revoked" else "hwp_none")
    if then == "signed out":
        device.sign_out()
    with closing(Transport(device.url)) as transport:
        if then == "signed in as another":
            assert sign_in_by_token(device.store, transport, other).kind == "account"
    assert headway.sync().why is None
    said = headway.read("/auth/me").data
    assert said["kind"] == ("account" if then == "signed in as another" else "guest")
    assert kept not in {(asked or "").removeprefix("Bearer ") for *_, asked in trouble.asked}
    assert guest.id in events_of(site)
    with device.store.reading() as connection:
        assert token_left(connection, device.url) is None


def test_a_home_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWAY_STATE_FOLDER", "~/state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store().folder == tmp_path / "state"

    monkeypatch.setenv("HEADWAY_STATE_FOLDER", "~nobody-of-that-name/state")
    with pytest.raises(NotSaved, match=r"HEADWAY_STATE_FOLDER is ~nobody-of-that-name/state: there is no such home"):
        Store()


def test_an_event_that_is_saved_twice_is_there_once(device: Device, trouble: Trouble, site: Site) -> None:
    headway = device.program()
    trouble.always = DOWN
    event, other = make_event("attempted", "walk", "a", score=1), make_event("attempted", "walk", "a", score=1)
    assert [one.status for one in headway.record(event)] == ["saved"]
    assert [one.status for one in headway.record(dict(event), other, other)] == ["saved"] * 3
    with pytest.raises(EventInvalid, match="make a new UUID"):
        headway.record({**event, "step": "b"})
    assert headway.counts()["waiting"] == 2
    trouble.always = None
    assert headway.record(event)[0].status == "recorded"
    assert set(events_of(site)) == {event["id"], other["id"]}


def test_what_keeps_an_event_back_is_said_where_nothing_was_tried(device: Device, trouble: Trouble) -> None:
    headway = device.program(timeout_s=0.2)
    headway.opened("walk", "a")
    with device.store.sending() as is_ours:
        assert is_ours
        outcome = headway.attempted("walk", "a", score=1)
    assert (outcome.status, outcome.reason) == ("saved", "another program is sending now")
    trouble.always = DOWN
    headway.sync()
    with device.store.sending():
        assert headway.attempted("walk", "a", score=1).reason == "another program is sending now", "and not of before"
    with device.program(background=True) as other:
        assert other.attempted("walk", "a", score=1).reason == "it is unavailable"


def test_no_answer_at_all_is_no_answer(headway: Headway, trouble: Trouble) -> None:
    headway.completed("walk", "a")
    before = headway.progress()
    for fate in (FATES["nothing"], Fate(204, headers=(("x-request-id", "1"),)), Fate(304), FATES["a portal"]):
        trouble.fates.extend([fate] * 2)
        found = headway.progress()
        assert (found.data, found.is_fresh) == (before.data, False), fate
        trouble.fates.clear()
        assert headway.progress().is_fresh


def test_what_the_server_did_is_told_by_a_device_whose_disk_is_full(
    headway: Headway, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    headway.opened("walk", "a")
    with device.store.writing() as connection:
        connection.execute("CREATE TRIGGER full BEFORE UPDATE ON cached BEGIN SELECT RAISE(ABORT, 'no room'); END")
    headway.progress()
    with headway.ask("POST", "/progress/reset", {}) as stream:
        assert stream.status == 200


def test_a_guest_who_is_gone_from_the_server_begins_anew_with_what_waits(device: Device, site: Site) -> None:
    headway = device.program()
    headway.attempted("walk", "a", score=1)
    with headway.ask("DELETE", "/auth/me") as stream:
        assert stream.status == 204
    before = device.program().attempted("walk", "b", score=1)
    assert (before.status, "`headway logout` begins anew" in (before.reason or "")) == ("saved", True)
    with closing(Transport(device.url)) as transport:
        assert begin_anew(device.store, transport)
        assert headway.sync().waiting == 0
        assert events_of(site)[before.id] == headway.read("/auth/me").data["learner"]["id"]
        assert headway.progress().data["steps_completed"] == 1
        assert not begin_anew(device.store, transport), "this one the server knows"
        shutil.rmtree(device.folder)
        assert not begin_anew(device.store, transport), "here is nobody"


def test_a_guest_whom_a_program_brought_along_and_who_is_gone_is_told_what_helps(device: Device, site: Site) -> None:
    token = site.client().post("/auth/guest").json()["token"]
    headway = device.program(token)
    headway.attempted("walk", "a", score=1)
    with headway.ask("DELETE", "/auth/me") as stream:
        assert stream.status == 204
    gone = headway.attempted("walk", "b", score=1)
    assert (gone.status, gone.reason) == ("saved", UNHEARD)
    with pytest.raises(SignInNeeded, match="this token is not known"):
        headway.progress()
    with closing(Transport(device.url)) as transport:
        assert not begin_anew(device.store, transport)
    own = device.program()
    own.opened("walk", "a")
    with device.store.sending(), device.store.writing() as connection:
        assert adopt(connection, device.url, current(connection, own.bearer).id) == 1
    assert own.sync().waiting == 0
    assert events_of(site)[gone.id] == own.read("/auth/me").data["learner"]["id"]


def test_a_guest_begins_anew_once(device: Device, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    headway = device.program()
    headway.attempted("walk", "a", score=1)
    with headway.ask("DELETE", "/auth/me") as stream:
        assert stream.status == 204
    with closing(Transport(device.url)) as transport, closing(Transport(device.url)) as other:

        def asked(*_: object, **__: object) -> Reply:
            monkeypatch.undo()
            assert begin_anew(device.store, other)  # another program, in this very moment
            assert headway.attempted("walk", "b", score=1).is_recorded
            raise TokenUnknown("this token is not known")

        monkeypatch.setattr(transport, "ask", asked)
        assert not begin_anew(device.store, transport)
    assert headway.progress().data["steps_completed"] == 1


@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, 0, 30, tzinfo=UTC).astimezone(timezone(-timedelta(hours=5))),
        datetime(1971, 1, 1, tzinfo=timezone(-timedelta(minutes=44, seconds=30))),
        datetime(1971, 1, 1, tzinfo=timezone(timedelta(hours=23, minutes=59, seconds=59))),
    ],
)
def test_a_clock_that_was_never_set_keeps_nothing_from_being_recorded(headway: Headway, at: datetime) -> None:
    assert headway.attempted("walk", "a", score=1, occurred_at=at).status == "recorded"


def test_what_lies_before_all_clocks_is_refused_at_once(headway: Headway) -> None:
    with pytest.raises(EventInvalid, match="before 1970"):
        headway.opened("walk", "a", occurred_at=datetime(1969, 12, 31, 23, 59, tzinfo=UTC))
