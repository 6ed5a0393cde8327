"""The keys that sign: one at a time whoever makes them, and what is put down leaves nothing to steal."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from headway.certificates.keys import is_sealed, open_key
from headway.ledger.signing_keys import UnknownKey, first_key, next_key, retire
from headway.store import signing_keys
from tests.ledger.world import NOON, World

SECRET = "a secret that is long enough"
AT_ONCE = 4
MAKE = """
import sys
from headway.ledger.signing_keys import first_key, next_key
from headway.store.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print({"first": first_key, "next": next_key}[sys.argv[2]](database, None, now=int(sys.argv[3]))["id"], flush=True)
"""


def rows(world: World) -> list[dict[str, Any]]:
    with world.database.read() as connection:
        return [dict(row) for row in signing_keys.listed(connection)]


def signing(world: World) -> list[str]:
    return [row["id"] for row in rows(world) if row["signs"]]


def test_the_first_key_is_made_once(world: World) -> None:
    made = first_key(world.database, None, now=NOON)
    assert first_key(world.database, SECRET, now=NOON + 1) == made
    assert [row["id"] for row in rows(world)] == signing(world) == [made["id"]]
    assert open_key(made["id"], made["secret"], None).sign(b"x")


def test_the_next_key_signs_and_of_the_one_before_the_public_half_alone_is_left(world: World) -> None:
    first = first_key(world.database, None, now=NOON)
    second = next_key(world.database, SECRET, now=NOON + 1)
    assert signing(world) == [second["id"]]
    assert is_sealed(second["secret"])
    newest, oldest = rows(world)
    assert newest["id"] == second["id"]
    assert oldest == {"id": first["id"], "secret": None, "signs": None, "created_at": NOON, "retired_at": None}


def test_a_retired_key_signs_no_more_and_another_is_made_when_one_is_needed(world: World) -> None:
    first = first_key(world.database, None, now=NOON)
    retired = retire(world.database, first["id"], now=NOON + 1)
    assert (retired["retired_at"], retired["secret"], retired["signs"]) == (NOON + 1, None, None)
    assert retire(world.database, first["id"], now=NOON + 2) == retired
    assert first_key(world.database, None, now=NOON + 3)["id"] != first["id"]
    assert len(rows(world)) == 2


def test_an_older_key_is_retired_and_the_one_that_signs_goes_on(world: World) -> None:
    first = first_key(world.database, None, now=NOON)
    second = next_key(world.database, None, now=NOON + 1)
    retire(world.database, first["id"], now=NOON + 2)
    assert signing(world) == [second["id"]]


@pytest.mark.parametrize("key_id", ["", "z6Mk", "\x00", "x" * 5000])
def test_a_key_that_there_is_not_is_refused(sqlite_world: World, key_id: str) -> None:
    with pytest.raises(UnknownKey) as refusal:
        retire(sqlite_world.database, key_id, now=NOON)
    assert len(refusal.value.detail) < 200


@pytest.mark.parametrize("which", ["first", "next"])
def test_of_processes_that_make_a_key_at_once_one_signs(world: World, which: str) -> None:
    command = [sys.executable, "-c", MAKE, world.url, which, str(NOON)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(AT_ONCE)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate(timeout=60)[0].strip() for one in started]
    assert [one.returncode for one in started] == [0] * AT_ONCE
    assert len(signing(world)) == 1
    assert set(signing(world)) <= set(told)
    if which == "first":
        assert set(told) == set(signing(world))
        assert len(rows(world)) == 1
    else:
        assert len(set(told)) == AT_ONCE
        assert sum(row["secret"] is not None for row in rows(world)) == 1


def test_threads_of_one_process_agree_on_the_first_key(world: World) -> None:
    together, told = threading.Barrier(AT_ONCE), []

    def make() -> None:
        together.wait()
        told.append(first_key(world.database, None, now=NOON)["id"])

    threads = [threading.Thread(target=make) for _ in range(AT_ONCE)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert told == signing(world) * AT_ONCE


def test_nothing_of_a_private_half_is_left_in_the_file(sqlite_world: World) -> None:
    world = sqlite_world
    kept = first_key(world.database, None, now=NOON)["secret"].encode()
    assert world.database.path is not None
    assert kept in everything(world.database.path)
    next_key(world.database, None, now=NOON + 1)
    assert world.database.scrub()
    assert kept not in everything(world.database.path)


def everything(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
