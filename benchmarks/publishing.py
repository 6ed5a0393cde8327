"""Courses of 500 steps and of 10, with 10,000 learners each: publishing beside recording, and what their size costs.

What publishing a version takes while recording goes on; what an event and a reading cost in the large course beside
the small one.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any, Final, NamedTuple, TypeVar

from benchmarks import sizes
from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.contenders import HEADWAY_ENV, headway, headway_path
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.population import course, populate, step_ids
from benchmarks.servers import ROOT, Broken, Server, free_port
from benchmarks.site import EMAIL, PASSWORD, Caller, learner
from benchmarks.workload import guest_tokens
from headway.store.database import Database

PUBLISH_S: Final = 30.0
# Of what is recorded where nobody publishes.
RECORDED_SHARE: Final = 0.5
# Modules and steps.
SIZES: Final = {"large": (60, 500), "small": (2, 10)}
# What is recorded meanwhile: 10,000 learners do not do more.
RECORDERS: Final = 20
EVENTS_A_SECOND: Final = 200
ALONE_S: Final = 5.0
T = TypeVar("T")


class Beside(NamedTuple):
    """How long some work took, and the latencies of what was recorded beside it."""

    seconds: float
    latencies_ms: list[float]

    @property
    def rate(self) -> float:
        """Events a second."""
        return len(self.latencies_ms) / self.seconds

    def latency(self, share: float) -> float:
        """The latency that this share of the events kept below."""
        return self.latencies_ms[int((len(self.latencies_ms) - 1) * share)] if self.latencies_ms else float("nan")


class Recorders:
    """Learners of the course who send the same attempt over and over, each one so often whatever an answer takes.

    It changes no score of theirs: what publishing brings them is the same whenever it comes to them.
    """

    def __init__(self, port: int, manifest: Mapping[str, Any]) -> None:
        self._callers = [learner(port, token) for token in guest_tokens(port, RECORDERS)]
        self._course, self._step = manifest["id"], step_ids(manifest)[0]

    def beside(self, work: Callable[[], T]) -> tuple[T, Beside]:
        """Record from the beginning of some work to its end."""
        stopped = Event()
        with ThreadPoolExecutor(len(self._callers)) as pool:
            recording = [pool.submit(self._record, one, stopped) for one in self._callers]
            try:
                began = time.perf_counter()
                done = work()
                seconds = time.perf_counter() - began
            finally:
                stopped.set()
            return done, Beside(seconds, sorted(latency for one in recording for latency in _of(one)))

    def _record(self, caller: Caller, stopped: Event) -> list[float]:
        pause, found = RECORDERS / EVENTS_A_SECOND, list[float]()
        while not stopped.wait(pause):
            found.append(caller.attempt(self._course, self._step, 0.5))
        return found


def _of(recording: "Future[list[float]]") -> list[float]:
    return recording.result()


def next_version(manifest: Mapping[str, Any], *, for_all: bool) -> dict[str, Any]:
    """A version by which some learners gain, or one by which everybody does."""
    modules = [dict(module) for module in manifest["modules"]]
    if for_all:
        lesson = {"id": "more-1", "kind": "lesson", "title": "More"}
        more = {"id": "more", "title": "More", "requires": [modules[0]["id"]], "steps": [lesson]}
        return {**manifest, "title": "For all", "modules": [modules[0] | {"pass_mark": 0}, more, *modules[1:]]}
    for module in modules[::7]:
        module["pass_mark"] = 70
    modules[-1]["requires"] = []
    return {**manifest, "title": "For some", "modules": modules}


def publishing(server: Server, manifest: Mapping[str, Any]) -> list[Figure]:
    """Rehearse and publish a version for some, and one for everybody, with learners who record beside."""
    admin, recorders, name = Caller(server.port, {}), Recorders(server.port, manifest), manifest["id"]
    admin.sign_in()
    _, alone = recorders.beside(lambda: time.sleep(ALONE_S))
    found = [Figure(f"{name}: recording's p99 before", alone.latency(0.99), "under", None, ".0f", " ms")]
    for for_all in (False, True):
        found += _publishing(admin, recorders, next_version(manifest, for_all=for_all), alone)
    return found


def _publishing(admin: Caller, recorders: Recorders, version: Mapping[str, Any], alone: Beside) -> list[Figure]:
    what = f"{version['id']}, {version['title'].lower()}"
    would, rehearsed = recorders.beside(lambda: admin.publish(version, dry_run=True))
    did, published = recorders.beside(lambda: admin.publish(version, dry_run=False))
    if would != did:
        raise Broken(f"{what}: the dry run said {would}, publishing did {did}")
    return [
        Figure(f"{what}: dry run", rehearsed.seconds, "under", PUBLISH_S, ".1f", " s"),
        Figure(f"{what}: publishing", published.seconds, "under", PUBLISH_S, ".1f", " s"),
        Figure(f"{what}: recorded beside it / before", published.rate / alone.rate, "at least", RECORDED_SHARE, ".2f"),
        Figure(f"{what}: recording's p99 beside it", published.latency(0.99), "under", None, ".0f", " ms"),
        Figure(f"{what}: recording's p50 beside it / before", _slower(published, alone), "under", None, ".2f"),
    ]


def _slower(published: Beside, alone: Beside) -> float:
    return published.latency(0.5) / median(alone.latencies_ms)


def figures(kind: str, databases: Databases, given: argparse.Namespace) -> list[Figure]:
    """Measure courses of both sizes on a new database of a kind."""
    url, port = databases.create(kind, f"publishing_{kind}"), free_port()
    manifests = {name: course(name, *size) for name, size in SIZES.items()}
    _prepare(url, databases.folder, manifests)
    database = Database(url)
    for name, manifest in manifests.items():
        _say(f"{kind}: {given.learners:,} learners of the {name} course")
        populate(database, manifest, given.learners, now=time.time_ns() // 1000)
    database.close()
    log = databases.folder / f"publishing_{kind}.log"
    with Server([headway_path(), "serve", "--port", str(port), "--database", url], port, log, HEADWAY_ENV) as server:
        _say(f"{kind}: events and reading")
        found = sizes.figures(server, manifests["small"], manifests["large"], given.events)
        for name, manifest in manifests.items():
            _say(f"{kind}: publishing the {name} course")
            found += publishing(server, manifest)
        found.append(Figure("memory of the server", server.resident_mb(), "under", None, ".0f", " MB"))
    if given.audit:
        _say("headway audit")
        headway("audit", "--database", url)
    return found


def _prepare(url: str, folder: Path, manifests: Mapping[str, Mapping[str, Any]]) -> None:
    for name, manifest in manifests.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(manifest))
        headway("course", "publish", str(path), "--database", url)
    command = [headway_path(), "admin", "create", EMAIL, "--database", url]
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, cwd=ROOT, check=True, capture_output=True)


def _say(what: str) -> None:
    print(f"   {what}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("publishing", __doc__)
    parser.add_argument("--learners", type=int, default=10_000, help="of each course [10000]")
    parser.add_argument("--events", type=int, default=4_000, help="recorded in each course, one at a time [4000]")
    parser.add_argument("--audit", action="store_true", help="run `headway audit` over what was recorded")
    given = parser.parse_args()
    return tell(given, on_each(given, partial(figures, given=given)))


if __name__ == "__main__":
    sys.exit(main())
