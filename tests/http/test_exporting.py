"""Exports over HTTP: streamed, whole, one's own or an admin's to see."""

import json

from tests.http.server import Site
from tests.http.test_events import event, send


def test_an_export_is_whole_and_a_file(site: Site) -> None:
    ada = site.person("ada@example.org")
    send(ada, *(event(type="completed", step="for-1") for _ in range(3)))
    reply = ada.get("/progress/export")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["content-disposition"].startswith('attachment; filename="headway-export-2')
    assert reply.headers["cache-control"] == "private, no-cache"
    whole = reply.json()
    assert (whole["complete"], whole["learner"]["email"]) == (True, "ada@example.org")
    assert [one["type"] for one in whole["events"]].count("completed") == 3
    assert not any(one in reply.text for one in ("_hash", "argon2"))
    history = ada.get("/progress/export?format=csv")
    assert (history.status_code, history.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert history.content.startswith(b"\xef\xbb\xbfoccurred_at,day,course")
    assert ada.get("/progress/export?format=xml").status_code == 422


def test_nobody_reads_as_empty_and_others_are_not_there(site: Site) -> None:
    ada, admin = site.person("ada@example.org"), site.person("root@example.org", "admin")
    ada_id = ada.get("/auth/me").json()["learner"]["id"]
    nobody = site.client().get("/progress/export").json()
    assert (nobody["learner"], nobody["events"], nobody["complete"]) == (None, [], True)
    assert admin.get(f"/progress/export?learner={ada_id}").json()["learner"]["id"] == ada_id
    assert site.person("bob@example.org").get(f"/progress/export?learner={ada_id}").status_code == 404
    assert json.loads(admin.get("/progress/export").content)["complete"]
