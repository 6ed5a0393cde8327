"""Learners for admins: found, shown, given roles, linked to accounts, and claimed by a code."""

from typing import Any
from uuid import uuid4

import httpx2

from headway.domain.events import parse_event
from headway.domain.recording import IMPORTED
from headway.ledger.bulk import record_all
from headway.ledger.enlist import enlist
from headway.ledger.submission import Submission
from headway.store.catalog import Catalog
from tests.http.server import Site
from tests.http.test_events import event

LEARNERS = "/admin/learners"


def imported(site: Site, name: str = "user_7", steps: int = 2) -> str:
    """A learner from elsewhere who did something."""
    learner_id = enlist(site.database, [name], now=1)[name]
    sent = [event(type="completed", step="for-1", occurred_at="2024-03-01T09:00:00Z") for _ in range(steps)]
    events = tuple(parse_event(one) for one in sent)
    list(record_all(site.database, Catalog(), [Submission(learner_id, events, 10**15, source=IMPORTED)]))
    return learner_id


def names(client: httpx2.Client, query: str) -> list[str]:
    reply = client.get(f"{LEARNERS}?{query}")
    assert reply.status_code == 200, reply.text
    return [one["display_name"] or one["email"] or one["external_id"] for one in reply.json()["items"]]


def test_learners_are_found_by_name_address_and_id(site: Site) -> None:
    admin = site.person("root@example.org", "admin")
    for n, name in enumerate(("Ada Lovelace", "ada b.", "Ádám", "Bob", "a%", None)):
        person = site.person(f"p{n}@example.org")
        person.patch("/auth/me", json={"display_name": name})
    learner_id = imported(site)
    site.guest()
    assert names(admin, "q=ADA") == ["ada b.", "Ada Lovelace"]
    assert names(admin, "q=%C3%A1D") == ["Ádám"]
    assert names(admin, "q=a%25") == ["a%"]
    assert names(admin, "q=P3@example.org") == ["Bob"]
    assert names(admin, "q=user_7") == names(admin, "q=7") == names(admin, f"q={learner_id}") == ["user_7"]
    assert names(admin, "external_id=7") == names(admin, "kind=imported") == ["user_7"]
    assert names(admin, "q=nobody") == names(admin, "external_id=oulad:1") == []
    assert len(names(admin, "kind=guest")) == 0 or names(admin, "kind=guest") == [None]
    assert len(names(admin, "")) == 8
    paged, query, reply = list[str](), "limit=3", dict[str, Any]()
    for _ in range(3):
        reply = admin.get(f"{LEARNERS}?{query}").json()
        paged += [one["id"] for one in reply["items"]]
        query = f"limit=3&cursor={reply['next_cursor']}"
    assert (len(paged), len(set(paged)), reply["next_cursor"]) == (8, 8, None)
    assert admin.get(f"{LEARNERS}?cursor=nonsense").status_code == 400
    assert admin.get(f"{LEARNERS}?limit=0").status_code == 422
    unknown = admin.get(f"{LEARNERS}?kind=teacher")
    assert (unknown.status_code, unknown.json()["errors"]) == (
        422,
        [{"field": "kind", "message": "kind: must be one of account, guest, imported"}],
    )


def test_roles_are_given_and_taken_and_the_last_admin_stays(site: Site) -> None:
    admin, ada = site.person("root@example.org", "admin"), site.person("ada@example.org")
    me, ada_id = (one.get("/auth/me").json()["learner"]["id"] for one in (admin, ada))
    assert ada.get(LEARNERS).status_code == 403
    given = admin.patch(f"{LEARNERS}/{ada_id}", json={"roles": ["creator", "admin"]})
    assert (given.status_code, given.json()["roles"]) == (200, ["admin", "creator"])
    assert ada.get(f"{LEARNERS}/{me}").json()["roles"] == ["admin"]
    assert ada.patch(f"{LEARNERS}/{me}", json={"roles": []}).json()["roles"] == []
    assert admin.get(LEARNERS).status_code == 403
    last = ada.patch(f"{LEARNERS}/{ada_id}", json={"roles": ["creator"]})
    assert (last.status_code, last.json()["type"]) == (409, "/problems/last-admin")
    assert ada.get(f"{LEARNERS}/{ada_id}").json()["roles"] == ["admin", "creator"]
    for sent in ({"roles": ["boss"]}, {}, {"roles": [], "email": "x"}):
        assert ada.patch(f"{LEARNERS}/{me}", json=sent).status_code == 422
    kinds = [(one["kind"], one["detail"]) for one in ada.get("/auth/security-events").json()["items"]]
    assert set(kinds[:2]) == {("role-given", "creator"), ("role-given", "admin")}
    assert ada.patch(f"{LEARNERS}/{imported(site)}", json={"roles": ["admin"]}).status_code == 422
    for missing in (str(uuid4()), "oulad:5", "user_99"):
        assert ada.get(f"{LEARNERS}/{missing}").status_code == 404
        assert ada.patch(f"{LEARNERS}/{missing}", json={"roles": []}).status_code == 404


def test_an_imported_learner_is_linked_once_and_found_by_the_old_name(site: Site) -> None:
    admin, ada = site.person("root@example.org", "admin"), site.person("ada@example.org")
    ada_id, learner_id = ada.get("/auth/me").json()["learner"]["id"], imported(site)
    assert admin.get(f"{LEARNERS}/7").json()["events"] > 0
    reply = admin.post(f"{LEARNERS}/7/link", json={"account": ada_id})
    assert reply.status_code == 200, reply.text
    assert reply.json()["merged"]["events"] == 2
    assert ada.get("/progress").json()["steps_completed"] == 1
    shown = admin.get(f"{LEARNERS}/user_7").json()
    assert (shown["id"], shown["external_ids"]) == (ada_id, ["user_7"])
    assert admin.get("/progress?learner=7").json()["steps_completed"] == 1
    again = admin.post(f"{LEARNERS}/{learner_id}/link", json={"account": ada_id})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/not-linked")
    # What is imported afterwards counts for the account.
    assert enlist(site.database, ["user_7"], now=2) == {"user_7": ada_id}


def test_a_code_proves_whose_an_imported_learner_is_once(site: Site) -> None:
    admin, ada, bob = site.person("root@example.org", "admin"), site.person("ada@example.org"), site.person("bob@x.org")
    imported(site)
    codes = [admin.post(f"{LEARNERS}/user_7/claim-code").json()["code"] for _ in range(2)]
    assert site.client(codes[1]).get("/progress").status_code == 401
    assert bob.post("/auth/merge", json={"guest_token": codes[0]}).json() == {"merged": None}
    assert ada.post("/auth/merge", json={"guest_token": codes[1]}).json()["merged"]["events"] == 2
    assert bob.post("/auth/merge", json={"guest_token": codes[1]}).json() == {"merged": None}
    assert ada.get("/progress").json()["steps_completed"] == 1
    ada_id = ada.get("/auth/me").json()["learner"]["id"]
    refused = admin.post(f"{LEARNERS}/{ada_id}/claim-code")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-linked")
