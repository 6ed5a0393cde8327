"""`headway admin create`: an account that can sign in, and a role for one that is there."""

import json
from pathlib import Path

import httpx2

from tests.torture.proof import query
from tests.torture.server import Command, Server

PASSWORD = "correct horse battery"


def create(url: str, *flags: str, given: str = f"{PASSWORD}\n") -> Command:
    return Command("admin", "create", " Ada@Example.org ", *flags, "--database", url, given=given)


def test_the_account_can_sign_in_with_its_role(sqlite_url: str, tmp_path: Path) -> None:
    assert create(sqlite_url).out == "Made ada@example.org an account as admin.\n"
    with Server(sqlite_url, tmp_path) as server:
        given = {"email": "ada@example.org", "password": PASSWORD}
        reply = httpx2.post(f"http://127.0.0.1:{server.port}/api/v1/auth/login", json=given, timeout=30)
    assert reply.status_code == 200
    assert reply.json()["learner"]["roles"] == ["admin"]


def test_who_is_there_keeps_all_and_gains_the_role(database_url: str) -> None:
    first = json.loads(create(database_url, "--json", "--role", "creator").out)
    again = json.loads(create(database_url, "--json", given="another password\r\nmore").out)
    assert (first["created"], again["created"]) == (True, False)
    assert again == first | {"role": "admin", "created": False}
    assert query(database_url, "SELECT email, roles FROM learner") == [("ada@example.org", "admin creator")]
    create(database_url)
    noted = query(database_url, "SELECT kind, detail, count(*) FROM security_event GROUP BY kind, detail ORDER BY 1, 2")
    assert noted == [("password-changed", None, 2), ("role-given", "admin", 1), ("role-given", "creator", 1)]


def test_a_password_that_is_none_makes_nothing(sqlite_url: str) -> None:
    for given in ("", "short\n"):
        done = create(sqlite_url, given=given)
        assert (done.code, "password must have 8" in done.err) == (1, True), str(done)
    assert query(sqlite_url, "SELECT count(*) FROM learner") == [(0,)]


def test_a_password_that_is_guessed_first_is_refused(sqlite_url: str) -> None:
    done = create(sqlite_url, given="password1\n")
    assert (done.code, "one of the commonest" in done.err) == (1, True), str(done)


def test_what_happened_is_shown_the_newest_first(database_url: str, tmp_path: Path) -> None:
    create(database_url)
    with Server(database_url, tmp_path) as server:
        for password in ("a wrong one", PASSWORD):
            given = {"email": "ada@example.org", "password": password}
            httpx2.post(f"http://127.0.0.1:{server.port}/api/v1/auth/login", json=given, timeout=30)
    shown = Command("admin", "log", "--database", database_url)
    assert shown.code == 0, str(shown)
    kinds = [line.split()[1] for line in shown.out.splitlines()]
    assert kinds == ["signed-in", "sign-in-failed", "role-given"]
    ((learner_id,),) = query(database_url, "SELECT id FROM learner")
    flags = ("--learner", str(learner_id), "--limit", "2", "--json", "--database", database_url)
    items = json.loads(Command("admin", "log", *flags).out)["items"]
    assert [(one["kind"], one["address"]) for one in items] == [
        ("signed-in", "127.0.0.1"),
        ("sign-in-failed", "127.0.0.1"),
    ]
    none = Command("admin", "log", "--learner", "nobody", "--database", database_url)
    assert (none.code, none.out) == (1, "")
