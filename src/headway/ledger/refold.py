"""Refold a learner's ledger: work it out from what was sent and the circumstances, never from a derived column."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy.engine import Connection

from headway.domain.course import NO_COURSE, Course
from headway.domain.enrolled import Enrolled
from headway.domain.errors import HeadwayError
from headway.domain.events import Event, read_event
from headway.domain.facts import Granted
from headway.domain.progress import Contribution
from headway.domain.recording import ERASED, Circumstances, Versions, contribute, trust_of
from headway.domain.resets import Marks, Surviving
from headway.domain.standing import Standing
from headway.domain.streaks import read_rules
from headway.domain.sums import Sums
from headway.domain.times import local_day, zone
from headway.graders.registry import GraderFault
from headway.ledger.faults import Fault
from headway.ledger.noticing import Telling
from headway.ledger.places import faults_of
from headway.ledger.record import score_of
from headway.ledger.writing import entry_of
from headway.store import entries, identities
from headway.store.catalog import Catalog, CourseDamaged
from headway.store.entries import Entry
from headway.store.identities import MovedGuest, MoveState
from headway.store.notices import Notice, NoticePlace
from headway.store.sums import BROUGHT, NOTICES, ROSTER, SumKind

LEARNERS_AT_ONCE = 200
# The column of a fault where a score should come from a grader that cannot be asked: it is not the entry's fault.
UNGRADED = "grader"
# The column of a fault where a version of a course is damaged: it is not the entry's fault either.
DAMAGED = "version"
UNJUDGED = frozenset({UNGRADED, DAMAGED})
# A moved guest (with the account's last number at the move), its contributions by number, and its resets.
Brought: TypeAlias = tuple[MovedGuest, list[tuple[int, Contribution]], Marks]


class LedgerNotices(NamedTuple):
    """The notices that a learner's own entries tell, and those of each guest; `head` is the number of own entries."""

    own: list[Notice]
    guests: dict[str, list[Notice]]
    head: int


class Refolded(NamedTuple):
    """What a learner's ledger comes to: sums, differing entries (as stored, as true), and what is beyond repair.

    For an account it includes what every moved guest brought, and `brought` says where each of these events lies (guest
    and number, by event id); for a moved guest it is empty.
    """

    learner_id: str
    events: int
    sums: Sums
    amended: list[tuple[Entry, Entry]]
    broken: list[Fault]
    brought: dict[str, tuple[str, int]]
    # False for an erased learner, who has no grants left.
    is_somebody: bool = True
    # The rows that rosters should have, by course, if they were asked for.
    rosters: Mapping[str, Enrolled] = MappingProxyType({})
    # What entries tell, if that was asked for, and the notices that there should be.
    told: LedgerNotices | None = None
    notices: Mapping[NoticePlace, Notice] = MappingProxyType({})

    def held(self, kind: SumKind) -> dict[Any, Any]:
        """What should be stored of one kind, by key."""
        if kind is ROSTER:
            return dict(self.rosters)
        if kind is NOTICES:
            return dict(self.notices)
        return self.brought if kind is BROUGHT else kind.held_in(self.sums)


def cannot_be_judged(learner_id: str, damage: CourseDamaged, key: str = "*") -> Fault:
    """Return the fault of a learner who cannot be judged because a version is damaged."""
    return Fault("ledger", learner_id, key, DAMAGED, damage.pair[1], f"cannot be judged: {damage.detail}")


def refold(
    connection: Connection, catalog: Catalog, learner_ids: list[str], told_since: Mapping[str, int] | None = None
) -> Iterator[Refolded]:
    """Fold the ledgers of learners, given in order of id, each in one pass over its entries.

    For the learners in `told_since`, also work out what the entries from that number on tell.
    """
    if not learner_ids:
        return
    places = identities.places(connection, learner_ids)
    moved = identities.moved_into(connection, learner_ids)
    whole = (learner_ids[0], learner_ids[-1])
    with (
        closing(entries.between(connection, *whole)) as found,
        closing(identities.entries_of_guests(connection, *whole)) as of_guests,
    ):
        own = _Ledgers(found, learner_ids)
        in_order = [guest.id for account_id in sorted(moved) for guest in moved[account_id]]
        of_guests_in_order = _Ledgers(of_guests if moved else (), in_order)
        folding = _Folding(_Courses(connection, catalog), of_guests_in_order, told_since or {})
        for learner_id in learner_ids:
            place = places.get(learner_id)
            if place is not None and place.merged_into is not None:
                yield folding.of_moved(place)
                continue
            refolded = folding.of_account(learner_id, own.of(learner_id), moved.get(learner_id, ()))
            yield refolded._replace(broken=[*faults_of(place), *refolded.broken]) if place else refolded


def fold_alone(connection: Connection, catalog: Catalog, learner_id: str, found: Iterable[Entry]) -> Refolded:
    """Fold entries that are not stored as the ledger of one learner."""
    return _Fold(learner_id, _Courses(connection, catalog)).run(found)


class _Ledgers:
    """Ledgers read by one statement, to be asked for in the statement's order, each at most once."""

    def __init__(self, found: Iterable[Entry], in_order: Sequence[str]) -> None:
        self._ledgers = groupby(found, lambda entry: entry.learner_id)
        self._place = {learner_id: n for n, learner_id in enumerate(in_order)}
        self._next: tuple[str, Iterator[Entry]] | None = None
        self._advance()

    def of(self, learner_id: str) -> Iterator[Entry]:
        """Return a learner's entries; ledgers before it that were not asked for are skipped."""
        while self._next is not None and self._place.get(self._next[0], -1) < self._place[learner_id]:
            self._advance()
        return self._next[1] if self._next is not None and self._next[0] == learner_id else iter(())

    def _advance(self) -> None:
        self._next = next(self._ledgers, None)


class _Folding:
    def __init__(self, courses: "_Courses", of_guests: _Ledgers, told_since: Mapping[str, int]) -> None:
        self._courses = courses
        self._of_guests = of_guests
        self._told_since = told_since

    def of_moved(self, place: MoveState) -> Refolded:
        """Return the result for a moved guest: empty, because its account counts all that it did."""
        return _Fold(place.id, self._courses).result(0)._replace(broken=list(faults_of(place)))

    def of_account(self, learner_id: str, own: Iterable[Entry], moved: Sequence[MovedGuest]) -> Refolded:
        """Fold a ledger with those of the guests moved into it, each taken in at the point of its move."""
        since = self._told_since.get(learner_id)
        guests = [(one, *self._of_guest(one, is_told=since is not None)) for one in moved]
        brought: deque[Brought] = deque((one, made, guest.sums.resets) for one, guest, made in guests)
        fold = _Fold(learner_id, self._courses, brought)
        fold.telling = None if since is None else Telling(since)
        whole = fold.run(own)
        for _, guest, _ in guests:
            whole = whole._replace(
                events=whole.events + guest.events,
                amended=whole.amended + guest.amended,
                broken=whole.broken + guest.broken,
            )
        if whole.told is not None:
            of_guests = {guest.learner_id: guest.told.own for _, guest, _ in guests if guest.told is not None}
            whole = whole._replace(told=whole.told._replace(guests=of_guests))
        return whole

    def _of_guest(self, moved: MovedGuest, *, is_told: bool) -> tuple[Refolded, list[tuple[int, Contribution]]]:
        fold = _Fold(moved.id, self._courses)
        fold.telling = Telling(0) if is_told else None
        fold.made = made = list[tuple[int, Contribution]]()
        return fold.run(self._of_guests.of(moved.id)), made


class _Courses(Versions):
    """Courses by id and version, each loaded once."""

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        super().__init__()
        self._connection = connection
        self._catalog = catalog

    def __missing__(self, pair: tuple[str, int]) -> Course:
        self[pair] = self._catalog.load(self._connection, [pair])[pair] if pair[0] else NO_COURSE
        return self[pair]


class _Fold:
    def __init__(self, learner_id: str, courses: _Courses, brought: deque[Brought] | None = None) -> None:
        self.learner_id = learner_id
        self.courses = courses
        self.standing = Standing(courses.worth_of)
        self.amended: list[tuple[Entry, Entry]] = []
        self.broken: list[Fault] = []
        self.made: list[tuple[int, Contribution]] | None = None
        self.telling: Telling | None = None
        self.brought: dict[str, tuple[str, int]] = {}
        self.erased = False
        self._brought = brought
        # The ids that count already, because guests may have sent them, too; kept only for accounts with moved guests.
        self._counted: set[str] | None = set() if brought else None

    def run(self, found: Iterable[Entry]) -> Refolded:
        """Fold the entries in their order."""
        count = 0
        for count, entry in enumerate(found, 1):
            if entry.seq != count:
                self._break(entry, "seq", entry.seq, f"{count}: entries are missing")
                break
            if self._counted is not None and not self._counts(entry, self._counted):
                continue
            try:
                self._fold(entry)
            except CourseDamaged as damage:
                self.broken.append(cannot_be_judged(self.learner_id, damage, str(entry.seq)))
                break
        self._take_in(count, at_end=True)
        return self.result(count)

    def result(self, count: int) -> Refolded:
        """What the ledger came to."""
        found = (self.amended, self.broken, self.brought)
        told = None if self.telling is None else LedgerNotices(self.telling.notices, {}, count)
        return Refolded(self.learner_id, count, self.standing.sums, *found, is_somebody=not self.erased, told=told)

    def _counts(self, entry: Entry, counted: set[str]) -> bool:
        self._take_in(entry.seq - 1)
        if entry.event_id in counted:
            self._break(entry, "event_id", entry.event_id, "recorded once: a guest brought this event before")
            return False
        counted.add(entry.event_id)
        return True

    def _take_in(self, head: int, *, at_end: bool = False) -> None:
        """Take in what the guests brought who were moved in at or before this number."""
        while self._brought and self._counted is not None and (at_end or self._brought[0][0].after <= head):
            guest, brought, resets = self._brought.popleft()
            new = {made.event_id: seq for seq, made in brought if made.event_id not in self._counted}
            surviving = Surviving().of(made for _, made in brought)
            counted = self.standing.take_in([made for made in surviving if made.event_id in new])
            cleared = new.keys() - {made.event_id for made in surviving}
            for event_id in counted | cleared:
                self._counted.add(event_id)
                self.brought[event_id] = (guest.id, new[event_id])
            self.standing.take_in_resets(guest.id, resets)

    def _fold(self, entry: Entry) -> None:
        self.erased = self.erased or entry.source == ERASED
        try:
            event = read_event(entry.event_id, entry.body)
            course = self.courses[event.course, entry.version]
            true = self._entry(entry, event, course)
        except CourseDamaged:
            raise
        except GraderFault as fault:
            self._break(entry, UNGRADED, entry.body, fault.detail)
            return
        except (HeadwayError, ValueError, LookupError) as error:
            self._break(entry, "body", entry.body, f"cannot have been recorded: {error}")
            return
        if true != entry:
            self.amended.append((entry, true))
        if self.telling is not None:
            self.telling.see(true, event.fact)

    def _entry(self, entry: Entry, event: Event, course: Course) -> Entry:
        zone(entry.time_zone)  # known when recorded: where it is unknown, the day cannot be worked out
        run = self.standing.sums.current_run(event.course)
        said = (entry.received_at, entry.clock_skew, entry.time_zone, entry.source, entry.version)
        known = Circumstances(*said, run, read_rules(entry.streak_rules))
        made = contribute(event, known, course, score_of)
        step = None if event.step is None else course.step(event.step)
        module = course.module_id(made.fact.module) if isinstance(made.fact, Granted) else ""
        name, today = step.id if step else module, local_day(entry.received_at, entry.time_zone)
        if self.made is not None:
            self.made.append((entry.seq, made))
        changes = self.standing.apply(made, name=name, today=today, rules=known.rules)
        trust = trust_of(event, entry.source, step)
        return entry_of((self.learner_id, entry.seq), event, known, made, trust, changes)

    def _break(self, entry: Entry, column: str, stored: object, true: str) -> None:
        self.broken.append(Fault("ledger", self.learner_id, f"{entry.seq}", column, stored, true))
