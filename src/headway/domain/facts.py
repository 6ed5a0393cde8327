"""What the server itself writes into a learner's ledger, beside enrollments: grants, grades, overrides, new runs."""

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
# The cause of what is given for what was done long ago.
BACKFILL = "backfill"
# About the learner alone, and no course.
COURSELESS_TYPES: Final = (PAUSED, RESUMED, ACHIEVED, LEVELED, STREAK_IMPORTED)
GRANT_TYPES: Final = (MODULE_UNLOCKED, MODULE_COMPLETED, COURSE_COMPLETED, CERTIFIED)


class FactInvalid(Invalid):
    """An entry of the server's own does not read as one."""


class Granted(NamedTuple):
    """A rule said yes: to a module, or to the course where `module` is empty. `cause` is the event that brought it."""

    module: str
    cause: str


class Graded(NamedTuple):
    """The score of an attempt, given or raised afterwards; `before` is the one that it had, None where it had none.

    The attempt keeps its place in time: `attempted_at` in microseconds, on the learner's `day`, under the `topics` that
    its step had then (None: those that it has). `waited` says that it was a person's to grade and had no grade yet.
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
    """A step's score said by a person: a `final` one counts even where it is lower; `waived` is no score at all."""

    final: bool
    waived: bool
    reason: str = ""


class Revoked(NamedTuple):
    """A certificate is void from now on."""

    certificate: str
    reason: str


class Achieved(NamedTuple):
    """The learner earned an achievement, as it was defined then. `cause` is the event that brought it.

    `day` is that event's, where it is another than the learner's zone says of the time.
    """

    achievement: str
    title: str
    tier: str
    points: int
    cause: str
    day: str | None = None


class Leveled(NamedTuple):
    """The learner came to a level in a topic, from the one before. `cause` is the event that brought it."""

    topic: str
    level: str
    previous: str
    cause: str
    day: str | None = None


class RunStarted(NamedTuple):
    """The learner begins the course anew."""


class Paused(NamedTuple):
    """The learner rests from a day to a day, both included, and no streak ends. The entry's id is the pause's."""

    first_on: str
    last_on: str


class Resumed(NamedTuple):
    """A pause ends on a day earlier than was said; before it began where there was none after all."""

    pause: str
    last_on: str


class Reset(NamedTuple):
    """The learner begins from nothing: in a course, or in all where the entry names none.

    `sessions` says how many practice sessions that cleared, `kept` which achievements what stands still meets, and
    `levels` which levels in topics (topic, level). `counts_said` is whether steps of which a person alone said
    something are told of, too: the first resets left them out, and are told as they were.
    """

    sessions: int
    kept: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = ()
    counts_said: bool = False


class StreakImported(NamedTuple):
    """What another system recorded of a learner's longest streak, in days; it counts for nothing, and is shown."""

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
    """What the body of such an entry says: `course` and `step` are empty where it is about none; `score` millionths."""

    fact: Fact
    course: str
    step: str
    run: int
    at: int
    score: int | None


def read_fact(content: Mapping[str, Any]) -> Said | None:
    """What an entry of the server's own says; None where its type is none of them, FactInvalid where it is broken."""
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
