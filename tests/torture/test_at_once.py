"""Requests that arrive together for the same learner and step."""

import threading
from collections import Counter
from collections.abc import Sequence
from random import Random

from tests.torture.client import COURSE, STEPS, Client, Event, Guest, Reply, attempt, new_guest
from tests.torture.proof import assert_audit_is_clean, query
from tests.torture.server import Server

AT_ONCE = 64


def test_64_attempts_at_once_on_one_step_are_64_attempts_and_one_row(server: Server, rng: Random) -> None:
    guest = new_guest(server.port)
    replies = all_at_once(server.port, guest, [attempt(rng, STEPS[0]) for _ in range(AT_ONCE)])
    assert statuses(replies) == {"recorded": AT_ONCE}
    # Each answer shows the step as it stood after its own commit: the last to commit shows all.
    assert max(one.body["steps"][0]["attempts"] for one in replies) == AT_ONCE
    shown = Client(server.port, guest.token).get(f"/progress/courses/{COURSE}")["modules"][0]["steps"]
    assert {one["id"]: one["attempts"] for one in shown if one["attempts"]} == {STEPS[0]: AT_ONCE}
    assert query(server.database, "SELECT attempts FROM step_sum") == [(AT_ONCE,)]
    assert_audit_is_clean(server.database)


def test_one_event_sent_64_times_at_once_is_recorded_once(server: Server, rng: Random) -> None:
    guest = new_guest(server.port)
    replies = all_at_once(server.port, guest, [attempt(rng, STEPS[0])] * AT_ONCE)
    assert statuses(replies) == {"recorded": 1, "duplicate": AT_ONCE - 1}
    assert query(server.database, "SELECT attempts FROM step_sum") == [(1,)]
    assert_audit_is_clean(server.database)


def all_at_once(port: int, guest: Guest, events: Sequence[Event]) -> list[Reply]:
    """Send each event from a connection of its own, all at the same moment."""
    gate = threading.Barrier(len(events))
    replies: list[Reply] = []

    def send(event: Event) -> None:
        client = Client(port, guest.token)
        client.get("/auth/me")  # connected before the gate opens
        gate.wait(20)
        replies.append(client.record([event]))
        client.close()

    threads = [threading.Thread(target=send, args=(one,), daemon=True) for one in events]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    return replies


def statuses(replies: Sequence[Reply]) -> Counter[str]:
    return Counter(one.body["results"][0]["status"] if one.status == 200 else str(one) for one in replies)
