"""What keeps a learner going, and what recording pays for it: the same events with and without, in turns.

Without are no achievements, levels, reviews, hours of the day, notices, webhooks and leaderboards. Told is what as many
events take of the processor (not PostgreSQL's) of the one that records.
"""

import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.workload import manifest, new_event, step_ids, walk
from headway.domain.events import Event, parse_event
from headway.domain.sums import Sums
from headway.http.who import newcomer
from headway.ledger import batch
from headway.ledger.accounts import add_guest
from headway.ledger.achieving import Achieving
from headway.ledger.board_moves import Moving
from headway.ledger.commit import commit
from headway.ledger.leveling import Leveling
from headway.ledger.memory import Memory
from headway.ledger.publish import publish
from headway.ledger.submission import Submission
from headway.store import boards, notices, webhooks
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import migrate

AT_MOST: Final = 1.40
LEARNERS: Final = 64
ROUNDS: Final = 9
# Submissions in a transaction, events in each, transactions a round: as of 64 connections, and as of uploads.
LOADS: Final = {"single events": (32, 1, 40), "100 a request": (5, 100, 4)}


class _Site(NamedTuple):
    """A database with learners, and one who records for them."""

    database: Database
    catalog: Catalog
    memory: Memory
    sessions: list[tuple[str, str]]
    walks: list[Iterator[str]]


def _site(url: str) -> _Site:
    database, now = Database(url), time.time_ns() // 1000
    migrate(database)
    publish(database, manifest(), now=now)
    guests = [newcomer(now, f"token-{n}") for n in range(LEARNERS)]
    for one in guests:
        add_guest(database, one.learner, one.session)
    sessions = [(one.learner["id"], one.session["token_hash"]) for one in guests]
    return _Site(database, Catalog(), Memory(), sessions, [walk(step_ids()) for _ in guests])


@contextmanager
def _without() -> Iterator[None]:
    """Have recording do nothing of it."""
    nothing = notices.added(()), webhooks.due_added(())
    parts: Sequence[tuple[object, str, Any]] = (
        (Leveling, "asked", lambda *_: []),
        (Leveling, "give", lambda *_: []),
        (Achieving, "give", lambda *_: []),
        (Moving, "moved", lambda *_: boards.moved(())),
        (batch, "tell", lambda *_: nothing),
        (Sums, "_add_activity", lambda *_: None),
        (Sums, "_add_practice", lambda *_: None),
    )
    with ExitStack() as patched:
        for place, name, instead in parts:
            patched.enter_context(patch.object(place, name, instead))
        yield


def _submissions(site: _Site, submissions: int, events: int, transactions: int) -> list[list[Submission]]:
    now, at = time.time_ns() // 1000, datetime.now(UTC)
    numbers = iter(range(submissions * transactions))

    def one(n: int) -> Submission:
        learner_id, token_hash = site.sessions[n % LEARNERS]
        sent: list[Event] = [
            parse_event(json.loads(new_event(next(site.walks[n % LEARNERS]), at))) for _ in range(events)
        ]
        return Submission(learner_id, tuple(sent), now, token_hash=token_hash)

    return [[one(next(numbers)) for _ in range(submissions)] for _ in range(transactions)]


def _cpu_us(site: _Site, load: tuple[int, int, int]) -> float:
    """Microseconds of processor an event."""
    batches = _submissions(site, *load)
    began = time.process_time()
    for one in batches:
        commit(site.database, site.catalog, one, wait=False, memory=site.memory)
    return (time.process_time() - began) / (load[0] * load[1] * load[2]) * 1e6


def figures(kind: str, databases: Databases) -> Iterator[Figure]:
    """Measure on new databases of a kind."""
    for n, (name, load) in enumerate(LOADS.items()):
        whole, bare = (_site(databases.create(kind, f"{part}_{n}")) for part in ("whole", "bare"))
        pairs = []
        for _ in range(ROUNDS):
            with _without():
                least = _cpu_us(bare, load)
            pairs.append((_cpu_us(whole, load), least))
        for one in (whole, bare):
            one.database.close()
        # The first round has caches to fill.
        ratio = median(more / less for more, less in pairs[1:])
        yield Figure(f"{name}: with / without", ratio, "under", AT_MOST, ".2f")
        yield Figure(f"{name}: with", median(more for more, _ in pairs[1:]), "under", None, ".0f", " µs an event")


def main() -> int:
    """Measure and print."""
    given = options_of_databases("added", __doc__).parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as a server has it
    return tell(given, on_each(given, figures))


if __name__ == "__main__":
    sys.exit(main())
