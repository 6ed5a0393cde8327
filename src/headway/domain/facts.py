"""Entries that the server itself adds to a learner's ledger, enrollments aside: grants, grades, overrides, new runs."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from headway.domain.errors import Invalid
from headway.domain.scores import FULL
from headway.domain.times import parse_day, parse_time

MODULE_UNLOCKED, MODULE_COMPLETED = "module_unlocked", "module_completed"
COURSE_COMPLETED, CERTIFIED = "course_completed", "certified"
REVOKED, RUN_STARTED = "revoked", "run_started"
GRADED, OVERRIDDEN = "graded", "overridden"
PAUSED, RESUMED = "paused", "resumed"
ACHIEVED = "achieved"
RESET = "reset"
STREAK_IMPORTED = "streak_imported"
LEVELED = "leveled"
# The `cause` of an achievement that a backfill gives for what was done long before.
BACKFILL = "backfill"
# Types of entries about the learner alone, and no course.
COURSELESS_TYPES: Final = (PAUSED, RESUMED, ACHIEVED, LEVELED, STREAK_IMPORTED)
GRANT_TYPES: Final = (MODULE_UNLOCKED, MODULE_COMPLETED, COURSE_COMPLETED, CERTIFIED)


class FactInvalid(Invalid):
    """An entry of the server's own does not read as one."""


class Granted(NamedTuple):
    """A grant, of a module, or of the course where `module` is empty. `cause` is the event that brought it about."""

    module: str
    cause: str


class Graded(NamedTuple):
    """The score of an attempt, given or raised afterwards; `before` is its score until then, None where it had none.

    The attempt keeps its place in time: `attempted_at` in microseconds, on the learner's `day`, under the `topics` that
    its step had then (None: its present ones). `waited` says that it was waiting for a person to grade it.
    """

    attempt: str
    attempted_at: int
    day: str
    before: int | None
    passed_before: bool
    waited: bool = False
    topics: tuple[str, ...] | None = None
    feedback: str = ""


class Overridden(NamedTuple):
    """An override of a step's score: a `final` one counts even where it is lower; a `waived` one gives no score."""

    final: bool
    waived: bool
    reason: str = ""


class Revoked(NamedTuple):
    """A certificate is void from the entry's time on."""

    certificate: str
    reason: str


class Achieved(NamedTuple):
    """The learner earned an achievement, as it was defined then. `cause` is the event that brought it about.

    `day` is that event's local day, given only where it is not the day of the entry's time in the learner's zone.
    """

    achievement: str
    title: str
    tier: str
    points: int
    cause: str
    day: str | None = None


class Leveled(NamedTuple):
    """The learner reached a level in a topic, after the `previous` one. `cause` is the event that brought it about."""

    topic: str
    level: str
    previous: str
    cause: str
    day: str | None = None


class RunStarted(NamedTuple):
    """The learner begins a new run of the course."""


class Paused(NamedTuple):
    """The learner's streak rests from one day to another, both included. The entry's id is the pause's."""

    first_on: str
    last_on: str


class Resumed(NamedTuple):
    """A pause ends earlier than planned, on this day; a day before its first one cancels it."""

    pause: str
    last_on: str


class Reset(NamedTuple):
    """The learner begins from nothing: in a course, or in all courses where the entry names none.

    `sessions` is how many practice sessions this cleared; `kept` are the achievements, and `levels` the (topic, level)
    pairs, that the remaining progress still meets. `counts_said` is whether steps with nothing but an override are
    among the steps that the learner is told were cleared: the first resets left them out, and are told as they were.
    """

    sessions: int
    kept: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = ()
    counts_said: bool = False


class StreakImported(NamedTuple):
    """The learner's longest streak in another system, in days; it is shown, but counts for nothing."""

    longest: int


Fact: TypeAlias = (
    Granted
    | Graded
    | Overridden
    | Revoked
    | RunStarted
    | Paused
    | Resumed
    | Achieved
    | Leveled
    | Reset
    | StreakImported
)


class Said(NamedTuple):
    """The content of such an entry's body; `course` and `step` are empty for none, `score` is in millionths."""

    fact: Fact
    course: str
    step: str
    run: int
    at: int
    score: int | None


def read_fact(content: Mapping[str, Any]) -> Said | None:
    """The content of an entry of the server's own; None where it is of another type, FactInvalid where it is broken."""
    read = _READERS.get(content["type"]) if isinstance(content.get("type"), str) else None
    if read is None:
        return None
    try:
        fact = read(content)
        at = parse_time(content["occurred_at"])[0]
        score = content.get("score")
        if score is not None and not (type(score) is int and 0 <= score <= FULL):
            raise FactInvalid(f"{score!r} is no score in millionths", field="score")
        if content["type"] in COURSELESS_TYPES or (content["type"] == RESET and "course" not in content):
            return Said(fact, "", "", 1, at, None)
        return Said(fact, str(content["course"]), str(content.get("step", "")), int(content["run"]), at, score)
    except (KeyError, TypeError, ValueError) as error:
        raise FactInvalid(f"the entry is broken: {error!r}", field="body") from None


def _granted(content: Mapping[str, Any]) -> Granted:
    return Granted(str(content.get("module", "")), str(content["cause"]))


def _graded(content: Mapping[str, Any]) -> Graded:
    at = parse_time(content["attempted_at"])[0]
    before, topics = content.get("before"), content.get("topics")
    return Graded(
        str(content["attempt"]),
        at,
        str(content["day"]),
        None if before is None else int(before),
        bool(content.get("passed_before", False)),
        bool(content.get("waited", False)),
        None if topics is None else tuple(str(topic) for topic in topics),
        str(content.get("feedback", "")),
    )


def _overridden(content: Mapping[str, Any]) -> Overridden:
    final, waived = bool(content.get("final", False)), bool(content.get("waived", False))
    return Overridden(final, waived, str(content.get("reason", "")))


def _revoked(content: Mapping[str, Any]) -> Revoked:
    return Revoked(str(content["certificate"]), str(content["reason"]))


def _paused(content: Mapping[str, Any]) -> Paused:
    first_on, last_on = (parse_day(str(content[name]), field=name) for name in ("from", "to"))
    return Paused(first_on, last_on)


def _resumed(content: Mapping[str, Any]) -> Resumed:
    return Resumed(str(content["pause"]), parse_day(str(content["to"]), field="to"))


def _achieved(content: Mapping[str, Any]) -> Achieved:
    title, tier, cause = (str(content[name]) for name in ("title", "tier", "cause"))
    return Achieved(str(content["achievement"]), title, tier, int(content["points"]), cause, _day(content))


def _reset(content: Mapping[str, Any]) -> Reset:
    levels = tuple((str(topic), str(level)) for topic, level in content.get("levels", ()))
    kept, counts_said = tuple(str(one) for one in content.get("kept", ())), bool(content.get("counts_said", False))
    return Reset(int(content["sessions"]), kept, levels, counts_said)


def _leveled(content: Mapping[str, Any]) -> Leveled:
    topic, level, previous, cause = (str(content[name]) for name in ("topic", "level", "previous", "cause"))
    return Leveled(topic, level, previous, cause, _day(content))


def _day(content: Mapping[str, Any]) -> str | None:
    return parse_day(str(content["day"]), field="day") if "day" in content else None


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Fact]]] = {
    **dict.fromkeys(GRANT_TYPES, _granted),
    GRADED: _graded,
    OVERRIDDEN: _overridden,
    REVOKED: _revoked,
    RUN_STARTED: lambda _: RunStarted(),
    PAUSED: _paused,
    RESUMED: _resumed,
    ACHIEVED: _achieved,
    RESET: _reset,
    LEVELED: _leveled,
    STREAK_IMPORTED: lambda content: StreakImported(int(content["longest"])),
}
FACT_TYPES: Final = tuple(_READERS)
