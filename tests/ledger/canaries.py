"""Learners of whom every byte can be known again, and the places where one could be left."""

import json
import random
import re
import subprocess
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import sqlalchemy as sa

from headway.domain.events import enrollment_event
from headway.domain.recording import IMPORTED
from headway.domain.times import format_time
from headway.ledger.enlist import derived_id
from headway.ledger.keep_streaks import StreakRecord, keep_streak
from headway.ledger.pausing import PauseWanted, pause
from headway.ledger.revoke_certificate import Revoking, revoke
from headway.ledger.security import OPERATOR
from headway.ledger.submission import Submission
from headway.store import learners, schema, upkeep
from tests.domain.manifests import course, module, step
from tests.ledger.facts import grade, override, reset
from tests.ledger.gates import GATES, certificates, gated, through
from tests.ledger.guests import Guest, move
from tests.ledger.world import HOUR, NOON, World, event

WORD: Final = "zwitscher"
ID: Final = "c0ffee00-dead"
EVENT_ID: Final = "feedface-cafe"
ZONE: Final = "Pacific/Chatham"
MICROSECONDS: Final = "424242"
# As text, and as a number of microseconds: their last digits alone are in every hundredth dump, in some hash.
TIME: Final = re.compile(rb":00\.424242|17[67]\d{5}00424242")
STEPS: Final = ("hello", "loops", "quiz", "graded", "essay")
# By column and table: what counts of all learners together, on which a course's creator relies.
TOTALS: Final = {
    "step_sum": (
        "course_id, run, step_id",
        "events attempts passed_attempts scores score_total best_score duration_ms hints",
    ),
    "day_sum": (
        "day, course_id, run",
        "attempts scores score_total duration_ms hints activities steps_completed points",
    ),
    "topic_sum": (
        "topic, course_id, run",
        "attempts passed_attempts score_total duration_ms exercises_completed points",
    ),
    "ledger": ("course_id, step_id, type, day", "score duration_ms hints"),
}


def canary_id(number: int, kind: int = 0) -> str:
    """A learner's id to know again."""
    return f"{ID}-4bee-8{kind:03x}-{number:012x}"


def add_canary(world: World, number: int, *, events: int = 12) -> str:
    """A learner who left something in every table; every third came from elsewhere, every second was a guest before."""
    external = f"{WORD}:{number}" if number % 3 == 0 else None
    learner_id = world.learner(
        ZONE,
        id=derived_id("learner", external) if external else canary_id(number),
        external_id=external,
        email=f"{WORD}{number}@example.org",
        password_hash=f"$argon2id${WORD}",
        display_name=f"Frau {WORD.title()} {number}",
        leaderboard_alias=f"Frau {WORD.title()}",
        roles="creator",
    )
    _leave_traces(world, learner_id, number)
    chance = random.Random(number)
    world.send(learner_id, *_events(chance, number, 0, events))
    world.submit(Submission(learner_id, (enrollment_event(_event_id(number, 9, 1), "enrolled", "python"),), NOON))
    _certify(world, learner_id, number)
    reset(world, learner_id, "go", id=_event_id(number, 14, 1), at=NOON)
    record = StreakRecord(learner_id, _event_id(number, 15, 1), 12)
    keep_streak(world.database, world.catalog, record, now=NOON)
    _level(world, learner_id, number)
    elsewhere = tuple(_events(random.Random(-number), number, 12, 6))
    world.submit(Submission(learner_id, elsewhere, NOON, source=IMPORTED))
    wanted = PauseWanted(learner_id, _event_id(number, 13, 1), None, 3)
    pause(world.database, world.catalog, wanted, now=NOON + HOUR)
    if number % 2 == 0:
        guest_id = world.learner(ZONE, id=canary_id(number, 1), kind="guest")
        session = _session(guest_id, number, "guest")
        with world.database.transaction() as connection:
            learners.add_sessions(connection, session)
        # Some of what the guest did is sent again by the account: it counts once.
        world.send(guest_id, *_events(chance, number, 1, events), *_events(random.Random(number), number, 0, 2))
        assert move(world, learner_id, Guest(guest_id, session["token_hash"])) is not None
    return learner_id


def _level(world: World, learner_id: str, number: int) -> None:
    """Come to a level, early in the morning."""
    steps = [step(f"s{n}", kind="exercise", topics=["a"]) for n in range(10)]
    world.publish(course(module("first", *steps), id="drill"))
    early: dict[str, Any] = {"course": "drill", "score": 1, "occurred_at": "2026-02-10T05:00:00+00:30"}
    world.send(learner_id, *(event(_event_id(number, 16, n), of=f"s{n}", **early) for n in range(10)))


def _certify(world: World, learner_id: str, number: int) -> None:
    """Bring a learner through a course with gates, an essay of which waits for its grade."""
    world.publish(GATES)
    way = [one._replace(id=_event_id(number, 10, n)) for n, one in enumerate(through("basics", "loops", "end"))]
    essay = gated(of="fizz", response=f"{WORD} schreibt", score=None)._replace(id=way[2].id)
    world.send(learner_id, *way[:2], essay, way[3])
    said: dict[str, Any] = {"event_id": _event_id(number, 11, 1), "by": learner_id, "reason": f"{WORD} war krank"}
    if number % 7:
        grade(world, learner_id, essay.id, 1_000_000, feedback=f"{WORD} gut", **said)
    else:
        override(world, learner_id, "fizz", waived=True, **said)
    world.send(learner_id, way[4])
    (held,) = certificates(world, learner_id)
    if number % 5 == 0:
        asked = Revoking(held["id"], f"{WORD} hat abgeschrieben", lambda _: True, OPERATOR)
        assert revoke(world.database, world.catalog, asked, now=NOON + 3 * HOUR)


def _events(chance: random.Random, number: int, who: int, count: int) -> Iterable[Any]:
    for n in range(count):
        of = chance.choice(STEPS)
        kind = "attempted" if of == "graded" else chance.choice(["attempted", "completed", "opened", "worked"])
        at = format_time(NOON - chance.randrange(60 * 24) * HOUR)[:-7] + MICROSECONDS
        fields: dict[str, Any] = {"occurred_at": at + chance.choice(["Z", "+09:00", "-10:00", "+13:45"])}
        if of == "graded":
            fields["response"] = chance.choice("ab")
        elif kind in ("attempted", "completed"):
            fields |= {"score": chance.choice([None, 0, 1 / 3, 0.7, 79.9949, 85, 1]), "response": f"{WORD} sagt {n}"}
        fields |= {"duration_s": chance.choice([0, 1.5, 7200, 33.333]), "hints": chance.randrange(3)}
        yield event(_event_id(number, who, n), kind, of, **fields)


def _event_id(number: int, who: int, n: int) -> str:
    return f"{EVENT_ID}-4{who:03x}-8{n:03x}-{number:012x}"


def _session(learner_id: str, number: int, kind: str) -> dict[str, Any]:
    times = {"created_at": NOON, "last_used_at": NOON, "expires_at": NOON + 900 * HOUR}
    token_hash = sha256(f"{WORD}{number}{kind}".encode()).hexdigest()
    names = {
        "id": str(UUID(token_hash[:32])),
        "name": f"{WORD} 5.0 (X11)",
        "scopes": "read" if kind == "token" else None,
    }
    return {"token_hash": token_hash, "learner_id": learner_id, "kind": kind, **names, **times}


def _hooks(number: int) -> dict[str, dict[str, Any]]:
    return {
        "webhook": {"id": canary_id(number, 4), "course_id": f"course-{number}", "url": f"https://{WORD}.example/"}
        | {"types": "", "secret": f"plain:{WORD}", "created_at": NOON, "active": False, "failures": 0, "retry_at": 0},
        "webhook_due": {"webhook_id": canary_id(number, 4), "seq": 1, "n": 0, "due_at": NOON, "tries": 0},
        "webhook_delivery": {
            "id": canary_id(number, 5),
            "webhook_id": canary_id(number, 4),
            "seq": 1,
            "n": 0,
            "at": NOON,
        }
        | {"message_id": "msg_1", "type": "x", "took_ms": 1, "attempt": 1, "error": WORD},
    }


def _leave_traces(world: World, learner_id: str, number: int) -> None:
    rows: dict[str, dict[str, Any]] = {
        "external_sign_in": {"issuer": "https://id.example", "subject": f"{WORD}-{number}", "created_at": NOON},
        "pseudonym": {"id": canary_id(number, 3)},
        "share_page": {"token": f"{WORD}-page-{number}", "shows": "streak", "created_at": NOON},
        "claim_code": {"code_hash": f"{WORD}-claim-{number}", "expires_at": NOON},
        **_hooks(number),
        "notice_preference": {"kind": "streak", "in_app": True, "stream": True, "mailed_since": NOON},
        "confirmed_address": {"email": f"{WORD}{number}@example.org", "at": NOON},
        "notice_mail": {"notice_id": canary_id(number, 6), "kind": "streak", "at": NOON, "tries": 1},
        "password_reset": {"token_hash": f"{WORD}-reset-{number}", "expires_at": NOON},
        "device_sign_in": {"device_code_hash": f"{WORD}-device-{number}", "user_code": f"ZW-{number}", "client": WORD}
        | {"scopes": "read", "denied": False, "interval_s": 5, "polled_at": NOON, "expires_at": NOON},
        "security_event": {"id": canary_id(number, 2), "at": NOON, "kind": "signed-in", "actor_id": learner_id}
        | {"address": f"2001:db8::{number}", "detail": f"{WORD} 5.0"},
    }
    acted = rows["security_event"] | {
        "id": str(UUID(int=0xABCDEF00 + number)),
        "learner_id": None,
        "kind": "role-given",
        "detail": None,
    }
    course_id = f"course-{number}"
    with world.database.transaction() as connection:
        learners.add_sessions(
            connection, _session(learner_id, number, "account"), _session(learner_id, number, "token")
        )
        for table, row in rows.items():
            connection.execute(sa.insert(schema.metadata.tables[table]).values(learner_id=learner_id, **row))
        connection.execute(sa.insert(schema.security_event).values(**acted))
        run_id = str(UUID(int=0xABCDEF0000 + number))
        upkeep.begin(connection, f"audit {number}", run_id, NOON, 1)
        upkeep.end(connection, run_id, NOON, ("found", 1), f'{{"faults": [{{"learner": "{learner_id}"}}]}}')
        owner = {"id": course_id, "owner_id": learner_id, "created_at": NOON, "version": 1, "title": "A course"}
        connection.execute(sa.insert(schema.course).values(**owner))
        version = {"course_id": course_id, "version": 1, "published_at": NOON, "published_by": learner_id}
        manifest = course(module("first", step("own")), id=course_id, title="A course")
        version |= {"title": "A course", "manifest": json.dumps(manifest)}
        version |= {"step_keys": '{"own": "own"}', "module_keys": '{"first": "first"}'}
        connection.execute(sa.insert(schema.course_version).values(**version))


def marks(ids: Iterable[str]) -> set[bytes]:
    """All by which canaries of these ids can be known."""
    words = (WORD, WORD.title(), ID, EVENT_ID, ZONE, "2001:db8", *ids)
    hashes = (
        sha256(f"{WORD}{n}{kind}".encode()).hexdigest() for n in range(60) for kind in ("account", "token", "guest")
    )
    # PostgreSQL keeps ids as their bytes.
    raw = (UUID(one).bytes for one in ids)
    return {one.encode() for one in (*words, *hashes)} | set(raw)


def found_in(told: bytes, ids: Sequence[str]) -> list[bytes]:
    """What of canaries of these ids is in some bytes."""
    return [mark for mark in marks(ids) if mark in told] + TIME.findall(told)


def on_disk(world: World) -> bytes:
    """What an SQLite database has on the disk; nothing of another.

    Another process reads it: with any file that this one closes all its locks on it go, and SQLite's are among them.
    """
    path = world.database.path
    there = [] if path is None else [one for end in ("", "-wal", "-shm") if (one := Path(f"{path}{end}")).exists()]
    return subprocess.run(["cat", "--", *there], stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout


def dump(world: World) -> bytes:
    """Every row of every table; PostgreSQL's as COPY tells them, which is what pg_dump writes."""
    told = bytearray()
    for table in schema.metadata.sorted_tables:
        told += f"\n-- {table.name}\n".encode()
        if world.database.path is not None:
            with world.database.read() as connection:
                found = connection.exec_driver_sql(f"SELECT * FROM {table.name}").all()
            told += "\n".join(map(repr, found)).encode()
            continue
        with (
            psycopg.connect(world.url) as driver,
            driver.cursor().copy(f"COPY {table.name} TO STDOUT".encode()) as rows,
        ):
            for row in rows:
                told += bytes(row)
    return bytes(told)


def totals(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """What all learners together come to."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with world.database.read() as connection:
        for table, (key, columns) in TOTALS.items():
            figures = ", ".join(f"sum({name})" for name in columns.split())
            rows = (
                f"{table} t"
                if table != "ledger"
                else f"(SELECT DISTINCT event_id, {_COUNTED} FROM ledger WHERE {_SENT}) t"
            )
            statement = f"SELECT {key}, count(*), {figures} FROM {rows} GROUP BY {key}"
            found[table] = sorted((tuple(row) for row in connection.exec_driver_sql(statement)), key=repr)
        for name, statement in _COUNTS.items():
            found[name] = sorted((tuple(row) for row in connection.exec_driver_sql(statement)), key=repr)
    return found


# What a guest did and its account did again is there twice, and counts once.
_COUNTED: Final = "course_id, step_id, type, day, score, duration_ms, hints"
# By whom a score was given is not kept: what a grade was, the attempt says itself then.
_SENT: Final = "type IN ('attempted', 'completed', 'opened', 'worked', 'enrolled', 'left') AND step_id <> 'fizz'"
_ENTRIES: Final = f"(SELECT DISTINCT event_id, {_COUNTED} FROM ledger WHERE {_SENT}) t"
_COUNTS: Final = {
    "completed": "SELECT course_id, step_id, completed_on, completed_version, count(*), sum(first_score),"
    " sum(latest_score) FROM step_sum GROUP BY course_id, step_id, completed_on, completed_version",
    "enrolled": "SELECT course_id, enrolled, count(*) FROM enrollment GROUP BY course_id, enrolled",
}
