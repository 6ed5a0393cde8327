"""The reports of OULAD's courses, against figures worked out from the files."""

import time
from collections import Counter
from pathlib import Path

from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.views.report import InForce, Report, read_report
from tests.importers.oulad_files import course_of, read_table


def assert_reports(database: Database, real: Path) -> None:
    """Of each course who stayed is counted, with what they handed in and the mean of it."""
    stayed: dict[str, set[str]] = {}
    for row in read_table(real, "studentRegistration"):
        if row["date_unregistration"].strip() in ("", "?"):
            stayed.setdefault(course_of(row), set()).add(row["id_student"])
    courses = {row["id_assessment"]: course_of(row) for row in read_table(real, "assessments")}
    handed_in: dict[str, list[tuple[str, str, str]]] = {}
    for row in read_table(real, "studentAssessment"):
        course = courses[row["id_assessment"]]
        if row["is_banked"] == "0" and row["id_student"] in stayed[course]:
            said = (row["id_assessment"], row["id_student"], row["score"].strip())
            handed_in.setdefault(course, []).append(said)
    for course, enrolled in stayed.items():
        told, rows = _report(database, course), handed_in[course]
        each = Counter(assessment for assessment, _, _ in rows)
        scores = [int(score) for _, _, score in rows if score.isdigit()]
        assert told.summary.enrolled == len(enrolled)
        assert sorted(one.attempts for one in told.steps if one.attempts) == sorted(each.values())
        assert sorted(one.learners for one in told.steps if one.attempts) == sorted(each.values())
        assert abs((told.summary.average_score_percent or 0) - sum(scores) / len(scores)) <= 0.005
        assert told.last_active.never == len(enrolled - {student for _, student, _ in rows})


def _report(database: Database, course: str) -> Report:
    with database.read() as connection:
        in_force = InForce(*Catalog().in_force(connection, [course])[course])
        return read_report(connection, in_force, time.time_ns() // 1000)
