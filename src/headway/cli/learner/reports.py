"""What the tests of an exercise said: by their exit status, as JUnit XML, or in the Test Anything Protocol."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from headway.domain.errors import HeadwayError

BYTES_MAX: Final = 10_000_000
_TAP: Final = re.compile(r"^(not )?ok\b(?:[^#\n]|\\#)*(?:#\s*(skip|todo)\b)?", re.MULTILINE | re.IGNORECASE)
_PLAN: Final = re.compile(r"^1\.\.(\d{1,6})\b", re.MULTILINE)


class NoResult(HeadwayError):
    """The tests came to no result."""

    code = "no-result"


class Passed(NamedTuple):
    """How many tests passed, of how many that were not skipped."""

    passed: int
    total: int

    @property
    def score(self) -> float:
        """The share of tests that passed, 0 to 1; 0 if nothing was tested."""
        return self.passed / self.total if self.total else 0.0

    @property
    def is_passed(self) -> bool:
        """Whether all passed."""
        return 0 < self.total == self.passed


def by_exit(code: int) -> Passed:
    """One test, which passed if the exit status is 0."""
    return Passed(int(code == 0), 1)


def by_junit(report: str) -> Passed:
    """The results in a JUnit XML report."""
    from xml.etree import ElementTree as ET

    # Python's parser would expand without limit what a document type defines.
    if "<!DOCTYPE" in report or "<!ENTITY" in report:
        raise NoResult("the report defines a document type, which no test runner's does; it is not read")
    try:
        root = ET.fromstring(report)  # noqa: S314  # nothing is defined in it
        cases = [one for one in root.iter("testcase") if one.find("skipped") is None]
        # What fails before there is any case, such as a file that cannot be imported, is counted on the suite.
        broken = sum(int(suite.get("errors") or 0) for suite in root.iter("testsuite")) if not cases else 0
    except (ET.ParseError, ValueError) as error:
        raise NoResult(f"the report is no JUnit XML: {error}") from None
    failed = sum(one.find("failure") is not None or one.find("error") is not None for one in cases)
    return Passed(len(cases) - failed, len(cases) + broken)


def by_tap(output: str) -> Passed:
    """The results in TAP; tests that were planned and never ran have failed, and after `Bail out!` not all passed."""
    found = list(_TAP.finditer(output))
    left_out = sum((one[2] or "").lower() == "skip" for one in found)
    passed = sum(not one[1] or (one[2] or "").lower() == "todo" for one in found) - left_out
    plan = _PLAN.search(output)
    total = max(len(found), int(plan[1]) if plan else 0) - left_out
    bailed = re.search(r"^Bail out!", output, re.MULTILINE | re.IGNORECASE) is not None
    return Passed(passed, max(total, passed + 1) if bailed else total)


def read_report(path: Path) -> str:
    """A report that a test command has written."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX).decode("utf-8", errors="replace")
    except OSError as error:
        raise NoResult(f"the test command wrote no report {path}: {error.strerror}") from None
