"""`headway keys`: list, new, retire, beside a running server as well; no secret is ever shown."""

import json
import os
import subprocess
from typing import Any

import pytest
import sqlalchemy as sa

from headway.store.database import Database
from headway.store.migrate import migrate
from headway.store.schema import signing_key
from tests.torture.proof import query
from tests.torture.server import HEADWAY, Command, environment

SECRET = "a secret that is long enough"


@pytest.fixture
def url(database_url: str) -> str:
    database = Database(database_url)
    migrate(database)
    database.close()
    return database_url


def keys(url: str, *arguments: str) -> Any:
    done = Command("keys", *arguments, "--database", url, "--json")
    assert done.code == 0, str(done)
    return json.loads(done.out)


def sealed(url: str, *arguments: str, secret: str = SECRET) -> subprocess.CompletedProcess[str]:
    variables = environment() | {"HEADWAY_SIGNING_SECRET": secret}
    command = [HEADWAY, "keys", *arguments, "--database", url]
    return subprocess.run(command, capture_output=True, text=True, env=variables, check=False)


def test_there_is_none_at_first(url: str) -> None:
    assert keys(url, "list") == {"items": []}
    said = Command("keys", "list", "--database", url)
    assert (said.code, said.out) == (0, "")
    assert "headway keys new" in said.err


def test_the_newest_signs_and_those_before_it_verify_until_they_are_retired(url: str) -> None:
    first, second = keys(url, "new"), keys(url, "new")
    assert first["id"] != second["id"]
    listed = keys(url, "list")["items"]
    assert [(one["id"], one["state"], one["sealed"]) for one in listed] == [
        (second["id"], "signs", False),
        (first["id"], "verifies", None),
    ]
    retired = keys(url, "retire", second["id"], "--yes")
    assert (retired["state"], retired["sealed"]) == ("retired", None)
    assert retired["retired_at"] is not None
    assert [one["state"] for one in keys(url, "list")["items"]] == ["retired", "verifies"]
    assert keys(url, "retire", second["id"], "--yes") == retired
    shown = Command("keys", "list", "--database", url).out.splitlines()
    assert [line.split()[::2] for line in shown] == [[second["id"], "retired"], [first["id"], "verifies"]]


def test_nothing_secret_is_shown(url: str) -> None:
    for arguments in (("new",), ("list",), ("new", "--json"), ("list", "--json")):
        done = sealed(url, *arguments)
        assert done.returncode == 0, done.stderr
        kept = [row[0] for row in query(url, str(sa.select(signing_key.c.secret))) if row[0]]
        assert all(one.startswith("sealed:") for one in kept)
        for secret in (SECRET, *kept, *(one.partition(":")[2] for one in kept)):
            assert secret not in done.stdout + done.stderr


def test_a_key_that_lies_open_is_told_to(url: str) -> None:
    assert "signing_secret" in Command("keys", "new", "--database", url).err
    assert "signing_secret" not in sealed(url, "new").stderr


@pytest.mark.parametrize("secret", ["short", " "])
def test_a_secret_that_is_none_is_refused_without_showing_it(url: str, secret: str) -> None:
    done = sealed(url, "new", secret=secret)
    assert done.returncode == 2
    assert "16 characters" in done.stderr
    assert "short" not in done.stderr
    assert keys(url, "list") == {"items": []}


def test_retiring_asks_first_and_knows_its_keys(url: str) -> None:
    made = keys(url, "new")["id"]
    assert Command("keys", "retire", made, "--database", url, given="n\n").code == 1
    assert keys(url, "list")["items"][0]["state"] == "signs"
    wrong = Command("keys", "retire", "z6Mknone", "--database", url)
    assert (wrong.code, wrong.err) == (1, "headway: there is no key 'z6Mknone'; `headway keys list` shows them\n")
    assert Command("keys", "retire", made, "--database", url, given="y\n").code == 0
    assert keys(url, "list")["items"][0]["state"] == "retired"


def test_no_flag_takes_the_secret() -> None:
    assert "secret" not in Command("keys", "new", "--help").out
    assert os.environ.get("HEADWAY_SIGNING_SECRET") is None
