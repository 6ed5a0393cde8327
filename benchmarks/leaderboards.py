"""What reading a leaderboard takes among many learners, beside the plain query that adds up and sorts all of them."""

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from time import perf_counter, process_time
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from redis import Redis
from sqlalchemy.engine import Connection

from benchmarks.command import Found, options, tell
from benchmarks.databases import POSTGRESQL, Databases
from benchmarks.figures import Figure
from headway.cache.boards import BoardCache
from headway.domain.boards import Gain, periods_at, place_of
from headway.ledger.board_cache import rebuild
from headway.ledger.boards import count_in, recount
from headway.store import boards
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.views.leaderboards import BoardQuery, read_leaderboard

READ_MS: Final = 50.0
READ_REDIS_MS: Final = 5.0
LEARNERS: Final = 200_000
# What a server counts in every second under load, and finds waiting when it is read.
WAITING: Final = 500
# And on a quiet day.
FEW: Final = 20
NOW: Final = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp() * 1_000_000)
DAY: Final = "2026-03-10"
KINDS: Final = {
    "the first page, and one's own rank": BoardQuery("all", None, False, None, 50),
    "around oneself": BoardQuery("all", None, True, None, 50),
    "today's first page": BoardQuery("day", None, False, None, 50),
}

# Points in fives, most learners with few of them and a few with thousands: the ties and the spread of a real board.
_LEARNERS: Final = (
    "INSERT INTO learner (id, kind, time_zone, created_at, display_name)"
    " SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 'account', 'UTC', 1, 'Learner ' || n"
    " FROM generate_series(1, :learners) n"
)
_ROWS: Final = (
    "INSERT INTO board_row (learner_id, course_id, period, place, shown)"
    " SELECT id, '', p, -(CAST(points AS bigint) * 1048576 + points / 12), true FROM ("
    "SELECT id, p, 5 + 5 * CAST(floor(power(random(), 6) * 2000) AS integer) AS points"
    " FROM learner, unnest(CAST(:periods AS text[])) p) x"
)
_NAIVE: Final = (
    "SELECT ranked.* FROM (SELECT r.learner_id, r.place, rank() OVER (ORDER BY r.place) AS rank, l.display_name"
    " FROM board_row r JOIN learner l ON l.id = r.learner_id"
    " WHERE r.course_id = '' AND r.period = 'all' AND l.kind = 'account' AND NOT l.leaderboard_opt_out) ranked"
    " WHERE rank <= 50 OR learner_id = :me"
)


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options("leaderboards", __doc__)
    parser.add_argument("--learners", type=int, default=LEARNERS, help=f"how many are on the boards [{LEARNERS}]")
    parser.add_argument("--reads", type=int, default=60, help="how often each is read [60]")
    parser.add_argument("--redis", help="the address of a Redis that may be filled, to read from as well")
    given = parser.parse_args()
    return tell(given, _measured(given))


def _measured(given: argparse.Namespace) -> Iterator[Found]:
    with Databases(given.dir) as databases:
        found = measured(databases, given.learners, given.reads, given.redis)
    yield f"{given.learners:,} learners on PostgreSQL, of whom {WAITING}, and then {FEW}, wait to be counted in", found


class Taken(NamedTuple):
    """What a read takes in milliseconds: until it is done, the middle one, and of all processors, on the average."""

    p50: float
    cpu: float

    def figures(self, name: str, target: float | None) -> list[Figure]:
        """Both, held to one target: a machine that does much else says little by the first."""
        return [
            Figure(f"{name}, p50", self.p50, "under", target, ".1f", " ms"),
            Figure(f"{name}, the processors", self.cpu, "under", target, ".1f", " ms"),
        ]


def measured(databases: Databases, learners: int, reads: int, redis: str | None = None) -> list[Figure]:
    """Fill a new database, and read it."""
    database = Database(databases.create(POSTGRESQL, "boards"))

    def cpu_s() -> float:
        return process_time() + databases.cpu_s()

    migrate(database)
    filled(database, learners)
    chance = random.Random(1)
    someone = [str(UUID(int=chance.randrange(1, learners + 1))) for _ in range(reads)]

    reader = _Reader(database, someone, cpu_s)
    built = [] if redis is None else reader.use(redis)
    figures = reader.figures(WAITING) + built
    naive = _taken(database, _read_naively, someone[:5], cpu_s)
    first = _taken(database, reader.reading(next(iter(KINDS.values())), None), someone, cpu_s)
    began = perf_counter()
    counted = count_in(database, now=NOW, limit=WAITING - FEW, cache=reader.cache)
    counting_ms = (perf_counter() - began) * 1000 / counted
    figures += reader.figures(FEW) + naive.figures("the plain query", None)
    figures.append(Figure("the plain query / the first page", naive.p50 / first.p50, "at least", 3.0, ".1f"))
    figures.append(Figure("counting a learner in", counting_ms, "under", None, ".2f", " ms"))
    reader.close()
    database.close()
    return figures


class _Reader:
    """Reads boards as different people, in the database and, where there is one, in Redis."""

    def __init__(self, database: Database, someone: Sequence[str], cpu_s: Callable[[], float]) -> None:
        self.cache: BoardCache | None = None
        self._database = database
        self._someone = someone
        self._cpu_s = cpu_s
        self._redis: Redis | None = None
        self._told = list[bool]()

    def use(self, address: str) -> list[Figure]:
        """Build the boards in a Redis, and read there from now on; what that took."""
        self.cache, self._redis = BoardCache(address, told=self._told.append), Redis.from_url(address)
        began = perf_counter()
        built = rebuild(self._database, self.cache, now=NOW)
        return [Figure(f"building {built} boards in Redis", perf_counter() - began, "under", None, ".1f", " s")]

    def figures(self, waiting: int) -> list[Figure]:
        """What each kind of reading takes while so many wait to be counted in."""
        found = list[Figure]()
        for name, kind in KINDS.items():
            taken = _taken(self._database, self.reading(kind, None), self._someone, self._cpu_s)
            found += taken.figures(f"{name}, {waiting} wait", READ_MS)
        if self.cache is None:
            return found
        for name, kind in KINDS.items():
            taken = _taken(self._database, self.reading(kind, self.cache), self._someone, self._with_redis_s)
            found += taken.figures(f"{name}, {waiting} wait, Redis", READ_REDIS_MS)
        missed, self._told[:] = self._told.count(False), []
        return [*found, Figure(f"reads that Redis did not serve, {waiting} wait", missed, "under", None)]

    def reading(self, kind: BoardQuery, cache: BoardCache | None) -> Callable[[Connection, str], object]:
        """A reading of a kind, by somebody."""
        return lambda connection, me: read_leaderboard(connection, kind, me, NOW, cache)

    def close(self) -> None:
        """Read nothing more."""
        if self.cache is not None and self._redis is not None:
            self.cache.close()
            self._redis.close()

    def _with_redis_s(self) -> float:
        said = {} if self._redis is None else self._redis.info("cpu")
        return self._cpu_s() + sum(float(said.get(name, 0)) for name in ("used_cpu_user", "used_cpu_sys"))


def filled(database: Database, learners: int) -> None:
    """Put learners on the site's boards, as if all that they did were counted in; some gained more since then."""
    said = {"learners": learners, "periods": list(periods_at(DAY))}
    with database.transaction() as connection:
        for statement in (_LEARNERS, _ROWS):
            connection.execute(sa.text(statement), said)
        recount(connection)
    with database.transaction() as connection:
        chance = random.Random(2)
        gains = [Gain("", NOW - chance.randrange(10**9), place_of(10, 1)) for _ in range(WAITING)]
        ids = chance.sample(range(1, learners + 1), WAITING)
        moves = [
            boards.move_row(str(UUID(int=one)), str(UUID(int=one)), gain) for one, gain in zip(ids, gains, strict=True)
        ]
        boards.put_down(connection, boards.moved(moves))
    with database.writers.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _taken(
    database: Database, view: Callable[[Connection, str], object], someone: Sequence[str], cpu_s: Callable[[], float]
) -> Taken:
    """What a view takes, once the connection is there."""

    def read(me: str) -> float:
        began = perf_counter()
        with database.read() as connection:
            view(connection, me)
        return (perf_counter() - began) * 1000

    read(someone[0])
    spent_s = cpu_s()
    taken = [read(me) for me in someone]
    return Taken(median(taken), (cpu_s() - spent_s) * 1000 / len(someone))


def _read_naively(connection: Connection, me: str) -> object:
    return connection.execute(sa.text(_NAIVE), {"me": me}).all()


if __name__ == "__main__":
    sys.exit(main())
