"""Exports over HTTP: streamed, whole, one's own or an admin's to see."""

import asyncio
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from headway.http.exporting import Streamed
from headway.ledger.archive import archive
from tests.http.server import Site
from tests.http.test_events import event, send


def test_an_export_is_whole_and_a_file(site: Site) -> None:
    ada = site.person("ada@example.org")
    send(ada, *(event(type="completed", step="for-1") for _ in range(3)))
    reply = ada.get("/progress/export")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["content-disposition"].startswith('attachment; filename="headway-export-2')
    assert reply.headers["cache-control"] == "private, no-cache"
    whole = reply.json()
    assert (whole["complete"], whole["learner"]["email"]) == (True, "ada@example.org")
    assert [one["type"] for one in whole["events"]].count("completed") == 3
    assert not any(one in reply.text for one in ("_hash", "argon2"))
    history = ada.get("/progress/export?format=csv")
    assert (history.status_code, history.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert history.content.startswith(b"\xef\xbb\xbfoccurred_at,day,course")
    assert ada.get("/progress/export?format=xml").status_code == 422


def test_nobody_reads_as_empty_and_others_are_not_there(site: Site) -> None:
    ada, admin = site.person("ada@example.org"), site.person("root@example.org", "admin")
    ada_id = ada.get("/auth/me").json()["learner"]["id"]
    nobody = site.client().get("/progress/export").json()
    assert (nobody["learner"], nobody["events"], nobody["complete"]) == (None, [], True)
    assert admin.get(f"/progress/export?learner={ada_id}").json()["learner"]["id"] == ada_id
    assert site.person("bob@example.org").get(f"/progress/export?learner={ada_id}").status_code == 404
    assert json.loads(admin.get("/progress/export").content)["complete"]


def test_what_lies_in_an_archive_that_is_away_is_told_and_all_else_goes_on(sqlite_site: Site) -> None:
    ada = sqlite_site.person("ada@example.org")
    sent = [event(type="completed", step="for-1") for _ in range(3)]
    send(ada, *sent)
    database = sqlite_site.database
    assert archive(database, before=2**62, now=lambda: 1).entries == 3
    (file,) = database.archive.folder.iterdir()
    away = file.rename(file.with_name("away"))
    with capture_logs() as log:
        refused = ada.get("/progress/events")
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/archive-unavailable")
    # Where it lies is for whoever reads the log.
    assert (str(file.parent) in refused.text, "headway" in refused.json()["detail"]) == (False, False)
    assert f"{file} is missing" in str(log)
    for form in ("json", "csv"):
        with pytest.raises(httpx2.RemoteProtocolError):  # a table cut between two rows would look whole
            ada.get(f"/progress/export?format={form}")
    assert [one["status"] for one in send(ada, *sent)["results"]] == ["duplicate"] * 3
    assert ada.get("/progress").status_code == 200
    away.rename(file)
    assert ada.get("/progress/export").json()["complete"]


def test_nothing_more_is_made_for_a_client_that_has_gone() -> None:
    made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal made
        while made < 1_000:
            made += 1
            yield b"x"

    async def run(work: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(work)

    taken, enough = 0, asyncio.Event()

    async def take(_: Any) -> None:
        nonlocal taken
        taken += 1
        if taken == 5:
            enough.set()

    async def receive() -> Any:
        await enough.wait()
        return {"type": "http.disconnect"}

    exchange: Any = SimpleNamespace(method="GET", services=SimpleNamespace(run=run))
    asyncio.run(Streamed(exchange, pieces(), (b"text/csv", "x.csv"))({}, receive, take))
    assert made < 20
