"""Imports by upload: in the background, bounded, told of, safe to send again."""

import gzip
import json
import time
from base64 import b64encode
from typing import Any

import httpx2
import pytest

from headway.importers import uploads
from headway.ledger import importing
from tests.http.server import Site

IMPORTS = "/admin/imports"
SEVEN = [
    {"exercise_id": "loops", "score": 85, "timestamp": "2024-03-01"},
    {"exercise_id": "loops", "is_correct": True, "timestamp": "2024-03-02"},
    {"exercise_id": "loops", "score": "none", "timestamp": "2024-03-02"},
]


def file(name: str, content: Any, encoding: str = "utf-8") -> dict[str, str]:
    return {"name": name, "base64": b64encode(json.dumps(content).encode(encoding)).decode()}


def ended(admin: httpx2.Client, sent: dict[str, Any]) -> dict[str, Any]:
    """What became of an import, once it is over."""
    reply = admin.post(IMPORTS, json=sent)
    assert reply.status_code == 202, reply.text
    for _ in range(600):
        found: dict[str, Any] = admin.get(f"{IMPORTS}/{reply.json()['id']}").json()
        if found["status"] != "running":
            return found
        time.sleep(0.05)
    raise AssertionError("it is still running")


def test_files_come_in_once_and_are_told_of(site: Site) -> None:
    admin = site.person("root@example.org", "admin")
    files = [file("attempts_user_7.json", SEVEN, "utf-16"), file("streaks.json", {"7": {"longest_streak": 9}})]
    sent = {"format": "json-files", "files": files}
    planned = ended(admin, sent | {"dry_run": True})["report"]
    assert (planned["recorded"], planned["dry_run"]) == (2, True)
    assert admin.get("/progress?learner=7").json()["attempts"] == 0
    done = ended(admin, sent)
    assert (done["status"], done["done"], done["problem"]) == ("done", done["total"], None)
    report = done["report"]
    assert (report["read"], report["recorded"], report["streaks"], report["refused"]) == (4, 2, 1, {"invalid": 1})
    assert [(one["file"], one["record"], one["reason"]) for one in report["rejects"]] == [(0, 3, "invalid")]
    assert admin.get("/progress?learner=user_7").json()["attempts"] == 2
    assert admin.get("/progress/streak?learner=7").json()["imported_longest"] == 9
    again = ended(admin, sent)["report"]
    assert (again["recorded"], again["duplicates"]) == (0, 3)
    known = admin.get(IMPORTS).json()["items"]
    assert [one["report"]["dry_run"] for one in known] == [False, False, True]
    assert known[0]["report"] == again
    mapped = {"course": "python-basics", "exercises": {"loops": "for-1"}}
    assert ended(admin, sent | {"files": files[:1], "map": mapped})["status"] == "done"


def test_what_cannot_be_imported_says_why_and_names_nobody(site: Site) -> None:
    admin = site.person("root@example.org", "admin")
    failed = ended(admin, {"format": "json-files", "files": [file("attempts_user_7.json", [])]})
    assert (failed["status"], failed["report"], "no exercise" in failed["problem"]) == ("failed", None, True)
    failed = ended(admin, {"format": "csv", "files": [file("user_7.csv", [])]})
    wanted = "learner, type, course, occurred_at; its first line must name the columns, with commas"
    assert failed["problem"] == f"files[0] has no column {wanted}"
    cut = b64encode(gzip.compress(b"learner,type,course,occurred_at\n")[:-4]).decode()
    failed = ended(admin, {"format": "csv", "files": [{"name": "user_7.csv.gz", "base64": cut}]})
    assert failed["problem"].startswith("files[0] is damaged after line 1: ")
    large = b64encode(gzip.compress(json.dumps(SEVEN).encode() + b"\n" * uploads.UNPACKED_MAX)).decode()
    failed = ended(admin, {"format": "json-files", "files": [{"name": "attempts_7.json.gz", "base64": large}]})
    assert failed["problem"] == "files[0] is larger than 8 MiB; split it"
    one = file("attempts_user_7.json", SEVEN)
    for sent in (
        {"format": "oulad", "files": [one]},
        {"format": "json-files", "files": []},
        {"format": "json-files", "files": [one | {"name": "../x.json"}]},
        {"format": "json-files", "files": [one | {"base64": "!"}]},
        {"format": "csv", "files": [one], "map": {"course": "x", "exercises": {}}},
        {"format": "json-files", "files": [one] * 201},
    ):
        assert admin.post(IMPORTS, json=sent).status_code == 422, sent
    assert admin.post(IMPORTS, json={"format": "csv", "files": [file("a.csv", "x" * 2**21)]}).status_code == 413
    assert admin.get(f"{IMPORTS}/nonsense").status_code == 404


def test_one_is_under_way_at_a_time_and_none_for_ever(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = sqlite_site.person("root@example.org", "admin")
    begun = importing.begin(sqlite_site.database, 1, now=time.time_ns() // 1000)
    sent = {"format": "json-files", "files": [file("attempts_7.json", SEVEN)]}
    assert [one["status"] for one in admin.get(IMPORTS).json()["items"]] == ["running"]
    refused = admin.post(IMPORTS, json=sent)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/import-running")
    importing.end(sqlite_site.database, begun["id"], ("stopped", 0), None, now=1)
    monkeypatch.setattr(uploads, "SECONDS_MAX", -1.0)
    late = ended(admin, sent)
    assert (late["status"], late["report"]) == ("timed-out", None)
    monkeypatch.undo()
    assert ended(admin, sent)["report"]["recorded"] == 2
