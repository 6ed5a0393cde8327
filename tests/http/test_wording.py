"""What does not fit is told in words of the contract, with the field and what to do."""

from typing import Annotated, Any

import msgspec
import pytest

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


BODIES = [
    (b"[]", "the body must be an object, not a list"),
    (b'{"events": [1]}', "events[0]: must be an object, not a whole number"),
    (b'{"events": []}', "events: must be a list of at least 1 item"),
    (b'{"events": ', "the body is not JSON that can be read: it ends too early"),
    (b"{a", "the body is not JSON that can be read: object keys must be strings at byte 1"),
]


@pytest.mark.parametrize(("body", "detail"), BODIES)
def test_a_body_that_does_not_fit_is_told_in_our_words(sqlite_site: Site, body: bytes, detail: str) -> None:
    assert sqlite_site.client().post("/events", content=body).json()["detail"] == detail


def test_a_parameter_that_does_not_fit_is_told_with_its_name(sqlite_site: Site) -> None:
    for path in ("/courses?limit=0", "/courses?limit=ten"):
        (fault,) = sqlite_site.client().get(path).json()["errors"]
        assert fault["message"].startswith("limit: must be a whole number"), fault


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
