"""Preferences: the list and the stream tell what a learner wants, and what they did not choose as before."""

from typing import Any

import httpx2
import pytest

from tests.http.server import COURSE, PASSWORD, Site
from tests.http.test_notifications import ALL, CERTIFIED, complete, listed
from tests.http.test_stream import beginning, there_is, what

PATH = "/notifications/preferences"
ON = {"in_app": True, "stream": True}


def chosen(client: httpx2.Client) -> dict[str, dict[str, Any]]:
    reply = client.get(PATH)
    assert reply.status_code == 200, reply.text
    return {one["kind"]: {name: one[name] for name in ("in_app", "stream", "email")} for one in reply.json()["kinds"]}


def choose(client: httpx2.Client, **sent: Any) -> None:
    reply = client.patch(PATH, json=sent)
    assert reply.status_code == 200, reply.text
    assert reply.json() == client.get(PATH).json()


def test_everything_is_told_and_nothing_mailed_until_it_is_chosen_otherwise(site: Site) -> None:
    mailed = dict.fromkeys(["streak", "weekly_summary", "certificates", "grades"], ON | {"email": False})
    before = mailed | dict.fromkeys(["achievements", "courses"], ON | {"email": None})
    ada = site.person("ada@example.org")
    assert chosen(ada) == chosen(site.guest()) == chosen(site.client()) == before
    assert list(chosen(ada)) == list(before)
    tag = ada.get(PATH).headers["etag"]
    assert ada.get(PATH, headers={"if-none-match": tag}).status_code == 304
    choose(ada, streak={"in_app": False}, courses={"stream": False})
    choose(ada, streak={"stream": False}, grades={})
    choose(ada)
    assert chosen(ada) == before | {
        "streak": {"in_app": False, "stream": False, "email": False},
        "courses": {"in_app": True, "stream": False, "email": None},
    }
    assert ada.get(PATH, headers={"if-none-match": tag}).status_code == 200
    assert ada.get(PATH).json()["email_address"] == "ada@example.org"
    # A reset is of progress, and not of what somebody wants to be told.
    assert ada.post("/progress/reset").is_success
    assert not chosen(ada)["streak"]["in_app"]


def test_list_and_stream_leave_out_what_is_not_wanted_and_show_it_again(site: Site) -> None:
    site.publish(CERTIFIED)
    ada = site.person("ada@example.org")
    complete(ada)
    start = beginning(ada)
    everything = there_is(ada, start)
    choose(ada, courses={"in_app": False}, certificates={"stream": False})
    shown = listed(ada)
    assert ([one["type"] for one in shown["items"]], shown["unread"]) == (["certificate_issued"], 1)
    assert listed(ada, unread=True, limit=1)["next_cursor"] is None
    assert there_is(ada, start) == [one for one in everything if one.data["type"] != "certificate_issued"]
    choose(ada, courses={"stream": False})
    assert not {"module_completed", "course_completed"} & {*what(there_is(ada, start))}
    assert "step_completed" in what(there_is(ada, start))
    choose(ada, courses={"in_app": True, "stream": True}, certificates={"stream": True})
    assert [one["type"] for one in listed(ada)["items"]] == ALL
    assert there_is(ada, start) == everything
    choose(ada, courses={"in_app": False})
    assert ada.post("/notifications/read").json() == {"unread": 0}


def test_what_a_guest_chose_comes_along_but_for_what_the_account_chose(site: Site) -> None:
    site.publish(COURSE)
    ada = site.person("ada@example.org")
    choose(ada, courses={"stream": False})
    browser = site.client()
    complete(browser)
    choose(browser, courses={"in_app": False}, achievements={"in_app": False})
    assert browser.patch(PATH, json={"streak": {"email": True}}).status_code == 422
    assert browser.get(PATH).json()["no_email"]
    assert browser.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD}).is_success
    for client in (ada, browser):
        found = chosen(client)
        assert found["courses"] == {"in_app": True, "stream": False, "email": None}
        assert found["achievements"] == {"in_app": False, "stream": True, "email": None}


@pytest.mark.parametrize(
    "sent",
    [
        {"streak": {"email": "yes"}},
        {"streak": True},
        {"streak": {"sms": True}},
        {"courses": {"email": True}},
        {"nothing": {"in_app": True}},
        {"streak": {"in_app": None}},
        [],
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(sqlite_site: Site, sent: Any) -> None:
    ada = sqlite_site.person("ada@example.org")
    before = chosen(ada)
    assert ada.patch(PATH, json=sent).status_code == 422
    assert chosen(ada) == before
    assert sqlite_site.client().patch(PATH, json={}).status_code == 401
