"""A mail server of the test's, what it was handed, and what mails when the test says so."""

import email
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import pytest
from aiosmtpd.controller import Controller

from benchmarks.servers import free_port
from headway.domain.notices import notice_id
from headway.domain.preferences import KIND_OF_MAILED, Preference
from headway.domain.times import DAY, MINUTE, format_time, local_day
from headway.http import who
from headway.http.mailing import send_due
from headway.http.services import Services
from headway.settings import Settings
from headway.store import confirmed, learners, notices, preferences
from headway.store.database import Database
from headway.store.notices import Notice

SITE: Final = "https://learn.example.org"
FROM: Final = "Headway <headway@example.org>"


class Box:
    """A mailbox: what came, as bytes, and which addresses are answered otherwise, or hung up at.

    While `held`, nothing is taken.
    """

    def __init__(self) -> None:
        self.came: list[tuple[str, bytes]] = []
        self.begun = threading.Event()
        self.held: threading.Event | None = None
        self.refused: dict[str, str] = {}
        self.refused_late: dict[str, str] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []

    async def handle_RCPT(self, server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.asked.append(address)
        if address in self.cut:
            server.transport.abort()
        if address not in self.refused:
            envelope.rcpt_tos.append(address)
        return self.refused.get(address, "250 OK")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.begun.set()
        if self.held is not None:
            self.held.wait(30)
        for one in envelope.rcpt_tos:
            if one in self.refused_late:
                return self.refused_late[one]
        self.came += [(one, envelope.original_content) for one in envelope.rcpt_tos]
        return "250 OK"

    def wait_for(self, count: int) -> list[Message]:
        """What came, once it is so much."""
        until = time.monotonic() + 30
        while len(self.came) < count:
            assert time.monotonic() < until, f"{len(self.came)} of {count} mails came"
            time.sleep(0.01)
        return self.letters

    @property
    def letters(self) -> list[Message]:
        """What came, in order."""
        return [email.message_from_bytes(raw) for _, raw in self.came]

    @property
    def to(self) -> list[str]:
        """To whom."""
        return [address for address, _ in self.came]


@contextmanager
def mailbox(port: int | None = None) -> Iterator[tuple[Box, int]]:
    """A mail server, and its port."""
    box, port = Box(), port or free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        if box.held is not None:
            box.held.set()
        controller.stop()


@contextmanager
def hanging() -> Iterator[tuple[int, list[socket.socket]]]:
    """The port of a server that takes connections and says nothing, and the connections."""
    came: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    came.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1], came
        listening.shutdown(socket.SHUT_RDWR)
        for one in came:
            one.close()


@contextmanager
def trickling(*said: bytes, more: bytes = b"2", pause_s: float = 0.05) -> Iterator[int]:
    """The port of a server that says something, and again each time that it is told something.

    Then it goes on byte by byte, and never comes to an end.
    """
    with hanging() as (port, came):
        over, left = threading.Event(), dict[socket.socket, list[bytes]]()

        def trickle() -> None:
            while not over.wait(pause_s):
                for one in [*came]:
                    parts = left.get(one)
                    with suppress(OSError):
                        if parts is None or not parts or _is_told_something(one):
                            parts = left.setdefault(one, [*said])
                            one.sendall(parts.pop(0) if parts else more)

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        yield port
        over.set()
        thread.join()


def _is_told_something(one: socket.socket) -> bool:
    return bool(select.select([one], [], [], 0)[0] and one.recv(65_536))


class Post:
    """A process that mails what is due when it is told to, by a clock of its own."""

    def __init__(self, url: str, port: int) -> None:
        self.services = Services(settings_of(url, port))
        self.now = who.now()

    @property
    def database(self) -> Database:
        """Its database."""
        return self.services.database

    def sweep(self, after: int = 0) -> int:
        """Mail what is due after some more time; how many mails were taken."""
        self.now += after
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(who, "now", lambda: self.now)
            return send_due(self.services, threading.Event())


def settings_of(url: str, port: int) -> Settings:
    """The settings of a process that mails."""
    return Settings(database_url=url, **options(port))


def options(port: int) -> dict[str, Any]:
    """The same for a server."""
    return {"smtp_url": f"smtp://localhost:{port}", "mail_from": FROM, "public_url": SITE}


def confirm(database: Database, address: str) -> None:
    """Have the address of an account be confirmed."""
    with database.transaction() as connection:
        row = learners.by_email(connection, address)
        assert row is not None
        confirmed.put(connection, row["id"], address, who.now())


def subscriber(database: Database, address: str | None, now: int, *kinds: str, zone: str = "UTC") -> str:
    """An account with a confirmed address that asked for mails of kinds, a day ago."""
    learner_id = str(uuid4())
    row = {"id": learner_id, "kind": "account", "time_zone": zone, "created_at": now - DAY, "email": address}
    with database.transaction() as connection:
        learners.add(connection, row)
        if address is not None:
            confirmed.put(connection, learner_id, address, now - DAY)
        preferences.put(connection, [Preference(learner_id, one, mailed_since=now - DAY) for one in kinds])
    return learner_id


def tell(database: Database, learner_id: str, at: int, **change: Any) -> str:
    """Tell a learner of a change, as of a time; the notice's id."""
    found = Notice(learner_id, 0, 0, notice_id(learner_id, uuid4().hex), change["type"], uuid4().hex, at, "")
    with database.transaction() as connection:
        part = notices.next_parts(connection, [(learner_id, 0)])[learner_id]
        notices.add_missing(connection, [found._replace(n=part, body=msgspec.json.encode(change).decode())])
    return found.id


def changes(now: int, zone: str = "UTC") -> dict[str, dict[str, Any]]:
    """A change of each type that can be mailed, in the shape in which it is told."""
    week = {
        "active_days": 3,
        "steps_completed": 9,
        "exercises_completed": 1,
        "attempts": 1_200,
        "average_percent": 81.25,
    }
    week |= {"duration_s": 5400.0, "points": 70}
    certificate = {"course": "python-basics", "certificate": str(uuid4())}
    step = {"course": "python-basics", "step": "for-1"}
    found: list[dict[str, Any]] = [
        {"type": "streak_at_risk", "current": 12, "day": local_day(now, zone)},
        {"type": "weekly_summary", "from": "2026-03-02", "to": "2026-03-08", "streak": 4, **week, "week_before": week},
        {"type": "certificate_issued", **certificate, "score_percent": 92.5, "issued_at": format_time(now)},
        {"type": "certificate_revoked", **certificate, "reason": "a mistake", "revoked_at": format_time(now)},
        {"type": "step_graded", **step, "score": 0.85, "attempt": str(uuid4()), "feedback": "Well done"},
        {"type": "step_overridden", **step, "score": 1.0, "waived": True, "final": False, "reason": "was ill"},
    ]
    assert {one["type"] for one in found} == KIND_OF_MAILED.keys()
    return {one["type"]: one for one in found}


def at_noon(now: int) -> int:
    """Noon of a time's day, in UTC: an hour later is the same day."""
    return now // DAY * DAY + 12 * 60 * MINUTE


def graded(post: Post) -> dict[str, Any]:
    """That a step was graded, as it is told."""
    return changes(post.now)["step_graded"]


def parts(letter: Message) -> dict[str, str]:
    """A letter's text and HTML."""
    found = {}
    for one in letter.walk():
        if not one.is_multipart():
            raw = one.get_payload(decode=True)
            assert isinstance(raw, bytes)
            found[one.get_content_type()] = raw.decode()
    return found


def confirm_path(letter: Message) -> str:
    """The path by which the address that a letter went to is confirmed."""
    found = re.search(rf"^{SITE}(/confirm-email/\S+)$", parts(letter)["text/plain"].replace("\r\n", "\n"), re.MULTILINE)
    assert found is not None
    return found[1]


def to_stop(letter: Message) -> str:
    """The path by which a letter's kind is no longer wanted."""
    address = urlsplit(str(letter["List-Unsubscribe"]).strip("<>"))
    assert f"{address.scheme}://{address.netloc}" == SITE
    return address.path
