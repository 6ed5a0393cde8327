"""A provider that is slow, sends without end, or is down: it holds up nobody, and no thread for good."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from headway.http import openid
from headway.http.openid import Client
from headway.http.refusals import ProviderUnavailable
from headway.settings import OidcProvider
from tests.http.providers import Liar, lying_provider

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def dripping(before: bytes, drop: bytes) -> Iterator[str]:
    """A server that sends the one and then the other again and again, a little at a time; its address."""
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(before)
            while not stop.wait(0.05):
                connection.sendall(drop)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stop.set()
        server.shutdown(socket.SHUT_RDWR)


def asked(client: Client) -> str:
    return client.address("https://here.example/back", state="s", nonce="n", verifier="v" * 43)


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        (b"", b"H"),
        (HEAD + b"X-Long: ", b"x"),
        (HEAD + b"\r\n", b" "),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_all_of_it_is_over_in_time(before: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid, "WHOLE_S", 0.5)
    with dripping(before, drop) as issuer, pytest.raises(ProviderUnavailable):
        asked(Client("slow", OidcProvider(issuer=issuer, client_id="c", title="Slow")))


def test_the_reply_to_a_code_is_read_no_further_than_can_be_meant() -> None:
    with lying_provider() as liar:
        client = Client("liar", liar.provider())
        liar.nonce, liar.reply = "n", {"more": "x" * 300_000}
        with pytest.raises(ProviderUnavailable):
            client.vouched("https://here.example/back", code="c", nonce="n", verifier="v" * 43)
        liar.reply = {}
        assert client.vouched("https://here.example/back", code="c", nonce="n", verifier="v" * 43).subject == "ada"


def test_a_provider_that_is_down_is_asked_again_after_a_while_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid, "DOWN_S", 1)
    with lying_provider() as liar:
        liar.published = {"issuer": None}
        client = Client("liar", liar.provider())
        for _ in range(5):
            with pytest.raises(ProviderUnavailable):
                asked(client)
        assert len(liar.asked) == 1
        liar.published = {}
        time.sleep(1.1)
        assert asked(client).startswith(liar.issuer)


def test_whoever_needs_what_is_known_does_not_wait_for_those_who_ask_anew() -> None:
    with lying_provider() as liar:
        client = Client("liar", liar.provider())
        asked(client)
        with asking_anew(client, liar) as other:
            asked(client)
            assert other.is_alive()


@contextmanager
def asking_anew(client: Client, liar: Liar) -> Iterator[threading.Thread]:
    """Somebody comes with a token of a key that is not known, and the provider hangs where its keys are asked for."""
    liar.header, liar.nonce = {"alg": "RS256", "kid": "newer"}, "n"

    def last_token(claims: dict[str, object]) -> str:
        liar.answers.clear()
        return liar.signed(claims)

    liar.sign = last_token

    def comes_back() -> None:
        with suppress(Exception):
            client.vouched("https://here.example/back", code="c", nonce="n", verifier="v" * 43)

    other = threading.Thread(target=comes_back)
    other.start()
    while not liar.asked[-1].startswith("/.well-known/"):
        time.sleep(0.01)
    yield other
    liar.answers.set()
    other.join()
