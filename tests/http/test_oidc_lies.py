"""Signing in by a provider that lies, or is broken: nobody is let in on its word."""

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from headway.http import oidc, openid
from headway.store.schema import learner
from tests.http.providers import Liar, begun, lying_provider
from tests.http.server import Site, serving
from tests.http.test_events import counted
from tests.http.test_oidc import HTML, me, refused


@pytest.fixture
def liar() -> Iterator[Liar]:
    """A provider that lies, running."""
    with lying_provider() as found:
        yield found


@pytest.fixture(scope="module")
def steadfast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Liar]]:
    """A server and its lying provider, for what it refuses and keeps nothing of: started once for all of it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('steadfast') / 'headway.db'}"
    with lying_provider() as liar, serving(url, oidc={"liar": liar.provider()}) as site:
        yield site, liar


@pytest.fixture
def refusing(steadfast: tuple[Site, Liar]) -> Iterator[tuple[Site, Liar]]:
    """The same, with a provider that has told no lie yet; whatever it tells in the test lets nobody in."""
    site, liar = steadfast
    liar.claims, liar.reply, liar.sign = {}, {}, liar.signed
    yield site, liar
    assert counted(site, learner) == 0


@pytest.fixture
def deceived(sqlite_url: str, liar: Liar) -> Iterator[Site]:
    """A server that is set up to let people in by it."""
    with serving(sqlite_url, oidc={"liar": liar.provider()}) as site:
        yield site


def test_it_is_believed_where_it_tells_the_truth(deceived: Site, liar: Liar) -> None:
    client = deceived.client()
    assert liar.comes_back(deceived, client).status_code == 303
    assert me(client)["email"] == "ada@example.org"


NOW = int(time.time())
CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": NOW - 120},
    "never ending": {"exp": None},
    "an end that is no time": {"exp": "tomorrow"},
    "not yet valid": {"nbf": NOW + 3_600},
    "from the future": {"iat": NOW + 3_600},
    "of no time": {"iat": None},
    "for another audience": {"aud": "another"},
    "for other audiences": {"aud": ["another", "more"]},
    "for us among others, with no party": {"aud": ["headway", "another"]},
    "for us among others, by another party": {"aud": ["headway", "another"], "azp": "another"},
    "by another party": {"azp": "another"},
    "for nobody": {"aud": None},
    "for another audience, by us": {"aud": "another", "azp": "headway"},
    "an answer to another question": {"nonce": "another"},
    "an answer to no question": {"nonce": None},
    "of another issuer": {"iss": "https://accounts.example.org"},
    "of no issuer": {"iss": None},
    "of nobody": {"sub": None},
    "of a number": {"sub": 7},
    "of an empty name": {"sub": ""},
    "of a long name": {"sub": "x" * 256},
    "of a name with a NUL": {"sub": "a\0b"},
    "of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_claims_that_are_not_to_be_believed(refusing: tuple[Site, Liar], claims: dict[str, Any]) -> None:
    site, liar = refusing
    liar.claims = claims
    refused(liar.comes_back(site), 400, "sign-in-refused")


def test_a_token_signed_by_another_key_of_the_same_name(refusing: tuple[Site, Liar]) -> None:
    site, liar = refusing
    forger = RSAKey.generate_key(2048, {"kid": "one"})
    liar.sign = lambda claims: jwt.encode(liar.header, claims, forger)
    refused(liar.comes_back(site), 400, "sign-in-refused")


def test_a_token_that_brings_its_own_key(deceived: Site, liar: Liar) -> None:
    forger = RSAKey.generate_key(2048, {"kid": "mine"})
    header = {"alg": "RS256", "kid": "mine", "jwk": forger.as_dict(private=False), "jku": f"{liar.issuer}/mine"}
    liar.sign = lambda claims: jwt.encode(header, claims, forger)
    refused(liar.comes_back(deceived), 400, "sign-in-refused")
    assert "/mine" not in liar.asked


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_a_token_that_nobody_signed(refusing: tuple[Site, Liar], alg: str) -> None:
    site, liar = refusing
    liar.sign = lambda claims: _unsigned(alg, claims) + "."
    refused(liar.comes_back(site), 400, "sign-in-refused")


@pytest.mark.parametrize("secret", ["pem", "der", "n", "client"])
def test_a_token_signed_with_what_everybody_knows(refusing: tuple[Site, Liar], secret: str) -> None:
    site, liar = refusing
    known = {
        "pem": liar.key.as_pem(private=False),
        "der": liar.key.as_der(private=False),
        "n": str(liar.key.as_dict(private=False)["n"]).encode(),
        # What the client and its provider know, but which signs nothing that they agreed on.
        "client": b"secret",
    }[secret]

    def sign(claims: dict[str, Any]) -> str:
        # By hand: the library refuses to take a public key for a secret.
        said = _unsigned("HS256", claims)
        return f"{said}.{_encoded(hmac.digest(known, said.encode(), 'sha256'))}"

    liar.sign = sign
    refused(liar.comes_back(site), 400, "sign-in-refused")


def _unsigned(alg: str, claims: dict[str, Any]) -> str:
    return ".".join(_encoded(json.dumps(one).encode()) for one in ({"alg": alg, "kid": "one"}, claims))


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_secret_among_the_published_keys_signs_nothing(deceived: Site, liar: Liar) -> None:
    key: Any = OctKey.generate_key(256, {"kid": "oct"})
    liar.keys.append(key)
    liar.sign = lambda claims: jwt.encode({"alg": "HS256", "kid": "oct"}, claims, key, algorithms=["HS256"])
    refused(liar.comes_back(deceived), 400, "sign-in-refused")


def test_a_key_that_cannot_be_read_is_none_of_ours(deceived: Site, liar: Liar) -> None:
    odd = [{"kty": "EC", "kid": "x", "crv": "P-999", "x": "aa", "y": "bb"}, {"kty": "RSA", "n": "!", "e": 1}, 7, None]
    liar.odd_keys = odd
    assert liar.comes_back(deceived).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "." * 5, "\u2603.\u2603.\u2603", 7, None, [], {}])
def test_what_is_no_token_at_all(refusing: tuple[Site, Liar], token: Any) -> None:
    site, liar = refusing
    liar.reply = {"id_token": token}
    refused(liar.comes_back(site), 400, "sign-in-refused")


def test_a_new_key_is_fetched_once(deceived: Site, liar: Liar) -> None:
    assert liar.comes_back(deceived).status_code == 303
    liar.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
    liar.keys, liar.header = [liar.key], {"alg": "RS256", "kid": "two"}
    assert liar.comes_back(deceived).status_code == 303
    assert liar.asked.count("/keys") == 2
    assert liar.comes_back(deceived).status_code == 303
    assert liar.asked.count("/keys") == 2
    liar.header = {"alg": "RS256", "kid": "three"}
    liar.keys.append(RSAKey.generate_key(2048, {"kid": "four"}))
    refused(liar.comes_back(deceived), 400, "sign-in-refused")
    assert liar.asked.count("/keys") == 3


def test_an_answer_in_the_name_of_another_provider(deceived: Site, liar: Liar) -> None:
    refused(liar.comes_back(deceived, iss="https://accounts.example.org"), 400, "sign-in-refused")
    assert "/token" not in liar.asked
    assert liar.comes_back(deceived, iss=liar.issuer).status_code == 303


@pytest.mark.parametrize("state", ["", "another", "\u2603"])
def test_an_answer_to_another_question_is_not_even_looked_at(refusing: tuple[Site, Liar], state: str) -> None:
    # A provider that takes any code and any verifier is not what keeps a stranger's answer out.
    site, liar = refusing
    liar.asked.clear()
    refused(liar.comes_back(site, state=state), 400, "sign-in-refused")
    assert "/token" not in liar.asked


def test_a_code_of_one_provider_is_not_taken_to_another(sqlite_url: str, liar: Liar) -> None:
    with lying_provider() as other:
        set_up = {"liar": liar.provider(), "other": other.provider()}
        with serving(sqlite_url, oidc=set_up) as site:
            browser = site.client(accept="application/json")
            back = {"code": "c", "state": begun(browser, "liar")["state"]}
            refused(browser.get("/auth/oidc/other/callback", params=back), 400, "sign-in-refused")
            assert "/token" not in other.asked


@pytest.mark.parametrize("verified", [False, None, "true", 1, "false"])
def test_an_address_counts_where_it_is_said_to_be_verified_and_in_no_other_way(
    deceived: Site, liar: Liar, verified: object
) -> None:
    liar.claims = {"email_verified": verified}
    client = deceived.client()
    liar.comes_back(deceived, client)
    assert me(client)["email"] is None


@pytest.mark.parametrize("email", ["no address", 7, "a@b\u0000", ["ada@example.org"], "x" * 300 + "@example.org"])
def test_an_address_that_is_none_is_left_out(deceived: Site, liar: Liar, email: object) -> None:
    liar.claims = {"email": email, "name": "\u202e" * 9}
    client = deceived.client()
    assert liar.comes_back(deceived, client).status_code == 303
    assert [me(client)[name] for name in ("email", "display_name")] == [None, None]


def test_what_it_says_beside_the_token_counts_for_the_same_person_alone(deceived: Site, liar: Liar) -> None:
    liar.claims = {"email": None, "email_verified": None}
    liar.said = {"sub": "eve", "email": "ada@example.org", "email_verified": True}
    client = deceived.client()
    liar.comes_back(deceived, client)
    assert me(client)["email"] is None
    liar.claims |= {"sub": "eve"}
    client = deceived.client()
    liar.comes_back(deceived, client)
    assert me(client)["email"] == "ada@example.org"


PUBLISHED: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://accounts.example.org"},
    "no issuer": {"issuer": None},
    "keys at no address": {"jwks_uri": None},
    "keys without HTTPS": {"jwks_uri": "http://example.org/keys"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "no place to sign in at": {"authorization_endpoint": None},
    "a script to sign in at": {"authorization_endpoint": "javascript:alert(1)"},
}


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)
def test_a_provider_that_publishes_nonsense(
    deceived: Site, liar: Liar, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "DOWN_S", 0)
    liar.published = published
    reply = deceived.client().get("/auth/oidc/liar")
    assert (reply.status_code, reply.json()["type"]) == (503, "/problems/provider-unavailable")
    assert int(reply.headers["retry-after"]) > 0
    liar.published = {}
    begun(deceived.client(), "liar")


def test_a_secret_is_not_taken_elsewhere(deceived: Site, liar: Liar) -> None:
    with lying_provider() as elsewhere:
        liar.redirects_to = f"{elsewhere.issuer}/token"
        reply = liar.comes_back(deceived)
        assert reply.status_code == 503
        assert elsewhere.asked == []


def test_a_provider_that_sends_without_end_is_not_listened_to(deceived: Site, liar: Liar) -> None:
    liar.published = {"more": "x" * 600_000}
    assert deceived.client().get("/auth/oidc/liar").status_code == 503


def test_a_provider_that_hangs_holds_nobody_up(deceived: Site, liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "WHOLE_S", 0.5)
    for patience in ("WHOLE_S", "TIMEOUT_S"):
        monkeypatch.setattr(openid, patience, 1_000)
    liar.answers.clear()
    reply = deceived.client().get("/auth/oidc/liar")
    assert (reply.status_code, reply.json()["type"]) == (503, "/problems/provider-unavailable")
    assert deceived.client().get("/auth/me").status_code == 200
    liar.answers.set()


def test_a_provider_that_hangs_holds_up_none_of_the_others(sqlite_url: str, liar: Liar) -> None:
    with lying_provider() as other:
        set_up = {"liar": liar.provider(), "other": other.provider()}
        with serving(sqlite_url, oidc=set_up) as site:
            liar.answers.clear()
            held = [threading.Thread(target=site.client().get, args=("/auth/oidc/liar",)) for _ in range(6)]
            for one in held:
                one.start()
            while len(liar.asked) < 1:
                time.sleep(0.01)
            assert other.comes_back(site, provider="other").status_code == 303
            assert all(one.is_alive() for one in held)
            liar.answers.set()
            for one in held:
                one.join()


def test_a_provider_that_is_not_there(sqlite_url: str, liar: Liar) -> None:
    gone = liar.provider()
    with lying_provider() as other:
        liar.issuer = other.issuer
        gone = liar.provider()
    with serving(sqlite_url, oidc={"liar": gone}) as site:
        reply = site.client().get("/auth/oidc/liar", headers=HTML)
        assert (reply.status_code, reply.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "cannot be asked now" in reply.text


def test_what_it_says_of_itself_is_shown_as_text(sqlite_url: str, liar: Liar) -> None:
    with serving(sqlite_url, oidc={"liar": liar.provider(title="<script>alert(1)</script>")}) as site:
        reply = liar.comes_back(site, site.client(**HTML), error="<b>")
        assert "<script" not in reply.text
        assert "&lt;script&gt;" in reply.text
        assert isinstance(reply, httpx2.Response)
