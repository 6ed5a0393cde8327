"""Passwords: which may be chosen, changing them, and resetting them by mail from a real mail server."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from structlog.testing import capture_logs

from benchmarks.servers import free_port
from headway.http import own_password, who
from headway.http.passwords import Passwords
from headway.http.tokens import hash_of
from headway.ledger import passwords
from headway.store.schema import learner, password_reset, security_event, session
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import counted, event, send

NEW = "a staple that is right"


class Box(Message):
    """A mailbox."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.letters: list[Any] = []
        self.come = threading.Event()

    def handle_message(self, message: Any) -> None:
        self.letters.append(message)
        self.come.set()

    def next(self) -> Any:
        assert self.come.wait(20), "no mail came"
        self.come.clear()
        return self.letters[-1]


@pytest.fixture
def box() -> Iterator[Any]:
    """A mail server of this machine."""
    handler = Box(free_port())
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def mailing(database_url: str, box: Any) -> Iterator[Site]:
    mail: dict[str, Any] = {"smtp_url": f"smtp://127.0.0.1:{box.port}", "mail_from": "Headway <headway@example.org>"}
    with serving(database_url, public_url="https://learn.example.org/", **mail) as site:
        site.publish()
        yield site


def ask(site: Site, email: str = "ada@example.org") -> httpx2.Response:
    return site.client().post("/auth/password/reset", json={"email": email})


def confirm(client: httpx2.Client, token: str, password: str = NEW) -> httpx2.Response:
    return client.post("/auth/password/reset/confirm", json={"token": token, "password": password})


def text_in(letter: Any) -> str:
    return str(letter.get_payload(decode=True).decode()).replace("\r\n", "\n")


def code_in(letter: Any) -> str:
    found = re.findall(r"^([\w-]{43})$", text_in(letter), re.MULTILINE)
    assert len(found) == 1, letter
    code: str = found[0]
    return code


def kept_hash(site: Site) -> str:
    with site.database.read() as connection:
        account = sa.select(learner.c.password_hash).where(learner.c.kind == "account")
        return str(connection.execute(account).scalar_one())


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("password", "one of the commonest"),
        ("PassWord1", "one of the commonest"),
        ("iloveyou", "one of the commonest"),
        ("ada.lovelace", "is the address"),
        ("Ada.Lovelace", "is the address"),
        ("ada.lovelace@example.org", "is the address"),
        ("seven77", "8 to 256 characters"),
        ("x" * 257, "8 to 256 characters"),
    ],
)
def test_what_is_guessed_first_cannot_be_chosen(sqlite_site: Site, password: str, said: str) -> None:
    client = sqlite_site.client()
    reply = client.post("/auth/register", json={"email": "ada.lovelace@example.org", "password": password})
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, ["password"])
    assert said in reply.json()["detail"]
    account = {"email": "ada.lovelace@example.org", "password": PASSWORD}
    assert client.post("/auth/register", json=account).status_code == 201
    changed = client.post("/auth/password", json={"current_password": PASSWORD, "new_password": password})
    assert (changed.status_code, [one["field"] for one in changed.json()["errors"]]) == (422, ["new_password"])


@pytest.mark.parametrize("password", ["x" * 256, "passwords8", "\U0001f40e" * 8, "pa ss wo rd"])
def test_anything_else_can(sqlite_site: Site, password: str) -> None:
    account = {"email": "ada@example.org", "password": password}
    assert sqlite_site.client().post("/auth/register", json=account).status_code == 201
    assert sqlite_site.client().post("/auth/login", json=account).status_code == 200


def test_an_accent_is_one_however_the_keyboard_sends_it(sqlite_site: Site) -> None:
    composed, apart = "caf\u00e9 au lait", "cafe\u0301 au lait"
    client = sqlite_site.client()
    client.post("/auth/register", json={"email": "ada@example.org", "password": composed})
    assert client.post("/auth/login", json={"email": "ada@example.org", "password": apart}).status_code == 200


def test_an_unknown_address_costs_as_many_hashes_as_a_wrong_password(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.person("ada@example.org")
    passwords.password_matches("x", None)  # the hash that is compared with is made once
    calls: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            calls.append("verify")
            return hasher.verify(kept, password)

        def hash(self, password: str) -> str:
            calls.append("hash")
            return hasher.hash(password)

        check_needs_rehash = hasher.check_needs_rehash

    monkeypatch.setattr(passwords, "_hasher", Counting())
    costs = []
    for email in ("ada@example.org", "bob@example.org", "no address"):
        calls.clear()
        reply = site.client().post("/auth/login", json={"email": email, "password": "a wrong one"})
        assert reply.status_code == 401
        costs.append(list(calls))
    assert costs == [["verify"]] * 3


@pytest.mark.real_hashes
def test_a_hash_takes_what_owasp_advises() -> None:
    kept = passwords.hash_password(PASSWORD)
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", kept)


def test_changing_the_password_ends_all_other_sessions(site: Site) -> None:
    client, other = site.person("ada@example.org"), site.client()
    account = {"email": "ada@example.org", "password": PASSWORD}
    other.post("/auth/login", json=account)
    send(other, event())
    token = client.post("/auth/tokens", json={"name": "sync", "scopes": ["read"]}).json()["token"]
    reply = client.post("/auth/password", json={"current_password": PASSWORD, "new_password": NEW})
    assert (reply.status_code, reply.content) == (204, b"")
    assert client.get("/auth/me").json()["kind"] == "account"
    assert other.get("/auth/me").json()["kind"] == "nobody"
    assert other.post("/events", json={"events": [event()]}).status_code == 401
    assert site.client(token).get("/auth/me").status_code == 200
    assert site.client().post("/auth/login", json=account).status_code == 401
    assert site.client().post("/auth/login", json=account | {"password": NEW}).status_code == 200


def test_a_sign_in_that_is_under_way_while_the_password_changes_opens_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.person("ada@example.org")
    match, late = Passwords.match, site.client()

    async def slow(self: Passwords, password: str, kept: str | None) -> bool:
        found = await match(self, password, kept)
        if password == PASSWORD and not changing.is_set():
            changing.set()
            await asyncio.to_thread(changed.wait, 20)
        return found

    changing, changed = threading.Event(), threading.Event()
    monkeypatch.setattr(Passwords, "match", slow)
    with ThreadPoolExecutor(1) as pool:
        sent = {"email": "ada@example.org", "password": PASSWORD}
        signing_in = pool.submit(lambda: late.post("/auth/login", json=sent))
        assert changing.wait(20)
        done = client.post("/auth/password", json={"current_password": PASSWORD, "new_password": NEW})
        changed.set()
        assert (done.status_code, signing_in.result().status_code) == (204, 401)
    assert counted(site, session) == 1


def test_without_the_current_password_none_is_changed(site: Site) -> None:
    client = site.person("ada@example.org")
    before = kept_hash(site)
    reply = client.post("/auth/password", json={"current_password": "a wrong one", "new_password": NEW})
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/wrong-password")
    assert site.guest().post("/auth/password", json={"current_password": "x", "new_password": NEW}).status_code == 403
    assert site.client().post("/auth/password", json={"current_password": "x", "new_password": NEW}).status_code == 401
    assert kept_hash(site) == before


def test_who_holds_a_session_cannot_guess_the_password(sqlite_url: str) -> None:
    with serving(sqlite_url, rate_limits=True) as site:
        client = site.person("ada@example.org")
        sent = {"current_password": "a wrong one", "new_password": NEW}
        assert [client.post("/auth/password", json=sent).status_code for _ in range(12)] == [403] * 10 + [429] * 2
        assert client.post("/auth/password", json=sent | {"current_password": PASSWORD}).status_code == 429


def test_an_account_without_a_password_cannot_be_given_one_by_whoever_holds_a_session(site: Site) -> None:
    client = site.person("ada@example.org")
    with site.database.transaction() as connection:
        connection.execute(sa.update(learner).values(password_hash=None))
    sent = {"current_password": "", "new_password": NEW}
    assert client.post("/auth/password", json=sent).status_code == 403


def test_a_password_is_reset_by_the_code_of_a_mail(mailing: Site, box: Any) -> None:
    stolen = mailing.person("ada@example.org")
    token = stolen.post("/auth/tokens", json={"name": "sync", "scopes": ["read"]}).json()["token"]
    assert ask(mailing, " ADA@example.org").status_code == 202
    letter = box.next()
    assert (letter["To"], letter["From"]) == ("ada@example.org", "Headway <headway@example.org>")
    assert (letter["X-RcptTo"], letter["Auto-Submitted"]) == ("ada@example.org", "auto-generated")
    code = code_in(letter)
    assert "https://learn.example.org/reset-password\n" in text_in(letter)
    with mailing.database.read() as connection:
        assert code not in str(connection.execute(sa.select(password_reset)).all())
    client = mailing.client()
    send(client, event())  # as a guest, who comes along
    reply = confirm(client, code)
    assert (reply.status_code, reply.json()["learner"]["email"]) == (200, "ada@example.org")
    assert client.get("/auth/me").json()["kind"] == "account"
    assert stolen.get("/auth/me").json()["kind"] == "nobody"
    assert mailing.client(token).get("/auth/me").status_code == 401
    assert mailing.client().post("/auth/login", json={"email": "ada@example.org", "password": NEW}).status_code == 200
    again = confirm(mailing.client(), code)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "token")


def test_of_two_who_use_a_code_at_once_one_does(mailing: Site, box: Any) -> None:
    mailing.person("ada@example.org")
    ask(mailing)
    code = code_in(box.next())
    clients = [mailing.client() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(one.status_code for one in pool.map(lambda one: confirm(one, code), clients))
    assert statuses == [200] + [422] * 5


def test_a_code_is_good_for_an_hour(mailing: Site, box: Any) -> None:
    mailing.person("ada@example.org")
    ask(mailing)
    code = code_in(box.next())
    with mailing.database.transaction() as connection:
        ends = connection.execute(sa.select(password_reset.c.expires_at)).scalar_one()
        assert 0 <= who.now() + 3_600_000_000 - ends < 60_000_000
        connection.execute(sa.update(password_reset).values(expires_at=who.now()))
    before = kept_hash(mailing)
    assert confirm(mailing.client(), code).status_code == 422
    assert kept_hash(mailing) == before


def test_a_code_is_kept_where_the_new_password_does_not_fit(mailing: Site, box: Any) -> None:
    mailing.person("ada@example.org")
    ask(mailing)
    code = code_in(box.next())
    assert confirm(mailing.client(), code, "password").json()["errors"][0]["field"] == "password"
    assert confirm(mailing.client(), code).status_code == 200


@pytest.mark.parametrize("token", ["", "none", "x" * 5_000, "\0"])
def test_a_code_that_never_was_opens_nothing(site: Site, token: str) -> None:
    site.person("ada@example.org")
    assert confirm(site.client(), token).status_code == 422


def test_an_unknown_address_is_told_the_same_before_anything_is_looked_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.person("ada@example.org")
    held, waiting = threading.Event(), threading.Event()
    done: list[bool] = []

    def slow(*_: Any) -> None:
        waiting.set()
        held.wait(20)
        done.append(True)

    monkeypatch.setattr(own_password, "_send_reset", slow)
    replies = [ask(site, email) for email in ("ada@example.org", "bob@example.org")]
    assert waiting.wait(5)
    assert done == []  # neither reply has waited for what is done for an account
    held.set()
    assert [one.status_code for one in replies] == [202, 202]
    assert replies[0].content == replies[1].content
    assert replies[0].headers.keys() == replies[1].headers.keys()


def test_only_an_account_that_is_there_has_mail_sent(mailing: Site, box: Any) -> None:
    mailing.person("ada@example.org")
    ask(mailing, "bob@example.org")
    ask(mailing)
    box.next()
    time.sleep(0.2)
    assert [one["X-RcptTo"] for one in box.letters] == ["ada@example.org"]
    assert counted(mailing, password_reset) == 1


def test_nobody_fills_a_mailbox(sqlite_url: str, box: Any) -> None:
    mail: dict[str, Any] = {"smtp_url": f"smtp://127.0.0.1:{box.port}", "mail_from": "headway@example.org"}
    with serving(sqlite_url, rate_limits=True, **mail) as site:
        site.person("ada@example.org")
        assert [ask(site).status_code for _ in range(22)] == [202] * 20 + [429] * 2
    # The server has ended, and before it all that was to be done after replies.
    assert len(box.letters) == 3


def test_a_mail_server_that_is_away_is_nobodys_concern(sqlite_url: str) -> None:
    mail: dict[str, Any] = {"smtp_url": "smtp://me:hunter2secret@127.0.0.1:1", "mail_from": "headway@example.org"}
    with capture_logs() as log, serving(sqlite_url, **mail) as site:
        site.person("ada@example.org")
        assert ask(site).status_code == 202
    (failed,) = [one for one in log if one["event"] == "mail_failed"]
    assert failed["error"] == "ConnectionRefusedError"
    assert not any(secret in str(log) for secret in ("hunter2secret", "ada@"))


def test_without_a_mail_server_the_code_is_in_the_log(sqlite_url: str) -> None:
    with capture_logs() as log, serving(sqlite_url) as site:
        site.person("ada@example.org")
        assert ask(site).status_code == 202
        until = time.monotonic() + 10
        while not (printed := [one for one in log if one["event"] == "mail_printed"]):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert (printed[0]["to"], printed[0]["log_level"]) == ("ada@example.org", "warning")
        (code,) = re.findall(r"^([\w-]{43})$", printed[0]["text"], re.MULTILINE)
        assert "http" not in printed[0]["text"]  # no address of the server is believed that a request could make up
        assert confirm(site.client(), code).status_code == 200


def test_a_reset_leaves_what_happened(mailing: Site, box: Any) -> None:
    mailing.person("ada@example.org")
    ask(mailing)
    confirm(mailing.client(), code_in(box.next()))
    with mailing.database.read() as connection:
        kinds = list(connection.execute(sa.select(security_event.c.kind).order_by(security_event.c.at)).scalars())
        held = list(connection.execute(sa.select(session.c.token_hash)).scalars())
    assert kinds == ["registered", "password-reset-asked", "password-reset", "signed-in"]
    assert len(held) == 1
    assert hash_of("none") not in held
