"""Data Integrity proofs, cryptosuite eddsa-rdfc-2022 (W3C, Data Integrity EdDSA Cryptosuites 1.0, 3.2)."""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from headway.certificates.multibase import write_multibase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CREDENTIALS: Final = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
_FILES: Final = {CREDENTIALS: "credentials-v2.json", OPEN_BADGES: "open-badges-3.0.3.json"}


def proved(document: Mapping[str, Any], key: "Ed25519PrivateKey", *, method: str, created: str) -> dict[str, Any]:
    """A document with its proof; always the same for the same document, key and time.

    `method` is the address of the public key, `created` the time to the second.
    """
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": created,
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    signature = key.sign(signed_bytes(document, proof))
    return {**document, "proof": {**proof, "proofValue": write_multibase(signature)}}


def signed_bytes(document: Mapping[str, Any], proof: Mapping[str, Any]) -> bytes:
    """The bytes to be signed for a document and the options of its proof, neither with the signature in it."""
    options = {"@context": document["@context"], **proof}
    return sha256(canonical(options)).digest() + sha256(canonical(document)).digest()


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document's statements as canonical N-Quads.

    RDFC-1.0, and URDNA2015 as used here, differ only in writing control characters, which no text here contains.
    """
    from pyld import jsonld  # noqa: PLC0415  # a tenth of a second, and seldom needed

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    quads: str = jsonld.normalize(dict(document), options)
    return quads.encode()


def _load(address: str, _options: object = None) -> dict[str, Any]:
    """A bundled context; nothing is ever fetched."""
    if address not in _FILES:
        raise LookupError(f"the context {address} is not bundled")
    return {
        "contextUrl": None,
        "documentUrl": address,
        "contentType": "application/ld+json",
        "document": _read(address),
    }


@lru_cache
def _read(address: str) -> Any:
    return json.loads(files("headway.certificates").joinpath("contexts", _FILES[address]).read_text("utf-8"))
