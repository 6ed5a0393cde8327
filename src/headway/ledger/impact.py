"""What publishing a version does to the learners of its course, read page by page in bounded memory."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy.engine import Connection

from headway.domain.gating import HeldGrants
from headway.domain.impact import Effect, Gains, KeptGrants, Succession
from headway.domain.progress import Grant, StepSum
from headway.ledger.ahead import ahead
from headway.store import learners, runs, sums
from headway.store.database import Database

LEARNERS_A_PAGE: Final = 100
LISTED_MAX: Final = 100
T = TypeVar("T", Gains, KeptGrants)
_ENROLLMENTS: Final = sums.of_kind(sums.ENROLLMENTS)


class Surveyed(NamedTuple):
    """What a version does to a learner's current run, and a mark that shows whether the learner has moved since.

    `enrolled` says whether they are enrolled in the course now.
    """

    learner_id: str
    run: int
    enrolled: bool
    mark: tuple[int, int]
    effect: Effect


class StoredRun(NamedTuple):
    """What is stored of a learner's current run, as far as judging it needs."""

    learner_id: str
    run: int
    enrolled: bool
    mark: tuple[int, int]
    steps: dict[str, StepSum]
    held: HeldGrants

    def judged(self, succession: Succession, at: int) -> Surveyed:
        """Return what a version does to the run."""
        return Surveyed(*self[:4], succession.effect(self.steps, self.held, at))


@dataclass
class Counted(Generic[T]):
    """How many learners are affected, how many of each part there are, and the first learners that may be listed."""

    learners: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    listed: list[tuple[str, T]] = field(default_factory=list)

    def add(self, learner_id: str | None, one: T) -> None:
        """Count a learner, and list them if the id is given; a tuple counts by its length, a flag as one."""
        if not any(one):
            return
        self.learners += 1
        for name, part in zip(one._fields, one, strict=True):
            self.totals[name] = self.totals.get(name, 0) + _size(part)
        if learner_id is not None and len(self.listed) < LISTED_MAX:
            self.listed.append((learner_id, one))


def _size(part: object) -> int:
    return len(part) if isinstance(part, tuple) else int(part is True)


@dataclass
class Impact:
    """What a version does to a number of learners; `orphaned` counts learners by the keys of the removed steps."""

    learners: int = 0
    gains: Counted[Gains] = field(default_factory=Counted)
    kept: Counted[KeptGrants] = field(default_factory=Counted)
    orphaned: dict[str, int] = field(default_factory=dict)

    def add(self, one: Surveyed, *, all_known: bool) -> None:
        """Count a learner; one who is not enrolled is listed only if `all_known`: the publisher may see everybody."""
        listed = one.learner_id if all_known or one.enrolled else None
        self.learners += 1
        self.gains.add(listed, one.effect.gains)
        self.kept.add(listed, one.effect.kept)
        for key in one.effect.orphaned:
            self.orphaned[key] = self.orphaned.get(key, 0) + 1


def rehearse(database: Database, succession: Succession, impact: Impact, *, now: int, all_known: bool) -> None:
    """Count into an impact what a version would do: in short snapshots, so that nobody waits for it."""
    for page in pages(database, succession, ""):
        for one in page:
            impact.add(one.judged(succession, now), all_known=all_known)


def pages(database: Database, succession: Succession, after: str) -> Iterator[list[StoredRun]]:
    """Yield a course's learners after the given id, in order of id; a page is read while the one before is in use."""

    def read() -> Generator[list[StoredRun], None, None]:
        behind = after
        while page := survey(database, succession, behind):
            yield page
            behind = page[-1].learner_id

    return ahead(read())


def survey(database: Database, succession: Succession, after: str) -> list[StoredRun]:
    """The next learners of a course, in a snapshot."""
    with database.read() as connection:
        return look(connection, succession, runs.page(connection, succession.after.id, after, LEARNERS_A_PAGE))


def look(connection: Connection, succession: Succession, page: Sequence[tuple[str, int]]) -> list[StoredRun]:
    """Return what is needed to judge these learners in their current runs."""
    course_id = succession.after.id
    ids = [learner_id for learner_id, _ in page]
    places = [(learner_id, course_id, run) for learner_id, run in page]
    asked: list[tuple[sums.Reading, Sequence[tuple[Any, ...]]]] = [
        (sums.GRANTS_OF_RUN, places),
        (_ENROLLMENTS, [(learner_id, course_id) for learner_id in ids]),
    ]
    (_, grants), (_, enrollments) = sums.read_together(connection, asked)
    held: dict[str, dict[tuple[str, str], Grant]] = {learner_id: {} for learner_id in ids}
    for learner_id, key, grant in grants:
        held[learner_id][key.kind, key.module] = grant
    enrolled = {learner_id for learner_id, _, one in enrollments if one.enrolled}
    known = _known(connection, succession, places, held)
    marks = learners.marks(connection, ids)
    return [StoredRun(one, run, one in enrolled, marks[one], known[one], held[one]) for one, run in page]


def _known(
    connection: Connection,
    succession: Succession,
    places: Sequence[tuple[str, str, int]],
    held: Mapping[str, HeldGrants],
) -> dict[str, dict[str, StepSum]]:
    """Return the sums needed, by learner: a version that changes little of a large course needs few."""
    whole = [place for place in places if succession.takes_all(held[place[0]])]
    others = sorted(set(places) - set(whole)) if succession.concerned else []
    asked = [
        sums.WantedSums(sums.SCORES_OF_RUN_BY_STEP, whole),
        sums.WantedSums(sums.SOME_SCORES_OF_RUN_BY_STEP, others, succession.concerned),
    ]
    known: dict[str, dict[str, StepSum]] = {learner_id: {} for learner_id, _, _ in places}
    for _, found in sums.read_together(connection, asked):
        for learner_id, step, one in found:
            known[learner_id][step] = one
    return known
