"""Providers of OpenID Connect that sign-in is tested against: a real one, run with node, and one that lies."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey

from headway.settings import OidcProvider
from tests.http.server import Site
from tests.npm import installed, tool

FOLDER = Path(__file__).parents[1] / "provider"


@contextmanager
def real_provider() -> Iterator[str]:
    """The issuer of npm's oidc-provider, running."""
    installed(FOLDER, "the identity provider")
    command = [tool("node"), str(FOLDER / "provider.mjs")]
    # What it warns of, such as keeping all in memory, is what a test wants.
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            issuer = next((line for line in process.stdout if line.startswith("http://")), "")
            assert issuer, "the provider did not start"
            yield issuer.strip()
        finally:
            process.stdin.close()  # which ends it, however many processes stand between
            process.wait(20)


def begun(client: httpx2.Client, provider: str, return_to: str = "/") -> dict[str, str]:
    """What a provider is asked when a browser is sent there."""
    reply = client.get(f"/auth/oidc/{provider}", params={"return_to": return_to})
    assert reply.status_code == 303, reply.text
    address = urlsplit(reply.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    return {"": reply.headers["location"], **asked}


def at_provider(location: str, account: str) -> str:
    """Sign in at the real provider; where it sends the browser back to."""
    with httpx2.Client() as browser:
        for _ in range(10):
            if "/callback" in location:
                return location
            ask = f"{location}?account={account}" if "/interaction/" in location else location
            reply = browser.get(ask)
            assert reply.is_redirect, reply.text
            location = str(reply.url.join(reply.headers["location"]))
    raise AssertionError(f"the provider leads nowhere: {location}")


def signed_in_by(client: httpx2.Client, provider: str, account: str, return_to: str = "/") -> httpx2.Response:
    """Sign in by the real provider: the reply to coming back."""
    return client.get(at_provider(begun(client, provider, return_to)[""], account))


class Liar:
    """A provider that says whatever a test wants it to: `claims`, `token` and `published` are what it would say."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.keys = [self.key]
        self.odd_keys: list[Any] = []
        self.client_id = "headway"
        self.nonce = ""
        self.asked: list[str] = []
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.claims: dict[str, Any] = {}
        self.published: dict[str, Any] = {}
        self.reply: dict[str, Any] = {}
        self.said: dict[str, Any] = {"sub": "ada"}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.answers = threading.Event()
        self.answers.set()
        self.redirects_to = ""

    def provider(self, **more: Any) -> OidcProvider:
        """How a server is told of it."""
        named = {"title": "Liar", "client_secret": "secret", **more}
        return OidcProvider(issuer=self.issuer, client_id=self.client_id, **named)

    def signed(self, claims: dict[str, Any]) -> str:
        """Claims, signed as they should be."""
        return jwt.encode(self.header, claims, self.key, algorithms=["RS256"])

    def answer(self, path: str) -> Any:
        """What it says to a request."""
        self.asked.append(path)
        self.answers.wait()
        if path.startswith("/.well-known/"):
            ends = ("authorization", "token", "userinfo")
            found = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ends}
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **found, **self.published}
        if path == "/keys":
            return {"keys": [*self.odd_keys, *(key.as_dict(private=False) for key in self.keys)]}
        if path == "/userinfo":
            return self.said
        now = int(time.time())
        usual = {"iss": self.issuer, "sub": "ada", "aud": self.client_id, "exp": now + 300, "iat": now}
        usual |= {"nonce": self.nonce, "email": "ada@example.org", "email_verified": True}
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(claims), **self.reply}

    def comes_back(
        self, site: Site, client: httpx2.Client | None = None, provider: str = "liar", **more: str
    ) -> httpx2.Response:
        """Sign in with what it says: the reply to coming back."""
        browser = client or site.client(accept="application/json")
        asked = begun(browser, provider)
        self.nonce = asked["nonce"]
        return browser.get(f"/auth/oidc/{provider}/callback", params={"code": "c", "state": asked["state"], **more})


@contextmanager
def lying_provider() -> Iterator[Liar]:
    """A provider that lies, running."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/token" and liar.redirects_to:
                self.send_response(307)
                self.send_header("location", liar.redirects_to)
                self.end_headers()
                return
            body = json.dumps(liar.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        liar = Liar(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield liar
        server.shutdown()
