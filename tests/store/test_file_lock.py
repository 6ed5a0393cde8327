"""The lock beside a SQLite file: one at a time, threads and processes alike, and nobody polls."""

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from headway.store.database import Database
from headway.store.file_lock import FileLock
from headway.store.migrate import migrate

HOLD = """
import sys
from pathlib import Path
from headway.store.file_lock import FileLock
with FileLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.readline()
"""
BUMP = """
import sys
from pathlib import Path
from headway.store.file_lock import FileLock
lock, number = FileLock(Path(sys.argv[1])), Path(sys.argv[2])
for _ in range(200):
    with lock.held():
        number.write_text(str(int(number.read_text()) + 1))
"""
LOOK = """
import sys
from headway.store.database import Database
database = Database(sys.argv[1])
with database.read() as connection:
    print(connection.exec_driver_sql("SELECT count(*) FROM made").scalar())
database.close()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until it is told otherwise."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_processes_and_threads_exclude_one_another(tmp_path: Path) -> None:
    path, number = tmp_path / "lock", tmp_path / "number"
    number.write_text("0")
    others = [subprocess.Popen([sys.executable, "-c", BUMP, str(path), str(number)]) for _ in range(2)]

    def bump() -> None:
        for _ in range(200):
            with FileLock(path).held():
                number.write_text(str(int(number.read_text()) + 1))

    threads = [threading.Thread(target=bump) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(30) for process in others] == [0, 0]
    assert number.read_text() == "800"


@pytest.mark.skipif(sys.platform != "linux", reason="counts how often a thread was put to sleep")
def test_who_waits_for_the_lock_sleeps_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    waited: list[int] = []

    def wait() -> None:
        before = slept()
        with FileLock(path).held():
            waited.append(slept() - before)

    def slept() -> int:
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

    with FileLock(path).held():
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.5)
        assert not waited
    waiting.join()
    # Looking every hundredth of a second would come to fifty.
    assert waited[0] < 10


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = holder(path)
    assert FileLock(path).take() is None
    process.kill()
    process.communicate()
    with FileLock(path).held():
        pass


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    for _ in range(3):
        try:
            with lock.held():
                raise ValueError
        except ValueError:
            pass
    assert lock.take() is not None


def test_one_server_at_a_time_has_a_sqlite_file_and_any_number_a_postgresql(sqlite_url: str) -> None:
    database, other = Database(sqlite_url), Database(sqlite_url)
    mine, theirs = database.server_lock(), other.server_lock()
    assert mine is not None
    assert theirs is not None
    assert mine.take() is not None
    assert theirs.take() is None
    # Commands go on beside a server.
    with other.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE made (id integer)")
    assert Database("postgresql://localhost/headway").server_lock() is None
    database.close()
    other.close()


def test_a_transaction_waits_for_that_of_another_process(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    assert database.path is not None
    process = holder(database.path.with_name(database.path.name + "-lock"))
    done = threading.Event()

    def write() -> None:
        with database.transaction() as connection:
            connection.exec_driver_sql("CREATE TABLE made (id integer)")
        done.set()

    writing = threading.Thread(target=write)
    writing.start()
    assert not done.wait(0.2)
    process.communicate("go\n")
    assert done.wait(20)
    writing.join()
    database.close()


def test_nobody_who_looks_in_takes_the_log_away_from_whoever_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    database = Database(url)
    with database.read():
        pass
    migrate(database)  # which finds a file that this process has open
    for number in range(2):
        with database.transaction() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS made (id integer)")
            connection.exec_driver_sql("INSERT INTO made VALUES (1)")
        seen = subprocess.run([sys.executable, "-c", LOOK, url], capture_output=True, text=True, check=True).stdout
        assert int(seen) == number + 1, "what was committed is seen by this process alone"
        assert (tmp_path / "new.db-wal").exists()
    database.close()


def test_whoever_comes_by_a_symbolic_link_meets_the_same_locks(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(tmp_path / "real.db")
    one, other = (Database(f"sqlite:///{path}").server_lock() for path in (tmp_path / "real.db", link))
    assert one is not None
    assert other is not None
    held = one.take()
    assert held is not None
    assert other.take() is None
    os.close(held)
