"""What a recording transaction has read: its locked learners, and all that is needed to judge their events."""

import json
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from sqlalchemy.engine import Connection

from headway.domain import gating
from headway.domain.changes import Change
from headway.domain.course import Course, Module
from headway.domain.events import SCORED_TYPES, read_event
from headway.domain.progress import FIRST_RUN, Contribution, StepSum, Worth
from headway.domain.recording import GRADED, IMPORTED, SERVER, Versions, part_in
from headway.domain.resets import Surviving
from headway.domain.standing import Standing
from headway.domain.streaks import StreakDays
from headway.domain.sums import StepKey
from headway.domain.times import ordinal
from headway.domain.webhooks import Endpoint
from headway.ledger.achieving import Achieving
from headway.ledger.board_moves import Moving
from headway.ledger.counting import Counting
from headway.ledger.leveling import Leveling, MovedSums
from headway.ledger.memory import KINDS, STEPS, Memory, ModuleKey, Remembered
from headway.ledger.noticing import tell
from headway.ledger.submission import Submission
from headway.ledger.touched import touched
from headway.ledger.watched import Watched
from headway.ledger.zones import zone_here
from headway.store import entries, identities, learners, rows, sums
from headway.store.catalog import Catalog, CourseDamaged
from headway.store.entries import Entry, Known
from headway.store.facts import facts
from headway.store.learners import Locked

# Of a larger module only the steps that the learner touched are read, wherever in the course they are.
_STEPS_BY_KEY_MAX: Final = 64
_SCORES: Final = (sums.STEP_SCORES, sums.STEP_SCORES_OF_RUN)
_REMEMBERED: Final = {sums.of_kind(kind): n for n, kind in enumerate(KINDS)}


class BatchLearner:
    """A learner within a batch: their standing, the last number of their ledger, and the event ids known already."""

    def __init__(self, locked: Locked, standing: Standing) -> None:
        self.id = locked.id
        self.time_zone = zone_here(locked.time_zone)
        # A learner known only from an import reads no notices.
        self.is_told = locked.kind != "imported"
        self.standing = standing
        self.head = 0
        self.known: dict[str, Known | Entry] = {}
        # The known ids that came with a guest moved into this learner.
        self.brought: set[str] = set()
        # Sums that rules need of steps which no event of the batch touches.
        self.others: dict[StepKey, StepSum] = {}
        # Modules whose sums are followed while the learner's ledger grows.
        self.modules: dict[ModuleKey, Watched] = {}
        # What the writer remembers of the learner, if anything.
        self.remembered: Remembered | None = None

    def remember(self, remembered: Remembered) -> None:
        """Start from what the writer remembers of the learner, and keep it up to date."""
        self.remembered, self.modules = remembered, remembered.modules
        if remembered.attendance is not None:
            self.standing.attendance = remembered.attendance

    def note_untouched(self, steps: Iterable[StepKey]) -> None:
        """Remember that those of these steps which were read and not found do not exist."""
        if self.remembered is not None:
            known = self.remembered.sums[STEPS]
            for key in steps:
                if self.step(key) is None:
                    known.setdefault(key, None)

    @property
    def knows_days(self) -> bool:
        """Whether all active days are known."""
        return self.remembered is not None and self.remembered.attendance is not None

    def step(self, key: StepKey) -> StepSum | None:
        """Return the sum of a step if it was read and exists."""
        return self.standing.sums.steps.get(key) or self.others.get(key)

    def steps_of(self, course: str, run: int) -> dict[str, StepSum]:
        """Return the known sums of a run's steps, by step key."""
        known = {**self.others, **self.standing.sums.steps}
        return {key.step: one for key, one in known.items() if (key.course, key.run) == (course, run)}


class Batch:
    """One transaction's view of the database, read in a number of statements that does not grow with it.

    What a writer's memory holds is not read again.
    """

    def __init__(self, connection: Connection, catalog: Catalog, memory: Memory | None = None) -> None:
        self.connection = connection
        self.catalog = catalog
        self.memory = memory
        if memory is not None:
            memory.begin()
        self.locked: dict[str, Locked] = {}
        self.held_elsewhere: set[str] = set()
        self.live_tokens: set[str] = set()
        self.learners: dict[str, BatchLearner] = {}
        self.courses: dict[str, tuple[int, Course]] = {}
        self.damaged: dict[str, CourseDamaged] = {}
        # For courses that are being swept, the version by which learners were judged before.
        self.judging: dict[str, int] = {}
        self.appended: list[Entry] = []
        self.achieving = Achieving(connection, catalog)
        self.leveling = Leveling(connection, catalog)
        self.counting = Counting(connection, catalog)
        # The endpoints of webhooks, if they are known already.
        self.endpoints: list[Endpoint] | None = None
        # Changes that the server wrote for events which a lost COMMIT recorded, by learner and event.
        self.caused: dict[tuple[str, str], list[Change]] = {}
        self._versions = Versions()
        self._read: dict[sums.SumKind, dict[tuple[str, Any], Any]] = {kind: {} for kind in sums.ALL}

    def enter(self, locked: Iterable[Locked]) -> None:
        """Add learners who are locked by this transaction."""
        for one in locked:
            self.learners[one.id] = BatchLearner(one, Standing(self._versions.worth_of))

    def lock(self, submissions: Sequence[Submission], *, wait: bool) -> None:
        """Lock the learners, in a separate statement before anything is read."""
        wanted = {one.learner_id for one in submissions if one.newcomer is None}
        self.locked = learners.lock(self.connection, wanted, wait=wait)
        missing = wanted - self.locked.keys()
        self.held_elsewhere = learners.existing(self.connection, missing) if missing and not wait else set()
        for one in submissions:
            if one.newcomer is not None:
                self.locked[one.learner_id] = Locked(one.learner_id, one.newcomer.learner["time_zone"], None, None)

    def read_facts(self, submissions: Sequence[Submission]) -> None:
        """Read which sessions still live, which events are known, where each ledger ends, and the courses in force."""
        self.enter(self.locked[one] for one in {one.learner_id for one in submissions} & self.locked.keys())
        judged = [one for one in submissions if one.learner_id in self.learners]
        found = facts(
            self.connection,
            token_hashes={one.token_hash for one in submissions if one.token_hash is not None},
            event_ids={(one.learner_id, event.id) for one in judged for event in one.events},
            learner_ids=self.learners,
            courses_of={(one.learner_id, event.course) for one in judged for event in one.events},
        )
        now = max((one.received_at for one in submissions), default=0)
        self.live_tokens = {token_hash for token_hash, ends in found.session_ends.items() if ends > now}
        for (learner_id, event_id), known in found.known.items():
            self.learners[learner_id].known[event_id] = known
        for learner_id, head in found.heads.items():
            self.learners[learner_id].head = head
            if self.memory is not None:
                self.learners[learner_id].remember(self.memory.take(learner_id, found.marks[learner_id]))
        self._keep(sums.RUNS, found.runs)
        if found.reset:
            self._load((sums.of_kind(sums.RESETS, "learner_id"), {(one,) for one in found.reset}))
        if found.joined:
            self._read_brought(found.joined, judged)
        self._read_caused(judged)
        parsed, damaged = self.catalog.undamaged(self.connection, found.versions.items())
        self.damaged = {name: why for (name, _), why in damaged.items()}
        self.courses = {name: (version, course) for (name, version), course in parsed.items()}
        self.judging, self.achieving.version, self.endpoints = found.judging, found.achievements, found.endpoints
        self.counting.note(((one.learner_id, event.course) for one in judged for event in one.events), found.enrolled)
        self._versions |= {(name, version): course for name, (version, course) in self.courses.items()}

    def version_before(self, course_id: str) -> Course | None:
        """Return, for a course that is being swept, the version that some learners are still judged by, else None."""
        pair = (course_id, self.judging.get(course_id, 0))
        return self.catalog.load(self.connection, [pair]).get(pair) if pair[1] else None

    def _read_brought(self, accounts: set[str], judged: Sequence[Submission]) -> None:
        """Read which of the events came with guests who are part of these accounts now."""
        asked = {(one.learner_id, event.id) for one in judged for event in one.events if one.learner_id in accounts}
        for (account_id, event_id), sent in identities.known_of_guests(self.connection, asked).items():
            self.learners[account_id].brought.add(event_id)
            self.learners[account_id].known.setdefault(event_id, sent)

    def _read_caused(self, judged: Sequence[Submission]) -> None:
        """Read the changes told for known events that were received at the very time of their submission."""
        lost = {
            (one.learner_id, one.received_at)
            for one in judged
            for known in self.learners[one.learner_id].known.values()
            if known.received_at == one.received_at
        }
        for learner_id, body, changes in entries.of_server(self.connection, lost):
            cause = json.loads(body).get("cause", "")
            self.caused.setdefault((learner_id, cause), []).extend(json.loads(changes) if changes else [])

    def take_in(self, learner_id: str, brought: Sequence[Entry], new: Collection[str]) -> set[str]:
        """Add what a guest's ledger contributed, as it was fixed when it was recorded, to a learner.

        `new` are the ids that do not count for the learner yet; return those of them that count now.
        """
        self.enter([self.locked[learner_id]])
        versions = {(one.course_id, one.version) for one in brought if one.course_id}
        self._versions |= self.catalog.load(self.connection, versions)
        made = [one for one in self._surviving(brought) if one.event_id in new]
        courses = {(learner_id, one.course) for one in made}
        self._load((sums.of_kind(sums.RUNS, "learner_id", "course_id"), courses))
        self.read_runs({(learner_id, one.course, one.run) for one in made})
        self.read_sums([(learner_id, one) for one in made])
        return self.learners[learner_id].standing.take_in(made)

    def cleared(self, brought: Sequence[Entry]) -> set[str]:
        """The ids in a guest's ledger that the guest's own resets cleared."""
        return {one.event_id for one in brought} - {one.event_id for one in self._surviving(brought)}

    def _surviving(self, brought: Sequence[Entry]) -> list[Contribution]:
        return Surviving().of(map(self._contribution, brought))

    def _contribution(self, one: Entry) -> Contribution:
        place = (one.course_id, one.run, one.step_id, one.version)
        figures = (one.score, bool(one.passed), one.duration_ms, one.hints)
        topics = self._versions.worth_of(one.course_id, one.version, one.step_id).topics if one.step_id else ()
        fact = read_event(one.event_id, one.body).fact if one.source == SERVER else None
        part = part_in(one.body, one.at, one.time_zone) if one.type in SCORED_TYPES else ""
        said = (one.trust == GRADED, fact, one.source == IMPORTED, part)
        return Contribution(one.event_id, one.type, *place, one.at, one.day, *figures, topics, *said)

    def read_sums(self, new: Sequence[tuple[str, Contribution]]) -> None:
        """Read every sum that these contributions can touch, and those shown for repeated events."""
        on_steps = [(learner_id, one) for learner_id, one in new if one.step]
        steps = {(learner_id, *key) for learner_id, one in on_steps for key in self._steps_touched(learner_id, one)}
        steps |= self._steps_of_known()
        wanted = {sums.STEPS: steps, sums.GRANTS: self._gates_of(on_steps), **touched(new)}
        asked = ((sums.of_kind(kind), keys) for kind, keys in wanted.items())
        self._load(*asked, *self._modules_of(on_steps, steps), *self.leveling.asked(self.learners, on_steps))
        # An event that precedes a stored completion moves it, and with it the counts of its day and its topics.
        moved_days, moved_topics = set(), set()
        for learner_id, key, day, worth in self._moving(on_steps):
            moved_days.add((learner_id, day, key.course, key.run))
            moved_topics |= {(learner_id, topic, key.course, key.run) for topic in worth.topics}
        more = ((sums.DAYS, moved_days - wanted[sums.DAYS]), (sums.TOPICS, moved_topics - wanted[sums.TOPICS]))
        self._load(*((sums.of_kind(kind), keys) for kind, keys in more))
        self._load_active_days(on_steps)

    def write(self) -> None:
        """Write the entries, the changed sums in order of key, and what learners earned by them."""
        changed = {kind: self._changed(kind) for kind in sums.ALL}
        by = MovedSums(self.learners, self._read, changed, self.courses, self.appended)
        self.appended += self.leveling.give(by, self.achieving)
        changed[sums.LEVELS] = self._changed(sums.LEVELS)
        self.appended += self.achieving.give(self.learners, self._read, changed, self.appended)
        changed[sums.ACHIEVEMENTS] = self._changed(sums.ACHIEVEMENTS)
        made = [sums.written(kind, found) for kind, found in changed.items()]
        made += self.counting.look(self.learners, self._read, changed, self.courses)
        told = tell(self.connection, self.appended, self.learners, self.endpoints)
        moved = Moving(self.connection, self.catalog).moved(self.learners, self._read, changed)
        rows.add_together(self.connection, entries.appended(self.appended), *told, *made, moved)
        self.counting.write()
        for kind, found in changed.items():
            self._remember(kind, found)
        for entry in self.appended:
            remembered = self.learners[entry.learner_id].remembered
            if remembered is not None:
                remembered.mark = remembered.mark._replace(event_id=entry.event_id)
        touched_now = {learner_id for found in changed.values() for learner_id, _, _ in found}
        learners.raise_epochs(self.connection, touched_now - {entry.learner_id for entry in self.appended})

    def _remember(self, kind: sums.SumKind, found: Iterable[tuple[str, Any, Any]]) -> None:
        if self.memory is None or kind not in KINDS:
            return
        place = KINDS.index(kind)
        for learner_id, key, value in found:
            one = self.learners[learner_id]
            if one.remembered is not None:
                one.remembered.sums[place][key] = (key, value)

    def _changed(self, kind: sums.SumKind) -> list[tuple[str, Any, Any]]:
        """Return the (learner, key, value) of the sums that differ from what was read."""
        read, changed = self._read[kind].get, list[tuple[str, Any, Any]]()
        for one in self.learners.values():
            if held := kind.held_in(one.standing.sums):
                changed += [(one.id, key, value) for key, value in held.items() if read((one.id, key)) != value]
        return changed

    def _steps_touched(self, learner_id: str, one: Contribution) -> Iterable[StepKey]:
        """Return an event's step; if the event completes it, in every run, as a completion counts in one run alone."""
        runs = [one.run]
        if one.completes:
            last = max(one.run, self.learners[learner_id].standing.sums.current_run(one.course))
            runs = [*range(FIRST_RUN, last + 1)]
        return (StepKey(one.course, run, one.step) for run in runs)

    def _steps_of_known(self) -> set[tuple[Any, ...]]:
        """Return the steps of events that are known already, in their own run and in the learner's current run."""
        known = [(one, known) for one in self.learners.values() for known in one.known.values() if known.step_id]
        runs = [(learner, one, (one.run, learner.standing.sums.current_run(one.course_id))) for learner, one in known]
        return {(learner.id, one.course_id, run, one.step_id) for learner, one, both in runs for run in both}

    def read_runs(self, runs: Iterable[tuple[str, str, int]]) -> None:
        """Read what rules need of each (learner, course, run): the scores of all steps, and the grants."""
        wanted = list(runs)
        self._load((sums.STEP_SCORES_OF_RUN, wanted), (sums.GRANTS_OF_RUN, wanted))

    def _gates_of(self, on_steps: Sequence[tuple[str, Contribution]]) -> set[tuple[Any, ...]]:
        """Return the keys of the grants that decide whether these may be recorded, or that they can bring about."""
        keys = set[tuple[Any, ...]]()
        for (learner_id, course_id, version, run, _), module in self._modules(on_steps).items():
            asked = gating.asked(self._versions[course_id, version], module)
            keys |= {(learner_id, course_id, run, *one) for one in asked}
        return keys

    def _modules(self, on_steps: Sequence[tuple[str, Contribution]]) -> dict[tuple[Any, ...], Module]:
        """Return the modules of these contributions' steps, one for each learner, run and module."""
        found: dict[tuple[Any, ...], Module] = {}
        for learner_id, one in on_steps:
            module = self._versions[one.course, one.version].module_of(one.step)
            if module is not None:
                found[learner_id, one.course, one.version, one.run, module.id] = module
        return found

    def _modules_of(
        self, on_steps: Sequence[tuple[str, Contribution]], read: AbstractSet[tuple[Any, ...]]
    ) -> list[tuple[sums.Reading, set[tuple[Any, ...]]]]:
        """Return what to read of the modules' other steps; of a large module, only the steps the learner touched."""
        steps, runs = set[tuple[Any, ...]](), set[tuple[Any, ...]]()
        for (learner_id, course_id, version, run, _), module in self._modules(on_steps).items():
            place = (learner_id, course_id, run)
            if ModuleKey(course_id, version, run, module.id) in self.learners[learner_id].modules:
                continue
            if len(module.steps) > _STEPS_BY_KEY_MAX:
                runs.add(place)
            else:
                steps |= {(*place, key) for key in module.keys}
        return [(sums.STEP_SCORES, steps - read), (sums.STEP_SCORES_OF_RUN, runs)]

    def _load(self, *wanted: tuple[sums.Reading, Collection[Sequence[Any]]]) -> None:
        asked = [(reading, keys) for reading, keys in ((one, self._unknown(one, keys)) for one, keys in wanted) if keys]
        for reading, found in sums.read_together(self.connection, asked) if asked else ():
            kind = next(one for one in sums.ALL if one.table is reading.table)
            if reading in _SCORES:
                for learner_id, key, value in found:
                    self.learners[learner_id].others[key] = value
            else:
                self._keep(kind, found)
                self._remember(kind, found)

    def _unknown(self, reading: sums.Reading, keys: Collection[Sequence[Any]]) -> Collection[Sequence[Any]]:
        """Return the keys of which nothing is remembered; take the remembered values of the others."""
        place = _REMEMBERED.get(reading)
        if place is None or self.memory is None:
            return keys
        unknown, found = [], []
        for asked in keys:
            remembered = self.learners[asked[0]].remembered
            if remembered is None:
                unknown.append(asked)
                continue
            known, key = remembered.sums[place], asked[1:]
            if key not in known:
                unknown.append(asked)
                known[key] = None
            elif (pair := known[key]) is not None:
                found.append((asked[0], *pair))
        self._keep(KINDS[place], found)
        return unknown

    def _keep(self, kind: sums.SumKind, found: Iterable[tuple[str, Any, Any]]) -> None:
        read = self._read[kind]
        for learner_id, key, value in found:
            read[learner_id, key] = value
            kind.held_in(self.learners[learner_id].standing.sums).setdefault(key, value)

    def _moving(self, on_steps: Sequence[tuple[str, Contribution]]) -> Iterable[tuple[str, StepKey, str, Worth]]:
        """The stored completions that one of these can move, by completing the step no later."""
        held = []
        for learner_id, one in on_steps:
            if one.completes:
                first = self.learners[learner_id].standing.sums.first_completion(one.course, one.step)
                if first is not None and one.done_at <= first.completion.at:
                    held.append((learner_id, first.key, first.completion))
        worn = {(key.course, completion.version) for _, key, completion in held}
        self._versions |= self.catalog.load(self.connection, worn - self._versions.keys())
        for learner_id, key, completion in held:
            yield learner_id, key, completion.day, self._versions.worth_of(key.course, completion.version, key.step)

    def _load_active_days(self, on_steps: Sequence[tuple[str, Contribution]]) -> None:
        """Read all active days of learners who may gain one, for the streak; most events join an active day."""
        read = {one.id: one.standing.sums.active_days() for one in self.learners.values() if not one.knows_days}
        gaining = {who for who, one in on_steps if one.is_activity and who in read and one.day not in read[who]}
        found = sums.streak_days(self.connection, gaining)
        for learner_id, days in read.items():
            one = self.learners[learner_id]
            one.standing.attendance.add(found.get(learner_id) or StreakDays({ordinal(day) for day in days}))
            if one.remembered is not None and learner_id in gaining:
                one.remembered.attendance = one.standing.attendance
