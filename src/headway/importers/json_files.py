"""A practice app's JSON files: `attempts_{user}.json` and `streaks.json`, with every wart that such files have."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from headway.domain.errors import Invalid
from headway.domain.events import check_event
from headway.domain.legacy import legacy_learner
from headway.domain.manifest import STEPS_MAX
from headway.importers.json_said import first, number_of, time_of, truth_of
from headway.importers.json_text import Cut, Text, Value, kept, text_of, values
from headway.importers.reading import content_of, size_of
from headway.importers.records import (
    Doubted,
    ImportFailed,
    Item,
    LeftOut,
    Location,
    Read,
    Record,
    Reject,
    Streak,
    Unreadable,
)
from headway.ledger.enlist import derived_id

COURSE: Final = "imported-exercises"
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_USERS: Final = ("user_id", "userid", "user", "learner_id", "learner", "student_id", "username")
_EXERCISES: Final = ("exercise_id", "exercise", "problem_id", "problem", "question_id", "question", "task_id", "task")
_TIMES: Final = (
    *("timestamp", "attempted_at", "submitted_at", "completed_at", "occurred_at", "created_at", "date", "time", "at"),
    *("last_attempt", "ts"),
)
_SCORES: Final = ("score", "grade", "percent", "percentage", "score_percent", "result")
_CORRECT: Final = ("is_correct", "correct", "passed", "success", "solved")
_SECONDS: Final = ("duration_s", "time_spent", "time_spent_s", "time_taken", "duration", "seconds", "elapsed")
_MILLISECONDS: Final = ("duration_ms", "time_spent_ms", "time_taken_ms", "elapsed_ms")
_HINTS: Final = ("hints_used", "hints", "hint_count")
_ANSWERS: Final = ("answer", "response", "user_answer", "submission", "code")
_TOPICS: Final = ("topic", "topics", "category", "skill", "tags")
_LISTS: Final = ("attempts", "records", "data", "items", "history", "results", "exercises", "users", "learners")
_LONGEST: Final = ("longest_streak", "longest", "best_streak", "max_streak")
_FILE_OF: Final = re.compile(r"attempts?[_-](.+)", re.IGNORECASE)


class _Found(NamedTuple):
    """A record, together with what is said around it; `cut` says why the file is no JSON from there on."""

    place: Location
    record: Mapping[str, Any]
    cut: str | None = None


class JsonFiles:
    """Files, and folders of files; `course_map` maps exercises to the steps of a published course.

    All files together may hold `most` bytes, unpacked. `look` is called before each record, and may raise to stop.
    """

    def __init__(
        self,
        paths: Sequence[str],
        course_map: Mapping[str, Any] | None = None,
        *,
        most: int = sys.maxsize,
        look: Read = lambda _: None,
    ) -> None:
        self._most, self._look = most, look
        self.files = _files(paths)
        self.size = size_of(self.files)
        self.course, self.steps = _mapped(course_map)
        self._published: Mapping[str, Any] | None = None

    def join(self, manifest: Mapping[str, Any] | None) -> None:
        """Keep the exercises of earlier imports; `manifest` is the course as it is published."""
        self._published = manifest

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """A course made of all exercises, unless a map names the course that they belong to."""
        steps = self._exercises() if self.steps is None else []
        if self.steps is None and not steps and self._says_nothing():
            raise ImportFailed("the files hold no record at all, and name no exercise that a course could be made of")
        return [_manifest(steps)] if steps else ()

    def items(self, read: Read) -> Iterator[Item]:
        """Every record of every file: the attempts, then the streaks."""
        for path, text in self._texts(read):
            yield from self._of_file(path, text)

    def _texts(self, read: Read) -> Iterator[tuple[Path, Text]]:
        held = 0
        for path in self.files:
            content = content_of(path, min(FILE_BYTES_MAX, self._most), read)
            held += len(content)
            if held > self._most:
                raise ImportFailed(
                    f"the files hold more than {self._most // 2**20} MiB together; import some at a time"
                )
            yield path, text_of(content)

    def _values(self, text: str) -> Iterator[Value | Cut]:
        for one in values(text):
            self._look(0)
            yield one

    def _records(self, path: Path, text: str) -> Iterator[_Found]:
        number = count(1)
        for one in self._values(text):
            if isinstance(one, Cut):
                yield _Found(Location(str(path), one.line), {}, one.why)
                continue
            for record in _expanded(one):
                self._look(0)
                yield _Found(Location(str(path), one.line, next(number)), record)

    def _exercises(self) -> list[Mapping[str, Any]]:
        """The steps published already, and those that the files add."""
        modules = self._published["modules"] if self._published else []
        steps = {one["id"]: one for module in modules for one in module["steps"]}
        for path, text in self._texts(lambda _: self._look(0)):
            for found in () if _is_streaks(path) else self._records(path, text.text):
                name = first(found.record, _EXERCISES)
                if found.cut is None and name is not None and str(name).strip():
                    topics = _topics(found.record)
                    step = {"id": step_of(name), "kind": "exercise", "title": _title(found.record, name)}
                    steps.setdefault(step["id"], step | ({"topics": topics} if topics else {}))
                    if len(steps) > STEPS_MAX:
                        raise ImportFailed(f"the files name more than {STEPS_MAX:,} exercises, which no course holds")
        return list(steps.values())

    def _says_nothing(self) -> bool:
        """Whether the files do not hold even a record to refuse."""
        return all(next(values(text.text), None) is None for _, text in self._texts(lambda _: self._look(0)))

    def _of_file(self, path: Path, text: Text) -> Iterator[Item]:
        if not text.sure:
            said = "the file is no UTF-8 and was read as Latin-1: look at names with accents"
            yield Doubted(Location(str(path), 1), "encoding", said)
        if _is_streaks(path):
            yield from _streaks(path, self._values(text.text))
            return
        # Read twice, because a list of the records would take many times the memory of the file.
        reader = _Attempts(self, _user_of(path), self._records(path, text.text))
        for one in self._records(path, text.text):
            try:
                yield from reader.read(one)
            except Invalid as fault:
                yield Reject.of(one.place, fault)


class _Attempts:
    """The attempts of one file; what one record lacks may follow from the others."""

    def __init__(self, importer: JsonFiles, user: str | None, found: Iterable[_Found]) -> None:
        self.importer = importer
        self.user = user
        self._in_percent = False
        # The time of the latest record that had one; at first, the first time that any record has.
        self._last: datetime | None = None
        for one in found:
            self._in_percent |= (number_of(first(one.record, _SCORES)) or 0) > 1
            self._last = self._last or time_of(first(one.record, _TIMES))
        self._seen: dict[bytes, int] = {}

    def read(self, found: _Found) -> Iterator[Item]:
        """The items that come of one record."""
        said = time_of(first(found.record, _TIMES))
        self._last = time = said or self._last
        known = said is not None
        if found.cut is not None:
            yield Reject(found.place, "cut-off", found.cut)
            return
        named = first(found.record, _USERS)
        own = legacy_learner(named)
        learner = own or self.user
        if learner is None:
            raise Unreadable("the record says not whose it is, and neither does the file's name", field="user_id")
        if time is None:
            raise Unreadable("no record of the file says when it was made", field="timestamp")
        content, doubts = self._content(found.record)
        content["occurred_at"] = time.isoformat()
        if named is not None and own is None:
            doubts.append(("user", f"{str(named)[:50]!r} names nobody: taken as of {learner}, as the file's name says"))
        if not known:
            doubts.append(("no-time", f"it does not say when: taken as {time.isoformat()}, as the one beside it"))
        key = json.dumps([learner, content if known else content | {"occurred_at": None}], sort_keys=True)
        # A record with a time counts once, however often the file repeats it.
        seen = sha256(key.encode()).digest()
        again = self._seen[seen] = self._seen.get(seen, 0) + 1
        event = check_event(derived_id("json-files", key, 1 if known else again), content)
        yield Record(found.place, learner, event)
        for reason, message in doubts:
            yield Doubted(found.place, reason, message)

    def _content(self, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        course, step = self._step(record)
        content: dict[str, Any] = {"type": "attempted", "course": course, "step": step}
        doubts: list[tuple[str, str]] = []
        content |= self._score(record, doubts)
        seconds = number_of(first(record, _SECONDS))
        milliseconds = number_of(first(record, _MILLISECONDS))
        seconds = milliseconds / 1000 if milliseconds is not None else seconds
        if seconds is not None and 0 <= seconds <= 86_400:
            content["duration_s"] = seconds
        elif seconds is not None:
            doubts.append(("duration", f"{seconds:g} s is no time that an exercise takes: left out"))
        hints = number_of(first(record, _HINTS))
        if hints is not None and 0 <= hints <= 1_000 and hints == int(hints):
            content["hints"] = int(hints)
        answer = first(record, _ANSWERS)
        return content | ({} if answer is None else {"response": answer}), doubts

    def _step(self, record: Mapping[str, Any]) -> tuple[str, str]:
        name = first(record, _EXERCISES)
        if isinstance(name, bool | list | dict) or name is None or not str(name).strip():
            raise Unreadable("the record names no exercise", field="exercise_id")
        if self.importer.steps is None:
            return COURSE, step_of(name)
        step = self.importer.steps.get(str(name).strip())
        if step is None:
            raise Unreadable(f"the map names no step for exercise {str(name)[:200]!r}", field="exercise_id")
        return self.importer.course, step

    def _score(self, record: Mapping[str, Any], doubts: list[tuple[str, str]]) -> dict[str, Any]:
        sent, correct = first(record, _SCORES), truth_of(first(record, _CORRECT))
        most = number_of(record.get("max_score", record.get("max_points")))
        score = number_of(sent, most=sys.float_info.max)
        if score is None:
            if sent is not None and not isinstance(sent, bool):
                raise Unreadable(f"score {str(sent)[:50]!r} is no number", field="score")
            correct = sent if isinstance(sent, bool) else correct
            return {} if correct is None else {"score": int(correct)}
        if most is not None and most > 0:
            return {"score": {"raw": score, "max": most}}
        if score == 1 and self._in_percent:
            doubts.append(("score-of-one", "others of the file are out of 100: 1 was taken as all of it, not as 1 %"))
        if score > 100 or score < 0:
            doubts.append(("score-beyond", f"{score:g} was taken as {1 if score > 0 else 0}"))
        if correct is not None and correct != (score >= 70 if score > 1 else score >= 0.7):
            doubts.append(("contradiction", f"a score of {score:g} and is_correct {correct}: the score counts"))
        return {"score": score}


def step_of(name: object) -> str:
    """The id of an exercise's step, the same in every import."""
    text = str(name).strip()
    slug = slug_of(text)[:150]
    if slug and slug == text:
        return slug
    return f"{slug or 'exercise'}-{sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"


def slug_of(text: str) -> str:
    """A text turned into an id: lower-case letters and digits, with `.`, `_` and `-` between them."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")


def _manifest(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": COURSE,
        "title": "Imported exercises",
        "complete_by": "steps",
        "modules": [{"id": "exercises", "title": "Exercises", "steps": steps}],
    }


def _files(paths: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted([*path.rglob("*.json"), *path.rglob("*.json.gz")]) if path.is_dir() else [path]
        found += [one for one in inside if not path.is_dir() or _user_of(one) or _is_streaks(one)]
    if not found:
        raise ImportFailed("there is no attempts_{user}.json and no streaks.json there; name files, or their folder")
    missing = next((one for one in found if not one.is_file()), None)
    if missing is not None:
        raise ImportFailed(f"{missing} cannot be read: there is no such file")
    # Streaks come last, when it is known whether anything was recorded for their learners.
    return sorted(found, key=lambda one: (_is_streaks(one), str(one)))


def _is_streaks(path: Path) -> bool:
    return path.stem.lower().startswith("streak")


def _user_of(path: Path) -> str | None:
    found = _FILE_OF.fullmatch(Path(path.name.removesuffix(".gz")).stem)
    return legacy_learner(found[1]) if found else None


def _mapped(course_map: Mapping[str, Any] | None) -> tuple[str, Mapping[str, str] | None]:
    if course_map is None:
        return COURSE, None
    course, steps = course_map.get("course"), course_map.get("exercises")
    if not isinstance(course, str) or not isinstance(steps, Mapping):
        raise ImportFailed("a map must name a `course`, and under `exercises` the step of each exercise")
    return course, {str(name).strip(): str(step) for name, step in steps.items()}


def _expanded(one: Value) -> Iterator[dict[str, Any]]:
    """The records in a value: itself, or those of a list in it, each with the fields around them."""
    around = {name: part for name, part in one.beside.items() if name in (*_USERS, *_EXERCISES)}
    if one.name is not None and not _is_list(one.name):
        # Any other name is a learner's or an exercise's.
        around |= {"user_id": one.name} if re.fullmatch(r"user[_-]?\d+", one.name) else {"exercise_id": one.name}
    yield from _unfolded(one.value, around)


def _unfolded(value: Any, around: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        yield {**around, "score": value} if around and not isinstance(value, list) else {**around, "record": value}
        return
    lists = {name: part for name, part in value.items() if _is_list(name) and isinstance(part, list)}
    if not lists or first(value, (*_SCORES, *_CORRECT)) is not None:
        yield {**around, **value}
        return
    plain = {name: part for name, part in value.items() if not isinstance(part, list | dict)}
    for part in lists.values():
        for record in part:
            yield from _unfolded(record, {**around, **plain})


def _streaks(path: Path, found: Iterable[Value | Cut]) -> Iterator[Item]:
    number = count(1)
    for one in found:
        place = Location(str(path), one.line)
        if isinstance(one, Cut):
            yield Reject(place, "cut-off", one.why)
            continue
        for item in _streaks_in(place, one):
            yield item._replace(place=place._replace(record=next(number)))


def _streaks_in(place: Location, one: Value) -> Iterator[Item]:
    """The streak of one learner, or of several where each name has a number."""
    record = one.value if isinstance(one.value, dict) else {"longest_streak": one.value}
    if one.name is None and first(record, (*_USERS, *_LONGEST)) is None:
        for name, longest in record.items():
            yield _streak(place, name, {"longest_streak": longest})
        return
    named = None if one.name is None or _is_list(one.name) else one.name
    yield _streak(place, first(record, _USERS) or named, record)


def _is_list(name: str) -> bool:
    """Return whether a name is one that files give to their list, and no learner's."""
    return name.lower() in _LISTS


def _streak(place: Location, name: object, record: Mapping[str, Any]) -> Item:
    learner = legacy_learner(name)
    longest = number_of(first(record, _LONGEST))
    if learner is None:
        return Reject(place, "invalid", "the record says not whose streak it is")
    if longest is None or longest != int(longest) or not 0 <= longest <= 36_500:
        return Reject(place, "invalid", "longest_streak must be a number of days")
    return Streak(place, learner, int(longest)) if longest else LeftOut(place, "no-streak")


def _title(record: Mapping[str, Any], name: object) -> str:
    """The title of an exercise: the first of these fields that is not blank."""
    said = (record.get("title") or "", record.get("exercise_name") or "", name)
    return kept(next(filter(None, (str(one).strip() for one in said))))[:200]


def _topics(record: Mapping[str, Any]) -> list[str]:
    said = first(record, _TOPICS)
    listed = said if isinstance(said, list) else [said] if isinstance(said, str) else []
    slugs = [slug_of(one)[:100] for one in listed if isinstance(one, str)]
    return list(dict.fromkeys(slug for slug in slugs if slug))[:10]
