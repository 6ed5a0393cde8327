"""Leaderboards over HTTP: names and aliases, paging, one's own place, and who is not on them."""

import time
from typing import Any, TypeAlias
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa

from headway.http import board_keeping
from headway.http.cursors import write_cursor
from headway.ledger import boards
from headway.store.schema import board_row
from tests.http.server import PASSWORD, Site, serving


def solve(client: httpx2.Client, *steps: str) -> None:
    for step in steps:
        reply = client.post(f"/courses/python-basics/steps/{step}/completion", json={"id": str(uuid4())})
        assert reply.is_success, reply.text


def board(client: httpx2.Client, period: str = "all", **asked: Any) -> dict[str, Any]:
    reply = client.get(f"/leaderboards/{period}", params=asked)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def names(found: dict[str, Any]) -> list[tuple[int, str | None]]:
    return [(one["rank"], one["display_name"]) for one in found["items"]]


People: TypeAlias = dict[str, httpx2.Client]


@pytest.fixture
def people(site: Site) -> People:
    """Three learners, two of whom did the same."""
    found = {}
    for name in ("Ada", "Bo", "Cy"):
        found[name] = site.person(f"{name}@example.org")
        found[name].patch("/auth/me", json={"display_name": name})
        solve(found[name], "fizz")
    solve(found["Bo"], "for-1")
    return found


def test_a_board_tells_ranks_names_and_ones_own_place(site: Site, people: People) -> None:
    own = {"rank": 1, "display_name": "Bo", "points": 15, "solved": 1, "is_me": True}
    for period in ("day", "week", "month", "all"):
        found = board(people["Bo"], period, course="python-basics")
        assert [rank for rank, _ in names(found)] == [1, 2, 2]
        assert {name for _, name in names(found)} == {"Ada", "Bo", "Cy"}
        assert (found["me"], found["items"][0]) == (own, own)
        assert (found["period"], found["course"], found["time_zone"]) == (period, "python-basics", "UTC")
    client, shown, cursor = site.client(), [], None
    assert board(client)["me"] is None
    for _ in range(3):
        page = board(client, limit=1, **({"cursor": cursor} if cursor else {}))
        shown += names(page)
        cursor = page["next_cursor"]
    assert (cursor, shown) == (None, names(board(client)))
    alone = board(people["Ada"], around="me", limit=1)
    assert ([one["is_me"] for one in alone["items"]], alone["next_cursor"]) == ([True], None)
    assert len(board(people["Ada"], around="me")["items"]) == 3
    assert board(client, around="me")["items"] == []
    before, until = board(people["Ada"]), time.monotonic() + 30
    while boards.is_behind(site.database) and time.monotonic() < until:
        time.sleep(0.05)
    assert not boards.is_behind(site.database)
    assert board(people["Ada"]) == before


def test_what_is_no_board_is_refused(sqlite_site: Site) -> None:
    for name in ("Ada", "Bo"):
        solve(sqlite_site.person(f"{name}@example.org"), "fizz")
    client = sqlite_site.client()
    cursor = board(client, limit=1)["next_cursor"]
    statuses = {
        "/leaderboards/year": 404,
        "/leaderboards/all?course=none": 404,
        "/leaderboards/all?course=": 404,
        "/leaderboards/all?course=a%00b": 400,
        "/leaderboards/all?around=you": 422,
        "/leaderboards/all?limit=0": 422,
        "/leaderboards/all?limit=201": 422,
        "/leaderboards/all?cursor=x": 400,
        f"/leaderboards/all?cursor={write_cursor((1, 0))}": 400,
        f"/leaderboards/all?cursor={write_cursor((0, -1))}": 400,
        f"/leaderboards/all?cursor={write_cursor((-(2**70), 0))}": 400,
        f"/leaderboards/all?around=me&cursor={cursor}": 422,
    }
    replies = {path: client.get(path) for path in statuses}
    assert {path: one.status_code for path, one in replies.items()} == statuses
    assert {one.headers["content-type"] for one in replies.values()} == {"application/problem+json"}


def test_learners_say_whether_and_by_what_name_they_are_shown(site: Site, people: People) -> None:
    reply = people["Bo"].patch("/auth/me", json={"leaderboard_alias": " night owl "})
    assert reply.json()["learner"]["leaderboard_alias"] == "night owl"
    assert names(board(people["Ada"]))[0] == (1, "night owl")
    refused = people["Bo"].patch("/auth/me", json={"leaderboard_alias": "a\u0000b"})
    assert refused.json()["errors"][0]["field"] == "leaderboard_alias"
    people["Bo"].patch("/auth/me", json={"leaderboard_alias": None, "display_name": None})
    assert names(board(people["Ada"]))[0] == (1, None)
    for _ in range(2):
        reply = people["Bo"].patch("/auth/me", json={"leaderboard_opt_out": True})
        assert reply.json()["learner"]["leaderboard_opt_out"] is True
        assert {name for _, name in names(board(people["Ada"]))} == {"Ada", "Cy"}
        assert (board(people["Bo"])["me"], board(people["Ada"])["me"]["rank"]) == (None, 1)
        people["Bo"].patch("/auth/me", json={"leaderboard_opt_out": False})
        assert board(people["Bo"])["me"]["rank"] == 1
    assert people["Bo"].request("DELETE", "/auth/me", json={"password": PASSWORD}).status_code == 204
    assert {name for _, name in names(board(people["Ada"]))} == {"Ada", "Cy"}
    guest = site.client()
    solve(guest, "fizz", "for-1")
    assert (board(guest)["me"], len(board(guest)["items"])) == (None, 2)
    guest.post("/auth/register", json={"email": "di@example.org", "password": PASSWORD})
    assert board(guest)["me"] == {"rank": 1, "display_name": None, "points": 15, "solved": 1, "is_me": True}


def test_an_admin_has_boards_worked_out_anew(site: Site, people: People) -> None:
    admin = site.person("root@example.org", "admin")
    boards.count_all_in(site.database, now=time.time_ns() // 1000)
    right = board(people["Ada"])
    with site.database.transaction() as connection:
        connection.execute(sa.update(board_row).values(place=-(7 << 20)))
    dry = admin.post("/admin/leaderboards/rebuild", params={"dry_run": True}).json()
    told = admin.post("/admin/leaderboards/rebuild").json()
    assert dry == told | {"dry_run": True}
    assert (told["total"], told["updated"], told["unchanged"]) == (4, 3, 1)
    ada = people["Ada"].get("/auth/me").json()["learner"]["id"]
    assert {"learner": ada, "field": "site/all/points", "old": 7, "new": 10} in told["updates"]
    assert {"learner": ada, "field": "python-basics/all/solved", "old": 0, "new": 1} in told["updates"]
    assert board(people["Ada"]) == right
    assert admin.post("/admin/leaderboards/rebuild").json()["updated"] == 0


def test_in_another_zone_boards_are_worked_out_anew(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_keeping, "_PAUSE_S", 0.05)
    with serving(database_url) as site:
        site.publish()
        solve(site.person("ada@example.org"), "fizz")
    with serving(database_url, site_time_zone="Pacific/Kiritimati") as site:
        client, until = site.client(), time.monotonic() + 30
        while client.get("/leaderboards/day").status_code == 503 and time.monotonic() < until:
            time.sleep(0.05)
        found = board(client, "day")
        assert (found["time_zone"], len(found["items"])) == ("Pacific/Kiritimati", 1)
