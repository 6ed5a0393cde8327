"""Waking streams: here at once, in other processes by Redis or PostgreSQL; they find missed changes by looking."""

import asyncio
import os
import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Final, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from headway.cache import calls as redis_calls
from headway.cache.link import lost
from headway.ledger import announcing
from headway.store import calls
from headway.store.calls import LEARNERS_A_CALL
from headway.store.database import Database

log = structlog.get_logger()

# How long learners are gathered before other processes are called about them.
GATHER_S: Final = 0.03
_PAUSE_MAX_S: Final = 30.0
_AGAIN_S: Final = 5.0
# How often a listener of Redis checks whether it is to stop.
_LISTEN_S: Final = 0.2

# Called with learners' ids, or with None if calls may have been missed, whoever they were about.
Heard = Callable[[set[str] | None], None]


class Wire(Protocol):
    """How the processes of a site call each other."""

    def call(self, learner_ids: list[str]) -> None:
        """Call the other processes, from a thread; a call that is lost does no harm."""

    def listen(self, heard: Heard) -> None:
        """Begin to listen, in a thread of its own; may be called again."""

    def close(self) -> None:
        """Stop listening."""


class NoWire:
    """The wire of a site on SQLite, which has only one server."""

    def call(self, learner_ids: list[str]) -> None:
        """Do nothing: there is no other process."""

    def listen(self, heard: Heard) -> None:
        """Do nothing: nobody calls."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


class PostgresWire:
    """LISTEN and NOTIFY, after the commit: a NOTIFY in the transaction would have commits wait for each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: Thread | None = None
        self._stop_read, self._stop_write = -1, -1

    def call(self, learner_ids: list[str]) -> None:
        """Call the other processes."""
        announcing.call(self._database, learner_ids)

    def listen(self, heard: Heard) -> None:
        """Begin to listen."""
        if self._thread is None:
            self._stop_read, self._stop_write = os.pipe()
            self._thread = Thread(target=self._run, args=(heard,), name="headway-listener", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        if self._thread is not None:
            os.write(self._stop_write, b"x")
            self._thread.join(_PAUSE_MAX_S)
            os.close(self._stop_read)
            os.close(self._stop_write)
            self._thread = None

    def _run(self, heard: Heard) -> None:
        pause = 0.5
        while True:
            since = monotonic()
            try:
                with calls.listening(self._database.url) as connection:
                    heard(None)
                    if self._hear(connection, heard):
                        return
            except calls.Lost as error:
                log.warning("listener_lost", error=str(error))
            pause = 0.5 if monotonic() - since > _PAUSE_MAX_S else min(2 * pause, _PAUSE_MAX_S)
            if select.select([self._stop_read], [], [], pause)[0]:
                return

    def _hear(self, connection: calls.Listening, heard: Heard) -> bool:
        """Pass calls on until the server stops, then return True; an error of the connection is raised."""
        while True:
            ready, _, _ = select.select([connection.fileno(), self._stop_read], [], [])
            if self._stop_read in ready:
                return True
            for learner_ids in calls.heard(connection):
                heard(learner_ids)


class RedisWire:
    """A channel of Redis, and another wire for when that fails; both are listened to."""

    def __init__(self, address: str, other: Wire) -> None:
        self._calls = redis_calls.Calls(address)
        self._other = other
        self._thread: Thread | None = None
        self._stopping = Event()

    def call(self, learner_ids: list[str]) -> None:
        """Call the other processes; by the other wire if Redis fails, or nobody listens there."""
        link = self._calls.link
        if not link.rests:
            try:
                if self._calls.call(learner_ids):
                    return
            except lost():
                link.failed()
        self._other.call(learner_ids)

    def listen(self, heard: Heard) -> None:
        """Begin to listen."""
        self._other.listen(heard)
        if self._thread is None:
            self._thread = Thread(target=self._run, args=(heard,), name="headway-redis-listener", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_PAUSE_MAX_S)
        self._calls.close()
        self._other.close()

    def _run(self, heard: Heard) -> None:
        while not self._stopping.is_set():
            try:
                with self._calls.listening() as listening:
                    heard(None)
                    self._hear(listening, heard)
            except lost() as error:
                log.warning("listener_lost", error=type(error).__name__)
                self._stopping.wait(_AGAIN_S)

    def _hear(self, listening: redis_calls.Listening, heard: Heard) -> None:
        while not self._stopping.is_set():
            learner_ids = redis_calls.heard(listening, _LISTEN_S)
            if learner_ids is not None:
                heard(learner_ids)


class Waking:
    """The open streams of a process, and who is to be woken. Except for `told`, for the event loop's thread alone."""

    def __init__(self, database: Database, wire: Wire) -> None:
        self._wire = wire
        self._database = database
        self._asleep: dict[str, list[asyncio.Event]] = {}
        self._watching: list[asyncio.Event] = []
        self._calling: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(map(len, self._asleep.values()))

    def streams_of(self, learner_id: str) -> int:
        """How many streams of a learner's are open."""
        return len(self._asleep.get(learner_id, ()))

    def open(self) -> None:
        """Begin, on the loop that is running."""
        self._loop = asyncio.get_running_loop()
        announcing.listen(self._database, self.told)

    async def close(self) -> None:
        """Stop waking streams; calls that were begun are still made."""
        announcing.stop_listening(self._database, self.told)
        loop, self._loop = self._loop, None
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
        if loop is not None:
            await asyncio.to_thread(self._wire.close)

    def watch_due(self) -> asyncio.Event:
        """An event that is set whenever a transaction of this process makes messages to webhooks due."""
        self._watching.append(asyncio.Event())
        return self._watching[-1]

    def enter(self, learner_id: str) -> asyncio.Event:
        """An event that is set whenever the learner is told anything."""
        event = asyncio.Event()
        self._asleep.setdefault(learner_id, []).append(event)
        # Only now: a process without streams need hear of nobody.
        self._wire.listen(self._heard)
        return event

    def leave(self, learner_id: str, event: asyncio.Event) -> None:
        """Remove the event of a stream that has ended."""
        self._asleep[learner_id].remove(event)
        if not self._asleep[learner_id]:
            del self._asleep[learner_id]

    def told(self, told: announcing.Announcement) -> None:
        """Wake the streams of those who were told anything, and call other processes; from any thread."""
        self._in_loop(lambda: self._wake_and_call(told))

    def _heard(self, learner_ids: set[str] | None) -> None:
        """Wake the streams that another process calls about; from the listener's thread."""
        self._in_loop(lambda: self._wake(self._asleep.keys() if learner_ids is None else learner_ids))

    def _in_loop(self, work: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it was closed a moment ago
                loop.call_soon_threadsafe(work)

    def _wake(self, learner_ids: Iterable[str]) -> None:
        for one in learner_ids:
            for event in self._asleep.get(one, ()):
                event.set()

    def _wake_and_call(self, told: announcing.Announcement) -> None:
        self._wake(told.learner_ids)
        for event in self._watching if told.is_due else ():
            event.set()
        if isinstance(self._wire, NoWire) or not told.learner_ids:
            return
        self._calling |= told.learner_ids
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._call())

    async def _call(self) -> None:
        while self._calling:
            await asyncio.sleep(GATHER_S)
            ids, self._calling = sorted(self._calling), set()
            for start in range(0, len(ids), LEARNERS_A_CALL):
                try:
                    await asyncio.to_thread(self._wire.call, ids[start : start + LEARNERS_A_CALL])
                except (SQLAlchemyError, OSError) as error:
                    log.warning("call_failed", error=type(error).__name__)


def wire_of(database: Database, redis_url: str | None = None) -> Wire:
    """The wire by which the processes of a site call each other."""
    if database.path is not None:
        return NoWire()
    wire = PostgresWire(database)
    return wire if redis_url is None else RedisWire(redis_url, wire)
