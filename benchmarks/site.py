"""A started server as its learners and its admin use it: one request after the other, over HTTP."""

import http.client
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from benchmarks.servers import Broken

EMAIL, PASSWORD = "eve@example.org", "correct horse battery"
PATIENCE_S = 600.0
# A server hangs up on whoever has long been silent.
IDLE_S = 1.0
RECORDED = b'"status":"recorded"'


class Caller:
    """Somebody with a connection kept alive, who waits for each answer."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._headers = {"content-type": "application/json", **headers}
        self._answered_at = perf_counter()

    def ask(self, method: str, path: str, sent: object = None) -> bytes:
        """What is answered; Broken where it is no success."""
        return self._ask(method, path, sent)[1]

    def sign_in(self) -> None:
        """Be the admin from now on."""
        reply, _ = self._ask("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})
        self._headers["cookie"] = (reply.headers["set-cookie"] or "").partition(";")[0]

    def publish(self, manifest: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
        """Publish a version, or tell what that would do: the impact."""
        query = "?dry_run=true" if dry_run else ""
        impact: dict[str, Any] = json.loads(self.ask("PUT", f"/courses/{manifest['id']}{query}", manifest))["impact"]
        return impact

    def attempt(self, course_id: str, step: str, score: float) -> float:
        """Record an attempt of now; the milliseconds until it is known to be recorded."""
        said = {"id": str(uuid.uuid4()), "type": "attempted", "course": course_id, "step": step, "score": score}
        sent = {"events": [{**said, "occurred_at": datetime.now(UTC).isoformat()}]}
        began = perf_counter()
        answer = self.ask("POST", "/events", sent)
        took_ms = (perf_counter() - began) * 1000
        if RECORDED not in answer:
            raise Broken(f"an event on {step} was not recorded: {answer[:300]!r}")
        return took_ms

    def _ask(self, method: str, path: str, sent: object) -> tuple[http.client.HTTPResponse, bytes]:
        body = None if sent is None else json.dumps(sent)
        if perf_counter() - self._answered_at > IDLE_S:
            self._connection.close()  # and opened again by the request
        self._connection.request(method, f"/api/v1{path}", body, self._headers)
        reply = self._connection.getresponse()
        said = reply.read()
        self._answered_at = perf_counter()
        if reply.status not in (200, 201):
            raise Broken(f"{method} {path} was answered {reply.status}: {said[:300]!r}")
        return reply, said


def learner(port: int, token: str) -> Caller:
    """A guest by the token."""
    return Caller(port, {"authorization": f"Bearer {token}"})
