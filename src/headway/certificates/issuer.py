"""The document of an issuer: its profile and its public keys (W3C, Controlled Identifiers 1.0)."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from headway.certificates.credential import profile
from headway.certificates.facts import Issuer, second
from headway.certificates.integrity import OPEN_BADGES

_CONTROLLED: Final = "https://www.w3.org/ns/cid/v1"


class PublicKey(NamedTuple):
    """A public key; nothing that it signed is to be believed once `retired_at` (microseconds) is set."""

    id: str
    retired_at: int | None


def issuer_document(issuer: Issuer, keys: Iterable[PublicKey]) -> dict[str, Any]:
    """The document; retired keys stay in it, marked as revoked, but are no longer valid for assertions."""
    known = list(keys)
    return {
        "@context": [_CONTROLLED, OPEN_BADGES],
        **profile(issuer),
        "verificationMethod": [_method(issuer, one) for one in known],
        "assertionMethod": [f"{issuer.id}#{one.id}" for one in known if one.retired_at is None],
    }


def _method(issuer: Issuer, key: PublicKey) -> dict[str, Any]:
    method = {
        "id": f"{issuer.id}#{key.id}",
        "type": "Multikey",
        "controller": issuer.id,
        "publicKeyMultibase": key.id,
    }
    return method if key.retired_at is None else method | {"revoked": second(key.retired_at)}
