"""A client of an OpenID Connect provider: where to send people, and for whom the provider vouches.

Its methods block while they wait for another server: call them in threads.
"""

import json
from collections.abc import Iterable
from threading import Lock
from time import monotonic
from typing import Any, Final

import requests
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from headway.domain.errors import Invalid
from headway.domain.identity import check_name
from headway.http.bounded import bound
from headway.http.refusals import ProviderUnavailable, SignInRefused
from headway.ledger.emails import normalize_email
from headway.ledger.external import Vouched
from headway.settings import OidcProvider, is_safe_address

log = structlog.get_logger()

# Only signatures by a key pair: `none` has no signer, and HS256 could be made by whoever knows the public key.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
TIMEOUT_S: Final = 5
LEEWAY_S: Final = 60
KEPT_S: Final = 3600
# Seconds for all requests to a provider in one part of a sign-in.
WHOLE_S: Final = 10
# Seconds for which a provider that failed is not asked again: else every thread could end up waiting for it.
DOWN_S: Final = 5
_ADDRESSES: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_SUBJECT_MAX: Final = 255


class Client:
    """This server as a client of a provider, whose metadata and keys are kept for an hour."""

    def __init__(self, name: str, provider: OidcProvider) -> None:
        self._name = name
        self._provider = provider
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._good_until = 0.0
        self._down_until = 0.0

    def address(self, redirect_uri: str, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send somebody who signs in."""
        ends_at = monotonic() + WHOLE_S
        endpoint = self._published(ends_at)[0]["authorization_endpoint"]
        with self._session(redirect_uri, ends_at) as session:
            address, _ = session.create_authorization_url(
                endpoint, state=state, nonce=nonce, code_verifier=verifier, response_type="code"
            )
            return str(address)

    def vouched(self, redirect_uri: str, *, code: str, nonce: str, verifier: str) -> Vouched:
        """Whom the provider vouches for by a code; SignInRefused if its answer cannot be believed."""
        ends_at = monotonic() + WHOLE_S
        endpoint = self._published(ends_at)[0]["token_endpoint"]
        with self._session(redirect_uri, ends_at) as session:
            try:
                token = session.fetch_token(
                    endpoint, code=code, code_verifier=verifier, timeout=TIMEOUT_S, allow_redirects=False
                )
            except OAuthError as error:
                raise self._refused("it takes no such code", error) from None
            except (requests.RequestException, ValueError, TypeError, AttributeError, RecursionError) as error:
                raise self._unavailable(endpoint, error) from None
        access_token, id_token = token.get("access_token"), token.get("id_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise self._refused("it sent no ID token")
        claims = self._verified(id_token, ends_at, nonce=nonce, access_token=access_token)
        more_at = self._metadata.get("userinfo_endpoint")
        if "email" not in claims and is_safe_address(str(more_at)):
            claims = self._more(str(more_at), access_token, claims["sub"], ends_at) | claims
        return self._as_vouched(claims)

    def _verified(self, id_token: str, ends_at: float, *, nonce: str, access_token: str) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core, 3.1.3.7); SignInRefused where any of it is wrong."""
        try:
            try:
                token = jwt.decode(id_token, self._published(ends_at)[1], algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                # A key that is not known may be newer than those that were kept.
                token = jwt.decode(id_token, self._published(ends_at, anew=True)[1], algorithms=ALGORITHMS)
            issuer, audience = self._provider.issuer, self._provider.client_id
            options = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}
            params = {"nonce": nonce, "client_id": audience, "access_token": access_token}
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise self._refused("its ID token is not to be believed", error) from None
        return dict(token.claims)

    def _as_vouched(self, claims: dict[str, Any]) -> Vouched:
        subject, email, name = claims.get("sub"), claims.get("email"), claims.get("name")
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX or not subject.isprintable():
            raise self._refused("its name for you cannot be kept")
        verified = claims.get("email_verified") is True
        return Vouched(
            self._provider.issuer,
            subject,
            _or_none(normalize_email, email) if verified and isinstance(email, str) else None,
            _or_none(check_name, name) if isinstance(name, str) else None,
        )

    def _more(self, address: str, access_token: str, subject: str, ends_at: float) -> dict[str, Any]:
        """The provider's claims about somebody beside the ID token; empty if they are about another."""
        found = self._get(address, ends_at, {"authorization": f"Bearer {access_token}"})
        return found if found.get("sub") == subject else {}

    def _session(self, redirect_uri: str, ends_at: float) -> Any:
        provider, known = self._provider, self._metadata.get("token_endpoint_auth_methods_supported")
        method = "client_secret_basic"
        if provider.client_secret is None:
            method = "none"
        elif isinstance(known, list) and method not in known and "client_secret_post" in known:
            method = "client_secret_post"
        session = OAuth2Session(
            provider.client_id,
            provider.client_secret,
            token_endpoint_auth_method=method,
            scope=provider.scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        bound(session, ends_at)
        return session

    def _published(self, ends_at: float, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """The provider's metadata and keys; asked for again once they are outdated, or with `anew`."""
        with self._lock:
            if not anew and self._keys is not None and monotonic() < self._good_until:
                return self._metadata, self._keys
            if monotonic() < self._down_until:
                raise self._down()
        # Without the lock: those for whom the kept ones are good enough must not wait for those who ask.
        try:
            metadata, keys = self._fetched(ends_at)
        except ProviderUnavailable:
            with self._lock:
                self._down_until = monotonic() + DOWN_S
            raise
        with self._lock:
            self._metadata, self._keys, self._good_until = metadata, keys, monotonic() + KEPT_S
        return metadata, keys

    def _fetched(self, ends_at: float) -> tuple[dict[str, Any], KeySet]:
        where = self._provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        metadata = self._get(where, ends_at)
        if metadata.get("issuer") != self._provider.issuer:
            raise self._unavailable(where, ValueError("it speaks for another issuer"))
        for name in _ADDRESSES:
            if not is_safe_address(str(metadata.get(name))):
                raise self._unavailable(where, ValueError(f"it has no safe {name}"))
        keys_at: str = metadata["jwks_uri"]
        published = self._get(keys_at, ends_at)
        try:
            return metadata, _readable(published["keys"])
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._unavailable(keys_at, error) from None

    def _get(self, address: str, ends_at: float, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """A JSON object from the provider."""
        sent = {"accept": "application/json"} | (headers or {})
        try:
            with requests.Session() as session:
                bound(session, ends_at)
                reply = session.get(address, headers=sent, timeout=TIMEOUT_S, allow_redirects=False)
            if reply.status_code != requests.codes.ok:
                raise ValueError(f"status {reply.status_code}")
            found = json.loads(reply.content)
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise self._unavailable(address, error) from None
        if not isinstance(found, dict):
            raise self._unavailable(address, TypeError("no object"))
        return found

    def _refused(self, why: str, error: Exception | None = None) -> SignInRefused:
        log.warning("sign_in_refused", provider=self._name, why=why, error=_told(error))
        return SignInRefused(f"{self._provider.title} was not believed: {why}; try again")

    def _unavailable(self, what: str, error: Exception) -> ProviderUnavailable:
        log.error("provider_unavailable", provider=self._name, what=what, error=_told(error))
        return self._down()

    def _down(self) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self._provider.title} cannot be asked now; try again in a moment")


def _readable(published: Iterable[Any]) -> KeySet:
    """The keys that can be read; others, of unknown kinds or broken, are left out (RFC 7517, 5)."""
    keys: list[Any] = []
    for one in published:
        try:
            keys += KeySet.import_key_set({"keys": [one]}).keys
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
    if not keys:
        raise ValueError("it publishes no key that can be read")
    return KeySet(keys)


def _or_none(check: Any, value: str) -> Any:
    try:
        return check(value)
    except Invalid:
        return None


def _told(error: Exception | None) -> str | None:
    """An error without what was sent, which may be a secret."""
    return None if error is None else f"{type(error).__name__}: {error}"[:300]
