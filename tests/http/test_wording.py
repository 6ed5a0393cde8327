"""What does not fit is told in words of the contract, with the field and what to do."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from headway.http.choices import choices
from headway.http.wording import in_our_words
from tests.http.server import Site

TOLD: list[tuple[Any, Any, str]] = [
    (str, 5, "must be text, not a whole number"),
    (str | None, [], "must be text or null, not a list"),
    (dict[str, Any], None, "must be an object, not null"),
    (bool, "on", "must be true or false, not text"),
    (float, True, "must be a number, not true or false"),
    (Annotated[list[int], msgspec.Meta(min_length=1)], [], "must be a list of at least 1 item"),
    (Annotated[list[int], msgspec.Meta(max_length=2)], [1, 2, 3], "must be a list of at most 2 items"),
    (Annotated[str, msgspec.Meta(min_length=3)], "ab", "must be text of at least 3 characters"),
    (Annotated[int, msgspec.Meta(le=200)], 201, "must be a whole number of at most 200"),
]


@pytest.mark.parametrize(("kind", "sent", "told"), TOLD)
def test_a_value_of_the_wrong_kind_is_told_what_it_must_be(kind: Any, sent: object, told: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(sent, kind)
    assert in_our_words(str(refused.value)) == told


UNREADABLE = "the body is not JSON that can be read:"
BODIES = [
    (b"[]", "the body must be an object, not a list"),
    (b'{"events": [1]}', "events[0]: must be an object, not a whole number"),
    (b'{"events": []}', "events: must be a list of at least 1 item"),
    (b'{"events": ', "the body is not JSON that can be read: it ends too early"),
    (b'{"events": 1e400}', "events: must be no number of that size; send what belongs here, or leave it out"),
    (b'{"events": ["x\\ud800"]}', f"{UNREADABLE} half of a surrogate pair at byte 14; write both halves, or neither"),
    (b'{"events": ["x\\ud800', f"{UNREADABLE} it ends too early"),
    (b"{a", "the body is not JSON that can be read: object keys must be strings at byte 1"),
]


@pytest.mark.parametrize(("body", "detail"), BODIES)
def test_a_body_that_does_not_fit_is_told_in_our_words(sqlite_site: Site, body: bytes, detail: str) -> None:
    assert sqlite_site.client().post("/events", content=body).json()["detail"] == detail


def test_a_parameter_that_does_not_fit_is_told_with_its_name(sqlite_site: Site) -> None:
    for path in ("/courses?limit=0", "/courses?limit=ten"):
        (fault,) = sqlite_site.client().get(path).json()["errors"]
        assert fault["message"].startswith("limit: must be a whole number"), fault


CHOSEN: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "POST",
        "/auth/tokens",
        {"name": "x", "scopes": ["read", "reed"]},
        "scopes[1]: must be one of creator, read, write",
    ),
    ("PUT", "/progress/sharing", {"shows": ["nam"]}, "shows[0]: must be one of achievements, courses, lev"),
    ("POST", "/admin/imports", {"format": "xml", "files": []}, "format: must be one of csv, json-files, jsonl"),
    (
        "POST",
        "/webhooks",
        {"url": "https://x.example", "types": ["foo"]},
        "types[0]: must be one of achievement_unlocked, cert",
    ),
    ("GET", "/leaderboards/all?around=you", {}, "around: must be me"),
]


def test_what_is_none_of_some_values_is_told_which_there_are(sqlite_site: Site) -> None:
    client = sqlite_site.person("root@example.org", "admin")
    for method, path, sent, told in CHOSEN:
        reply = client.request(method, path, json=sent if method != "GET" else None)
        assert reply.status_code == 422, reply.text
        (fault,) = reply.json()["errors"]
        assert (fault["field"], fault["message"][: len(told)]) == (told.partition(":")[0], told)
    for name in ("", "a\nb.json", "../a.json"):
        sent = {"format": "csv", "files": [{"name": name, "base64": ""}]}
        (fault,) = client.post("/admin/imports", json=sent).json()["errors"]
        assert (fault["field"], fault["message"][:25]) == ("files[0].name", "files[0].name: must be 1 ")
    huge = b'{"streak": {"email": 1e400}}'
    (fault,) = client.patch("/notifications/preferences", content=huge).json()["errors"]
    assert fault["message"].startswith("streak.email: must be no number of that size")
    places = {b'{"score": 1e400}': "score", b'{"answer": [1, {"x y": [1e400]}]}': "answer[1].x y[0]"}
    # Of a field that stands there twice the decoder sees the first, and whoever looks it up the last.
    for raw, place in (places | {b'{"score": 1e400, "score": 1}': "[...]"}).items():
        (fault,) = client.post("/courses/none/steps/none/completion", content=raw).json()["errors"]
        assert fault["field"] == place
    # The name of an unknown field may look like a way to one.
    for name in ("$[...]", f"$[{'9' * 4_400}][...]"):
        reply = client.post("/events", json={name: 1})
        assert (reply.status_code, reply.json()["errors"][0]["message"][-28:]) == (
            422,
            "is no field here; leave it out"[-28:],
        )
    files = [{"name": "a.json", "base64": "!"}]
    reply = client.post("/admin/imports", json={"format": "csv", "files": files})
    assert reply.json()["errors"] == [{"field": "files[0].base64", "message": "files[0].base64: must be base64"}]


class Inner(msgspec.Struct):
    one: Literal["a", "b"] | None = None
    by_name: dict[str, list[Literal[1, 2]]] | msgspec.UnsetType = msgspec.UNSET


def test_choices_are_found_wherever_they_stand() -> None:
    outer = Annotated[list[Inner], msgspec.Meta(max_length=9)]
    for place, found in (("[3].one", ("a", "b")), ("[0].by_name[...][7]", ("1", "2")), ("[0].none", ()), ("x", ())):
        assert choices(outer, place) == found
    assert choices(Any, "x[1].y") == ()


def test_who_sends_an_answer_where_it_does_not_go_is_told_where_it_does(sqlite_site: Site) -> None:
    client = sqlite_site.client()
    steps = "/courses/python-basics/steps"
    event = {
        "id": "0b9c1f1e-5a5e-4f0e-9f0e-2f1d3c4b5a69",
        "type": "attempted",
        "course": "python-basics",
        "step": "quiz",
    }
    event |= {"occurred_at": "2026-03-01T10:00:00Z", "answer": "a"}
    (result,) = client.post("/events", json={"events": [event]}).json()["results"]
    assert "send the learner's answer as response" in result["problem"]["detail"]
    assert "to …/attempts" in client.post(f"{steps}/quiz/completion", json={"answer": "a"}).json()["detail"]
    graded = client.post(f"{steps}/quiz/completion", json={}).json()
    assert (graded["type"], "to …/attempts" in graded["detail"]) == ("/problems/graded-step", True)
