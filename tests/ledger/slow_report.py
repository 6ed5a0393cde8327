"""A course's report worked out the slow way: from the ledgers, learner by learner, with nothing of counters."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from statistics import median
from typing import Any, NamedTuple

from headway.domain.course import Course, Module
from headway.domain.times import DAY
from tests.ledger.slow_fold import DOINGS
from tests.ledger.world import World

Entry = Mapping[str, Any]
MILLION = 1_000_000


class SlowStep(NamedTuple):
    """What a learner did on a step, in all runs together; `counts` is what it is worth in its module.

    It is touched by whoever said what it counts for, too.
    """

    touched: bool
    attempts: int
    passed: int
    best: int | None
    completed: bool
    seconds: float
    counts: int


def of_accounts(world: World) -> dict[str, list[Entry]]:
    """The entries that count of everybody who is an account: their own, and what guests brought, each id once."""
    people = world.rows_of("learner")
    ledgers = world.rows_of("ledger")
    moved = sorted((one for one in people if one["merged_into"]), key=lambda one: (one["merged_at"], one["id"]))
    found: dict[str, list[Entry]] = {}
    for person in people:
        if person["kind"] == "guest" or person["erased_at"] is not None or person["merged_into"] is not None:
            continue
        identities = [person["id"], *(one["id"] for one in moved if one["merged_into"] == person["id"])]
        by_id: dict[str, Entry] = {}
        for identity in identities:
            for one in sorted((row for row in ledgers if row["learner_id"] == identity), key=lambda row: row["seq"]):
                by_id.setdefault(one["event_id"], one)
        joined = {one["id"]: one["merged_after"] for one in moved}
        found[person["id"]] = _left_by_resets(person["id"], list(by_id.values()), joined)
    return found


def _left_by_resets(own: str, entries: list[Entry], joined: Mapping[str, int]) -> list[Entry]:
    """Without what the account took back: whatever was until then of the run that it was in, late or not."""
    resets = [one for one in entries if one["type"] == "reset" and one["learner_id"] == own]
    for reset in sorted(resets, key=lambda one: one["seq"]):
        before = [one for one in entries if _is_before(one, reset, own, joined)]
        runs = Counter[str]()
        for one in before:
            runs[one["course_id"]] = max(runs[one["course_id"]], one["run"])
        entries = [one for one in entries if not _is_covered(one, reset, own, joined, runs)]
    attempts = {one["event_id"] for one in entries}
    return [one for one in entries if one["type"] != "graded" or json.loads(one["body"])["attempt"] in attempts]


def _is_before(one: Entry, reset: Entry, own: str, joined: Mapping[str, int]) -> bool:
    """Whether the account had the entry already when it was reset."""
    place = one["seq"] if one["learner_id"] == own else joined[one["learner_id"]]
    return bool(place < reset["seq"])


def _is_covered(one: Entry, reset: Entry, own: str, joined: Mapping[str, int], runs: Mapping[str, int]) -> bool:
    stays = one["type"] in ("enrolled", "left", "run_started", "reset", "certified")
    known = one["learner_id"] == own or joined[one["learner_id"]] < reset["seq"]
    if stays or not known or reset["course_id"] not in ("", one["course_id"]):
        return False
    if _is_before(one, reset, own, joined):
        return bool(one["run"] == max(runs.get(one["course_id"], 1), 1))
    # What comes late counts nowhere, whichever run it came in; what a person says is of when it is said.
    return one["type"] in (*DOINGS, "graded") and _done_at(one) <= reset["at"]


def _done_at(one: Entry) -> int:
    """When that was done which an entry is about: of a grade, the attempt's time."""
    if one["type"] != "graded":
        return int(one["at"])
    attempted = datetime.fromisoformat(json.loads(one["body"])["attempted_at"])
    return round(attempted.timestamp() * MILLION)


def is_enrolled(entries: Iterable[Entry]) -> bool:
    said = [one for one in entries if one["type"] in ("enrolled", "left")]
    return bool(said) and max(said, key=lambda one: (one["at"], one["event_id"]))["type"] == "enrolled"


def on_step(entries: Sequence[Entry], key: str) -> SlowStep:
    own = [one for one in entries if one["step_id"] == key]
    done = [one for one in own if one["type"] in DOINGS]
    attempts = [one for one in done if one["type"] == "attempted"]
    # Who recorded their own attempt under two identities is graded once: by whichever grade the attempt is known to.
    grades = [one for one in own if one["type"] == "graded"]
    graded = {json.loads(one["body"])["attempt"] for one in grades if one["passed"]}
    passed = sum(bool(one["passed"]) or one["event_id"] in graded for one in attempts)
    scores = [one["score"] for one in (*done, *grades) if one["score"] is not None]
    is_done = passed > 0 or any(one["type"] == "completed" for one in done)
    words = sorted((one for one in own if one["type"] == "overridden"), key=lambda one: (one["at"], one["event_id"]))
    completed = is_done or any(one["passed"] for one in words)
    best = max(scores, default=None)
    counts = (MILLION if is_done else 0) if best is None else best
    if words:
        said = json.loads(words[-1]["body"])
        counts = words[-1]["score"] if said["final"] else max(counts, words[-1]["score"])
        lifts = not said["final"] and not words[-1]["score"]
        if not said["waived"] and not lifts and not (is_done and best is None and not said["final"]):
            best = max(best or 0, words[-1]["score"])
    seconds = sum(one["duration_ms"] for one in done) / 1000
    return SlowStep(bool(done or words) or completed, len(attempts), passed, best, completed, seconds, counts)


class SlowLearner(NamedTuple):
    """An enrolled learner: what they did on each step, and what was granted."""

    id: str
    entries: Sequence[Entry]
    steps: Mapping[str, SlowStep]
    modules: Mapping[str, int]
    course_score: int | None

    def percent(self, course: Course) -> Fraction:
        return Fraction(100 * sum(self.steps[one.key].completed for one in course.steps), len(course.steps))

    def score(self, module: Module) -> Fraction:
        """A mean of the steps' scores, for they are all exercises that count alike; never less than at completion."""
        each = [self.steps[one.key].counts for one in module.steps]
        return max(Fraction(sum(each), len(each)), Fraction(self.modules.get(module.key, 0)))

    def has_reached(self, module: Module) -> bool:
        return module.key in self.modules or any(self.steps[one.key].touched for one in module.steps)

    def total(self, course: Course) -> Fraction:
        each = [self.score(one) for one in course.modules]
        return max(Fraction(sum(each), len(each)), Fraction(self.course_score or 0))

    @property
    def active_at(self) -> int | None:
        return max((one["at"] for one in self.entries if one["type"] in DOINGS), default=None)

    @property
    def week(self) -> str:
        first = min(one["at"] for one in self.entries if one["type"] == "enrolled")
        year, week, _ = datetime.fromtimestamp(first / MILLION, UTC).isocalendar()
        return f"{year}-W{week:02}"


def learners(world: World, course: Course) -> list[SlowLearner]:
    found = []
    for learner_id, entries in of_accounts(world).items():
        own = [one for one in entries if one["course_id"] == course.id]
        if is_enrolled(own):
            keys = {one["step_id"] for one in own if one["step_id"]} | {one.key for one in course.steps}
            grants = [(one["type"], json.loads(one["body"]).get("module", ""), one["score"] or 0) for one in own]
            modules = {
                name: max(s for kind, of, s in grants if (kind, of) == ("module_completed", name))
                for kind, name, _ in grants
                if kind == "module_completed"
            }
            whole = max((score for kind, _, score in grants if kind == "course_completed"), default=None)
            found.append(SlowLearner(learner_id, own, {key: on_step(own, key) for key in keys}, modules, whole))
    return found


def percent(value: Fraction | float | None) -> float | None:
    """As it is shown: two decimals, half up, and short of all never all."""
    if value is None:
        return None
    exact = Fraction(value)
    shown = int(exact * 100 + Fraction(1, 2)) / 100
    return 99.99 if exact < 100 <= shown else shown


def mean(values: Sequence[Fraction | int]) -> Fraction | None:
    return Fraction(sum(values), len(values)) if values else None


def middle(values: Sequence[Any]) -> Any:
    return median(values) if values else None


def hundredths(score: Fraction) -> Fraction:
    """A score (millionths) as a percentage with two decimals."""
    return Fraction(round(Fraction(percent(Fraction(int(score), 10_000)) or 0.0) * 100), 100)


def slow_report(world: World, course: Course, now: int) -> dict[str, Any]:
    """What the report should say, but for whom the course may lose."""
    people = learners(world, course)
    percents = [one.percent(course) for one in people]
    ages = Counter(_age(one.active_at, now) for one in people)
    best = [one.steps[step.key].best for one in people for step in course.steps if step.is_exercise]
    return {
        "summary": {
            "enrolled": len(people),
            "completed": sum(one.course_score is not None for one in people),
            "average_percent": percent(mean(percents)),
            "median_percent": percent(middle(percents)),
            "average_score_percent": percent(_in_percent(mean([one for one in best if one is not None]))),
        },
        "last_active": {name: ages[name] for name in ("day", "week", "month", "older", "never")},
        "modules": [_module(one, people) for one in course.modules],
        "steps": [_step(module, step, course, people) for module in course.modules for step in module.steps],
        "score_distribution": _bands([one.total(course) for one in people]),
        "cohorts": _cohorts(course, people),
    }


def _in_percent(score: Fraction | None) -> Fraction | None:
    return None if score is None else score / 10_000


def _age(active_at: int | None, now: int) -> str:
    if active_at is None:
        return "never"
    age = now - active_at
    return "day" if age <= DAY else "week" if age <= 7 * DAY else "month" if age <= 30 * DAY else "older"


def _module(module: Module, people: Sequence[SlowLearner]) -> dict[str, Any]:
    reached = [one for one in people if one.has_reached(module)]
    return {
        "id": module.id,
        "title": module.title,
        "reached": len(reached),
        "completed": sum(module.key in one.modules for one in people),
        "median_score_percent": percent(middle([hundredths(one.score(module)) for one in reached])),
    }


def _step(module: Module, step: Any, course: Course, people: Sequence[SlowLearner]) -> dict[str, Any]:
    did = [one.steps[step.key] for one in people]
    touched, completed = sum(one.touched for one in did), sum(one.completed for one in did)
    attempts, passed = sum(one.attempts for one in did), sum(one.passed for one in did)
    scores = [one.best for one in did if one.best is not None]
    order = [one.key for one in course.steps]
    last = [[key for key in order if one.steps[key].touched][-1:] for one in people if one.course_score is None]
    return {
        "id": step.id,
        "module": module.id,
        "title": step.title,
        "kind": step.kind,
        "learners": touched,
        "attempts": attempts,
        "passed_attempts": passed,
        "completed": completed,
        "average_score_percent": percent(_in_percent(mean(scores))),
        "pass_rate_percent": percent(Fraction(100 * passed, attempts)) if attempts else None,
        "completion_rate_percent": percent(Fraction(100 * completed, touched)) if touched else None,
        "median_attempts_to_pass": middle([min(one.attempts - one.passed + 1, 100) for one in did if one.passed]),
        "median_duration_s": middle([_two_digits(one.seconds) for one in did if one.seconds]),
        "stopped": sum(one == [step.key] for one in last),
        # Of so few learners nothing can be said; tests/ledger/test_first_tries.py has more of them.
        "dropped_in_version": None,
        "first_try_before_percent": None,
        "first_try_since_percent": None,
    }


def _two_digits(seconds: float) -> int:
    whole = int(Fraction(seconds) + Fraction(1, 2))
    unit = 1
    while whole // unit >= 100:
        unit *= 10
    return (whole + unit // 2) // unit * unit


def _bands(scores: Sequence[Fraction]) -> list[dict[str, int]]:
    bands = Counter(min(score * 10 // MILLION, 9) for score in scores)
    return [{"from_percent": 10 * n, "to_percent": 10 * n + 10, "learners": bands[n]} for n in range(10)]


def _cohorts(course: Course, people: Sequence[SlowLearner]) -> list[dict[str, Any]]:
    def those(week: str, what: Callable[[SlowLearner], Any]) -> list[Any]:
        return [what(one) for one in people if one.week == week]

    return [
        {
            "week": week,
            "enrolled": len(those(week, bool)),
            "completed": sum(those(week, lambda one: one.course_score is not None)),
            "average_percent": percent(mean(those(week, lambda one: one.percent(course)))),
        }
        for week in sorted({one.week for one in people})
    ]
