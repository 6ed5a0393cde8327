"""OULAD: every wart on a small dataset, and figures of real presentations against the files themselves."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.manifest import parse_manifest
from headway.importers.oulad import Oulad
from headway.importers.records import ImportFailed
from headway.store.database import Database
from headway.store.schema import enrollment, learner, ledger, step_sum
from tests.importers.conftest import Importing, figures
from tests.importers.oulad_files import WARTS, Expected, expected, write_folder, write_part

# All kinds of assessment, an exam without results, two with; course work that weighs nothing; both months.
PART = ("oulad-aaa-2013j", "oulad-ggg-2014b", "oulad-ddd-2014b")
FEBRUARY, OCTOBER = "2014-02-01", "2013-10-01"


def stored(database: Database, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def test_a_course_weighs_as_the_dataset_says(tmp_path: Path) -> None:
    manifests = Oulad([str(write_folder(tmp_path))]).manifests()
    aaa, bbb = (parse_manifest(one, check_grader=lambda _: ()) for one in manifests)
    assert (aaa.id, aaa.title, aaa.pass_mark) == ("oulad-aaa-2013j", "AAA, October 2013", 400_000)
    work, exam = aaa.modules
    assert [(one.id, one.kind, one.weight, one.pass_mark) for one in work.steps] == [
        ("tma-12", "assignment", 7_500_000, 400_000),
        ("cma-13", "quiz", 0, 400_000),
        ("tma-11", "assignment", 12_500_000, 400_000),
    ]
    assert work.weights == (0, 0, 20_000_000, 0)
    assert [(one.id, one.kind, one.weight) for one in exam.steps] == [("exam-14", "assessment", 100_000_000)]
    assert exam.requires == ()
    # Course work that weighs nothing stands beside the exam: a module of its own would have no score.
    assert [[one.id for one in module.steps] for module in bbb.modules] == [["tma-21", "exam-22"]]


def test_every_wart_is_counted_and_told(importing: Importing, tmp_path: Path) -> None:
    summary = importing("oulad", write_folder(tmp_path))
    assert figures(summary) == {
        "read": 22,
        "recorded": 14,
        "duplicates": 0,
        "refused": {"invalid": 10},
        "left_out": {"banked": 1},
        "learners": 5,
        "enrollments": 6,
    }
    assert [(Path(one.place.file).name, one.place.line) for one in summary.rejects] == [
        *(("assessments.csv", line) for line in (6, 7, 10)),
        *(("studentRegistration.csv", line) for line in (8, 9, 10)),
        *(("studentAssessment.csv.gz", line) for line in (8, 9, 10, 11)),
    ]
    assert "score must be a number from 0 to 100, not '101'" in summary.rejects[-3].message


def test_days_count_from_the_start_and_whoever_leaves_has_left(
    database: Database, importing: Importing, tmp_path: Path
) -> None:
    importing("oulad", write_folder(tmp_path))
    columns = (learner.c.external_id, ledger.c.course_id, ledger.c.type, ledger.c.day)
    of = sa.select(*columns).join(learner, learner.c.id == ledger.c.learner_id)
    found = stored(database, of.where(ledger.c.type != "attempted").order_by(*columns))
    assert found == [
        ("oulad:1", "oulad-aaa-2013j", "enrolled", "2013-04-25"),
        ("oulad:1", "oulad-bbb-2014b", "enrolled", "2014-01-22"),
        ("oulad:2", "oulad-aaa-2013j", "enrolled", "2013-08-09"),
        ("oulad:2", "oulad-aaa-2013j", "left", "2013-10-13"),
        ("oulad:3", "oulad-aaa-2013j", "enrolled", "2013-10-06"),
        ("oulad:3", "oulad-aaa-2013j", "left", "2013-10-06"),
        ("oulad:4", "oulad-aaa-2013j", "enrolled", "2013-08-31"),
        ("oulad:4", "oulad-aaa-2013j", "left", "2013-09-01"),
        ("oulad:5", "oulad-aaa-2013j", "enrolled", "2013-09-30"),
    ]
    of = sa.select(learner.c.external_id).join(enrollment, learner.c.id == enrollment.c.learner_id)
    in_aaa = of.where(enrollment.c.enrolled, enrollment.c.course_id == "oulad-aaa-2013j")
    assert sorted(stored(database, in_aaa)) == [("oulad:1",), ("oulad:5",)]


def test_a_result_is_an_attempt_with_its_score_or_without(
    database: Database, importing: Importing, tmp_path: Path
) -> None:
    importing("oulad", write_folder(tmp_path))
    columns = (ledger.c.step_id, ledger.c.day, ledger.c.score, ledger.c.passed)
    found = stored(database, sa.select(*columns).where(ledger.c.type == "attempted").order_by(ledger.c.step_id))
    assert found == [
        ("cma-13", "2013-09-28", None, False),
        ("exam-14", "2014-04-19", None, False),
        ("tma-11", "2013-11-20", 10_000, False),
        ("tma-12", "2013-10-19", 780_000, True),
        ("tma-21", "2014-02-21", 1_000_000, True),
    ]


def test_a_second_run_changes_nothing(database: Database, importing: Importing, tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    importing("oulad", folder)
    before = stored(database, sa.select(ledger).order_by(ledger.c.learner_id, ledger.c.seq))
    again = importing("oulad", folder)
    assert (again.recorded, again.duplicates) == (0, 14)
    assert [(course.version, course.unchanged) for course in again.courses] == [(1, True), (1, True)]
    assert stored(database, sa.select(ledger).order_by(ledger.c.learner_id, ledger.c.seq)) == before


def test_a_corrected_score_is_refused_and_the_first_stays(importing: Importing, tmp_path: Path) -> None:
    importing("oulad", write_folder(tmp_path))
    corrected = WARTS["studentAssessment"].replace("12,1,18,0,78", "12,1,18,0,79")
    summary = importing("oulad", write_folder(tmp_path, {**WARTS, "studentAssessment": corrected}))
    assert summary.refused == {"invalid": 10, "id-reused": 1}


@pytest.mark.parametrize("missing", ["courses.csv", "studentAssessment.csv.gz"])
def test_a_folder_that_lacks_a_file_is_refused(tmp_path: Path, missing: str) -> None:
    (write_folder(tmp_path) / missing).unlink()
    with pytest.raises(ImportFailed, match=f"there is no {missing.removesuffix('.gz')}"):
        Oulad([str(tmp_path)])


def test_real_presentations_come_out_as_the_files_have_them(
    database: Database, importing: Importing, shared_data: Path, tmp_path: Path
) -> None:
    truth = {name: one for name, one in expected(shared_data / "oulad").items() if name in PART}
    summary = importing("oulad", write_part(shared_data / "oulad", tmp_path / "part", PART))
    assert not summary.refused
    assert summary.left_out["banked"] == sum(one.banked for one in truth.values())
    assert summary.enrollments == sum(one.registered for one in truth.values())
    assert_figures(database, truth)


def assert_figures(database: Database, truth: dict[str, Expected]) -> None:
    """The stored sums of each course are what the files say."""
    found = {course: tuple(map(int, rest)) for course, *rest in stored(database, sums_by_course())}
    now: dict[str, int] = dict(stored(database, enrolled_by_course()))
    for name, one in truth.items():
        best = sum(score * 10_000 for score in one.best.values())
        assert found[name] == (one.results, best, len(one.best)), name
        assert now[name] == one.enrolled, name


def sums_by_course() -> sa.Select[Any]:
    best = step_sum.c.best_score
    figures = (sa.func.sum(step_sum.c.attempts), sa.func.sum(best), sa.func.count(best))
    return sa.select(step_sum.c.course_id, *figures).group_by(step_sum.c.course_id)


def enrolled_by_course() -> sa.Select[Any]:
    of = sa.select(enrollment.c.course_id, sa.func.count()).where(enrollment.c.enrolled)
    return of.group_by(enrollment.c.course_id)
