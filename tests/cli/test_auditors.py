"""Auditing in several processes finds what one process finds, and leaves none of them behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest
import structlog

from headway.cli import auditors as side_by_side
from headway.cli.auditors import AuditBroken, auditors
from headway.cli.backups import backup, restore
from headway.domain.progress import PeriodSum
from headway.ledger.audit import AuditReport, audit, pages
from headway.store.catalog import Catalog
from headway.store.database import Database
from tests.cli.test_proof import ROWS, falsify, filled

__all__ = ["filled"]
PATIENCE_S = 30
# Begins two processes, has each do something, tells their ids, and waits.
BEGUN = """
import sys, time
from multiprocessing import active_children
from headway.cli import auditors
from headway.ledger.audit import look_at
if __name__ == "__main__":
    auditors.LEARNERS_A_PROCESS, auditors._cores = 1, lambda: 2
    with auditors.auditors(sys.argv[1], 2) as each:
        assert [one.learners for one in each(look_at, [[], []])] == [0, 0]
        print(*(one.pid for one in active_children()), flush=True)
        time.sleep(60)
"""


@pytest.fixture(autouse=True)
def two_for_few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let two processes begin, however few learners and cores there are, and each look at three at a time."""
    monkeypatch.setattr(side_by_side, "LEARNERS_A_PROCESS", 1)
    monkeypatch.setattr(side_by_side, "_cores", lambda: 2)
    monkeypatch.setattr("headway.ledger.audit.pages", partial(pages, size=3))
    yield
    structlog.reset_defaults()  # commands set the process up as if it were theirs


def audited(url: str, learners: int) -> tuple[AuditReport, list[int]]:
    """What an audit by as many processes as so many learners have found, and its progress."""
    database, steps = Database(url), list[int]()
    try:
        with auditors(url, learners) as each:
            assert (each is None) == (learners < 2)
            return audit(database, Catalog(), progress=steps.append, each=each), steps
    finally:
        database.close()


def test_two_processes_find_what_one_finds(filled: str) -> None:
    whole = AuditReport(ROWS, ROWS, 0, [])
    assert audited(filled, ROWS) == (whole, [3] * 10)
    falsify(filled)
    database = Database(filled)
    with database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO course_counter VALUES ('python', 'progress', '', 0, 0, 7)")
        for topic in "hgfedcba":  # several faults of each learner
            figures = "0, " * len(PeriodSum._fields)
            row = f"id, '{topic}', 'python', 1, {figures.removesuffix(', ')}"
            connection.exec_driver_sql(f"INSERT INTO topic_sum SELECT {row} FROM learner")
    database.close()
    found, _ = audited(filled, ROWS)
    assert (found, found.found) == (audited(filled, 1)[0], 9 * ROWS + 1)
    assert not active_children()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_process_that_is_killed_ends_the_audit_with_a_reason(filled: str) -> None:
    def kill(_: int) -> None:
        for one in active_children():
            one.kill()

    database = Database(filled)
    with pytest.raises(AuditBroken, match="run `headway audit` again"), auditors(filled, ROWS) as each:
        audit(database, Catalog(), progress=kill, each=each)
    database.close()
    assert not active_children()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "why",
    [OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), ValueError("bad value(s) in fds_to_keep")],
    ids=["there are too many", "another was ended just now"],
)
def test_a_process_that_cannot_begin_ends_the_audit_with_a_reason(
    filled: str, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    begin, begun = ProcessPoolExecutor._spawn_process, list[int]()  # type: ignore[attr-defined]  # there is no other way

    def refused(pool: ProcessPoolExecutor) -> None:
        if begun:
            raise why
        begun.append(1)
        begin(pool)

    monkeypatch.setattr(ProcessPoolExecutor, "_spawn_process", refused)
    database = Database(filled)
    with pytest.raises(AuditBroken, match="run `headway audit` again"), auditors(filled, ROWS) as each:
        audit(database, Catalog(), each=each)
    database.close()
    assert not active_children()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_restore_whose_audit_breaks_has_said_what_it_restored(
    filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    hand_to = side_by_side._handed_to

    def killed(pool: ProcessPoolExecutor, work: Callable[[], object]) -> Future[object]:
        handed = hand_to(pool, work)
        for one in active_children():
            one.kill()
        return handed

    saved, restored = tmp_path / "saved.hw", f"sqlite:///{tmp_path / 'restored.db'}"
    backup(saved, database=filled)
    monkeypatch.setattr(side_by_side, "_handed_to", killed)
    with pytest.raises(AuditBroken):
        restore(saved, database=restored, as_json=as_json)
    assert not active_children()
    told = capsys.readouterr()
    assert f"Restored {ROWS} learners with {ROWS} entries" in (told.err if as_json else told.out)
    assert audited(restored, 1)[0] == AuditReport(ROWS, ROWS, 0, [])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_where_no_processes_can_work_together_one_audits_alone(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing.SemLock", refused)
    database = Database(filled)
    with auditors(filled, ROWS) as each:
        assert each is None
        assert audit(database, Catalog(), each=each).clean
    database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_they_end_with_the_one_that_began_them(filled: str, tmp_path: Path, number: int) -> None:
    script = tmp_path / "begun.py"
    script.write_text(BEGUN)
    begun = subprocess.Popen(
        [sys.executable, str(script), filled], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert begun.stdout is not None
    ids = [int(one) for one in begun.stdout.readline().split()]
    assert len(ids) == 2
    if number == signal.SIGINT:  # as a keyboard does: to all of them
        os.killpg(begun.pid, number)
    else:
        begun.send_signal(number)
    _, said = begun.communicate(timeout=PATIENCE_S)
    assert begun.returncode != 0
    assert b"SpawnProcess" not in said
    until = time.monotonic() + PATIENCE_S
    while any(is_alive(one) for one in ids):
        assert time.monotonic() < until, ids
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
