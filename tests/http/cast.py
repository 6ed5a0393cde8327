"""Every kind of caller that `contract/authz.yaml` names, and the objects that its requests speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from itertools import count
from secrets import token_urlsafe
from typing import Any, NamedTuple
from uuid import uuid4

import sqlalchemy as sa

from headway.domain.achievements import Definition
from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.times import DAY, format_time
from headway.http import who
from headway.http.tokens import hash_of
from headway.ledger import devices
from headway.ledger.commit import commit
from headway.ledger.definitions import define
from headway.ledger.erase import erase
from headway.ledger.passwords import hash_password
from headway.ledger.pausing import PauseWanted, pause
from headway.ledger.publish import publish
from headway.ledger.sharing import ShareWanted, share
from headway.ledger.signing_keys import first_key
from headway.ledger.submission import Submission
from headway.ledger.webhooks import make
from headway.store import learners, notices, schema, webhooks
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.notices import Notice
from headway.views.certificates import certificates_of
from tests.http.server import COURSE, PASSWORD

GUEST, SESSION, BEARER = "headway_guest", "headway_session", "bearer"
SCOPES = {"read-token": "read", "write-token": "read write", "creator-token": "read write creator"}
ROLES = {"creator": "creator", "other-creator": "creator", "admin": "admin"}
ACCOUNTS = ("learner", "enrolled-learner", "other-learner", "creator", "other-creator", "admin", "erased")
DEAD = ("revoked-token", "expired-session", "dead-guest", "erased")
_serial = count(1)


class Caller(NamedTuple):
    """Who sends a request: with which headers, and as which learner."""

    headers: Mapping[str, str]
    learner_id: str | None = None


class Cast:
    """All callers anew, with a course of the creator's: made straight in the database, for it must be quick."""

    def __init__(self, database: Database, write: Callable[[Mapping[str, str]], None]) -> None:
        """`write` sends a write that changes nothing, with the headers of a caller."""
        self.database = database
        self.serial = next(_serial)
        self.course = f"course-{self.serial}"
        self.ids = {name: str(uuid4()) for name in (*ACCOUNTS, "guest", "dead-guest")}
        self.callers: dict[str, Caller] = {"nobody": Caller({})}
        self._rows: dict[str, list[dict[str, Any]]] = {"learner": [], "session": []}
        self._hashes: dict[str, str] = {}
        self._enlist()
        with database.transaction() as connection:
            learners.add(connection, *self._rows["learner"])
            learners.add_sessions(connection, *self._rows["session"])
        # The server remembers who wrote: whoever is dead is so for those who have just seen them alive.
        for name in DEAD:
            write(self.callers[name].headers)
        self._end()
        publish(database, self.manifest, now=who.now(), publisher=self.ids["creator"])
        publish(database, self.essays, now=who.now(), publisher=self.ids["creator"])
        self._enroll()
        self.attempt = str(uuid4())
        self._hand_in()
        later = str(date.today() + timedelta(200))  # noqa: DTZ011  # on whichever day
        wanted = PauseWanted(self.ids["learner"], str(uuid4()), later, 3)
        self.pause = pause(database, Catalog(), wanted, now=who.now()).id
        wanted_page = ShareWanted(self.ids["learner"], ["streak"], False, self._hashes["learner"])
        self.share = share(database, wanted_page, now=who.now()).token
        self.notification = str(uuid4())
        told = Notice(self.ids["learner"], 0, 0, self.notification, "streak_milestone", "", who.now(), "{}")
        with database.transaction() as connection:
            notices.add_missing(connection, [told])
        self.webhook, self.delivery = str(uuid4()), str(uuid4())
        self._hook()
        self.achievement = f"steps-{self.serial}"
        said = ("Steps", "Complete a thousand steps.", "practice", "steps", 1_000, 10, "gold")
        define(database, Definition(self.achievement, *said))
        asked = devices.WaitingDevice("A terminal", "read write")
        self.user_code = devices.ask(database, hash_of(uuid4().hex), asked, now=who.now())

    @property
    def manifest(self) -> dict[str, Any]:
        """What the creator's course holds."""
        return {**COURSE, "id": self.course, "certificate": True}

    @property
    def essays(self) -> dict[str, Any]:
        """Another course of the creator's, with a step that people grade."""
        asks = {"id": "essay", "kind": "assignment", "title": "Essay", "grader": {"type": "manual"}}
        quiz = next(step for step in COURSE["modules"][0]["steps"] if step["id"] == "quiz")
        module = {"id": "m", "title": "M", "steps": [asks, quiz]}
        return {"id": f"essays-{self.serial}", "title": "Essays", "modules": [module]}

    def _hook(self) -> None:
        """A webhook of the creator's, which rests: nothing is sent while others are looked at; what was sent."""
        endpoint = {"id": self.webhook, "learner_id": self.ids["creator"], "course_id": self.course, "created_at": 1}
        make(self.database, endpoint | {"url": "https://93.184.215.14/", "types": "", "secret": "plain:"})
        sent = {"id": self.delivery, "webhook_id": self.webhook, "learner_id": self.ids["learner"], "seq": 1, "n": 0}
        sent |= {"message_id": "msg_1", "type": "x", "at": 1, "took_ms": 1, "attempt": 1, "status": 204, "error": None}
        with self.database.transaction() as connection:
            webhooks.log(connection, sent)
            webhooks.change(connection, self.webhook, retry_at=2**62)

    def _hand_in(self) -> None:
        """The enrolled learner's essay, which waits for a grade."""
        sent = {"id": self.attempt, "type": "attempted", "course": self.essays["id"], "step": "essay"}
        event = parse_event({**sent, "occurred_at": "2026-03-01T09:30:00Z", "response": "Because."})
        commit(self.database, Catalog(), [Submission(self.ids["enrolled-learner"], (event,), who.now())])

    def email(self, name: str) -> str:
        """The address of an account."""
        return f"{name}-{self.serial}@example.org"

    def session_id(self, name: str) -> str:
        """The id of the session that a caller comes with."""
        found: str = next(row["id"] for row in self._rows["session"] if row["token_hash"] == self._hashes[name])
        return found

    def _enlist(self) -> None:
        for name in ACCOUNTS:
            self._add_learner(name, "account", email=self.email(name), password_hash=kept_password())
            self._rows["learner"][-1]["roles"] = ROLES.get(name, "")
            self._open(name, name, SESSION)
        for name, by in (("guest", BEARER), ("dead-guest", GUEST)):
            self._add_learner(name, "guest")
            self._open(name, name, by)
        for name, scopes in SCOPES.items():
            self._open(name, "creator", BEARER, scopes=scopes)
        self._open("revoked-token", "learner", BEARER, scopes="read write")
        self._open("expired-session", "learner", SESSION)

    def _add_learner(self, name: str, kind: str, **more: Any) -> None:
        row = {"id": self.ids[name], "kind": kind, "time_zone": "UTC", "created_at": who.now() - DAY}
        self._rows["learner"].append(row | more)

    def _open(self, name: str, learner: str, by: str, **more: Any) -> None:
        token = f"{'hwp_' if 'scopes' in more else ''}{uuid4().hex}"
        kind = "token" if "scopes" in more else "account" if learner in ACCOUNTS else "guest"
        row = who.session_row(self.ids[learner], kind, token, who.now())
        self._rows["session"].append(row | {"name": name} | more)
        self._hashes[name] = row["token_hash"]
        headers = {"authorization": f"Bearer {token}"} if by == BEARER else {"cookie": f"{by}={token}"}
        self.callers[name] = Caller(headers, self.ids[learner])

    def _end(self) -> None:
        """What ended after it was given out."""
        token = self.callers["revoked-token"].headers["authorization"].removeprefix("Bearer ")
        with self.database.transaction() as connection:
            learners.end_session(connection, hash_of(token))
            past = {"last_used_at": who.now() - DAY, "expires_at": who.now() - 1}
            learners.touch_session(connection, self._hashes["expired-session"], **past)
            moved = {"merged_into": self.ids["learner"], "merged_at": who.now()}
            learners.change(connection, self.ids["dead-guest"], moved)
            learners.end_sessions(connection, self.ids["dead-guest"])
        assert erase(self.database, Catalog(), self.ids["erased"], now=who.now()) is not None

    def _enroll(self) -> None:
        event = enrollment_event(str(uuid4()), "enrolled", self.course)
        done = (self._event("completed", "for-1"), self._event("completed", "fizz"))
        answer = self._event("attempted", "quiz", response="a")
        commit(self.database, Catalog(), [Submission(self.ids["enrolled-learner"], (event, *done, answer), who.now())])
        with self.database.read() as connection:
            (certified,) = certificates_of(connection, self.ids["enrolled-learner"])
        self.certificate = certified.id
        # Whoever asks for the first credential has a key made.
        first_key(self.database, None, now=who.now())

    def _event(self, kind: str, step: str, **more: Any) -> Event:
        sent = {"id": str(uuid4()), "type": kind, "course": self.course, "step": step}
        return parse_event({**sent, "occurred_at": format_time(who.now()), **more})


def empty(database: Database, kept: str) -> None:
    """Delete everything but a course, so that looking at all rows of all tables stays quick."""
    with database.transaction() as connection:
        # What a request left to be done afterwards must not come between, as a reset of a password would.
        connection.execute(sa.select(schema.learner.c.id).with_for_update()).all()
        connection.execute(sa.insert(schema.ledger_opened).values(reason="test"))
        connection.execute(sa.delete(schema.ledger))
        connection.execute(sa.update(schema.achievement_set).values(version=0, given_version=0, given_up_to=None))
        kept_whole = (schema.erasure_key, schema.achievement_set, schema.board_state)
        for table in (one for one in reversed(schema.metadata.sorted_tables) if one not in kept_whole):
            name = {"course": "id", "course_version": "course_id"}.get(table.name)
            connection.execute(sa.delete(table) if name is None else sa.delete(table).where(table.c[name] != kept))


@cache
def kept_password() -> str:
    """What is kept of everybody's password: a hash takes long."""
    return hash_password(PASSWORD)


class Thing(NamedTuple):
    """What `{name}` in a request stands for; `missing`: the same where it is not there, for what is somebody's own."""

    there: Callable[[Cast], Any]
    missing: Callable[[], Any] | None = None


def _id_of(name: str) -> Thing:
    return Thing(lambda cast: cast.ids[name], lambda: str(uuid4()))


OBJECTS: Mapping[str, Thing] = {
    "learner": _id_of("learner"),
    "enrolled-learner": _id_of("enrolled-learner"),
    "erased": Thing(lambda cast: cast.ids["erased"]),
    "email of learner": Thing(lambda cast: cast.email("learner")),
    "email of erased": Thing(lambda cast: cast.email("erased")),
    "token of creator": Thing(lambda cast: cast.session_id("write-token"), lambda: str(uuid4())),
    "session of learner": Thing(lambda cast: cast.session_id("learner"), lambda: str(uuid4())),
    "certificate": Thing(lambda cast: cast.certificate, lambda: str(uuid4())),
    "pause of learner": Thing(lambda cast: cast.pause, lambda: str(uuid4())),
    "notification of learner": Thing(lambda cast: cast.notification, lambda: str(uuid4())),
    "share of learner": Thing(lambda cast: cast.share, lambda: token_urlsafe(24)),
    "webhook of creator": Thing(lambda cast: cast.webhook, lambda: str(uuid4())),
    "delivery": Thing(lambda cast: cast.delivery, lambda: str(uuid4())),
    "achievement": Thing(lambda cast: cast.achievement),
    "user code": Thing(lambda cast: cast.user_code, lambda: "BBBB-BBBB"),
    "new email": Thing(lambda _: f"{uuid4().hex}@example.org"),
    "password": Thing(lambda _: PASSWORD),
    "course": Thing(lambda cast: cast.course),
    "missing course": Thing(lambda _: "no-such-course"),
    "new course": Thing(lambda cast: f"new-{cast.serial}"),
    "essays": Thing(lambda cast: cast.essays["id"]),
    "attempt": Thing(lambda cast: cast.attempt, lambda: str(uuid4())),
    "manifest of course": Thing(lambda cast: cast.manifest | {"title": "Another title"}),
    "manifest of new course": Thing(lambda cast: cast.manifest | {"id": f"new-{cast.serial}"}),
}
