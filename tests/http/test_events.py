"""POST /events: every event once, each judged by itself, and a reply that means committed."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.store.schema import ledger, step_sum
from tests.http.server import Site

FIRST = "2026-01-01T10:00:00Z"


def event(step: str = "fizz", **fields: Any) -> dict[str, Any]:
    """An attempt of now, with an id of its own."""
    now = datetime.now(UTC).isoformat()
    return {
        "id": str(uuid.uuid4()),
        "type": "attempted",
        "course": "python-basics",
        "step": step,
        "occurred_at": now,
    } | fields


def send(client: httpx2.Client, *events: Any, **fields: Any) -> Any:
    """The reply to a batch that is taken."""
    reply = client.post("/events", json={"events": events, **fields})
    assert reply.status_code == 200, reply.text
    return reply.json()


def counted(site: Site, table: sa.Table) -> int:
    """How many rows a table has."""
    with site.database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_an_attempt_that_passes_completes_its_step(site: Site) -> None:
    sent = event(score=85, duration_s=12.5, hints=2)
    reply = send(site.guest(), sent)
    assert reply["results"] == [{"id": sent["id"], "status": "recorded"}]
    step = reply["steps"][0]
    at = step["completed_at"]
    assert datetime.fromisoformat(at) == datetime.fromisoformat(sent["occurred_at"])
    assert step == {
        "course": "python-basics",
        "step": "fizz",
        "status": "completed",
        "attempts": 1,
        "best_score": 0.85,
        "latest_score": 0.85,
        "first_score": 0.85,
        "completed": True,
        "completed_at": at,
        "duration_s": 12.5,
        "hints": 2,
        "updated_at": at,
    }
    assert [one["type"] for one in reply["changes"]] == ["step_completed", "streak_extended"]


def test_the_same_event_twice_counts_once(site: Site) -> None:
    client, sent = site.guest(), event(score=0.4)
    first, again = send(client, sent), send(client, sent)
    assert [one["results"][0]["status"] for one in (first, again)] == ["recorded", "duplicate"]
    assert again["steps"][0]["attempts"] == 1
    assert counted(site, ledger) == 1


def test_an_id_with_other_content_is_refused_and_changes_nothing(site: Site) -> None:
    client, sent = site.guest(), event(score=0.4)
    send(client, sent)
    reply = send(client, {**sent, "score": 0.9})
    result = reply["results"][0]
    assert (result["status"], result["problem"]["type"]) == ("refused", "/problems/id-reused")
    assert result["problem"]["status"] == 409
    assert counted(site, ledger) == 1


def test_one_bad_event_refuses_itself_alone_and_results_keep_the_order_of_the_request(site: Site) -> None:
    good, late = event(score=1), event("for-1", type="completed", occurred_at="2026-01-01T10:00:00Z")
    bad = [event(hints=-1), event(course="none"), event("none"), event("quiz", score=1), {"id": 7}, event(color="red")]
    reply = send(site.guest(), bad[0], good, *bad[1:4], late, *bad[4:])
    results = reply["results"]
    told = [one.get("problem", {}).get("type", one["status"]) for one in results]
    assert told == [
        "/problems/invalid",
        "recorded",
        "/problems/unknown-course",
        "/problems/unknown-step",
        "/problems/graded-step",
        "recorded",
        "/problems/invalid",
        "/problems/invalid",
    ]
    assert [one["problem"]["errors"][0]["field"] for one in (results[0], results[6], results[7])] == [
        "hints",
        "id",
        "color",
    ]
    assert [one["id"] for one in results] == [
        bad[0]["id"],
        good["id"],
        *(one["id"] for one in bad[1:4]),
        late["id"],
        None,
        bad[5]["id"],
    ]
    assert {one["step"] for one in reply["steps"]} == {"fizz", "for-1"}
    assert counted(site, ledger) == 2


def test_an_event_that_cannot_be_read_costs_none_of_the_others(site: Site) -> None:
    client, sent = site.guest(), [event(score=1), event(score="VALUE"), event(score=0.5, occurred_at=FIRST)]
    body = json.dumps({"events": sent, "sent_at": sent[0]["occurred_at"]}).replace('"VALUE"', "1e999")
    reply = client.post("/events", content=body).json()
    assert [(one["id"], one["status"]) for one in reply["results"]] == [
        (sent[0]["id"], "recorded"),
        (sent[1]["id"], "refused"),
        (sent[2]["id"], "recorded"),
    ]
    assert (reply["steps"][0]["attempts"], reply["steps"][0]["first_score"]) == (2, 0.5)
    assert counted(site, ledger) == 2


def test_sixty_four_at_once_on_one_step_are_sixty_four_attempts_of_one_row(site: Site) -> None:
    token = site.client().post("/auth/guest").json()["token"]

    def attempt(_: int) -> str:
        with site.client(token) as client:
            return str(send(client, event(score=0.5))["results"][0]["status"])

    with ThreadPoolExecutor(64) as pool:
        assert set(pool.map(attempt, range(64))) == {"recorded"}
    with site.database.read() as connection:
        assert list(connection.execute(sa.select(step_sum.c.attempts)).scalars()) == [64]


def test_the_same_event_sent_by_sixteen_at_once_counts_once(site: Site) -> None:
    token, sent = site.client().post("/auth/guest").json()["token"], event(score=0.5)

    def attempt(_: int) -> str:
        with site.client(token) as client:
            return str(send(client, sent)["results"][0]["status"])

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(attempt, range(16))) == ["duplicate"] * 15 + ["recorded"]


def test_a_clock_that_is_ahead_is_flagged_and_sent_at_corrects_it(sqlite_site: Site) -> None:
    client = sqlite_site.guest()
    ahead = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    flagged = send(client, event(occurred_at=ahead))
    assert flagged["results"][0]["flags"] == ["clock-ahead"]
    corrected = send(client, event("for-1", occurred_at=ahead), sent_at=ahead)
    assert corrected["results"][0]["flags"] == ["clock-corrected"]
    again = event("for-1", occurred_at=ahead)
    send(client, again, sent_at=ahead)
    assert "flags" not in send(client, again, sent_at=ahead)["results"][0], "of a repeat nothing is corrected"
    shown = datetime.fromisoformat(corrected["steps"][0]["updated_at"])
    assert abs(shown - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_clock_that_is_right_within_five_minutes_is_believed(sqlite_site: Site) -> None:
    said = (datetime.now(UTC) - timedelta(minutes=4)).isoformat()
    reply = send(sqlite_site.guest(), event(occurred_at=said), sent_at=said)
    assert datetime.fromisoformat(reply["steps"][0]["updated_at"]) == datetime.fromisoformat(said)
    assert "flags" not in reply["results"][0]


@pytest.mark.parametrize("count", [0, 501])
def test_a_batch_holds_one_to_five_hundred_events(sqlite_site: Site, count: int) -> None:
    reply = sqlite_site.guest().post("/events", json={"events": [event() for _ in range(count)]})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "events")


def test_five_hundred_events_are_taken_at_once(site: Site) -> None:
    reply = send(site.guest(), *(event(score=1) for _ in range(500)))
    assert {one["status"] for one in reply["results"]} == {"recorded"}
    assert reply["steps"][0]["attempts"] == 500
