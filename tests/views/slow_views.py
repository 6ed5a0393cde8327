"""What views tell of a learner, worked out the slow way: every sum is read whole, and added up in Python."""

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.achievements import Metrics
from headway.domain.exercises import Done, exercises_done, step_of, versions_of
from headway.domain.facts import COURSE_COMPLETED
from headway.domain.gating import is_open
from headway.domain.levels import Skill, highest, skills, with_held
from headway.domain.mastery import mastery
from headway.domain.periods import EVER
from headway.domain.predictions import forecast
from headway.domain.progress import FIRST_RUN, PeriodSum, StepSum, Worth
from headway.domain.reviews import Practice, card
from headway.domain.scores import mean_percent, percent, ratio_percent
from headway.domain.streaks import STANDARD, StreakDays, current, follow, streak, streak_days_of
from headway.domain.sums import StepKey, Sums
from headway.domain.times import day_of, days_between, format_time, local_day, ordinal
from headway.store import achievements, sums
from headway.store.catalog import Catalog

_DAILY = {
    "steps": ("steps_completed", 1),
    "exercises": ("exercises_completed", 1),
    "points": ("points", 1),
    "attempts": ("attempts", 1),
    "passed_attempts": ("passed_attempts", 1),
    "hours": ("duration_ms", 3_600_000),
}


class Stored(NamedTuple):
    """All sums of a learner, and the courses in force."""

    of: dict[sums.SumKind, dict[Any, Any]]
    courses: dict[str, Any]
    done: list[Done]


def stored(connection: Connection, catalog: Catalog, learner_id: str) -> Stored:
    """All that is stored of a learner."""
    of = {kind: {key: one for _, key, one in sums.read_learners(connection, kind, [learner_id])} for kind in sums.ALL}
    steps = of[sums.STEPS]
    names = {key.course for key in steps} | {key.course for key in of[sums.RUNS]} | of[sums.ENROLLMENTS].keys()
    courses = catalog.in_force(connection, names)
    done = list(exercises_done(steps, catalog.load(connection, versions_of(steps)), courses))
    return Stored(of, courses, done)


def days_of(all_: Stored, last: str = EVER.last) -> dict[str, PeriodSum]:
    """What was done on each day, over all courses."""
    found: dict[str, PeriodSum] = {}
    for key, one in all_.of[sums.DAYS].items():
        if key.day <= last:
            found[key.day] = found.get(key.day, PeriodSum()) + one
    return found


def streak_of(all_: Stored, last: str = EVER.last) -> StreakDays:
    """What the streak is worked out from."""
    imported = ((key.day, one.activities) for key, one in all_.of[sums.IMPORTED_DAYS].items())
    pauses = [(one.first_on, one.last_on) for one in all_.of[sums.PAUSES].values()]
    return streak_days_of(((day, one.activities) for day, one in days_of(all_, last).items()), imported, pauses)


def slow_overview(all_: Stored, total: int, now: int, zone: str) -> dict[str, Any]:
    """The overview."""
    did = sum(days_of(all_).values(), PeriodSum())
    has = all_.of[sums.ACHIEVEMENTS].values()
    found = streak(streak_of(all_), local_day(now, zone))
    return {
        "exercises_completed": did.exercises_completed,
        "steps_completed": did.steps_completed,
        "attempts": did.attempts,
        "average_percent": _average_percent(all_),
        "duration_s": did.duration_ms / 1000,
        "hints": did.hints,
        "points": did.points + sum(one.points for one in has),
        "streak": {
            "current": found.current,
            "longest": found.longest,
            "last_active_on": found.last_active_on,
            "active_today": found.active_today,
            "freezes": found.freezes,
        },
        "achievements": {"unlocked": len(has), "total": total},
        "skill_levels": slow_levels(all_),
        "courses": _summaries(all_),
    }


def _average_percent(all_: Stored) -> float | None:
    best: dict[tuple[str, str], int] = {}
    for key, one in all_.of[sums.STEPS].items():
        course = all_.courses.get(key.course)
        step = course[1].step(key.step) if course and _is_listed(all_, key.course) else None
        if one.best_said is not None and step is not None and step.is_exercise:
            best[key.course, key.step] = max(one.best_said, best.get((key.course, key.step), 0))
    return mean_percent(sum(best.values()), len(best))


def _is_listed(all_: Stored, course: str) -> bool:
    enrolled = all_.of[sums.ENROLLMENTS].get(course)
    return (enrolled is not None and enrolled.enrolled) or any(key.course == course for key in all_.of[sums.RUNS])


def _summaries(all_: Stored) -> list[dict[str, Any]]:
    found = [(-_touched(all_, name), name) for name in all_.courses if _is_listed(all_, name)]
    return [_summary(all_, name, -touched) for touched, name in sorted(found)]


def _touched(all_: Stored, course: str) -> int:
    return max(
        (_active_at(all_, key, one) for key, one in all_.of[sums.STEPS].items() if key.course == course), default=-1
    )


def _active_at(all_: Stored, key: StepKey, one: StepSum) -> int:
    graded = {
        each.given.at: each.at
        for each in all_.of[sums.GRADES].values()
        if each.given is not None and (each.course, each.run, each.step) == key
    }
    said, done = one.override, one.completion
    if one.updated_at not in graded and (said is None or one.updated_at != said.at):
        return one.updated_at
    own = [each.at for each in (one.first, one.latest) if each is not None]
    own += [done.at] if done is not None and (said is None or done.event_id != said.event_id) else []
    return max([*own, *graded.values()], default=-1)


def _place(all_: Stored, course: str) -> tuple[str, int]:
    """The run that the learner is in."""
    return course, max((key.run for key in all_.of[sums.RUNS] if key.course == course), default=FIRST_RUN)


def _run(all_: Stored, course: str) -> dict[str, StepSum]:
    return {key.step: one for key, one in all_.of[sums.STEPS].items() if key[:2] == _place(all_, course)}


def _is_completed(all_: Stored, course: str) -> bool:
    return (*_place(all_, course), COURSE_COMPLETED, "") in all_.of[sums.GRANTS]


def _completed(all_: Stored, course: str) -> int:
    run = _run(all_, course)
    return sum(run.get(step.key, StepSum()).completion is not None for step in all_.courses[course][1].steps)


def _summary(all_: Stored, name: str, touched: int) -> dict[str, Any]:
    version, course = all_.courses[name]
    begun = any(one.events for one in _run(all_, name).values())
    status = "completed" if _is_completed(all_, name) else "in_progress" if begun else "open"
    enrolled = all_.of[sums.ENROLLMENTS].get(name)
    return {
        "course": name,
        "title": course.title,
        "version": version,
        "enrolled": enrolled is not None and enrolled.enrolled,
        "status": status,
        "percent": ratio_percent(_completed(all_, name), len(course.steps)),
        "steps_completed": _completed(all_, name),
        "steps_total": len(course.steps),
        "updated_at": format_time(touched) if touched >= 0 else None,
    }


def _skills(all_: Stored) -> dict[str, Skill]:
    told = ((key.topic, key.level, one) for key, one in all_.of[sums.LEVELS].items())
    return with_held(skills(one.exercise for one in all_.done), highest(told))


def slow_levels(all_: Stored) -> list[dict[str, Any]]:
    """The levels by topic."""
    return [_level(all_, topic, one) for topic, one in sorted(_skills(all_).items())]


def _level(all_: Stored, topic: str, one: Skill) -> dict[str, Any]:
    answers = [each[:3] for done in all_.done if topic in done.exercise.topics for each in done.answers]
    known, above = mastery(answers), one.next
    spent = sum(each.duration_ms for key, each in all_.of[sums.TOPICS].items() if key.topic == topic)
    return {
        "topic": topic,
        "level": one.level.name,
        "previous_level": one.previous and one.previous.name,
        "level_changed_at": None if one.changed_at is None else format_time(one.changed_at),
        "exercises_completed": one.exercises_completed,
        "average_percent": mean_percent(one.best_total, one.scores),
        "duration_s": spent / 1000,
        "next": above and {"level": above.name, "exercises": above.exercises, "percent": percent(above.mean)},
        "mastery": known and dict(zip(("estimate", "low", "high"), known, strict=True)),
    }


def slow_history(all_: Stored, earned: Iterable[achievements.Earned], first: str, last: str) -> list[dict[str, Any]]:
    """The days of a range."""
    known, had, found = days_of(all_, last), list(earned), []
    for day in days_between(first, last):
        streak_then = _streak_on(streak_of(all_, last), ordinal(day))
        own = _figures([one for at, one in known.items() if at == day], [one for one in had if one.day == day])
        upto = _figures([one for at, one in known.items() if at <= day], [one for one in had if one.day <= day])
        found.append(own | {"day": day, "streak": streak_then, "cumulative": upto})
    return found


def _streak_on(days: StreakDays, day: int) -> int:
    kept = None
    for one in sorted(one for one in days.active if one <= day):
        kept = follow(kept, one, days, STANDARD)
    return current(kept, day, days.paused, STANDARD)


def _figures(days: Iterable[PeriodSum], earned: list[achievements.Earned]) -> dict[str, Any]:
    one = sum(days, PeriodSum())
    return {
        "exercises_completed": one.exercises_completed,
        "steps_completed": one.steps_completed,
        "attempts": one.attempts,
        "duration_s": one.duration_ms / 1000,
        "hints": one.hints,
        "average_percent": mean_percent(one.score_total, one.scores),
        "points": one.points + sum(each.points for each in earned),
        "achievements_unlocked": len(earned),
    }


def slow_metrics(all_: Stored) -> Metrics:
    """What achievements can ask for."""
    held = Sums(lambda *_: Worth(0, exercise=False, topics=()))
    for kind, found in all_.of.items():
        kind.held_in(held).update(found)
    return Metrics.of(held)


def slow_predictions(all_: Stored, defined: Iterable[achievements.Defined], today: int) -> list[dict[str, Any]]:
    """What comes next."""
    return [_next_achievement(all_, defined, today), *_next_levels(all_, today), *_next_courses(all_, today)]


def _told(kind: str, target: str, found: Any, **more: str) -> dict[str, Any]:
    if isinstance(found, str):
        return {"kind": kind, "target": target, **more, "reason": found}
    days = dict(zip(("expected_on", "low_on", "high_on"), map(day_of, found), strict=True))
    return {"kind": kind, "target": target, **days, **more}


def _next_achievement(all_: Stored, defined: Iterable[achievements.Defined], today: int) -> dict[str, Any]:
    metrics, days = slow_metrics(all_), days_of(all_)
    left = [
        one.definition
        for one in defined
        if one.definition.id not in all_.of[sums.ACHIEVEMENTS] and not one.retired and not one.definition.hidden
    ]
    if not left:
        return {"kind": "achievement", "target": None, "reason": "there is nothing left to earn"}
    why, told = "not enough to say: the next achievements do not go by what is done in a day", []
    shares = {one.id: round(100 * min(metrics.value(one.metric), one.threshold) / one.threshold, 2) for one in left}
    for one in left:
        if one.metric in _DAILY:
            name, unit = _DAILY[one.metric]
            done = {ordinal(day): attrgetter(name)(did) for day, did in days.items()}
            found = forecast(one.threshold * unit - sum(done.values()), done, today)
            if isinstance(found, str):
                why = found
            else:
                told.append((found, -shares[one.id], one.id))
    if told:
        first = min(told)
        return _told("achievement", first[2], first[0])
    return {"kind": "achievement", "target": max((shares[one.id], one.id) for one in left)[1], "reason": why}


def _next_levels(all_: Stored, today: int) -> Iterator[dict[str, Any]]:
    for topic, skill in sorted(_skills(all_).items()):
        above = skill.next
        if above is None:
            continue
        average, asked = mean_percent(skill.best_total, skill.scores), percent(above.mean) or 0.0
        if average is None or average < asked:
            so_far = "there is none yet" if average is None else f"it is {average:g} %"
            said: Any = f"not enough to say: {above.name} asks for an average of {asked:g} %, and {so_far}"
        else:
            said = forecast(above.exercises - skill.exercises_completed, _days_of_topic(all_, topic), today)
        yield _told("level", topic, said, level=above.name)


def _days_of_topic(all_: Stored, topic: str) -> Counter[int]:
    found: Counter[int] = Counter()
    for one in all_.done:
        runs = [each for key, each in all_.of[sums.STEPS].items() if (key.course, key.step) == one.place]
        done = [each.completion for each in runs if each.completion is not None]
        if done and topic in one.exercise.topics:
            found[ordinal(min(done).day)] += 1
    return found


def _next_courses(all_: Stored, today: int) -> Iterator[dict[str, Any]]:
    begun = {key.course for key in all_.of[sums.STEPS]} | {key.course for key in all_.of[sums.RUNS]}
    for name, (_, course) in sorted(all_.courses.items()):
        if name in begun and not _is_completed(all_, name):
            done = [one.completion for one in _run(all_, name).values() if one.completion is not None]
            days = Counter(ordinal(one.day) for one in done)
            yield _told("course", name, forecast(len(course.steps) - _completed(all_, name), days, today))


def slow_reviews(all_: Stored, today: int) -> list[dict[str, Any]]:
    """What is to be practiced by the end of today, in UTC, the longest due first."""
    days: dict[tuple[str, str], dict[str, list[int]]] = {}
    for key, one in all_.of[sums.STEP_DAYS].items():
        counts = days.setdefault((key.course, key.step), {}).setdefault(key.day, [0, 0, 0, 0])
        counts[:] = [a + b for a, b in zip(counts, one, strict=True)]
    found = []
    for (name, key), of in days.items():
        course = all_.courses[name][1]
        step, known = step_of(course, key), card(Practice(ordinal(day), *counts) for day, counts in of.items())
        if step is None or not step.is_exercise or known is None or known.due > today:
            continue
        held = {(one.kind, one.module): at for one, at in all_.of[sums.GRANTS].items() if one[:2] == _place(all_, name)}
        module = course.module_of(step.id)
        if module is not None and is_open(module, _run(all_, name), held):
            found.append(((known.due, name, key), course, step, known))
    return [
        {
            "course": course.id,
            "course_title": course.title,
            "step": step.id,
            "title": step.title,
            "due_at": f"{day_of(known.due)}T00:00:00.000000Z",
            "retrievability": round(known.retrievability(today), 4),
        }
        for _, course, step, known in sorted(found, key=itemgetter(0))
    ]
