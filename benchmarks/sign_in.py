"""How long signing in takes, with the limits on: several clients, each signing in again when it is answered."""

import argparse
import http.client
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import quantiles
from time import perf_counter

from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.contenders import headway_path
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.servers import Broken, Server, free_port

P95_MS = 300.0
PASSWORD = "correct horse battery"
# Not more than the limit on new learners lets in.
ACCOUNTS = 50
WARM_S = 1.0


class Client:
    """A connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, path: str, email: str) -> float:
        """Milliseconds from the request to the whole reply, which must be a success."""
        body = json.dumps({"email": email, "password": PASSWORD})
        began = perf_counter()
        self._connection.request("POST", f"/api/v1/auth/{path}", body, {"content-type": "application/json"})
        reply = self._connection.getresponse()
        said = reply.read()
        took_ms = (perf_counter() - began) * 1000
        if reply.status not in (200, 201):
            raise Broken(f"{path} was answered {reply.status}: {said[:200]!r}")
        return took_ms

    def sign_in_until(self, end: float, emails: list[str], counted_from: float) -> list[float]:
        """Sign in again and again; the milliseconds of each that began in the window."""
        found: list[float] = []
        while (began := perf_counter()) < end:
            took_ms = self.post("login", emails[len(found) % len(emails)])
            if began >= counted_from:
                found.append(took_ms)
        return found


def measure(port: int, clients: int, seconds: float) -> list[float]:
    """Milliseconds of all sign-ins of so many clients at once."""
    emails = [f"learner{number}@example.org" for number in range(ACCOUNTS)]
    first = Client(port)
    for email in emails:
        first.post("register", email)
    counted_from = perf_counter() + WARM_S
    end = counted_from + seconds

    def run(number: int) -> list[float]:
        return Client(port).sign_in_until(end, emails[number::clients], counted_from)

    with ThreadPoolExecutor(clients) as pool:
        return [one for found in pool.map(run, range(clients)) for one in found]


def figures(kind: str, databases: Databases, given: argparse.Namespace) -> list[Figure]:
    """Sign in on a new database of a kind."""
    url, port = databases.create(kind, f"sign_in_{kind}"), free_port()
    log = databases.folder / f"sign_in_{kind}.log"
    with Server([headway_path(), "serve", "--port", str(port), "--database", url], port, log) as server:
        found = measure(port, given.clients, given.seconds)
        held_mb = server.resident_mb()
    cuts = quantiles(found, n=100)
    return [
        Figure("p50", cuts[49], "under", None, ".0f", " ms"),
        Figure("p95", cuts[94], "under", P95_MS, ".0f", " ms"),
        Figure("sign-ins a second", len(found) / given.seconds, "at least", None, ".1f"),
        Figure("memory", held_mb, "under", None, ".0f", " MB"),
    ]


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("sign_in", __doc__)
    parser.add_argument("--clients", type=int, default=4, help="how many sign in at once [4]")
    parser.add_argument("--seconds", type=float, default=10.0, help="[10]")
    given = parser.parse_args()
    return tell(given, on_each(given, partial(figures, given=given)))


if __name__ == "__main__":
    sys.exit(main())
