"""Whatever a client sends is answered with a 4xx that says why as problem+json, and never with a 500."""

import json
import socket
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from headway.http.bodies import BODY_BYTES_MAX
from headway.http.cursors import write_cursor
from tests.http.server import Site, serving
from tests.http.test_events import event


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all of these: none of them may change anything."""
    if request.param == "sqlite":
        with serving(f"sqlite:///{tmp_path_factory.mktemp('bad') / 'headway.db'}") as site:
            site.publish()
            yield site
    else:
        with request.getfixturevalue("postgres").fresh() as url, serving(url) as site:
            site.publish()
            yield site


def refused(
    site: Site, body: bytes, path: str = "/events", kind: str = "application/json", method: str = "POST"
) -> Any:
    """The problem that a body is refused with, checked to be one."""
    reply = site.client().request(method, path, content=body, headers={"content-type": kind})
    assert 400 <= reply.status_code < 500, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == reply.status_code
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["detail"]
    return problem


MALFORMED = {
    "empty": b"",
    "cut short": b'{"events": [{"id": "',
    "not JSON": b"events=1",
    "a lone surrogate": b'{"events": [{"id": "\\ud800"}]}',
    "a reversed pair": b'{"events": [{"id": "\\ude00\\ud83d"}]}',
    "invalid UTF-8": b'{"events": [{"id": "\xff"}]}',
    "an invalid key": b'{"\xc3\x28": 1}',
    "UTF-16": '{"events": []}'.encode("utf-16"),
    "deep lists": b'{"events": [{"response": ' + b"[" * 100_000,
    "deep objects": b'{"events": [{"response": ' + b'{"a":' * 100_000,
    "a deep list in the place of the body, cut short": b"[" * 1_100,
    "NaN": b'{"events": [{"score": NaN}]}',
    "Infinity": b'{"events": [{"score": Infinity}]}',
    "a control character": b'{"events": [{"id": "\x01"}]}',
    "two values": b'{"events": [{}]} {}',
    "a byte order mark": b'\xef\xbb\xbf{"events": []}',
    "NUL bytes": b"\0" * 100,
    "invalid UTF-8 beside too large a number": b'{"events": [{"id": "\xff"}, {"score": 1e999}]}',
    "a list cut short": b"[1, 2",
    "an unknown field, cut short": b'{"broken":',
    "an unknown field and a comma": b'{"score": 0.5,}',
    "an unknown field and invalid UTF-8": b'{"broken": "\xff"}',
    "a field that does not fit, and more behind it": b'{"events": [], "answer": 1, "id": 7} x',
    "deep lists closed as objects": b'{"events": [{"response": ' + b"[" * 5_000 + b"}" * 5_000 + b"}]}",
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("path", ["/events", "/courses/python-basics/steps/quiz/attempts"])
def test_what_is_no_json_is_400(shared: Site, name: str, path: str) -> None:
    assert refused(shared, MALFORMED[name], path)["type"] == "/problems/malformed"


UNFIT = {
    "a list": (b"[]", ""),
    "null": (b"null", ""),
    "a number": (b"1", ""),
    "no events": (b"{}", "events"),
    "events of null": (b'{"events": null}', "events"),
    "events of an object": (b'{"events": {}}', "events"),
    "an empty list": (b'{"events": []}', "events"),
    "an element that is no object": (b'{"events": [{}, 7]}', "events[1]"),
    "an unknown field": (b'{"events": [{}], "evnets": 1}', "evnets"),
    "a time that is none": (b'{"events": [{}], "sent_at": "now"}', "sent_at"),
    "a time that is a number": (b'{"events": [{}], "sent_at": 7}', "sent_at"),
    "an element that is no object beside too large a number": (b'{"events": [{"score": 1e999}, 7]}', "events[1]"),
    "an unknown field of a long name": (b'{"events": [{}], "%s": 1}' % (b"a" * 100_000), "a" * 200),
    "too large a number in another field": (b'{"events": [{}], "sent_at": 1e999}', "sent_at"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_does_not_fit_is_422_with_the_path_of_the_field(shared: Site, name: str) -> None:
    body, field = UNFIT[name]
    problem = refused(shared, body)
    assert (problem["status"], problem["type"]) == (422, "/problems/invalid")
    assert [one["field"] for one in problem["errors"]] == [field]
    assert 0 < len(problem["errors"][0]["message"]) < 500


UNREADABLE: dict[str, tuple[str, str, str]] = {
    "too large a number": ("score", "1e999", "score"),
    "too small a number": ("score", "-1e999", "score"),
    "a number of 6000 digits": ("hints", "9" * 6000, "hints"),
    "a negative one": ("hints", "-" + "9" * 6000, "hints"),
    "one deep in a response": ("response", '{"a": [1, {"b": 1e999}]}', "response"),
    "one in a field that there is not": ("color", "1e999", "color"),
    "a response of 65 levels": ("response", "[" * 65 + "]" * 65, "response"),
    "a response of 500 levels": ("response", "[" * 500 + "]" * 500, "response"),
    "a response of 5,000 levels": ("response", "[" * 5_000 + "]" * 5_000, "response"),
    "a response of 100,000 levels": ("response", '{"[":[' * 50_000 + "1e999" + "]}" * 50_000, "response"),
    "a score of 100,000 levels": ("score", "[" * 100_000 + '"]"' + "]" * 100_000, "score"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_event_that_cannot_be_read_is_refused_alone(shared: Site, name: str) -> None:
    field, value, named = UNREADABLE[name]
    good, bad = event(course="none"), event()
    sent = json.dumps({"events": [good, bad | {field: "VALUE"}, good, {field: "VALUE"}]}).replace('"VALUE"', value)
    reply = shared.client().post("/events", content=sent)
    assert reply.status_code == 200, reply.text
    results = reply.json()["results"]
    assert [one["id"] for one in results] == [good["id"], bad["id"], good["id"], None]
    assert [results[n]["problem"]["type"] for n in (0, 2)] == ["/problems/unknown-course"] * 2
    for problem in (results[n]["problem"] for n in (1, 3)):
        assert (problem["type"], problem["status"]) == ("/problems/invalid", 422)
    assert results[1]["problem"]["errors"][0]["field"] == named
    assert named in results[1]["problem"]["detail"]


def test_what_ends_after_too_large_a_number_is_no_json(shared: Site) -> None:
    assert refused(shared, b'{"events": [{"score": 1e999}, {"id": "')["type"] == "/problems/malformed"


def test_an_id_that_cannot_be_read_is_none_and_a_field_sent_twice_is_not_named(shared: Site) -> None:
    reply = shared.client().post("/events", content='{"events": [{"id": 1e999}, {"score": 1e999, "score": 1}]}')
    assert [one["id"] for one in reply.json()["results"]] == [None, None]
    assert [one["problem"]["errors"][0]["field"] for one in reply.json()["results"]] == ["id", ""]


HUGE = "9" * 400
ODD_EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "NUL in an id of a step": ({"step": "a\0b"}, "step"),
    "NUL deep in a response": ({"response": {"a": [{"b\0": 1}]}}, "response"),
    "a number as an id": ({"id": 7}, "id"),
    "an id that is no UUID": ({"id": "1"}, "id"),
    "a type of one's own": ({"type": "graded"}, "type"),
    "an entry that only the server makes": ({"type": "enrolled"}, "type"),
    "a list as a course": ({"course": ["a"]}, "course"),
    "a course of 201 characters": ({"course": "a" * 201}, "course"),
    "a step that is empty": ({"step": ""}, "step"),
    "no time": ({"occurred_at": None}, "occurred_at"),
    "a day as a time": ({"occurred_at": "2026-03-01"}, "occurred_at"),
    "a month that is none": ({"occurred_at": "2026-13-01T00:00:00Z"}, "occurred_at"),
    "a year beyond the calendar": ({"occurred_at": "0000-01-01T00:00:00Z"}, "occurred_at"),
    "a score in words": ({"score": "good"}, "score"),
    "a score of true": ({"score": True}, "score"),
    "a score without end": ({"score": "1" * 5000}, "score"),
    "a scale without width": ({"score": {"raw": 1, "min": 1, "max": 1}}, "score.max"),
    "a negative duration": ({"duration_s": -1}, "duration_s"),
    "a day and a second": ({"duration_s": 86_401}, "duration_s"),
    "hints by halves": ({"hints": 1.5}, "hints"),
    "more hints than there are": ({"hints": 1001}, "hints"),
    "a response beyond its bound": ({"response": "x" * 70_000}, "response"),
    "a field that there is not": ({"color": "red"}, "color"),
    "a field without a name": ({"": 1}, ""),
}


@pytest.mark.parametrize("name", ODD_EVENTS)
def test_an_odd_event_is_refused_with_the_field_named(shared: Site, name: str) -> None:
    fields, field = ODD_EVENTS[name]
    reply = shared.client().post("/events", json={"events": [event() | fields]})
    assert reply.status_code == 200, reply.text
    result = reply.json()["results"][0]
    assert (result["status"], result["problem"]["type"], result["problem"]["status"]) == (
        "refused",
        "/problems/invalid",
        422,
    )
    assert result["problem"]["errors"][0]["field"] == field
    assert "set-cookie" not in reply.headers


def test_an_enormous_number_is_refused_or_cut_off(shared: Site) -> None:
    body = json.dumps({"events": [event(), event(), event()]})
    for name in ("score", "duration_s", "hints"):
        sent = json.loads(body)
        sent["events"][0][name] = 0
        raw = json.dumps(sent).replace(f'"{name}": 0', f'"{name}": {HUGE}')
        reply = shared.client().post("/events", content=raw)
        assert reply.status_code == 200, (name, reply.text)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_two_mebibytes_is_413(shared: Site, chunked: bool) -> None:
    head = b'{"events": [{"response": "'
    body = head + b"x" * (BODY_BYTES_MAX + 1 - len(head))

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    reply = shared.client().post("/events", content=pieces() if chunked else body)
    assert (reply.status_code, reply.json()["type"]) == (413, "/problems/too-large")


def test_a_body_of_just_two_mebibytes_is_read(shared: Site) -> None:
    head, tail = b'{"events": [], "x": "', b'"}'
    body = head + b"x" * (BODY_BYTES_MAX - len(head) - len(tail)) + tail
    assert refused(shared, body)["status"] == 422


def test_a_length_that_is_announced_is_believed_before_anything_is_sent(shared: Site) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        head = "POST /api/v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: 99999999999\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=latin-1",
        "application/jsonx",
        "",
    ],
)
def test_another_media_type_is_415(shared: Site, kind: str) -> None:
    assert refused(shared, b"{}", kind=kind)["status"] == 415


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        "Application/JSON",
        'application/json;charset="UTF-8"',
        "application/problem+json",
    ],
)
def test_json_by_its_other_names_is_read(shared: Site, kind: str) -> None:
    assert refused(shared, b"{}", kind=kind)["status"] == 422


def test_a_compressed_body_is_415(shared: Site) -> None:
    reply = shared.client().post("/events", content=b"{}", headers={"content-encoding": "gzip"})
    assert (reply.status_code, reply.json()["type"]) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize("path", ["/nothing", "/courses/a/b", "/progress/", "/%ff", "/courses/" + "x" * 5_000])
def test_a_path_that_is_not_there_is_404(shared: Site, path: str) -> None:
    reply = shared.client().get(path)
    if path == "/progress/":
        assert reply.status_code == 200  # a slash at the end is forgiven
        return
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/nothing", "/api/v1", "/api/v1/"])
def test_a_path_outside_the_api_is_a_problem_as_well(shared: Site, path: str) -> None:
    reply = shared.client().get(f"{shared.url}{path}")
    assert reply.status_code == (200 if path == "/" else 404)
    assert path == "/" or reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/events", "POST"), ("DELETE", "/courses", "GET"), ("PUT", "/auth/me", "GET")],
)
def test_a_method_that_a_path_does_not_know_is_405_and_says_which_it_does(
    shared: Site, method: str, path: str, allowed: str
) -> None:
    reply = shared.client().request(method, path)
    assert (reply.status_code, reply.json()["type"]) == (405, "/problems/method-not-allowed")
    assert allowed in reply.headers["allow"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/auth/me", "DELETE GET HEAD OPTIONS PATCH"), ("/courses/python-basics", "GET HEAD OPTIONS PUT")],
)
def test_all_methods_of_a_path_are_told_to_who_asks_and_to_who_errs(shared: Site, path: str, methods: str) -> None:
    for asked in ("OPTIONS", "TRACE"):
        told = shared.client().request(asked, path).headers["allow"]
        assert sorted(told.split(", ")) == methods.split(), asked


@pytest.mark.parametrize("path", ["/courses?limit=1&limit=2", "/courses?limit=1&%6Cimit=1", "/progress?x&&x"])
def test_a_parameter_that_is_sent_twice_is_400(shared: Site, path: str) -> None:
    reply = shared.client().get(path)
    assert (reply.status_code, reply.json()["type"]) == (400, "/problems/malformed")
    with httpx2.Client() as client:
        assert client.get(f"{shared.url}//api/v1{path}").status_code == 400
    assert shared.client().get("/courses?limit=1&&x=2&").status_code == 200


@pytest.mark.parametrize(
    "path", ["/courses/a%00b", "/courses?cursor=%00", "/progress/courses/%00/modules/%00", "/progress?learner=%00"]
)
def test_nul_in_a_path_or_a_query_is_400(shared: Site, path: str) -> None:
    reply = shared.client().get(path)
    assert (reply.status_code, reply.json()["type"]) == (400, "/problems/malformed")


@pytest.mark.parametrize(
    "path",
    [
        "/courses/%ed%a0%80",
        "/courses/%c3%28",
        "/courses/a\u0301",
        "/courses/%F0%9F%98%80",
        "/courses/%0d%0aset-cookie:x",
    ],
)
def test_odd_text_in_a_path_names_nothing(shared: Site, path: str) -> None:
    reply = shared.client().get(path)
    assert (reply.status_code, reply.json()["type"]) == (404, "/problems/unknown-course")


def reworded(cursor: str, old: bytes, new: bytes) -> str:
    """A cursor in which something else stands, and nothing else is changed."""
    said = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert old in said
    return urlsafe_b64encode(said.replace(old, new)).rstrip(b"=").decode()


def sealed(said: bytes) -> str:
    """A cursor of what is said, with the digest that belongs to it."""
    return urlsafe_b64encode(sha256(said).digest()[:8] + said).rstrip(b"=").decode()


FORGED = {
    "words": "hello",
    "empty": "",
    "not base64": "!!!!",
    "not ASCII": "é",
    "not JSON": sealed(b"python"),
    "no version": sealed(b'"python"'),
    "another version": sealed(b'[1,"python"]'),
    "in other words": sealed(b'[2, "python"]'),
    "without its digest": urlsafe_b64encode(b'[2,"python"]').decode(),
    "another kind of place": write_cursor(7),
    "a place that is a list": write_cursor(["a"]),
    "padded": write_cursor("a") + "=",
    "with blanks": write_cursor("a")[:2] + " " + write_cursor("a")[2:],
    "a NUL in it": write_cursor("a\0"),
    "a letter changed": reworded(write_cursor("python"), b"python", b"pythom"),
    "long": write_cursor("a" * 3_000),
    "deep": sealed(b"[" * 1_000),
}


def test_cursors_are_forged_as_they_are_made() -> None:
    assert sealed(b'[2,"python"]') == write_cursor("python")


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_cursor_is_400(shared: Site, name: str) -> None:
    reply = shared.client().get("/courses", params={"cursor": FORGED[name]})
    assert (reply.status_code, reply.json()["type"]) == (400, "/problems/invalid-cursor")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=1.5", "limit=", "limit=99999999999999999999"]
)
def test_a_parameter_that_does_not_fit_is_422(shared: Site, query: str) -> None:
    reply = shared.client().get(f"/courses?{query}")
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, ["limit"])


@pytest.mark.parametrize("host", ["evil\\x", "a b", 'x"'])
def test_a_host_that_is_none_is_400(shared: Site, host: str) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        connection.sendall(f"GET /health/live HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        assert connection.recv(20).startswith(b"HTTP/1.1 400")


def test_a_token_that_is_no_token_is_401(shared: Site) -> None:
    for token in ("x", "x" * 5_000, "ü".encode().decode("latin-1"), "a b"):
        reply = shared.client().get("/auth/me", headers={b"authorization": f"Bearer {token}".encode("latin-1")})
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Bearer realm="headway"')
