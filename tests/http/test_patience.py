"""A request that does not end, or falls silent, is let go; and only what stands before a body is a header."""

import json
import socket
import time
from contextlib import closing

import pytest

from headway.http.patience import HEAD_MAX, PatientProtocol
from tests.http.server import Site, serving

_PIECE = b"a" * 16_384
_LOGIN = json.dumps({"email": "ada@example.org", "password": "wrong horse battery"}).encode()


def _connected(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=20)


def _answer(connection: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65_536)
        if not part:
            break
        answer += part
    return answer


def _all(connection: socket.socket) -> bytes:
    answer = b""
    while part := connection.recv(65_536):
        answer += part
    return answer


def _begin_stream(site: Site, connection: socket.socket, more: bytes = b"") -> None:
    """Ask for a reply that goes on for a second."""
    token = site.client().post("/auth/guest").json()["token"].encode()
    head = b"GET /api/v1/stream?seconds=1 HTTP/1.1\r\nhost: h\r\nauthorization: Bearer %s\r\n%s\r\n"
    connection.sendall(head % (token, more))


def _sent_until_refused(connection: socket.socket, piece: bytes, most: int) -> int:
    """How much could be sent before the server hung up."""
    sent = 0
    try:
        while sent < most:
            connection.sendall(piece)
            sent += len(piece)
            time.sleep(0.001)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize(
    "begins",
    [b"GET /", b"GET /health/live HTTP/1.1\r\nhost: h\r\nx-long: ", b"GET /health/live HTTP/1.1\r\nhost: h\r\n"],
)
def test_a_head_without_an_end_is_refused(sqlite_site: Site, begins: bytes) -> None:
    piece = _PIECE if not begins.endswith(b"host: h\r\n") else b"x-more: " + _PIECE[:-10] + b"\r\n"
    with closing(_connected(sqlite_site)) as connection:
        connection.sendall(begins)
        time.sleep(0.05)
        # As much as is refused, and no more: what is not read yet would have the answer lost.
        for _ in range(HEAD_MAX // len(piece)):
            connection.sendall(piece)
        assert _answer(connection).startswith(b"HTTP/1.1 431 ")
    with closing(_connected(sqlite_site)) as connection:
        connection.sendall(begins)
        assert _sent_until_refused(connection, piece, 100 * HEAD_MAX) < 100 * HEAD_MAX


def test_trailers_without_an_end_are_cut_off(sqlite_site: Site) -> None:
    with closing(_connected(sqlite_site)) as connection:
        connection.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-a: "
        )
        assert _sent_until_refused(connection, _PIECE, 100 * HEAD_MAX) < 100 * HEAD_MAX


@pytest.mark.parametrize("follows", [b"GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n", b"\0"])
def test_what_follows_a_request_for_another_protocol_is_no_request(sqlite_site: Site, follows: bytes) -> None:
    """Nor a broken one: the reply that is under way is ended, and the connection with it."""
    with closing(_connected(sqlite_site)) as connection:
        _begin_stream(sqlite_site, connection, b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 9\r\n")
        answer = _answer(connection)
        assert b"\r\nconnection: close\r\n" in answer
        connection.sendall(follows)
        answer += _all(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b"0\r\n\r\n")


def test_a_large_head_that_ends_is_read(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        assert client.get("/auth/me", headers={"x-long": "a" * (HEAD_MAX - 2_000)}).status_code == 200


def test_what_follows_a_body_is_no_header(sqlite_url: str) -> None:
    with serving(sqlite_url, rate_limits=True, trusted_proxies="127.0.0.1") as site:
        status = b""
        for number in range(11):
            with closing(_connected(site)) as connection:
                head = (
                    b"POST /api/v1/auth/login HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
                    b"transfer-encoding: chunked\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
                )
                trailer = b"x-forwarded-for: 198.51.100.%d\r\n" % number
                connection.sendall(b"%s%x\r\n%s\r\n0\r\n%s\r\n" % (head, len(_LOGIN), _LOGIN, trailer))
                status = _answer(connection).split()[1]
        assert status == b"429", "each try had an address of its own"


@pytest.mark.parametrize(
    ("bound", "sent"),
    [
        ("head_s", b""),
        ("head_s", b"\r\n"),
        ("head_s", b"GET /heal"),
        ("silent_s", b"POST /api/v1/auth/login HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{"),
    ],
)
def test_who_falls_silent_is_let_go(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch, bound: str, sent: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, bound, 0.2)
    with closing(_connected(sqlite_site)) as connection:
        connection.settimeout(5)
        connection.sendall(sent)
        assert connection.recv(100) == b""


def test_a_head_that_comes_byte_by_byte_has_no_longer(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_s", 0.3)
    with closing(_connected(sqlite_site)) as connection:
        since = time.monotonic()
        connection.sendall(b"GET /health/live HTTP/1.1\r\nx-slow: ")
        while time.monotonic() - since < 5:
            time.sleep(0.05)
            try:
                connection.sendall(b"a")
            except OSError:
                break
        assert time.monotonic() - since < 5


def test_a_body_that_goes_on_is_waited_for(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "silent_s", 0.5)
    with closing(_connected(sqlite_site)) as connection:
        head = b"POST /api/v1/auth/login HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % len(_LOGIN)
        connection.sendall(head)
        for at in range(0, len(_LOGIN), 8):
            time.sleep(0.12)
            connection.sendall(_LOGIN[at : at + 8])
        assert _answer(connection).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("coding", [b"content-length: %d", b"transfer-encoding: chunked"])
def test_a_body_may_be_larger_than_a_head(sqlite_site: Site, coding: bytes) -> None:
    body = _LOGIN + b" " * (4 * HEAD_MAX)
    is_chunked = b"%d" not in coding
    with closing(_connected(sqlite_site)) as connection:
        head = coding if is_chunked else coding % len(body)
        connection.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nhost: h\r\n%s\r\n\r\n" % head)
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if is_chunked else body)
        assert _answer(connection).startswith(b"HTTP/1.1 401 ")


def test_what_is_not_read_yet_is_no_silence(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server reads on only once it has answered what came before over the connection."""
    monkeypatch.setattr(PatientProtocol, "silent_s", 0.2)
    with closing(_connected(sqlite_site)) as connection:
        _begin_stream(sqlite_site, connection)
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            % len(_LOGIN)
        )
        time.sleep(0.1)
        connection.sendall(_LOGIN)
        assert b"HTTP/1.1 401 " in _all(connection)


def test_connections_are_used_again(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_s", 0.3)
    with closing(_connected(sqlite_site)) as connection:
        for _ in range(3):
            connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n")
            assert _answer(connection).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.4)


def test_an_empty_line_behind_a_reply_holds_no_connection(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_s", 0.2)
    with closing(_connected(sqlite_site)) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")
        connection.settimeout(5)
        connection.sendall(b"\r\n")
        assert connection.recv(100) == b""


def test_who_is_answered_is_waited_for(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the reply goes on, and with an empty line behind the request."""
    monkeypatch.setattr(PatientProtocol, "head_s", 0.2)
    monkeypatch.setattr(PatientProtocol, "silent_s", 0.2)
    with closing(_connected(sqlite_site)) as connection:
        _begin_stream(sqlite_site, connection, b"connection: close\r\n")
        connection.sendall(b"\r\n")
        assert _all(connection).endswith(b"0\r\n\r\n")
