"""Lighthouse on the pages that are looked at most, as a middling phone sees them, and the script of the first load.

Lighthouse is not among what Headway is developed with: it is fetched by npm, into the folder that --tools names or one
that is thrown away.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx2

from benchmarks.browser import FLAGS, build, chromium_path, first_load, served
from benchmarks.command import Found, options, tell
from benchmarks.figures import Figure
from benchmarks.servers import Broken
from headway.cli.demo import PASSWORD
from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL
from headway.demo.stage import stage
from headway.ledger.passwords import hash_password
from headway.store.database import Database
from headway.store.migrate import migrate

VERSION: Final = "13.5.0"
LEARNERS: Final = 200
LEAST: Final = 95.0
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
PATIENCE_S: Final = 300


class Seen(NamedTuple):
    """A page, and who looks at it."""

    name: str
    path: str
    email: str


PAGES: Final = (
    Seen("today", "/", LEARNER_EMAIL),
    Seen("course", "/courses/shell-and-git", LEARNER_EMAIL),
    Seen("report", "/teach/shell-and-git", CREATOR_EMAIL),
)


def measured(folder: Path, tools: Path) -> Iterator[Found]:
    """The scores of each page."""
    build()
    program = _installed(tools)
    address = f"sqlite:///{folder / 'lighthouse.db'}"
    database = Database(address)
    migrate(database)
    hashed = hash_password(PASSWORD)
    hashes = {LEARNER_EMAIL: hashed, CREATOR_EMAIL: hashed}
    stage(database, now=time.time_ns() // 1000, password_hashes=hashes, count=LEARNERS)
    database.close()
    with served(address, folder) as url:
        yield "the first load", [first_load()]
        for page in PAGES:
            yield page.name, list(_looked_at(program, folder, url, page))


def _installed(tools: Path) -> Path:
    program = tools / "node_modules/lighthouse/cli/index.js"
    if not program.exists():
        command = [_beside("npm"), "install", "--ignore-scripts", "--no-audit", "--no-fund", f"lighthouse@{VERSION}"]
        (tools / "package.json").write_text('{"private": true}')
        _run(command, tools)
    return program


def _looked_at(program: Path, folder: Path, url: str, page: Seen) -> Iterator[Figure]:
    reply = httpx2.post(f"{url}/api/v1/auth/login", json={"email": page.email, "password": PASSWORD})
    headers, report = folder / "headers.json", folder / f"{page.name}.json"
    headers.write_text(json.dumps({"Cookie": reply.headers["set-cookie"].partition(";")[0]}))
    options = [
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={headers}",
        f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
        "--output=json",
        f"--output-path={report}",
        "--quiet",
        "--no-enable-error-reporting",
    ]
    _run([_beside("node"), str(program), f"{url}{page.path}", *options], folder)
    told = json.loads(report.read_text())
    for name in CATEGORIES:
        score = told["categories"][name]["score"] * 100
        yield Figure(f"{page.name}: {name}", score, "at least", LEAST)
    _tell_lacks(page, told)


def _tell_lacks(page: Seen, told: dict[str, Any]) -> None:
    """What took something off a score, on standard error."""
    for name in CATEGORIES:
        for one in told["categories"][name]["auditRefs"]:
            audit = told["audits"][one["id"]]
            if one["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                print(f"{page.name}: {audit['title']} {audit.get('displayValue', '')}", file=sys.stderr)


def _run(command: list[str], folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    variables = {**os.environ, "PATH": path, "CHROME_PATH": chromium_path()}
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode:
        raise Broken(f"{Path(command[0]).name} ended with {done.returncode}: {(done.stderr or done.stdout)[-600:]}")


def _beside(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options("lighthouse", __doc__)
    parser.add_argument("--tools", type=Path, help="where Lighthouse is, or is to be fetched to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headway-bench-", dir=given.dir) as name:
        return tell(given, measured(Path(name), (given.tools or Path(name)).resolve()))


if __name__ == "__main__":
    sys.exit(main())
