"""The texts of mails to learners: a subject, some lines, a link to go on, and links to unsubscribe."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from headway.certificates.facts import plain
from headway.domain.preferences import EVERY_KIND
from headway.domain.scores import cut
from headway.domain.times import local_day, parse_time
from headway.http.mail import Letter
from headway.ledger.mailing import Mail

SUBJECT_MAX: Final = 120
_TEXT_MAX: Final = 2_000
# What people call the kinds, in mails and on the page to unsubscribe.
NAMES: Final[Mapping[str, str]] = {
    "streak": "streaks that are about to end",
    "weekly_summary": "how your week was",
    "certificates": "your certificates",
    "grades": "grades that people give you",
    EVERY_KIND: "your progress",
}
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class _Said(NamedTuple):
    """What a mail says, as text, not HTML; `link` is the name of the link to `path`."""

    subject: str
    lines: list[str]
    link: str
    path: str


def letter_of(mail: Mail, site: str) -> Letter:
    """A mail as it is sent; `site` is the server's address, without a slash at the end."""
    said = _SAYS[mail.change["type"]](mail)
    kind, (token, token_of_all) = mail.row.kind, mail.tokens
    foot = _Foot(
        NAMES[kind],
        f"{site}/unsubscribe/{kind}/{token}",
        f"{site}/unsubscribe/{EVERY_KIND}/{token_of_all}",
        f"{site}/settings/notifications",
    )
    subject = _short(said.subject, SUBJECT_MAX)
    place = site + said.path
    return Letter(
        mail.address, subject, _text(said, place, foot), _html(said, place, foot), mail.row.notice_id, foot.stop
    )


class _Foot(NamedTuple):
    name: str
    stop: str
    stop_all: str
    settings: str


def _text(said: _Said, place: str, foot: _Foot) -> str:
    lines = "\n\n".join(said.lines)
    return (
        f"{lines}\n\n{said.link}: {place}\n\n-- \n"
        f"You asked for e-mail about {foot.name}.\nNo more of these: {foot.stop}\n"
        f"No more of any: {foot.stop_all}\nAll settings: {foot.settings}\n"
    )


def _html(said: _Said, place: str, foot: _Foot) -> str:
    lines = "\n".join(f'<p dir="auto">{escape(one)}</p>' for one in said.lines)
    stop, stop_all, settings = map(escape, (foot.stop, foot.stop_all, foot.settings))
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{escape(said.subject)}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 1.5em auto; padding: 0 1em">
{lines}
<p><a href="{escape(place)}">{escape(said.link)}</a></p>
<hr>
<p style="font-size: 0.85em">You asked for e-mail about {escape(foot.name)}.
<a href="{stop}">No more of these</a> · <a href="{stop_all}">No more of any</a> ·
<a href="{settings}">All settings</a></p>
</body>
</html>
"""


def _short(text: str, most: int) -> str:
    """Text in one line, cut to `most` characters: a title's line breaks must not get into a header."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _at_risk(mail: Mail) -> _Said:
    days = _count(mail.change["current"], "day")
    lines = [
        f"You have kept a streak of {days}, and nothing is recorded yet for today, {_day(mail.change['day'])}.",
        f"An exercise or a lesson before midnight ({mail.time_zone}) keeps it.",
    ]
    return _Said(f"Your streak of {days} ends tonight", lines, "Keep it", "/")


def _summary(mail: Mail) -> _Said:
    told, before = mail.change, mail.change["week_before"]
    figures = [
        _compared("Active days", told["active_days"], before["active_days"]),
        _compared("Exercises", told["exercises_completed"], before["exercises_completed"]),
        _compared("Attempts", told["attempts"], before["attempts"]),
        _compared("Minutes", round(told["duration_s"] / 60), round(before["duration_s"] / 60)),
        _compared("Points", told["points"], before["points"]),
    ]
    average = (
        [] if told["average_percent"] is None else [f"On average you scored {in_percent(told['average_percent'])}."]
    )
    streak = [f"Your streak is {_count(told['streak'], 'day')} long."] if told["streak"] else []
    lines = [f"Your week from {_day(told['from'])} to {_day(told['to'])}:", *figures, *average, *streak]
    days, exercises = _count(told["active_days"], "active day"), _count(told["exercises_completed"], "exercise")
    return _Said(f"Your week: {days}, {exercises}", lines, "Your progress", "/progress")


def _certified(mail: Mail) -> _Said:
    course, told = _course(mail), mail.change
    day = _day_of(told["issued_at"], mail.time_zone)
    score = "" if told.get("score_percent") is None else f" with {in_percent(told['score_percent'])}"
    lines = [f"You completed {course} on {day}{score}.", "Anybody can verify your certificate at its address."]
    return _Said(f"Your certificate for {course}", lines, "Your certificate", f"/certificates/{told['certificate']}")


def _revoked(mail: Mail) -> _Said:
    course, told = _course(mail), mail.change
    lines = [
        f"Your certificate for {course} was revoked on {_day_of(told['revoked_at'], mail.time_zone)}.",
        f"The reason: {_short(str(told.get('reason') or 'none was given'), _TEXT_MAX)}",
    ]
    path = f"/certificates/{told['certificate']}"
    return _Said(f"Your certificate for {course} was revoked", lines, "What stands there now", path)


def _graded(mail: Mail) -> _Said:
    told, step = mail.change, _step(mail)
    score = "" if told.get("score") is None else f": {in_percent(100 * told['score'])}"
    lines = [f"Your work on {step} in {_course(mail)} was graded{score}."]
    if told.get("feedback"):
        lines.append(f"The feedback: {_short(str(told['feedback']), _TEXT_MAX)}")
    return _Said(f"Graded: {step}", lines, "Your work", _path(mail))


def _overridden(mail: Mail) -> _Said:
    told, step = mail.change, _step(mail)
    # An override that is not final lowers nothing: a better score of the learner's stays.
    least = "" if told.get("final") else "at least "
    score = in_percent(100 * (told.get("score") or 0))
    counts = "you need not do it" if told.get("waived") else f"it counts as {least}{score}"
    lines = [f"Of {step} in {_course(mail)} it was decided: {counts}."]
    if told.get("reason"):
        lines.append(f"The reason: {_short(str(told['reason']), _TEXT_MAX)}")
    return _Said(f"Decided: {step}", lines, "The step", _path(mail))


_SAYS: Final[Mapping[str, Callable[[Mail], _Said]]] = {
    "streak_at_risk": _at_risk,
    "weekly_summary": _summary,
    "certificate_issued": _certified,
    "certificate_revoked": _revoked,
    "step_graded": _graded,
    "step_overridden": _overridden,
}


def _course(mail: Mail) -> str:
    return _short(mail.course_title or str(mail.change["course"]), SUBJECT_MAX)


def _step(mail: Mail) -> str:
    # A step that the version in force does not have is named by its id.
    return _short(mail.step_title or str(mail.change["step"]).replace("-", " "), SUBJECT_MAX)


def _path(mail: Mail) -> str:
    return f"/courses/{quote(str(mail.change['course']), safe='')}/steps/{quote(str(mail.change['step']), safe='')}"


def _compared(name: str, now: int, before: int) -> str:
    return f"{name}: {now:,} (the week before: {before:,})"


def _count(number: Any, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def in_percent(percent: float) -> str:
    """A percentage with one decimal."""
    return f"{cut(percent, 1):g} %"


def _day(day: str) -> str:
    year, month, of_month = map(int, day.split("-"))
    return f"{of_month} {_MONTHS[month - 1]} {year}"


def _day_of(moment: str, time_zone: str) -> str:
    """The day on which something happened, in the learner's zone."""
    return _day(local_day(parse_time(moment)[0], time_zone))
