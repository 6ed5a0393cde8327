"""What admins have done to their site over HTTP: an audit in the background, figures worked out again, its state."""

import json
import time
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest

from headway import __version__
from headway.http import admin_upkeep
from headway.ledger import auditing
from headway.ledger.backup import backup
from headway.store import upkeep
from headway.store.catalog import Catalog
from headway.store.migrate import newest
from tests.http.server import Site
from tests.http.test_events import event
from tests.torture.server import Command

ID = "00000000-0000-4000-8000-00000000000a"


def now() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def admin(site: Site) -> httpx2.Client:
    """An admin of a site with two learners who did something."""
    for _ in range(2):
        site.guest().post("/events", json={"events": [event(step="for-1", type="completed"), event(step="fizz")]})
    return site.person("admin@example.org", "admin")


def falsify(site: Site) -> None:
    with site.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE step_sum SET attempts = attempts + 5 WHERE step_id = 'fizz'")


def ended(admin: httpx2.Client, audit_id: str) -> dict[str, Any]:
    """An audit once it is over."""
    until = time.monotonic() + 30
    while (found := admin.get(f"/admin/audit/{audit_id}").json())["status"] == "running":
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return dict(found)


def test_an_audit_runs_in_the_background_and_tells_what_it_found(site: Site, admin: httpx2.Client) -> None:
    begun = admin.post("/admin/audit?background=true")
    assert begun.status_code == 202
    assert (begun.json()["status"], begun.json()["total"], begun.json()["report"]) == ("running", 3, None)
    clean = ended(admin, begun.json()["id"])
    assert (clean["status"], clean["done"], clean["report"]["faults"]) == ("clean", 3, [])
    assert clean["report"]["events"] == 4
    falsify(site)
    found = ended(admin, admin.post("/admin/audit?background=true").json()["id"])
    assert (found["status"], found["report"]["found"]) == ("found", 2)
    fault = found["report"]["faults"][0]
    assert (fault["table"], fault["column"], fault["stored"], fault["true"]) == ("step_sum", "attempts", 6, 1)
    assert admin.get("/admin/system").json()["last_audit"] == found
    assert admin.get(f"/admin/audit/{ID}").status_code == 404
    assert admin.get("/admin/audit/none").status_code == 404


def test_an_audit_that_is_waited_for_tells_of_whom_anything_differs(site: Site, admin: httpx2.Client) -> None:
    clean = admin.post("/admin/audit")
    assert clean.status_code == 200
    audit_id = clean.json()["id"]
    assert clean.json() == {"id": audit_id, "total": 3, "updated": 0, "unchanged": 3, "found": 0, "updates": []}
    falsify(site)
    found = admin.post("/admin/audit").json()
    assert (found["total"], found["updated"], found["unchanged"], found["found"]) == (3, 2, 1, 2)
    assert [(one["field"], one["key"], one["old"], one["new"]) for one in found["updates"]] == [
        ("step_sum.attempts", "python-basics/1/fizz", 6, 1)
    ] * 2
    assert len({one["learner"] for one in found["updates"]}) == 2
    assert admin.get(f"/admin/audit/{found['id']}").json()["report"]["differing"] == 2


@pytest.mark.parametrize("how", ["stopped", "its report is gone"])
def test_who_waits_for_an_audit_that_has_no_report_is_told(
    site: Site, admin: httpx2.Client, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    begun, _ = auditing.begin(site.database, now=now())
    wait, stopping = admin_upkeep._over, Event()

    async def over(*args: Any) -> Any:
        """The audit ends once somebody waits for it."""
        if how == "stopped":
            stopping.set()
        auditing.run(site.database, Catalog(), begun["id"], now=now, stopping=stopping)
        with site.database.transaction() as connection:
            connection.exec_driver_sql("UPDATE upkeep SET report = NULL")
        return await wait(*args)

    monkeypatch.setattr(admin_upkeep, "_over", over)
    reply = admin.post("/admin/audit")
    assert (reply.status_code, reply.json()["type"]) == (503, "/problems/unavailable")
    assert "begin another" in reply.json()["detail"]


def test_one_audit_is_under_way_at_a_time_until_its_process_has_ended(site: Site, admin: httpx2.Client) -> None:
    begun, is_new = auditing.begin(site.database, now=now())
    assert is_new
    again = admin.post("/admin/audit?background=true").json()
    assert (again["id"], again["status"]) == (begun["id"], "running")
    assert admin.get("/admin/system").json()["audit_under_way"]["id"] == begun["id"]
    with site.database.transaction() as connection:
        upkeep.note(connection, begun["id"], now() - auditing.LOST_AFTER - 1, 0)
    assert admin.get(f"/admin/audit/{begun['id']}").json()["status"] == "lost"
    other = admin.post("/admin/audit?background=true").json()
    assert other["id"] != begun["id"]
    assert ended(admin, other["id"])["status"] == "clean"
    assert admin.get(f"/admin/audit/{begun['id']}").json()["status"] == "lost"


def test_an_audit_ends_with_its_server_and_when_it_was_given_up(site: Site, admin: httpx2.Client) -> None:
    begun, _ = auditing.begin(site.database, now=now())
    stopping = Event()
    stopping.set()
    auditing.run(site.database, Catalog(), begun["id"], now=now, stopping=stopping)
    assert admin.get(f"/admin/audit/{begun['id']}").json()["status"] == "stopped"
    progress = auditing._Progress(site.database, begun["id"], now, Event())
    with pytest.raises(auditing.AuditStopped, match="lost"):
        progress._note()


def test_a_backfill_tells_from_what_to_what_each_figure_changes_and_a_dry_run_tells_the_same(
    site: Site, admin: httpx2.Client
) -> None:
    falsify(site)
    dry = admin.post("/admin/backfill?dry_run=true").json()
    assert (dry["dry_run"], dry["total"], dry["updated"], dry["unchanged"], dry["broken"]) == (True, 3, 2, 1, 0)
    assert [(one["field"], one["key"], one["old"], one["new"]) for one in dry["updates"]] == [
        ("step_sum.attempts", "python-basics/1/fizz", 6, 1)
    ] * 2
    assert len({one["learner"] for one in dry["updates"]}) == 2
    assert admin.post("/admin/backfill?dry_run=true").json() == dry
    assert admin.post("/admin/backfill").json() == dry | {"dry_run": False}
    nothing = {"total": 3, "updated": 0, "unchanged": 3, "broken": 0, "updates": []}
    assert admin.post("/admin/backfill").json() == {"dry_run": False, **nothing}
    assert admin.post("/admin/backfill?dry_run=true").json() == {"dry_run": True, **nothing}


def test_the_command_tells_beside_the_server_what_a_backfill_does(site: Site, admin: httpx2.Client) -> None:
    falsify(site)
    database = site.database.url.render_as_string(hide_password=False)
    dry = admin.post("/admin/backfill?dry_run=true").json()
    told = json.loads(Command("rebuild", "--dry-run", "--json", "--database", database).out)
    assert {name: told[name] for name in dry} == dry
    assert told.keys() - dry.keys() == {"found", "faults"}
    done = json.loads(Command("rebuild", "--json", "--database", database).out)
    assert {name: done[name] for name in dry} == dry | {"dry_run": False}
    assert admin.post("/admin/backfill?dry_run=true").json()["updated"] == 0


def test_the_system_is_told_as_it_is(site: Site, admin: httpx2.Client, tmp_path: Path) -> None:
    found = admin.get("/admin/system").json()
    assert (found["headway"], found["learners"], found["workers"]) == (__version__, 3, 1)
    database, writer = found["database"], found["writer"]
    assert (database["kind"], database["revision"]) == (site.database.dialect, newest())
    assert database["size_bytes"] > 100_000
    assert (database["log_bytes"] is None) == (site.database.path is None)
    assert (writer["waiting_events"], writer["lag_s"]) == (0, 0.0)
    assert writer["commits"] >= 2
    assert found["last_backup"] is None
    made = backup(site.database, tmp_path / "saved.hw", now=now)
    saved = admin.get("/admin/system").json()["last_backup"]
    assert (saved["rows"], saved["size_bytes"], saved["sha256"]) == (made.totals.rows, made.size, made.totals.sha256)
