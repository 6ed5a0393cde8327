"""OULAD folders for tests: a small one with every wart, parts of the real one, and figures worked out from files."""

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

Row = Mapping[str, str]

WARTS = {
    "courses": """
        code_module,code_presentation,module_presentation_length
        AAA,2013J,268
        BBB,2014B,240
        CCC,summer,240
    """,
    "assessments": """
        code_module,code_presentation,id_assessment,assessment_type,date,weight
        AAA,2013J,11,TMA,54,12.5
        AAA,2013J,12,TMA,19,7.5
        AAA,2013J,13,CMA,19,0
        AAA,2013J,14,Exam,,100
        AAA,2013J,15,Essay,20,10
        AAA,2013J,16,TMA,20,heavy
        BBB,2014B,21,TMA,19,0
        BBB,2014B,22,Exam,?,100
        ZZZ,2014B,31,TMA,19,10
    """,
    "studentRegistration": """
        code_module,code_presentation,id_student,date_registration,date_unregistration
        AAA,2013J,1,-159,
        AAA,2013J,2,-53,12
        AAA,2013J,3,5,5
        AAA,2013J,4,?,-30
        AAA,2013J,5,,
        BBB,2014B,1,-10,?
        AAA,2013J,6,soon,
        ZZZ,2014B,1,-10,
        AAA,2013J,anna,-10,
    """,
    "studentAssessment": """
        id_assessment,id_student,date_submitted,is_banked,score
        12,1,18,0,78
        11,1,50,0,1
        13,1,-3,0,?
        14,1,200,0,
        11,2,1,1,60
        21,1,20,0,100
        99,1,18,0,78
        12,2,18,0,101
        12,3,later,0,50
        12,3,,0,50
    """,
}


def write_folder(folder: Path, texts: Mapping[str, str] = WARTS) -> Path:
    """A dataset of these texts; one file of it packed."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        content = "".join(f"{line.strip()}\r\n" for line in text.strip().splitlines()).encode()
        if name == "studentAssessment":
            (folder / f"{name}.csv.gz").write_bytes(gzip.compress(content))
        else:
            (folder / f"{name}.csv").write_bytes(content)
    return folder


def read_table(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of a file of the real dataset."""
    with gzip.open(folder / f"{name}.csv.gz", "rt", newline="") as file:
        yield from csv.DictReader(file)


def course_of(row: Row) -> str:
    return f"oulad-{row['code_module']}-{row['code_presentation']}".lower()


def write_part(real: Path, folder: Path, courses: Iterable[str]) -> Path:
    """A part of the real dataset: some presentations, complete."""
    wanted = set(courses)
    assessments = {row["id_assessment"] for row in read_table(real, "assessments") if course_of(row) in wanted}
    keeps: dict[str, Callable[[Row], bool]] = {
        "courses": lambda row: course_of(row) in wanted,
        "assessments": lambda row: course_of(row) in wanted,
        "studentRegistration": lambda row: course_of(row) in wanted,
        "studentAssessment": lambda row: row["id_assessment"] in assessments,
    }
    folder.mkdir()
    for name, keep in keeps.items():
        rows = [row for row in read_table(real, name) if keep(row)]
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return folder


class Expected:
    """What the files say of a course, worked out with nothing of Headway."""

    def __init__(self) -> None:
        self.results = 0
        self.banked = 0
        self.best: dict[tuple[str, str], int] = {}
        self.registered = 0
        self.enrolled = 0

    @property
    def mean_best(self) -> float:
        """The mean of the best scores, 0 to 100."""
        return sum(self.best.values()) / len(self.best)


def expected(real: Path) -> dict[str, Expected]:
    """All courses of the real dataset."""
    course = {row["id_assessment"]: course_of(row) for row in read_table(real, "assessments")}
    found = {name: Expected() for name in course.values()}
    for row in read_table(real, "studentAssessment"):
        one = found[course[row["id_assessment"]]]
        if row["is_banked"] == "1":
            one.banked += 1
            continue
        one.results += 1
        if row["score"] not in ("", "?"):
            one.best[row["id_student"], row["id_assessment"]] = int(row["score"])
    for row in read_table(real, "studentRegistration"):
        one = found[course_of(row)]
        one.registered += 1
        one.enrolled += not row["date_unregistration"]
    return found
