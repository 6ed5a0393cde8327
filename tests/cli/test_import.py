"""`headway import` as an operator sees it: figures, rejects, exit codes, the bar."""

import fcntl
import gzip
import json
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path
from struct import unpack
from uuid import uuid4

import pytest

from tests.importers.conftest import PYTHON
from tests.importers.test_own_events import EVENT, jsonl
from tests.torture.proof import query
from tests.torture.server import HEADWAY, Command, environment


@pytest.fixture
def url(sqlite_url: str) -> str:
    Command("course", "publish", "-", "--database", sqlite_url, given=json.dumps(PYTHON))
    return sqlite_url


def test_figures_are_data_and_rejects_are_not(url: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "events", EVENT, {**EVENT, "step": "nope"}, {**EVENT, "type": "completed"})
    done = Command("import", "jsonl", str(path), "--database", url)
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()][1:6] == [
        ["records", "read", "3"],
        ["events", "recorded", "2"],
        ["there", "already", "0"],
        ["refused,", "unknown-step", "1"],
        ["learners", "1"],
    ]
    assert done.err.startswith(f"{path}:2: unknown-step: course python has no step 'nope'")


def test_json_has_it_all(url: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "events", EVENT, {**EVENT, "step": "nope"})
    said = json.loads(Command("import", "jsonl", str(path), "--json", "--database", url).out)
    (reject,) = said.pop("rejects")
    assert (reject["file"], reject["line"], reject["reason"]) == (str(path), 2, "unknown-step")
    assert said == {
        "format": "jsonl",
        "dry_run": False,
        "read": 2,
        "recorded": 1,
        "duplicates": 0,
        "refused": {"unknown-step": 1},
        "left_out": {},
        "courses": [],
        "learners": 1,
        "enrollments": 0,
        "streaks": 0,
        "doubted": {},
        "doubts": [],
    }


def test_standard_input_is_read(url: str) -> None:
    for recorded, duplicates in ((1, 0), (0, 1)):
        done = Command("import", "jsonl", "-", "--json", "--database", url, given=f"\ufeff{json.dumps(EVENT)}\r\n")
        said = json.loads(done.out)
        assert (said["recorded"], said["duplicates"], said["refused"]) == (recorded, duplicates, {})


@pytest.mark.parametrize("named", [False, True])
def test_an_import_that_waits_for_more_is_ended_from_the_keyboard(url: str, tmp_path: Path, named: bool) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    os.write(pipe, f"{json.dumps(EVENT)}\n".encode())
    command = [HEADWAY, "import", "jsonl", str(path) if named else "-", "--database", url]
    begun = subprocess.Popen(command, stdin=pipe, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    until = time.monotonic() + 30
    while unread(pipe):
        assert time.monotonic() < until
        time.sleep(0.01)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=30)
    assert (begun.returncode, b"Fatal" in said) == (130, False), said
    os.close(pipe)


def unread(pipe: int) -> int:
    """How many bytes wait in it."""
    return int(unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


def test_what_stands_before_a_damage_is_told_and_taken(url: str, tmp_path: Path) -> None:
    events = ({**EVENT, "id": str(uuid4()), "hints": n} for n in range(2000))
    lines = ["no event", *map(json.dumps, events)]
    whole = gzip.compress("".join(f"{one}\n" for one in lines).encode())
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    done = Command("import", "jsonl", str(path), "--database", url)
    first, last = done.err.splitlines()
    assert (done.code, first.startswith(f"{path}:1: ")) == (1, True), str(done)
    read = int(last.partition("damaged after line ")[2].partition(":")[0])
    assert query(url, "SELECT count(*) FROM ledger WHERE source = 'imported'") == [(read - 1,)]
    assert read > 500


def test_an_import_of_which_nothing_could_be_taken_has_failed(url: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "events", {**EVENT, "step": "nope"})
    done = Command("import", "jsonl", str(path), "--database", url)
    assert (done.code, done.out.partition("\n")[0]) == (1, "No event was imported: every record was refused.")
    (tmp_path / "events").write_text("")
    assert Command("import", "jsonl", str(path), "--database", url).code == 0


def test_a_dry_run_writes_nothing_and_makes_no_database(url: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "events", EVENT)
    done = Command("import", "jsonl", str(path), "--dry-run", "--database", url)
    assert (done.code, done.out.partition("\n")[0]) == (
        0,
        "A dry run: nothing was written. Importing would come to:",
    )
    assert query(url, "SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM learner)") == [(0,)]
    none = tmp_path / "none.db"
    assert Command("import", "jsonl", str(path), "--dry-run", "--database", f"sqlite:///{none}").code == 1
    assert not none.exists()


def test_a_terminal_gets_a_bar_and_the_figures_stay_clean(url: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "events", *({**EVENT, "hints": n} for n in range(900)), {**EVENT, "step": "nope"})
    terminal, process_side = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as seen:
        command = [HEADWAY, "import", "jsonl", str(path), "--database", url]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=process_side, env=environment() | {"TERM": "xterm"}, check=True
        )
        os.close(process_side)
        told = seen.read(100_000)
    assert b"Importing" in told
    assert b"unknown-step" in told
    assert done.stdout.startswith(b"Imported.\n")
    assert b"\x1b" not in done.stdout


def test_records_on_one_line_are_told_apart(sqlite_url: str, tmp_path: Path) -> None:
    good = {"exercise_id": "loops", "score": 85, "timestamp": "2024-03-01T10:00:00"}
    path = tmp_path / "attempts_7.json"
    path.write_text(json.dumps({"attempts": [good, good | {"score": "much"}, good, good | {"exercise_id": " "}]}))
    (tmp_path / "streaks.json").write_text('{"user_7": 3, "user_8": -1}')
    done = Command("import", "json-files", str(tmp_path), "--database", sqlite_url)
    assert [line.split(": ")[0] for line in done.err.splitlines()[:3]] == [
        f"{path}:1 record 2",
        f"{path}:1 record 4",
        f"{tmp_path / 'streaks.json'}:1 record 2",
    ], str(done)
    said = json.loads(
        Command("import", "json-files", str(tmp_path), "--dry-run", "--json", "--database", sqlite_url).out
    )
    assert [(one["line"], one["record"]) for one in said["rejects"]] == [(1, 2), (1, 4), (1, 2)]
