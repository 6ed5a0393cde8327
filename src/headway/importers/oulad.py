"""OULAD, the Open University Learning Analytics dataset (doi:10.1038/sdata.2017.171).

Three things that the dataset leaves open are decided here. Days are counted from the presentation's start; on its day a
registration takes effect at 8:00, a result is handed in at 12:00 and an unregistration takes effect at 20:00 UTC, so
that a learner who registers and leaves on one day has left. A registration without a date counts as made on the day
before the presentation's start, or before the unregistration where that is earlier. A banked result is credit from an
earlier presentation: it is counted as left out, and is no attempt.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from headway.domain.errors import Invalid
from headway.domain.events import Event, check_event, enrollment_event
from headway.importers.reading import file_in, folder_of, rows, size_of
from headway.importers.records import (
    ImportFailed,
    Item,
    LeftOut,
    Location,
    Read,
    Record,
    Reject,
    Unreadable,
)
from headway.ledger.enlist import derived_id

STARTS: Final = {"B": (2, 1), "J": (10, 1)}
MONTHS: Final = {"B": "February", "J": "October"}
KINDS: Final = {"TMA": "assignment", "CMA": "quiz", "Exam": "assessment"}
REGISTERED_AT, RESULT_AT, LEFT_AT = "T08:00:00Z", "T12:00:00Z", "T20:00:00Z"
# "A score lower than 40 is interpreted as Fail", says the dataset's description.
PASS_MARK: Final = 40
_FILES: Final = ("assessments", "courses", "studentRegistration", "studentAssessment")
_PRESENTATION: Final = ("code_module", "code_presentation")
_CODE: Final = re.compile(r"[12][0-9]{3}[BJ]")


class Assessment(NamedTuple):
    """A row of assessments.csv; `due` is a day from the start, None where the dataset does not say."""

    id: str
    type: str
    due: int | None
    weight: str

    @property
    def step(self) -> str:
        """The id of the step."""
        return f"{self.type.lower()}-{self.id}"


class Presentation(NamedTuple):
    """A presentation: a module as it was given once."""

    module: str
    code: str
    start: date

    @property
    def course(self) -> str:
        """The id of the course."""
        return f"oulad-{self.module}-{self.code}".lower()

    def at(self, day: int, hour: str) -> str:
        """A day from the start, at an hour, as an RFC 3339 time; Unreadable where the calendar has no such day."""
        try:
            return f"{self.start + timedelta(days=day)}{hour}"
        except OverflowError:
            raise Unreadable(f"day {day} from the start is on no calendar") from None


class Oulad:
    """The dataset's folder: its CSV files, plain or gzip."""

    def __init__(self, paths: Sequence[str]) -> None:
        folder = folder_of(paths, "oulad takes one folder, the one that holds assessments.csv and the other files")
        self.files = {name: file_in(folder, f"{name}.csv") for name in _FILES}
        self.presentations = dict(self._presentations())
        self.assessments: dict[str, tuple[Presentation, Assessment]] = {}
        self.warts: list[Reject] = []
        self._each("assessments", (*_PRESENTATION, "id_assessment", "assessment_type", "date", "weight"), self._assess)

    @property
    def size(self) -> int | None:
        """The size in bytes of the files that are streamed."""
        return size_of([self.files["studentRegistration"], self.files["studentAssessment"]])

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """A course for each presentation that has assessments."""
        of: dict[Presentation, list[Assessment]] = defaultdict(list)
        for presentation, assessment in self.assessments.values():
            of[presentation].append(assessment)
        return [manifest(presentation, of[presentation]) for presentation in sorted(of)]

    def items(self, read: Read) -> Iterator[Item]:
        """All items, registrations first, so that learners seen during the import are enrolled already."""
        yield from self.warts
        columns = (*_PRESENTATION, "id_student", "date_registration", "date_unregistration")
        yield from self._read("studentRegistration", columns, self._registration, read)
        columns = ("id_assessment", "id_student", "date_submitted", "is_banked", "score")
        yield from self._read("studentAssessment", columns, self._result, read)

    def _presentations(self) -> Iterator[tuple[tuple[str, str], Presentation]]:
        for row in rows(self.files["courses"], lambda _: None, _PRESENTATION):
            if isinstance(row, Reject):
                raise ImportFailed(f"{row.place.file}:{row.place.line}: {row.message}")
            module, code = row.cells
            if _CODE.fullmatch(code):
                yield (module, code), Presentation(module, code, date(int(code[:-1]), *STARTS[code[-1]]))

    def _assess(self, _place: Location, module: str, code: str, *cells: str) -> Iterator[Item]:
        name, kind, due, weight = cells
        if kind not in KINDS:
            raise Unreadable(f"assessment_type must be one of {', '.join(KINDS)}, not {kind!r}")
        if not name.isdecimal():
            raise Unreadable(f"id_assessment must be a number, not {name!r}")
        _number(weight, "weight")
        self.assessments[name] = self._presentation(module, code), Assessment(name, kind, _day(due, "date"), weight)
        return iter(())

    def _registration(self, place: Location, module: str, code: str, student: str, *dates: str) -> Iterator[Item]:
        presentation = self._presentation(module, code)
        came, went = _day(dates[0], "date_registration"), _day(dates[1], "date_unregistration")
        if came is None:
            came = min(0, 0 if went is None else went) - 1
        course, learner = presentation.course, _learner(student)
        enrolled = _enrollment("enrolled", course, presentation.at(came, REGISTERED_AT))
        yield Record(place, learner, enrolled._replace(id=derived_id("oulad", "enrolled", course, student)))
        if went is not None:
            left = _enrollment("left", course, presentation.at(went, LEFT_AT))
            yield Record(place, learner, left._replace(id=derived_id("oulad", "left", course, student)))

    def _result(self, place: Location, name: str, student: str, day: str, banked: str, score: str) -> Iterator[Item]:
        if name not in self.assessments:
            raise Unreadable(f"there is no assessment {name!r} in assessments.csv")
        if banked == "1":
            yield LeftOut(place, "banked")
            return
        event = _attempt(*self.assessments[name], day, score)
        yield Record(place, _learner(student), event._replace(id=derived_id("oulad", "result", name, student)))

    def _presentation(self, module: str, code: str) -> Presentation:
        try:
            return self.presentations[module, code]
        except KeyError:
            raise Unreadable(f"there is no presentation {module} {code} in courses.csv") from None

    def _each(self, file: str, columns: Sequence[str], take: Callable[..., Iterator[Item]]) -> None:
        for item in self._read(file, columns, take, lambda _: None):
            if isinstance(item, Reject):
                self.warts.append(item)

    def _read(
        self, file: str, columns: Sequence[str], take: Callable[..., Iterator[Item]], read: Read
    ) -> Iterator[Item]:
        for row in rows(self.files[file], read, columns):
            if isinstance(row, Reject):
                yield row
                continue
            try:
                yield from take(row.place, *row.cells)
            except Invalid as wart:
                yield Reject.of(row.place, wart)


def manifest(presentation: Presentation, assessments: Sequence[Assessment]) -> dict[str, Any]:
    """A presentation as a course: a module of course work and one of exams, both open from the start.

    Within a module an assessment counts by its own weight, whatever its kind: a kind weighs the sum of its assessments.
    Course work without any weight (GGG) would be a module without a score, so it shares a module with the exams.
    """
    exams = [one for one in assessments if one.type == "Exam"]
    work = [one for one in assessments if one.type != "Exam"]
    if any(map(_weight, work)) and exams:
        parts = [("coursework", "Course work", work), ("exam", "Exam", exams)]
    else:
        parts = [("course", "Course work and exam", [*work, *exams])]
    month = f"{MONTHS[presentation.code[-1]]} {presentation.start.year}"
    return {
        "id": presentation.course,
        "title": f"{presentation.module}, {month}",
        "description": "A presentation of a module of the Open University. Source: OULAD, CC BY 4.0.",
        "pass_mark": PASS_MARK,
        "modules": [_module(*part) for part in parts],
    }


def _module(name: str, title: str, assessments: Sequence[Assessment]) -> dict[str, Any]:
    weights = {"lesson": 0, "quiz": 0.0, "assignment": 0.0, "assessment": 0.0}
    for one in assessments:
        weights[KINDS[one.type]] += _weight(one)
    numbers: dict[str, int] = defaultdict(int)
    steps = []
    for one in sorted(assessments, key=lambda one: (one.due is None, one.due, int(one.id))):
        numbers[one.type] += 1
        steps.append(_step(one, numbers[one.type]))
    return {"id": name, "title": title, "requires": [], "weights": weights, "steps": steps}


def _step(one: Assessment, number: int) -> dict[str, Any]:
    due = "" if one.due is None else f", due on day {one.due}"
    title = f"{one.type} {number}{due}"
    return {"id": one.step, "kind": KINDS[one.type], "title": title, "weight": _weight(one), "pass_mark": PASS_MARK}


# Many learners hand in the same assessment on the same day with the same score: their events differ by id alone.
@lru_cache(maxsize=65_536)
def _attempt(presentation: Presentation, assessment: Assessment, day: str, score: str) -> Event:
    submitted = _day(day, "date_submitted")
    if submitted is None:
        raise Unreadable("date_submitted is missing")
    content: dict[str, Any] = {
        "type": "attempted",
        "course": presentation.course,
        "step": assessment.step,
        "occurred_at": presentation.at(submitted, RESULT_AT),
    }
    if not _is_blank(score):
        content["score"] = {"raw": _number(score, "score"), "max": 100}
    return check_event("", content)


@lru_cache(maxsize=65_536)
def _enrollment(kind: str, course: str, at: str) -> Event:
    return enrollment_event("", kind, course, at)


def _learner(student: str) -> str:
    if not student.isdecimal():
        raise Unreadable(f"id_student must be a number, not {student!r}")
    return f"oulad:{student}"


def _is_blank(text: str) -> bool:
    return text.strip() in ("", "?")


def _day(text: str, column: str) -> int | None:
    if _is_blank(text):
        return None
    try:
        return int(text)
    except ValueError:
        raise Unreadable(f"{column} must be a whole number of days, not {text!r}") from None


def _number(text: str, column: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 100:
        raise Unreadable(f"{column} must be a number from 0 to 100, not {text!r}")
    return int(number) if number.is_integer() else number


def _weight(one: Assessment) -> int | float:
    return _number(one.weight, "weight")
