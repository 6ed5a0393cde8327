"""Any order of programs, outages, sign-ins and answers that get lost: each event arrives once, as whoever made it."""

import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.client import Headway, make_event
from tests.chance import UNSHRUNK
from tests.client.devices import Device, events_of, look_away
from tests.client.trouble import FATES, Trouble
from tests.http.server import Site
from tests.torture.proof import query

STEPS = ("a", "b", "c")
ACTS = st.one_of(
    st.tuples(st.just("record"), st.sampled_from(["device", "ann", "bob"]), st.integers(1, 4)),
    st.tuples(st.just("fate"), st.sampled_from(sorted(FATES)), st.integers(1, 4)),
    st.tuples(st.just("sync"), st.sampled_from(["device", "ann", "bob"]), st.just(0)),
    st.tuples(st.just("sign in"), st.sampled_from(["ann", "bob"]), st.just(0)),
    st.tuples(st.just("sign out"), st.just("device"), st.just(0)),
)


class Model:
    """What should have become of everything: who may own each event in the end."""

    def __init__(self) -> None:
        self.owner: str | None = None
        self.guests: list[set[str]] = []
        self.of: dict[str, set[str]] = {"ann": set(), "bob": set()}

    def record(self, by: str, ids: list[str]) -> None:
        who = self.owner if by == "device" else by
        if who is not None:
            self.of[who] |= set(ids)
            return
        if not self.guests:
            self.guests.append(set())
        self.guests[-1] |= set(ids)

    def sign_in(self, who: str) -> None:
        if self.owner is None and self.guests:
            self.of[who] |= self.guests.pop()
        self.owner = who

    def sign_out(self) -> None:
        self.owner = None


@settings(
    max_examples=25,
    phases=UNSHRUNK,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(ACTS, min_size=4, max_size=14))
def test_each_event_arrives_once_as_whoever_made_it(
    site: Site, trouble: Trouble, tmp_path: Path, accounts: dict[str, tuple[str, str]], acts: list[tuple[str, str, int]]
) -> None:
    look_away(site)
    trouble.fates.clear()
    model = Model()
    folder = tmp_path / uuid.uuid4().hex
    with Device(trouble.url, folder) as device:
        for act, whom, count in acts:
            _do(device, trouble, model, accounts, (act, whom, count))
        trouble.fates.clear()
        why = [_program(device, one, accounts).sync(5).why for one in ("device", "ann", "bob")]
        with device.store.reading() as connection:
            left = connection.execute("SELECT state, reason FROM item").fetchall()
    assert [tuple(row) for row in left] == [], why
    found = events_of(site)
    every = dict.fromkeys(model.of["ann"], "ann") | dict.fromkeys(model.of["bob"], "bob")
    assert found.keys() == every.keys() | set().union(*model.guests)
    _assert_owned(site, found, every, {accounts[who][1]: who for who in accounts}, model)
    shutil.rmtree(folder, ignore_errors=True)


def _assert_owned(
    site: Site, found: dict[str, str], every: dict[str, str], names: dict[str, str], model: Model
) -> None:
    into = dict(query(f"sqlite:///{site.database.path}", "SELECT id, merged_into FROM learner"))
    for event, learner in found.items():
        owner = names.get(into[learner] or learner)
        assert owner == every.get(event), "an event is another's"
    for guest in model.guests:
        assert len({found[one] for one in guest}) <= 1, "a guest is two"


def _do(
    device: Device, trouble: Trouble, model: Model, accounts: dict[str, tuple[str, str]], act: tuple[str, str, int]
) -> None:
    what, whom, count = act
    if what == "record":
        events = [make_event("attempted", "walk", STEPS[number % 3], score=1) for number in range(count)]
        model.record(whom, [one["id"] for one in events])
        _program(device, whom, accounts).record(*events)
    elif what == "fate":
        trouble.fates.extend([FATES[whom]] * count)
    elif what == "sync":
        _program(device, whom, accounts).sync()
    elif what == "sign in":
        model.sign_in(whom)
        device.sign_in(*accounts[whom])
    else:
        model.sign_out()
        device.sign_out()


def _program(device: Device, whom: str, accounts: dict[str, tuple[str, str]]) -> Headway:
    return device.program(None if whom == "device" else accounts[whom][0])


@pytest.fixture
def accounts(site: Site) -> dict[str, tuple[str, str]]:
    """The token and the id of two accounts."""

    def made() -> tuple[str, str]:
        client = site.person(f"{uuid.uuid4().hex}@example.org")
        token: Any = client.post("/auth/tokens", json={"name": "x", "scopes": ["read", "write"]}).json()["token"]
        return token, client.get("/auth/me").json()["learner"]["id"]

    return {"ann": made(), "bob": made()}
