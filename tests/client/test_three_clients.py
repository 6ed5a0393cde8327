"""Three clients of one learner, in any order of doing, sending and signing in: their progress is the model's."""

import shutil
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headway.client import make_event
from headway.ledger.audit import audit
from headway.store.catalog import Catalog
from tests.chance import UNSHRUNK
from tests.client.devices import Device, look_away
from tests.client.trouble import FATES, Trouble
from tests.http.server import Site

DEVICES = ("terminal", "editor", "web")
OUT, HOME = ("a", "b", "c"), "d"
PASSED = 0.7
BEGUN = datetime(2026, 1, 5, 12, tzinfo=UTC)
DEVICE = st.sampled_from(DEVICES)
DONE = st.tuples(
    st.sampled_from([*OUT, HOME]), st.sampled_from([None, 0.2, 0.5, 0.7, 0.95]), st.integers(0, 60 * 24 * 30)
)
ACTS = st.one_of(
    st.tuples(st.just("record"), DEVICE, st.lists(DONE, min_size=1, max_size=3)),
    st.tuples(st.just("fate"), st.sampled_from(sorted(FATES)), st.integers(1, 3)),
    st.tuples(st.just("sync"), DEVICE, st.none()),
    st.tuples(st.just("sign in"), DEVICE, st.none()),
    # What a backup of the device brings back: an older outbox, which sends again what was sent.
    st.tuples(st.just("copy"), DEVICE, st.none()),
)


class Sum(NamedTuple):
    """What is known of a step by its events: without a score it is completed, with one it was attempted."""

    attempts: int
    best: float | None
    latest: float | None
    completed: bool

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> "Sum":
        scored = sorted((one["occurred_at"], one["id"], one["score"]) for one in events if "score" in one)
        scores = [score for _, _, score in scored]
        return cls(
            len(scores),
            max(scores, default=None),
            scores[-1] if scores else None,
            any(one.get("score", 1) >= PASSED for one in events),
        )


class Learner:
    """The devices of one learner, and all that was done on them."""

    def __init__(self, folder: Path, trouble: Trouble, account: tuple[str, str]) -> None:
        self.folder, self.trouble, self.account = folder, trouble, account
        self.devices = {name: Device(trouble.url, folder / name) for name in DEVICES}
        self.events: list[dict[str, Any]] = []

    def do(self, act: str, whom: str, given: Any) -> None:
        if act == "fate":
            self.trouble.fates.extend([FATES[whom]] * given)
        elif act == "record":
            made = [_event(*one) for one in given]
            self.events += made
            self.devices[whom].program().record(*made)
        elif act == "sync":
            for name, device in self.devices.items():
                if name.startswith(whom):
                    device.program().sync()
        elif act == "sign in":
            self.devices[whom].sign_in(*self.account)
        elif (folder := self.devices[whom].folder).exists():
            name = f"{whom} {len(self.devices)}"
            shutil.copytree(folder, self.folder / name)
            self.devices[name] = Device(self.trouble.url, self.folder / name)

    def finish(self) -> list[str]:
        """Sign in everywhere and send all; the ids of what stays behind a lock, on any device."""
        for one in self.devices.values():
            one.sign_in(*self.account)
        # What one device brings opens what is locked for another.
        for _ in range(2):
            for one in self.devices.values():
                synced = one.program().sync(5)
                assert (synced.waiting, synced.aside) == (0, 0), synced
        left = set[str]()
        for one in self.devices.values():
            with one.store.reading() as connection:
                left |= {row[0] for row in connection.execute("SELECT id FROM item WHERE state = 'locked'")}
            one.__exit__()
        return sorted(left)


def _event(step: str, score: float | None, minutes: int) -> dict[str, Any]:
    at = BEGUN + timedelta(minutes=minutes)
    if score is None:
        return make_event("completed", "walk", step, occurred_at=at)
    return make_event("attempted", "walk", step, occurred_at=at, score=score)


@pytest.fixture
def checked(site: Site) -> Any:
    """The site; afterwards the audit finds nothing in it."""
    yield site
    assert audit(site.database, Catalog()).clean


@settings(
    max_examples=15,
    phases=UNSHRUNK,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Restored before any server knew its guest, a device is two guests with the same events.
@example(
    [
        ("fate", "502 of a proxy", 2),
        ("record", "terminal", [("a", 0.5, 1), ("b", 0.95, 2)]),
        ("copy", "terminal", None),
        ("sync", "terminal", None),
        ("record", "editor", [("d", 0.7, 3), ("a", None, 4)]),
        ("sign in", "web", None),
        ("record", "web", [("c", 0.95, 5), ("d", 0.2, 0)]),
    ]
)
@given(st.lists(ACTS, min_size=5, max_size=16))
def test_three_clients_are_one_progress(
    checked: Site, trouble: Trouble, tmp_path: Path, acts: list[tuple[str, str, Any]]
) -> None:
    look_away(checked)
    trouble.fates.clear()
    client = checked.person(f"{uuid.uuid4().hex}@example.org")
    token = client.post("/auth/tokens", json={"name": "x", "scopes": ["read", "write"]}).json()["token"]
    learner = Learner(tmp_path / uuid.uuid4().hex, trouble, (token, client.get("/auth/me").json()["learner"]["id"]))
    for act in acts:
        learner.do(*act)
    trouble.fates.clear()
    locked = learner.finish()
    of = {step: [one for one in learner.events if one["step"] == step] for step in (*OUT, HOME)}
    is_open = all(Sum.of(of[step]).completed for step in OUT)
    assert locked == ([] if is_open else sorted(one["id"] for one in of[HOME]))
    _assert_progress(client, of if is_open else of | {HOME: []})
    shutil.rmtree(learner.folder, ignore_errors=True)


def _assert_progress(client: Any, of: Mapping[str, list[dict[str, Any]]]) -> None:
    told = client.get("/progress/courses/walk").json()
    found = {step["id"]: step for module in told["modules"] for step in module["steps"]}
    for step, events in of.items():
        one = found[step]
        assert Sum(one["attempts"], one["best_score"], one["latest_score"], one["completed"]) == Sum.of(events), step
    said = client.get("/progress/events?limit=200").json()["items"]
    # An entry stands in the ledger of each guest that sent it; counted it is once.
    entries = {one["id"] for one in said if one["type"] in ("attempted", "completed")}
    assert entries == {one["id"] for events in of.values() for one in events}
