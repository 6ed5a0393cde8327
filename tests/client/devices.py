"""A learner's device, and what a server has recorded of it."""

import json
from pathlib import Path
from typing import Any, Self

from headway.client import Headway
from headway.client.identities import forget_current, signed_in
from headway.client.store import Store
from tests.http.server import Site
from tests.torture.proof import query

COURSE: dict[str, Any] = {
    "id": "walk",
    "title": "A walk",
    "modules": [
        {
            "id": "out",
            "title": "Out",
            "complete_by": "steps",
            "steps": [{"id": name, "kind": "exercise", "title": name} for name in ("a", "b", "c")],
        },
        {
            "id": "home",
            "title": "Home",
            "steps": [
                {"id": "d", "kind": "exercise", "title": "d"},
                {
                    "id": "q",
                    "kind": "quiz",
                    "title": "q",
                    "grader": {"type": "choice", "options": {"x": "X", "y": "Y"}, "answer": "x"},
                },
            ],
        },
    ],
}


class Device:
    """A state folder, and programs that use it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._programs: list[Headway] = []

    def program(self, token: str | None = None, **options: Any) -> Headway:
        """A program that uses the outbox of the device."""
        chosen: dict[str, Any] = {"background": False, "timeout_s": 5.0} | options
        self._programs.append(Headway(self.url, token, state_folder=self.folder, **chosen))
        return self._programs[-1]

    def sign_out(self) -> None:
        """What `headway logout` leaves behind."""
        with self.store.writing() as connection:
            forget_current(connection, self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._programs:
            one.close()

    @property
    def store(self) -> Store:
        return Store(self.folder)

    def sign_in(self, token: str, learner: str) -> None:
        """What `headway login` leaves behind."""
        with self.store.writing() as connection:
            signed_in(connection, self.url, token, learner, "somebody")


def look_away(site: Site) -> None:
    """Have the questions below be about what comes from now on."""
    _seen[site.port] = frozenset(_found(site, _EVENTS)), frozenset(_found(site, _LEARNERS))


def events_of(site: Site) -> dict[str, str]:
    """The learner under whom each event was recorded that a client sent; each must be there once."""
    found = [row for row in _found(site, _EVENTS) if row not in _seen[site.port][0]]
    owners = {event: learner for event, learner, _ in found}
    assert len(owners) == len(found), "an event is there twice"
    return owners


def bodies(site: Site) -> list[dict[str, Any]]:
    """What was recorded, as it was sent."""
    return [json.loads(row[2]) for row in _found(site, _EVENTS) if row not in _seen[site.port][0]]


def learners(site: Site, kind: str) -> list[str]:
    """The ids of the learners of a kind."""
    return [row[0] for row in _found(site, _LEARNERS) if row not in _seen[site.port][1] and row[1] == kind]


_EVENTS = "SELECT event_id, learner_id, body FROM ledger WHERE source <> 'server'"
_LEARNERS = "SELECT id, kind FROM learner"
_seen: dict[int, tuple[frozenset[tuple[Any, ...]], frozenset[tuple[Any, ...]]]] = {}


def _found(site: Site, statement: str) -> list[tuple[Any, ...]]:
    return query(f"sqlite:///{site.database.path}", statement)
