"""Who is measured: Headway, the usual design and HTTP that stores nothing, each started the way it is used."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Databases, count
from benchmarks.servers import ROOT, Broken, Server, free_port, uvicorn_command
from benchmarks.workload import guest_tokens, manifest

HEADWAY = "headway"
USUAL = "usual"
NOTHING = "nothing"
NOTHING_BARE = "nothing-bare"
# What stores nothing: by a handler of Litestar's, and by plain ASGI within its routing.
LIMITS = {NOTHING: "benchmarks.nothing.app:app", NOTHING_BARE: "benchmarks.nothing.app:bare"}
CONTENDERS = (USUAL, HEADWAY, *LIMITS)
LEARNERS = 300
HEADWAY_ENV = {"HEADWAY_RATE_LIMITS": "off"}
# Grants and enrollments stand in Headway's ledger too.
HEADWAY_ROWS = "SELECT count(*) FROM ledger WHERE type IN ('attempted', 'completed')"
USUAL_ROWS = "SELECT count(*) FROM event"


@dataclass
class Contender:
    """A server that runs, and what is needed to load it and to check it afterwards."""

    name: str
    server: Server
    tokens: list[str]
    # How many events its ledger holds; None where there is none.
    rows: Callable[[], int] | None
    url: str | None = None
    # Megabytes, before the first event.
    idle_mb: float = float("nan")
    acknowledged: int = 0


def start(name: str, kind: str, databases: Databases, stack: ExitStack) -> Contender:
    """Start a contender on a new database of a kind; the stack stops it."""
    port = free_port()
    log = databases.folder / f"{name}-{kind}.log"
    if name in LIMITS:
        server = stack.enter_context(Server(uvicorn_command(LIMITS[name], port), port, log))
        return Contender(name, server, ["nobody"], None, idle_mb=server.resident_mb())
    url = databases.create(kind, f"{name}_{kind}")
    course = databases.folder / "course.json"
    course.write_text(json.dumps(manifest()))
    if name == USUAL:
        server, query = _start_usual(url, port, log, course), USUAL_ROWS
    else:
        server, query = _start_headway(url, port, log, course), HEADWAY_ROWS
    stack.enter_context(server)
    contender = Contender(name, server, [], lambda: count(url, query), url, server.resident_mb())
    contender.tokens = guest_tokens(port, LEARNERS)
    return contender


def _start_usual(url: str, port: int, log: Path, course: Path) -> Server:
    env = {"USUAL_DATABASE_URL": url, "USUAL_COURSE": str(course)}
    return Server(uvicorn_command("benchmarks.usual.app:create_app", port, "--factory"), port, log, env)


def _start_headway(url: str, port: int, log: Path, course: Path) -> Server:
    headway("course", "publish", str(course), "--database", url)
    return Server([headway_path(), "serve", "--port", str(port), "--database", url], port, log, HEADWAY_ENV)


def headway_path() -> str:
    """The `headway` command of the environment that runs this, or the one that COMMAND_MEASURED names."""
    return os.environ.get("COMMAND_MEASURED", str(Path(sys.executable).parent / "headway"))


def headway(*arguments: str) -> str:
    """What a Headway command prints; it must succeed."""
    done = subprocess.run([headway_path(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"headway {' '.join(arguments)} exited with {done.returncode}:\n{done.stderr[-1000:]}")
    return done.stdout


def missing_rows(contender: Contender) -> str | None:
    """What is wrong where the ledger does not hold exactly the events that were acknowledged."""
    if contender.rows is None:
        return None
    held = contender.rows()
    if held == contender.acknowledged:
        return None
    return f"{contender.name}: {contender.acknowledged} events acknowledged, {held} in the ledger"
