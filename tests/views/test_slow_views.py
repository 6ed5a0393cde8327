"""Views ask the database for as little as they can: what they tell equals what all that is stored comes to."""

from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

import msgspec
import pytest
from sqlalchemy.engine import Connection

from headway.domain.achievements import METRICS, Definition
from headway.domain.days import ImportedDay, PartOfDay, Pause, StepDay
from headway.domain.earned import Achievement, LevelReached
from headway.domain.levels import LEVELS
from headway.domain.overrides import Override
from headway.domain.progress import (
    AttemptGrade,
    Completion,
    EnrollmentSum,
    GivenGrade,
    Grant,
    PeriodSum,
    RunSum,
    Scored,
    StepSum,
)
from headway.domain.sums import DayKey, GrantKey, LevelKey, PartKey, RunKey, StepDayKey, StepKey, TopicKey
from headway.domain.times import DAY, local_day, ordinal
from headway.ledger.definitions import install
from headway.store import achievements, sharing, sums
from headway.store.sharing import Shared
from headway.views.achievements import read_standings
from headway.views.asked_range import AskedRange
from headway.views.history import read_history
from headway.views.overview import read_overview
from headway.views.predictions import read_predictions
from headway.views.reviews import read_reviews
from headway.views.sharing import read_sharing
from headway.views.skills import read_skills
from headway.views.subject import Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning
from tests.views.slow_views import (
    slow_history,
    slow_levels,
    slow_metrics,
    slow_overview,
    slow_predictions,
    slow_reviews,
    stored,
)

T = TypeVar("T")
TODAY = date(2026, 3, 10)
COURSES = ("python", "java", "left")
STEPS = [f"s{n}" for n in range(14)]
SHOWS = ("streak", "points", "levels", "courses", "achievements")


def manifest(name: str, topics: int) -> dict[str, Any]:
    """A course of exercises and lessons: in its second version topics are others, and some steps are gone."""
    kinds = ("exercise", "exercise", "quiz", "lesson")
    listed = [step(one, kind=kinds[n % 4], topics=[f"t{n % topics}", "all"]) for n, one in enumerate(STEPS)]
    if topics > 1:
        listed = [*listed[:10], step("new", topics=["new"]), step("renamed", renamed_from=["s11"])]
    return course(module("m", *listed[:5]), module("n", *listed[5:]), id=name, title=name.title())


class Drawn:
    """Rows of a learner as chance has them: few places and times, so that they meet."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        # Some do little, some every day; some began four weeks ago.
        self._often = self._rng.choice([0.1, 0.4, 0.95])
        self._days = self._rng.choice([70, 30, 30, 12])

    def rows(self) -> dict[sums.SumKind, dict[Any, Any]]:
        """All that is stored of them."""
        days = [self._day(n) for n in range(self._days) if self._likely(self._often)]
        runs = [RunKey(name, run) for name in COURSES for run in range(1, self._rng.choice([1, 2, 2, 4]))]
        steps = {StepKey(*run, one): self._step() for run in runs for one in STEPS if self._likely(0.7)}
        of_days = [DayKey(day, *run) for day in days for run in runs if self._likely(0.5)]
        topics = [TopicKey(topic, *run) for topic in ("all", "t0", "old") for run in runs if self._likely(0.5)]
        return {
            sums.RUNS: {one: RunSum(self._at(), one.run > 1, self._at()) for one in runs},
            sums.STEPS: steps,
            sums.STEP_DAYS: {
                StepDayKey(*key, day): self._step_day() for key in steps for day in days[::3] if self._likely(0.3)
            },
            sums.DAYS: {one: self._period() for one in of_days},
            sums.TOPICS: {one: self._period() for one in topics},
            sums.IMPORTED_DAYS: {one: ImportedDay(self._number(3)) for one in of_days if self._likely(0.2)},
            sums.PAUSES: {self._id(): Pause(self._day(n), self._day(n - self._number(4))) for n in (20, 40)},
            sums.ENROLLMENTS: {name: EnrollmentSum(self._likely(0.6), 1, self._id()) for name in COURSES},
            sums.GRANTS: dict(self._grants(runs)),
            sums.LEVELS: {LevelKey(topic, level): self._told(level) for topic, level in self._levels()},
            sums.PARTS: {PartKey(self._rng.choice(["early", "late"]), *one): PartOfDay(1) for one in of_days[::2]},
            sums.ACHIEVEMENTS: {
                f"{metric}-{n}".replace("_", "-"): Achievement(self._at(), self._id(), self._day(self._number(80)), n)
                for metric in METRICS
                for n in (1, 2)
                if self._likely(0.2)
            },
            sums.GRADES: {self._id(): self._grade(key) for key in steps if self._likely(0.1)},
        }

    def _likely(self, chance: float) -> bool:
        return self._rng.random() < chance

    def _number(self, below: int) -> int:
        return self._rng.randrange(below)

    def _day(self, ago: int) -> str:
        return str(TODAY - timedelta(ago - 1))

    def _at(self) -> int:
        return NOW - self._number(40) * DAY

    def _id(self) -> str:
        return f"00000000-0000-4000-8000-{self._rng.randrange(10**11):012}"

    def _score(self) -> int:
        return self._rng.choice([0, 500_000, 700_000, 850_000, 1_000_000])

    def _period(self) -> PeriodSum:
        attempts = self._rng.choice([0, 0, 1, 3])
        return PeriodSum(attempts, attempts, attempts, attempts * self._score(), *(self._number(4) for _ in range(6)))

    def _step(self) -> StepSum:
        attempts, first, latest = self._number(5), self._scored(), self._scored()
        said = self._override() if self._likely(0.15) else None
        done = Completion(self._at(), self._id(), self._day(self._number(40)), self._rng.choice([1, 2]))
        done = done._replace(
            event_id=self._rng.choice([first.event_id, done.event_id, said.event_id if said else first.event_id])
        )
        is_scored, is_done = self._likely(0.7), self._likely(0.6)
        return StepSum(
            events=self._number(3),
            attempts=attempts,
            passed_attempts=self._number(attempts + 1),
            best=self._score() if is_scored else None,
            first=first if is_scored else None,
            latest=self._rng.choice([first._replace(version=0), latest]) if is_scored else None,
            completion=done if is_done else None,
            updated_at=said.at if said and self._likely(0.5) else self._at(),
            override=said,
            is_done=is_done and (said is None or self._likely(0.5)),
        )

    def _scored(self) -> Scored:
        return Scored(self._at(), self._id(), self._score(), 1)

    def _override(self) -> Override:
        return Override(self._at(), self._id(), self._score(), self._likely(0.3), self._likely(0.3))

    def _step_day(self) -> StepDay:
        attempts = self._rng.choice([1, 1, 1, 2, 13])
        return StepDay(attempts, self._number(attempts + 1), self._rng.choice([0, 0, 1]), self._rng.choice([0, 0, 2]))

    def _grants(self, runs: list[RunKey]) -> list[tuple[GrantKey, Grant]]:
        kinds = [("course_completed", ""), ("module_completed", "m"), ("module_completed", "n"), ("certified", "")]
        drawn = [GrantKey(*run, *one) for run in runs for one in kinds if self._likely(0.4)]
        return [(key, Grant(self._at(), self._id(), self._score(), 1)) for key in drawn]

    def _levels(self) -> list[tuple[str, str]]:
        return [(topic, one.name) for topic in ("all", "t1", "gone") for one in LEVELS[1:] if self._likely(0.3)]

    def _told(self, level: str) -> LevelReached:
        names = [one.name for one in LEVELS]
        return LevelReached(self._at(), self._id(), names[names.index(level) - 1])

    def _grade(self, key: StepKey) -> AttemptGrade:
        given = GivenGrade(self._score(), True, self._at(), self._id()) if self._likely(0.7) else None
        return AttemptGrade(*key, self._at(), waited=True, given=given)


def definitions() -> list[Definition]:
    """Some of each metric, near and far; some that nobody is told of."""
    return [
        Definition(f"{metric}-{n}".replace("_", "-"), metric, metric, "practice", metric, 5 * 8**n, n, "gold", n == 2)
        for metric in METRICS
        for n in range(4)
    ]


def taught(learning: Learning) -> None:
    """Publish the courses, each in two versions, and what can be earned."""
    for topics in (1, 3):
        for name in COURSES:
            learning.publish(manifest(name, topics))
    install(learning.database, definitions())


def plain(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


@pytest.mark.parametrize("seeds", [range(12), range(12, 24)])
def test_what_is_told_is_what_is_stored(learning: Learning, seeds: range) -> None:
    taught(learning)
    for seed in seeds:
        who = learning.learner(f"learner {seed}")
        with learning.database.transaction() as connection:
            for kind, found in Drawn(seed).rows().items():
                sums.write(connection, kind, [(who.learner_id or "", key, one) for key, one in found.items()])
            sharing.put(connection, Shared(who.learner_id or "", f"a-token-of-the-learner-{seed}", SHOWS, NOW))
        learning.read(holds, learning, who, f"a-token-of-the-learner-{seed}", seed)


def holds(connection: Connection, learning: Learning, who: Subject, token: str, seed: int) -> None:
    catalog, learner_id = learning.catalog, who.learner_id or ""
    all_, defined = stored(connection, catalog, learner_id), achievements.defined(connection)
    earned = achievements.earned(connection, learner_id)
    counted = [one for one in defined if not one.retired or one.definition.id in all_.of[sums.ACHIEVEMENTS]]
    today = ordinal(local_day(NOW, "UTC"))

    overview = slow_overview(all_, len(counted), NOW, "UTC")
    assert plain(read_overview(connection, catalog, who, NOW)) == overview, seed
    assert plain(read_skills(connection, catalog, who)) == slow_levels(all_), seed
    assert plain(read_predictions(connection, catalog, who, NOW)) == slow_predictions(all_, defined, today), seed
    for asked in (AskedRange(days=45), AskedRange(first="2026-01-20", last="2026-02-10")):
        told = plain(read_history(connection, who, NOW, asked).days)
        assert told == slow_history(all_, earned, told[0]["day"], told[-1]["day"]), seed
    metrics = slow_metrics(all_)
    for one in read_standings(connection, who).shown:
        assert one.value == metrics.value(one.definition.metric), (seed, one)
        assert one.earned == next((each for each in earned if each.achievement_id == one.definition.id), None)
    assert plain(read_reviews(connection, catalog, who, NOW, None, 500).items) == slow_reviews(all_, today), seed

    shared = read_sharing(connection, catalog, token, NOW)
    assert shared is not None
    page = plain(shared.progress)
    assert page["streak"] == {name: overview["streak"][name] for name in ("current", "longest")}
    assert page["points"] == overview["points"]
    names = ("course", "title", "status", "percent")
    assert page["courses"] == [{name: one[name] for name in names} for one in overview["courses"]]
    assert page["levels"] == [
        {"topic": one["topic"], "level": one["level"]} for one in overview["skill_levels"] if one["level"] != "beginner"
    ]
    assert len(page["achievements"]) == sum(one.definition.id in all_.of[sums.ACHIEVEMENTS] for one in defined)
