"""DaleStudy's solutions: warts on a small dataset, and real figures against the files themselves."""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from headway.domain.manifest import parse_manifest
from headway.domain.streaks import StreakDays, streak
from headway.importers.dalestudy import DaleStudy, manifest
from headway.importers.reading import LINE_BYTES_MAX
from headway.importers.records import ImportFailed
from headway.store import learners, sums
from headway.store.database import Database
from headway.store.schema import day_sum, ledger, topic_sum
from tests.importers.conftest import Importing, figures

PROBLEMS = {
    "two-sum": {"difficulty": "Easy", "categories": ["Array", "Hash Table"]},
    "3sum": {"difficulty": "Medium", "categories": ["Array"]},
}
HEADER = "batch,learner,problem,lang,change,authored_at,committed_at"
ACTIVITY = f"""{HEADER}
c1,u1,two-sum,py,A,2024-04-22T17:03:21-04:00,x
c1,u1,two-sum,js,A,2024-04-22T17:03:21-04:00,x
c2,u1,two-sum,py,M,2024-04-23T00:30:00+09:00,x
c2,u2,3sum,py,A,2024-04-23T23:59:59+00:00,x
c3,u1,3sum,py,R,2024-04-24T00:30:00+09:00,x
c3,u2,two-sum,py,D,2024-04-24T00:30:00+09:00,x
c4,u2,nope,py,A,2024-04-24T00:30:00+09:00,x
c5,u2,3sum,py,A,24 April,x
c5,u2,3sum,py,X,2024-04-24T00:30:00+09:00,x
"""


def longest(days: set[date]) -> int:
    """The most days in a row."""
    starts = [day for day in days if day - timedelta(1) not in days]
    return max(next(n for n in range(1, 1000) if day + timedelta(n) not in days) for day in starts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problems.json").write_text(json.dumps(PROBLEMS))
    (tmp_path / "activity.csv").write_text(ACTIVITY)
    return tmp_path


def test_the_catalog_may_stand_on_one_line_however_long(folder: Path) -> None:
    noted = PROBLEMS["3sum"] | {"note": "x" * LINE_BYTES_MAX}
    (folder / "problems.json").write_text(json.dumps(PROBLEMS | {"3sum": noted}))
    assert DaleStudy([str(folder)]).problems.keys() == PROBLEMS.keys()


def test_problems_are_steps_and_categories_their_topics() -> None:
    course = parse_manifest(manifest(PROBLEMS), check_grader=lambda _: ())
    assert [(one.id, one.requires, [step.id for step in one.steps]) for one in course.modules] == [
        ("easy", (), ["two-sum"]),
        ("medium", (), ["3sum"]),
    ]
    two_sum = course.step("two-sum")
    assert two_sum is not None
    assert (two_sum.kind, two_sum.topics, two_sum.points) == ("exercise", ("Array", "Hash Table"), 10)


def test_what_is_no_solution_is_left_out_and_counted(importing: Importing, folder: Path) -> None:
    summary = importing("dalestudy", folder)
    assert figures(summary) == {
        "read": 9,
        "recorded": 4,
        "duplicates": 0,
        "refused": {"invalid": 2},
        "left_out": {"moved": 1, "deleted": 1, "uncatalogued": 1},
        "learners": 2,
        "enrollments": 0,
    }
    assert [one.place.line for one in summary.rejects] == [9, 10]
    assert importing("dalestudy", folder).duplicates == 4


def test_the_day_is_the_authors_own(database: Database, importing: Importing, folder: Path) -> None:
    importing("dalestudy", folder)
    with database.read() as connection:
        found = connection.execute(
            sa.select(ledger.c.day, ledger.c.passed).where(ledger.c.type == "attempted").order_by(ledger.c.at)
        ).all()
    assert [tuple(row) for row in found] == [
        ("2024-04-23", True),  # 15:30 of the day before in UTC
        ("2024-04-22", True),
        ("2024-04-22", True),
        ("2024-04-23", True),
    ]


@pytest.mark.parametrize("problems", ["{", "[]", '{"x": {"difficulty": "Odd", "categories": []}}', '{"x": 1}'])
def test_a_catalog_that_is_none_is_refused(folder: Path, problems: str) -> None:
    (folder / "problems.json").write_text(problems)
    with pytest.raises(ImportFailed, match=r"problems.json"):
        DaleStudy([str(folder)])


class Truth:
    """What the real files say, worked out with nothing of Headway."""

    def __init__(self, real: Path) -> None:
        self.problems = json.loads((real / "problems.json").read_text())
        self.days: dict[str, set[date]] = defaultdict(set)
        self.solved: dict[str, set[str]] = defaultdict(set)
        self.attempts: Counter[str] = Counter()
        self.days_of_utc: dict[str, set[date]] = defaultdict(set)
        for row in self._solutions(real):
            self.days[row["learner"]].add(date.fromisoformat(row["authored_at"][:10]))
            self.days_of_utc[row["learner"]].add(datetime.fromisoformat(row["authored_at"]).astimezone(UTC).date())
            self.solved[row["learner"]].add(row["problem"])
            self.attempts[row["learner"]] += 1

    def _solutions(self, real: Path) -> Iterator[dict[str, str]]:
        with gzip.open(real / "activity.csv.gz", "rt", newline="") as file:
            for row in csv.DictReader(file):
                if row["change"] in "AM" and row["problem"] in self.problems:
                    yield row

    def streak_on(self, learner: str, today: date) -> tuple[int, int]:
        """The current streak as of a day that lies behind all others, and the longest."""
        days = self.days[learner]
        last = today if today in days else today - timedelta(1)
        return next(n for n in range(1000) if last - timedelta(n) not in days), longest(days)

    def topic(self, learner: str, topic: str) -> int:
        return sum(topic in self.problems[one]["categories"] for one in self.solved[learner])


def test_real_solutions_come_out_as_the_files_have_them(
    database: Database, importing: Importing, shared_data: Path
) -> None:
    truth = Truth(shared_data / "dalestudy")
    summary = importing("dalestudy", shared_data / "dalestudy")
    assert summary.recorded == sum(truth.attempts.values()) == 12_152
    assert summary.left_out == {"moved": 451, "deleted": 102, "uncatalogued": 4}
    assert not summary.refused
    with database.read() as connection:
        ids = learners.by_external_ids(connection, [f"dalestudy:{one}" for one in truth.days])
        days = sums.streak_days(connection, ids.values())
    assert_streaks(truth, {name.removeprefix("dalestudy:"): days[learner_id] for name, learner_id in ids.items()})
    assert_totals(database, truth, ids)


def test_by_days_of_utc_real_streaks_would_be_others(shared_data: Path) -> None:
    truth = Truth(shared_data / "dalestudy")
    others = [one for one in truth.days if longest(truth.days[one]) != longest(truth.days_of_utc[one])]
    assert len(others) == 92


def assert_streaks(truth: Truth, days: dict[str, StreakDays]) -> None:
    """Every learner's streak, current and longest, as of their last day, the next, and the next but one."""
    assert days.keys() == truth.days.keys()
    lengths = set()
    for learner, known in days.items():
        for later in range(3):
            today = max(truth.days[learner]) + timedelta(later)
            found = streak(known, str(today))
            assert found[:2] == truth.streak_on(learner, today)
            # Imported history neither earns nor spends.
            assert (found.freezes, found.earned_on, found.spent_on) == (0, [], [])
            lengths |= {found.current, found.longest}
    assert {0, 1, 2, 3, 4, 5, 6} < lengths  # else it would show little


def assert_totals(database: Database, truth: Truth, ids: dict[str, str]) -> None:
    """Attempts, problems solved and problems of a topic, of every learner."""
    names = {learner_id: name.removeprefix("dalestudy:") for name, learner_id in ids.items()}
    of_days = sa.select(
        day_sum.c.learner_id, sa.func.sum(day_sum.c.attempts), sa.func.sum(day_sum.c.exercises_completed)
    ).group_by(day_sum.c.learner_id)
    of_topic = sa.select(topic_sum.c.learner_id, topic_sum.c.exercises_completed).where(topic_sum.c.topic == "Tree")
    with database.read() as connection:
        totals = {names[row[0]]: (int(row[1]), int(row[2])) for row in connection.execute(of_days)}
        trees = {names[row[0]]: row[1] for row in connection.execute(of_topic)}
    assert totals == {one: (truth.attempts[one], len(truth.solved[one])) for one in truth.days}
    assert trees == {one: truth.topic(one, "Tree") for one in truth.days if truth.topic(one, "Tree")}
