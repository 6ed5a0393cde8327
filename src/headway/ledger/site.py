"""Check what belongs to no learner: the ledger's guard, courses and versions, and ledgers without a learner."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Connection, RowMapping

from headway.ledger.faults import FAULTS_SHOWN, Fault
from headway.ledger.versions import gone, look_at_versions
from headway.store import courses, entries, guard
from headway.store.catalog import Pair


class Site:
    """Checks all of this: `mendable` is what a rebuild can put right, `beyond` what is beyond repair.

    `versions` are the wrong versions, with the values that should be stored in them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.mendable = list(_of_guard(connection))
        self.beyond = list(_of_orphans(connection))
        self.versions = dict[Pair, dict[str, str]]()
        self._in_force = dict[str, dict[str, Any]]()
        self._look_at_versions()
        self._look_at_courses()

    def mend(self) -> None:
        """Put right what can be put right."""
        guard.shut(self._connection)
        for pair, true in self.versions.items():
            courses.mend_version(self._connection, pair, true)
        for course_id, in_force in self._in_force.items():
            courses.mend(self._connection, course_id, in_force)

    def _look_at_versions(self) -> None:
        for one in look_at_versions(self._connection):
            if wrong := one.wrong():
                self.versions[one.pair] = wrong
            (self.mendable if wrong else self.beyond).extend(one.faults())

    def _look_at_courses(self) -> None:
        """Check that each course has a newest version, and agrees with it."""
        for row in courses.all_versions(self._connection):
            course_id, stored, newest = row["id"], row["version"], row["true_version"]
            if newest is None:
                self.beyond.append(_of_course(course_id, "version", stored, "none: it has no published version"))
            elif stored > newest and entries.is_recorded_behind(self._connection, course_id, newest):
                self.beyond += gone((course_id, stored)).faults()
            else:
                title = self.versions.get((course_id, newest), {}).get("title", row["true_title"])
                self._compare(row, {"version": newest, "title": title})

    def _compare(self, row: RowMapping, true: dict[str, Any]) -> None:
        wrong = [name for name, should in true.items() if row[name] != should]
        self.mendable += [_of_course(row["id"], name, row[name], true[name]) for name in wrong]
        if wrong:
            self._in_force[row["id"]] = true


def _of_guard(connection: Connection) -> Iterator[Fault]:
    for reason in guard.standing_open(connection):
        yield Fault("ledger_opened", "", reason, "*", "a row", "none: the ledger stands open to be changed")


def _of_orphans(connection: Connection) -> Iterator[Fault]:
    """Yield a fault for entries whose learner is gone: no page of learners includes them."""
    for learner_id in entries.orphans(connection, FAULTS_SHOWN):
        yield Fault("ledger", learner_id, "*", "learner_id", "entries", "none: there is no such learner")


def _of_course(course_id: str, column: str, stored: object, true: object) -> Fault:
    return Fault("course", "", course_id, column, stored, true)
