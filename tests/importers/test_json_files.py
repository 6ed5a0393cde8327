"""A practice app's JSON files, with the warts that such files have."""

import gzip
import json
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.legacy import legacy_id, legacy_learner
from headway.importers.intake import Summary
from headway.importers.json_files import COURSE, JsonFiles
from headway.importers.records import ImportFailed, Record
from headway.importers.run import rehearse, run
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import ledger, metadata
from headway.views.overview import read_overview
from headway.views.streak import read_streak
from headway.views.subject import NOBODY, Asking, Subject, UnknownLearner, another
from tests.ledger.conftest import postgresql_world, sqlite_world, world
from tests.ledger.facts import reset
from tests.ledger.world import NOON, World

__all__ = ["postgresql_world", "sqlite_world", "world"]
ADMIN = Asking("c0ffee00-dead-4bee-8000-000000000001", frozenset({"admin"}))
SEVEN: list[dict[str, Any]] = [
    {"exercise_id": "Loops 1", "score": 85, "timestamp": "2024-03-01T10:00:00", "topic": "Loops", "time_spent": 30},
    {"exercise_id": "Loops 1", "score": "85", "timestamp": "2024-03-02T10:00:00Z", "hints_used": 2},
    {"exercise_id": "strings", "score": 0.85, "timestamp": 1709460000, "answer": {"text": "a"}},
    {"exercise_id": "strings", "is_correct": True, "timestamp": "1709546400000"},
    {"exercise_id": 12, "is_correct": "no"},
    {"exercise_id": "strings", "is_correct": True, "timestamp": "1709546400000"},
]


def write(folder: Path, name: str, content: Any, encoding: str = "utf-8") -> Path:
    text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False)
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def taken(world: World, *paths: Path, course_map: Any = None) -> Summary:
    importer = JsonFiles([str(path) for path in paths], course_map)
    return run(world.database, importer, read=lambda _: None, rejected=lambda _: None)


def foreseen(database: Database | None, *paths: Path) -> Summary:
    importer = JsonFiles([str(path) for path in paths])
    return rehearse(database, importer, read=lambda _: None, rejected=lambda _: None)


def subject(world: World, name: str) -> Subject:
    with world.database.read() as connection:
        return another(connection, ADMIN, name)


def figures(world: World, name: str) -> tuple[int, int, float | None]:
    with world.database.read() as connection:
        found = read_overview(connection, Catalog(), another(connection, ADMIN, name), NOON)
    return found.attempts, found.exercises_completed, found.average_percent


def scores(world: World, name: str) -> list[int | None]:
    learner_id = subject(world, name).learner_id
    assert learner_id is not None
    return [one.score for one in world.entries(learner_id) if one.type == "attempted"]


def test_a_folder_comes_in_once_under_every_name_of_its_learner(world: World, tmp_path: Path) -> None:
    write(tmp_path, "attempts_user_7.json", SEVEN)
    write(tmp_path, "attempts_8.json", {"user_id": 8, "attempts": [{**SEVEN[0], "score": None, "is_correct": False}]})
    write(tmp_path, "notes.json", {"nothing": "of ours"})
    planned = foreseen(world.database, tmp_path)
    assert (planned.recorded, planned.duplicates, planned.learners) == (6, 1, 2)
    assert world.count("ledger") == 0
    done = taken(world, tmp_path)
    assert (done.read, done.recorded, done.duplicates, done.refused) == (7, 6, 1, {})
    assert done.doubted == {"no-time": 1}
    assert {figures(world, name) for name in ("user_7", "7", "USER-07")} == {(5, 2, 61.67)}
    assert scores(world, "7") == [850_000, 850_000, 850_000, 1_000_000, 0]
    assert scores(world, "user_8") == [0]
    again = taken(world, tmp_path)
    assert (again.recorded, again.duplicates) == (0, 7)
    assert again.courses[0].unchanged
    world.assert_clean()


def test_a_later_file_adds_its_exercises_to_the_course(world: World, tmp_path: Path) -> None:
    taken(world, write(tmp_path, "attempts_7.json", SEVEN))
    later = [{"exercise_id": "sets", "correct": 1, "date": "2024-05-01"}]
    assert taken(world, write(tmp_path, "attempts_9.json", later)).recorded == 1
    with world.database.read() as connection:
        _, course = Catalog().in_force(connection, [COURSE])[COURSE]
    assert {one.title for module in course.modules for one in module.steps} == {"Loops 1", "strings", "12", "sets"}
    assert figures(world, "7")[0] == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_any_encoding_is_read(sqlite_world: World, tmp_path: Path, encoding: str) -> None:
    record = {"exercise_id": "café", "score": 90, "timestamp": "2024-03-01 10:00:00"}
    done = taken(sqlite_world, write(tmp_path, "attempts_7.json", [record], encoding))
    assert (done.recorded, dict(done.doubted)) == (1, {"encoding": 1} if encoding == "latin-1" else {})
    with sqlite_world.database.read() as connection:
        _, course = Catalog().in_force(connection, [COURSE])[COURSE]
    assert [one.title for one in course.modules[0].steps] == ["café"]


@pytest.mark.parametrize(
    "content",
    [
        {"user_7": SEVEN},
        {"attempts": SEVEN, "user": "7"},
        {"users": [{"user_id": 7, "attempts": SEVEN}]},
        "\n".join(json.dumps(one) for one in SEVEN),
        [{**one, "user_id": "user_7"} for one in SEVEN],
    ],
)
def test_any_shape_is_read(sqlite_world: World, tmp_path: Path, content: Any) -> None:
    done = taken(sqlite_world, write(tmp_path, "attempts_7.json", content))
    assert (done.recorded, done.duplicates, done.refused) == (5, 1, {}), done.rejects
    by_exercise = {"loops": [{"score": 1, "timestamp": "2024-01-01"}], "sets": {"score": 0, "timestamp": "2024-01-02"}}
    assert taken(sqlite_world, write(tmp_path, "attempts_8.json", by_exercise)).recorded == 2


def test_what_is_whole_of_a_file_that_was_cut_off_is_taken(world: World, tmp_path: Path) -> None:
    whole = write(tmp_path, "attempts_7.json", {"attempts": SEVEN}).read_bytes()
    seen = set()
    for cut in random.Random(7).sample(range(1, len(whole)), 12):
        (tmp_path / "attempts_7.json").write_bytes(whole[:cut])
        try:
            done = taken(world, tmp_path)
        except ImportFailed:
            seen.add(-1)
            continue
        assert sum(done.refused.values()) == 1, (cut, done.rejects)
        assert done.rejects[0].place.line == whole[:cut].count(b"\n") + 1 or done.rejects[0].place.line > 0
        seen.add(done.recorded + done.duplicates)
    assert len(seen) > 2
    (tmp_path / "attempts_7.json").write_bytes(whole)
    taken(world, tmp_path)
    assert scores(world, "7").count(850_000) == 3
    world.assert_clean()


def test_a_score_beyond_all_bounds_is_all_of_it_as_everywhere(sqlite_world: World, tmp_path: Path) -> None:
    sent = [{"exercise_id": "a", "score": one, "timestamp": "2024-03-04"} for one in (1e17, 1e18, "1e40", 10**300, 101)]
    done = taken(sqlite_world, write(tmp_path, "attempts_7.json", sent))
    assert (done.rejects, done.recorded, done.doubted["score-beyond"]) == ([], 5, 5)
    assert {*scores(sqlite_world, "7")} == {1_000_000}


ODD_NAMES: dict[str, str] = {
    "half a character in the exercise": '{"exercise_id": "\\ud800", "score": 1}',
    "NUL in the exercise": '{"exercise_id": "a\\u0000b", "score": 1}',
    "half a character in the title": '{"exercise_id": "a", "title": "A \\ud83d", "score": 1}',
    "NUL in the title": '{"exercise_id": "a", "title": "A\\u0000", "score": 1}',
    "a blank title": '{"exercise_id": "a", "title": " ", "score": 1}',
    "an exercise of 5,000 digits": '{"exercise_id": %s, "score": 1}' % ("9" * 5_000),
    "a score of 5,000 digits": '{"exercise_id": "a", "score": %s}' % ("9" * 5_000),
}


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_no_record_spoils_those_around_it(sqlite_world: World, tmp_path: Path, odd: str) -> None:
    good = json.dumps(SEVEN[2])
    path = write(tmp_path, "attempts_7.json", f"[{good}, {ODD_NAMES[odd]}, {json.dumps(SEVEN[0])}]")
    assert foreseen(None, path).recorded == 3
    done = taken(sqlite_world, path)
    assert (done.recorded, done.rejects) == (3, [])


def test_what_cannot_be_taken_is_told_with_its_line(sqlite_world: World, tmp_path: Path) -> None:
    records = [
        {"exercise_id": "a", "score": "none", "timestamp": "2024-03-01"},
        {"score": 5, "timestamp": "2024-03-01"},
        {"exercise_id": "a", "score": 5, "timestamp": "2024-03-01", "duration_s": -4},
        {"exercise_id": "a", "score": 1, "timestamp": "2024-03-02"},
        {"exercise_id": "a", "score": 90, "is_correct": False, "timestamp": "2024-03-03"},
        {"exercise_id": "a", "score": 900, "timestamp": "2024-03-04"},
        "garbage",
    ]
    done = taken(sqlite_world, write(tmp_path, "attempts_7.json", json.dumps(records).replace("}, ", "},\n")))
    assert [(one.place.line, one.reason) for one in done.rejects] == [(1, "invalid"), (2, "invalid"), (7, "invalid")]
    assert done.doubted == {"duration": 1, "score-of-one": 1, "contradiction": 1, "score-beyond": 1}
    lone = write(tmp_path, "attempts_8.json", [{"exercise_id": "a", "score": 1}])
    assert [one.message for one in taken(sqlite_world, lone).rejects] == ["no record of the file says when it was made"]
    odd = write(tmp_path, "export.json", [{"exercise_id": "a", "score": 1, "timestamp": "2024-03-02"}])
    assert "says not whose" in taken(sqlite_world, odd).rejects[0].message


def test_a_record_that_names_nobody_is_of_the_files_learner_and_doubted(sqlite_world: World, tmp_path: Path) -> None:
    named = [True, [7], "", "\x07", 7.5, None, "user_7", 8]
    records = [{**SEVEN[0], "exercise_id": f"e{n}", "user_id": name} for n, name in enumerate(named)]
    done = taken(sqlite_world, write(tmp_path, "attempts_7.json", records))
    assert (done.recorded, done.learners, done.rejects) == (8, 2, [])
    assert done.doubted == {"user": 4}  # null and "" say nothing
    assert "as of user_7, as the file's name says" in done.doubts[0].message


def test_a_map_says_of_which_course_the_exercises_are(world: World, tmp_path: Path) -> None:
    write(tmp_path, "attempts_7.json", SEVEN)
    course_map = {"course": "python", "exercises": {"Loops 1": "loops", "12": "quiz"}}
    done = taken(world, tmp_path, course_map=course_map)
    assert (done.recorded, dict(done.refused), done.courses) == (3, {"invalid": 3}, [])
    assert "the map names no step for exercise 'strings'" in done.rejects[0].message
    with pytest.raises(ImportFailed, match="must name a `course`"):
        JsonFiles([str(tmp_path)], {"course": "python"})


def test_a_recorded_streak_is_kept_once_and_shown_while_it_is_the_longer_one(world: World, tmp_path: Path) -> None:
    write(tmp_path, "attempts_7.json", SEVEN)
    streaks = {
        "user_7": {"current_streak": 2, "longest_streak": 12},
        "8": {"longest_streak": "1"},
        "9": {"longest": 0},
        "x": {},
    }
    write(tmp_path, "streaks.json", streaks)
    done = taken(world, tmp_path)
    assert (done.streaks, dict(done.left_out), dict(done.refused)) == (2, {"no-streak": 1}, {"invalid": 1})
    assert taken(world, tmp_path).streaks == 0
    assert taken(world, write(tmp_path, "streak.json", {"7": 11, "user_8": 12.5})).streaks == 1
    assert taken(world, write(tmp_path, "streaks.json", {"Users": [{"longest_streak": 5}]})).streaks == 0
    for name, longest, elsewhere in (("7", 4, 12), ("8", 0, 1)):
        with world.database.read() as connection:
            found = read_streak(connection, another(connection, ADMIN, name), NOON)
        assert (found.longest, found.imported_longest) == (longest, elsewhere)
    world.assert_clean()
    learner_id = subject(world, "7").learner_id
    assert learner_id is not None
    reset(world, learner_id)
    assert world.rows(metadata.tables["imported_streak"], learner_id) == []
    world.assert_clean()


def test_who_is_not_imported_yet_reads_as_empty_to_admins_and_is_not_there_for_others(world: World) -> None:
    assert subject(world, "user_4711") == subject(world, "4711") == NOBODY
    with world.database.read() as connection:
        for name in ("user_4711", "oulad:4711"):
            with pytest.raises(UnknownLearner):
                another(connection, Asking(ADMIN.learner_id, frozenset({"creator"})), name)
        with pytest.raises(UnknownLearner):
            another(connection, ADMIN, "oulad:4711")


def test_names_of_learners() -> None:
    odd: list[object] = [None, True, 7.5, "", "x\0", [], -7]
    assert {legacy_learner(one) for one in ("user_7", "7", 7, 7.0, " USER_07 ", "user7", "user-7")} == {"user_7"}
    assert (legacy_learner("ada"), legacy_learner("user_ada")) == ("user_ada", "user_ada")
    assert {legacy_learner(one) for one in odd} == {None}
    assert (legacy_id("oulad:7"), legacy_id("7"), legacy_id("ada")) == (None, "user_7", None)


def test_what_is_wrong_is_told_where_no_exercise_is_named_as_well(sqlite_world: World, tmp_path: Path) -> None:
    garbled = write(tmp_path, "attempts_1.json", "\x00\x01 no json")
    done = taken(sqlite_world, garbled, write(tmp_path, "attempts_2.json", [{"score": 1, "timestamp": "2024-03-01"}]))
    assert [(Path(one.place.file).name, one.reason) for one in done.rejects] == [
        ("attempts_1.json", "cut-off"),
        ("attempts_2.json", "invalid"),
    ]
    assert (done.fruitless, done.courses) == (True, [])


def test_streaks_need_no_attempts_beside_them(world: World, tmp_path: Path) -> None:
    done = taken(world, write(tmp_path, "streaks.json", {"user_7": {"longest_streak": 9}}))
    assert (done.streaks, done.refused, done.courses) == (1, {}, [])


def test_packed_files_are_read_whatever_they_are_called(sqlite_world: World, tmp_path: Path) -> None:
    for n, name in enumerate(["attempts_1.json", "attempts_2.json.gz", "streaks.json.gz"]):
        said = {"1": 9} if name.startswith("streaks") else [SEVEN[n]]
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(said).encode()))
    done = taken(sqlite_world, tmp_path)
    assert (done.recorded, done.streaks, done.learners, done.refused) == (2, 1, 2, {})
    (tmp_path / "attempts_1.json").write_bytes(gzip.compress(b"[]" * 99)[:-9])
    with pytest.raises(ImportFailed, match=r"attempts_1\.json is damaged"):
        taken(sqlite_world, tmp_path)


@pytest.mark.parametrize("said", ["20240301", "2024-03-01", "2024/03/01", "2024-W09-5", 1709251200, "1709251200000"])
def test_a_day_is_read_however_it_is_written(sqlite_world: World, tmp_path: Path, said: object) -> None:
    record = {"exercise_id": "loops", "score": 85, "timestamp": said}
    assert taken(sqlite_world, write(tmp_path, "attempts_7.json", [record])).recorded == 1
    with sqlite_world.database.read() as connection:
        assert connection.execute(sa.select(ledger.c.day).where(ledger.c.type == "attempted")).scalars().all() == [
            "2024-03-01"
        ]


def test_files_that_are_none(tmp_path: Path, sqlite_world: World) -> None:
    with pytest.raises(ImportFailed, match="there is no attempts_"):
        JsonFiles([str(tmp_path)])
    with pytest.raises(ImportFailed, match="no such file"):
        JsonFiles([str(tmp_path / "attempts_1.json")])
    with pytest.raises(ImportFailed, match="name no exercise"):
        taken(sqlite_world, write(tmp_path, "attempts_1.json", []))
    assert foreseen(None, write(tmp_path, "attempts_2.json", SEVEN)).recorded == 5


def test_a_record_takes_no_memory_once_it_is_read(tmp_path: Path) -> None:
    """What is small when packed is large: as lists, its lines and records took fifty times what they do as a text."""
    record = json.dumps(SEVEN[0])
    files = {"attempts_1.json": "\n" * 2**20, "attempts_2.json": "[" + ",\n".join([record] * 5_000) + "]"}
    for name, text in files.items():
        importer = JsonFiles([str(write(tmp_path, name, text))], most=2**20)
        tracemalloc.start()
        with suppress(ImportFailed):
            importer.manifests()
            assert sum(isinstance(one, Record) for one in importer.items(lambda _: None)) == 5_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * len(text), name


def test_it_can_be_stopped_before_any_record_in_each_of_its_passes(tmp_path: Path) -> None:
    """By an error of whoever looks on, as an import by upload is when its time is over."""
    path, left = write(tmp_path, "attempts_7.json", SEVEN), 0

    def look(_: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyError

    for looks in range(6 * len(SEVEN)):
        left = looks
        importer = JsonFiles([str(path)], look=look)
        with pytest.raises(KeyError):
            for _ in importer.manifests(), *importer.items(lambda _: None):
                pass


def test_files_hold_no_more_than_they_may_together(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"attempts_{n}.json.gz").write_bytes(gzip.compress(json.dumps(SEVEN).encode() + b" " * 2**20))
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    assert JsonFiles(paths, most=4 * 2**20).manifests()
    with pytest.raises(ImportFailed, match="more than 3 MiB together"):
        JsonFiles(paths, most=3 * 2**20).manifests()
    with pytest.raises(ImportFailed, match="larger than 1 MiB"):
        JsonFiles(paths, most=2**20).manifests()


def test_more_exercises_than_a_course_holds_are_told_at_once(tmp_path: Path) -> None:
    records = [{"exercise_id": n, "score": 1} for n in range(10_001)]
    with pytest.raises(ImportFailed, match="more than 10,000 exercises"):
        JsonFiles([str(write(tmp_path, "attempts_7.json", records))]).manifests()
