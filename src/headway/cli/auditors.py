"""Auditing in several processes: learners are independent of each other, so that the processes share them out."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeVar

from headway.cli.opening import database_of
from headway.cli.screen import progress_bar
from headway.domain.errors import HeadwayError

if TYPE_CHECKING:
    from headway.ledger.audit import AuditReport, Each
    from headway.store.catalog import Catalog
    from headway.store.database import Database

T = TypeVar("T")
U = TypeVar("U")

# With fewer, a process would not be there before the others are done.
LEARNERS_A_PROCESS: Final = 4_000
PROCESSES_MAX: Final = 8
# Pieces of work queued for each process, so that none waits for the next.
_AHEAD_EACH: Final = 3
_kept = ExitStack()


class AuditBroken(HeadwayError):
    """A process of an audit ended before its work did."""

    code = "audit-broken"


def audited(flag: str | None, opened: "Database", learners: int, learner_id: str | None = None) -> "AuditReport":
    """Audit the database that `flag` names, here `opened`, or one learner of it; `learners` is for the progress bar."""
    from headway.ledger.audit import audit
    from headway.store.catalog import Catalog

    with progress_bar("Auditing learners", learners) as bar, auditors(flag, learners) as each:
        return audit(opened, Catalog(), learner_id=learner_id, progress=bar.advance, each=each)


@contextmanager
def auditors(flag: str | None, learners: int) -> Iterator["Each | None"]:
    """Yield what audits learners of the database that `flag` names in several processes.

    None for few learners, or where the system lacks what processes need to work together: one process does it alone
    then.
    """
    count = min(PROCESSES_MAX, _cores(), learners // LEARNERS_A_PROCESS)
    pool = _pool(count) if count > 1 else None
    if pool is None:
        yield None
        return
    try:
        yield partial(_each, pool, flag, count * _AHEAD_EACH)
    except BrokenProcessPool as error:
        # A process that was starting while another was ended would be waited for, and never told to end.
        for one in active_children():
            one.kill()
        told = "a process of the audit was ended, for want of memory perhaps; run `headway audit` again"
        raise AuditBroken(told) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(count: int) -> ProcessPoolExecutor | None:
    try:
        return ProcessPoolExecutor(count, get_context("spawn"), _begin)
    except (OSError, NotImplementedError, ImportError):  # no semaphores: /dev/shm is read-only, or there is none
        return None


def _cores() -> int:
    """The processor cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _each(
    pool: ProcessPoolExecutor,
    flag: str | None,
    ahead: int,
    work: "Callable[[Database, Catalog, T], U]",
    items: Iterable[T],
) -> Iterator[U]:
    coming = deque[Future[U]]()
    for item in items:
        coming.append(_handed_to(pool, partial(_run, flag, work, item)))
        if len(coming) > ahead:
            yield coming.popleft().result()
    while coming:
        yield coming.popleft().result()


def _handed_to(pool: ProcessPoolExecutor, work: Callable[[], U]) -> "Future[U]":
    try:
        return pool.submit(work)
    # The pool starts its processes one by one: this one cannot start, or another has just ended and closed its pipes.
    except (OSError, ValueError) as error:
        raise BrokenProcessPool(str(error)) from error


def _begin() -> None:
    """Set a process of the audit up: it ends with its parent, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _opened(flag: str | None) -> "tuple[Database, Catalog]":
    from headway.store.catalog import Catalog

    return _kept.enter_context(database_of(flag)), Catalog()


def _run(flag: str | None, work: "Callable[[Database, Catalog, T], U]", item: T) -> U:
    return work(*_opened(flag), item)
