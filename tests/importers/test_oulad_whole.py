"""All of OULAD, by the operator's commands: in little memory, and as the files have it. `benchmarks` says how fast."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from headway.store.database import Database
from tests.importers.oulad_files import expected
from tests.importers.oulad_reports import assert_reports
from tests.importers.test_oulad import assert_figures
from tests.torture.proof import grants
from tests.torture.server import HEADWAY, environment

MEMORY_MB = 500

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


class Run(NamedTuple):
    """A command that ended: what it printed as JSON, and the most memory that it held."""

    said: dict[str, Any]
    megabytes: float


def run(*arguments: str) -> Run:
    process = subprocess.Popen([HEADWAY, *arguments, "--json"], stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    with process.stdout as output:
        said = output.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said[-2000:]
    done = Run(json.loads(said), usage.ru_maxrss / 1024)
    sys.stdout.write(f"{' '.join(arguments[:2])}: {done.megabytes:.0f} MB\n")
    return done


def test_all_of_it_comes_in_and_is_proved(shared_data: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'oulad.db'}"
    brought = run("import", "oulad", str(shared_data / "oulad"), "--database", url)
    truth = expected(shared_data / "oulad")
    assert brought.said["refused"] == {}
    assert brought.said["read"] == 173_912 + 32_593
    assert brought.said["left_out"] == {"banked": sum(one.banked for one in truth.values())}
    assert brought.said["enrollments"] == sum(one.registered for one in truth.values()) == 32_593
    assert (len(brought.said["courses"]), brought.said["learners"]) == (22, 28_785)
    database = Database(url)
    assert_figures(database, truth)
    assert_reports(database, shared_data / "oulad")
    database.close()
    proved = run("audit", "--database", url)
    granted = grants(url)
    assert granted.keys() == {"module_completed", "course_completed"}
    assert (proved.said["found"], proved.said["events"]) == (0, brought.said["recorded"] + granted.total())
    assert max(brought.megabytes, proved.megabytes) < MEMORY_MB
