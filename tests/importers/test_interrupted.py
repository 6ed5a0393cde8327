"""An import that was killed is run again: what stands in the end is what one undisturbed run would have left."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.store.database import Database
from headway.store.schema import course_version, learner, ledger
from headway.store.sums import ALL
from tests.postgres import Postgres
from tests.torture.proof import assert_audit_is_clean
from tests.torture.server import HEADWAY, Command, environment

pytestmark = pytest.mark.long

KILLS = 2
EVENTS = 8_000
PATIENCE_S = 60
# When a record came in differs between runs, and nothing that is shown depends on it.
OF_THE_RUN = ("received_at", "changes", "created_at", "published_at")
# What is granted is an entry among those that were sent, under an id of its own.
OF_GRANTS = {"ledger": ("seq",), "granted": ("event_id",)}
COURSE = "{id: c, title: C, modules: [{id: m, title: M, steps: [{id: s, kind: exercise, title: S}]}]}"
EVENT = (
    '{"learner": "s:%d", "type": "attempted", "course": "c", "step": "s", "score": 1,'
    ' "occurred_at": "2026-03-01T09:00:%02dZ"}\n'
)
SENT = ledger.c.source != "server"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some thousands of solutions by a hundred learners: more than a dozen transactions."""
    problems = {f"p{n}": {"difficulty": "Easy", "categories": [f"Topic {n % 7}"]} for n in range(60)}
    (tmp_path / "problems.json").write_text(json.dumps(problems))
    rows = ["batch,learner,problem,lang,change,authored_at"]
    for n in range(EVENTS):
        at = f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:00:00+09:00"
        rows.append(f"c{n},u{n % 101},p{n * 7 % 60},py,A,{at}")
    (tmp_path / "activity.csv").write_text("\n".join(rows))
    return tmp_path


@pytest.fixture(params=["sqlite", "postgresql"])
def two_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two empty databases of one kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'one.db'}", f"sqlite:///{tmp_path / 'two.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.fresh() as one, postgres.fresh() as two:
        yield one, two


def test_killed_runs_come_to_what_one_run_comes_to(two_urls: tuple[str, str], folder: Path) -> None:
    killed, whole = two_urls
    Command("migrate", "--database", killed)
    left: list[int] = []
    for _ in range(KILLS):
        with running(killed, folder) as process:
            wait_for_entries(killed, process, beyond=left[-1] if left else 0)
            process.send_signal(signal.SIGKILL)
        left.append(entries(killed))
    assert_audit_is_clean(killed)
    assert 0 < left[0] < left[-1] < EVENTS  # else nothing was interrupted
    last = Command("import", "dalestudy", str(folder), "--database", killed, "--json")
    summary = json.loads(last.out)
    assert (summary["recorded"], summary["duplicates"]) == (EVENTS - left[-1], left[-1])
    assert Command("import", "dalestudy", str(folder), "--database", whole).code == 0
    assert everything(killed) == everything(whole)
    assert_audit_is_clean(killed)


def test_stopped_from_the_keyboard_it_says_so_and_no_more(tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path / 'one.db'}", tmp_path / "events.jsonl"
    Command("course", "publish", "-", "--database", url, given=COURSE)
    path.write_text("".join(EVENT % (n % 3_000, n % 60) for n in range(60_000)))
    command = [HEADWAY, "import", "jsonl", str(path), "--database", url]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment())
    wait_for_entries(url, process, beyond=0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said.decode()) == (130, "headway: stopped\n")
    assert 0 < entries(url) < 60_000
    assert_audit_is_clean(url)


@contextmanager
def running(database: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [HEADWAY, "import", "dalestudy", str(folder), "--database", database]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_entries(database: str, process: subprocess.Popen[bytes], beyond: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and entries(database) <= beyond:
        assert time.monotonic() < until, "nothing is recorded"
        time.sleep(0.005)


def entries(url: str) -> int:
    database = Database(url)
    with database.read() as connection:
        count: int = connection.execute(sa.select(sa.func.count()).select_from(ledger).where(SENT)).scalar_one()
    database.close()
    return count


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored of learners and courses, but for when it came in, and for the ids of what was granted."""
    database = Database(url)
    found = {}
    with database.read() as connection:
        for table in (learner, course_version, ledger, *(kind.table for kind in ALL)):
            columns = [column for column in table.c if column.name not in (*OF_THE_RUN, *OF_GRANTS.get(table.name, ()))]
            statement = sa.select(*columns).order_by(*table.primary_key)
            rows = connection.execute(statement.where(SENT) if table is ledger else statement)
            found[table.name] = [tuple(row) for row in rows]
    database.close()
    return found
