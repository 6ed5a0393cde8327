"""What all requests of a process share."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from headway.cache.boards import BoardCache
from headway.domain.streaks import StreakRules
from headway.http.claim import claimed
from headway.http.desk import Desk
from headway.http.lines import Line
from headway.http.mail import Mail
from headway.http.measuring import Metrics, Seen
from headway.http.passwords import Passwords
from headway.http.remembered import Remembered
from headway.http.signals import told_to_stop
from headway.http.waking import Waking, wire_of
from headway.ledger.boards import adopt
from headway.ledger.definitions import install, shipped
from headway.ledger.grading import PluginAsked
from headway.settings import Settings
from headway.store.catalog import Catalog
from headway.store.database import Database, is_outage, told
from headway.store.migrate import migrate

log = structlog.get_logger()

THREADS_AT_ONCE = 16
# Mails: a server that is slow to take them holds up nobody but these.
LATER_AT_ONCE = 4
LATER_MAX = 200
LATER_PATIENCE_S = 10.0
# Fewer than all threads: whoever reads must not wait for graders.
GRADING_AT_ONCE = 4
# While plugins hang, each try of a client would else be one more that is held.
PLUGINS_ASKED_MAX = 50
# Pages of certificates and signatures: some hundredths of a second each, for anybody who asks.
RENDERING_AT_ONCE = 2
RENDERING_MAX = 50
# One publishes at a time; whoever waits for that must not hold a thread that readers need.
PUBLISHING_AT_ONCE = 1
# A worker that waits for the database looks so often.
AGAIN_S = 1.0

T = TypeVar("T")


class Services:
    """The database and all that stands on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_url, settings.archive_folder)
        self.catalog = Catalog()
        self.streak_rules = StreakRules(settings.freeze_days, settings.freezes_max)
        self.metrics = Metrics()
        self.desk = Desk(self.database, self.catalog, self.metrics.committed)
        self.waking = Waking(self.database, wire_of(self.database, settings.redis_url))
        self.board_cache = _board_cache(settings, self.metrics)
        self.passwords = Passwords()
        self.remembered = Remembered()
        # Encoded, by course and version: what many ask for and seldom changes.
        self.outlines: dict[tuple[str, int], bytes] = {}
        self._at_once = CapacityLimiter(THREADS_AT_ONCE)
        self._grading = CapacityLimiter(GRADING_AT_ONCE)
        self._grading_by_plugins = Line(GRADING_AT_ONCE, PLUGINS_ASKED_MAX, "responses are graded by plugins")
        self._rendering = Line(RENDERING_AT_ONCE, RENDERING_MAX, "certificates are being made")
        self._publishing = CapacityLimiter(PUBLISHING_AT_ONCE)
        self.mail = Mail(settings)
        self._later: set[asyncio.Task[None]] = set()
        self._mailing = CapacityLimiter(LATER_AT_ONCE)
        # An audit and an import: of each there is one at a time.
        self._in_background = CapacityLimiter(2)
        # Set once the server is to stop: what works in the background ends soon after.
        self.stopping = threading.Event()
        self.started_at = time.time_ns() // 1000

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From a database of any age to one that is served; on leaving, all that waits is written first."""
        with claimed(self.database):
            await self._be_ready()
            self.waking.open()
            self.desk.open()
            try:
                yield
            finally:
                await self.desk.close()
                await self.waking.close()
                self.passwords.close()
                if self.board_cache is not None:
                    self.board_cache.close()
                self.database.close()

    async def _be_ready(self) -> None:
        """Bring the database up to date, and put in force what this Headway brings.

        A worker waits for a database that is away: it replaces one that ended, and all would end with one that fails.
        """
        while True:
            try:
                await self.run(lambda: migrate(self.database))
                return await self.run(self._define)
            except SQLAlchemyError as error:
                if self.settings.workers == 1 or not is_outage(error):
                    raise
                log.error("worker_waits_for_database", error=told(error))  # noqa: TRY400  # as where requests meet it
            if told_to_stop.is_set():
                return None
            await asyncio.sleep(AGAIN_S)

    def look(self) -> Seen:
        """What is so at this moment, in this process."""
        writer = self.desk.writer
        since = writer.waits_since
        lag_s = 0.0 if since is None else time.monotonic() - since
        return Seen(writer.waiting_events, lag_s, self.waking.streams, writer.commits)

    def _define(self) -> None:
        """Put in force what this Headway brings; learners are given what they meet of it in the background."""
        install(self.database, shipped() if self.settings.shipped_achievements else ())
        adopt(self.database, self.settings.site_time_zone)

    async def run(self, work: Callable[[], T]) -> T:
        """What a blocking call gives, made in a thread."""
        return await to_thread.run_sync(work, limiter=self._at_once)

    async def grade(self, work: Callable[[bool], T]) -> T:
        """What grading answers gives, in a thread; `work` is told whether it may ask plugins, else it is PluginAsked.

        Plugins have threads of their own: one that hangs holds up plugins alone, and no built-in grader; Busy where too
        many wait for one. RE2 gives up the interpreter's lock while it matches.
        """
        try:
            return await to_thread.run_sync(work, False, limiter=self._grading)
        except PluginAsked:
            return await self._grading_by_plugins.run(partial(work, True))

    async def render(self, work: Callable[[], T]) -> T:
        """What making a page or a signature gives, in a thread; Busy where too many wait for theirs."""
        return await self._rendering.run(work)

    async def publish(self, work: Callable[[], T]) -> T:
        """What publishing gives, in a thread of its own."""
        return await to_thread.run_sync(work, limiter=self._publishing)

    def afterwards(self, work: Callable[[], None]) -> bool:
        """Have a blocking call made in a thread that no reply waits for; where too much waits already, not at all.

        Whether it is made.
        """
        if len(self._later) >= LATER_MAX:
            log.error("left_out", waiting=len(self._later))
            return False
        self._begin(work, self._mailing)
        return True

    async def see_through(self) -> None:
        """Do nothing until it is ended; then wait for what is being done that no reply waits for, but not for good."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._later:
                _, undone = await asyncio.wait(self._later, timeout=LATER_PATIENCE_S)
                if undone:
                    log.error("left_undone", waiting=len(undone))

    def in_background(self, work: Callable[[], None]) -> None:
        """Have a long call made in a thread that no reply waits for; it must end soon once the server is `stopping`."""
        self._begin(work, self._in_background)

    def _begin(self, work: Callable[[], None], limiter: CapacityLimiter) -> None:
        task = asyncio.create_task(to_thread.run_sync(work, limiter=limiter))
        self._later.add(task)
        task.add_done_callback(self._done_later)

    def _done_later(self, task: asyncio.Task[None]) -> None:
        self._later.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("failed_afterwards", exc_info=error)

    async def read(self, view: Callable[[Connection], T]) -> T:
        """What a view gives of one snapshot of the database."""
        return await self.run(lambda: self.read_here(view))

    def read_here(self, view: Callable[[Connection], T]) -> T:
        """The same in a thread that may wait."""
        with self.database.read() as connection:
            return view(connection)


def _board_cache(settings: Settings, metrics: Metrics) -> BoardCache | None:
    return None if settings.redis_url is None else BoardCache(settings.redis_url, told=metrics.board_read)
