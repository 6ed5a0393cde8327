"""A certificate as an Open Badges 3.0 credential, and the list that tells whether it was revoked."""

import gzip
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from headway.certificates.facts import CertificateFacts, Issuer, plain, second
from headway.certificates.integrity import CREDENTIALS, OPEN_BADGES, proved

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The minimum length of a status list, in bits (W3C, Bitstring Status List 1.0, 6.1).
_BITS: Final = 131_072
_REVOKED: Final = b"\x80"


class Signer(NamedTuple):
    """The key that signs: its id, which is its public half, and when it was made (microseconds)."""

    id: str
    key: "Ed25519PrivateKey"
    made_at: int


def signed_credential(facts: CertificateFacts, issuer: Issuer, signer: Signer) -> dict[str, Any]:
    """The credential with its proof: the same each time for the same facts, site and key."""
    # A key cannot have signed before it existed, so the proof by a later key is dated to its creation.
    return _signed(credential(facts, issuer), issuer, signer, at=max(facts.issued_at, signer.made_at))


def signed_status(facts: CertificateFacts, issuer: Issuer, signer: Signer, *, asked: str) -> dict[str, Any]:
    """The status list, with its proof, of the credential that was issued under the id `asked`."""
    since = facts.issued_at if facts.revoked_at is None else facts.revoked_at
    return _signed(status_list(facts, issuer, asked=asked), issuer, signer, at=max(since, signer.made_at))


def _signed(document: dict[str, Any], issuer: Issuer, signer: Signer, *, at: int) -> dict[str, Any]:
    return proved(document, signer.key, method=f"{issuer.id}#{signer.id}", created=second(at))


def credential(facts: CertificateFacts, issuer: Issuer) -> dict[str, Any]:
    """The credential without its proof.

    Its subject is the certificate, so that two credentials do not reveal that one person holds both; the holder is
    given by name alone.
    """
    address, title = issuer.api(facts.id), plain(facts.course_title)
    return {
        "@context": [CREDENTIALS, OPEN_BADGES],
        "id": f"{address}/credential",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": profile(issuer),
        "validFrom": second(facts.issued_at),
        "name": title,
        "credentialSubject": {
            "id": f"urn:uuid:{facts.id}",
            "type": ["AchievementSubject"],
            **_identifier(facts),
            "achievement": _achievement(facts, issuer, title),
            "result": [{"type": ["Result"], "resultDescription": _score_id(facts, issuer), "value": facts.score_text}],
        },
        "credentialStatus": {
            "id": f"{address}/status#0",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "0",
            "statusListCredential": f"{address}/status",
        },
    }


def profile(issuer: Issuer) -> dict[str, Any]:
    """The issuer as an Open Badges profile."""
    return {"id": issuer.id, "type": ["Profile"], "name": plain(issuer.name), "url": issuer.address}


def _identifier(facts: CertificateFacts) -> dict[str, Any]:
    name = plain(facts.learner_name or "")
    if not name:
        return {}
    entry = {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}
    return {"identifier": [entry]}


def _achievement(facts: CertificateFacts, issuer: Issuer, title: str) -> dict[str, Any]:
    return {
        "id": _course(facts, issuer),
        "type": ["Achievement"],
        "achievementType": "Course",
        "name": title,
        "description": f"The course {title}, completed.",
        "criteria": {"narrative": "All modules of the course were completed."},
        "resultDescription": [
            {
                "id": _score_id(facts, issuer),
                "type": ["ResultDescription"],
                "name": "Score",
                "resultType": "Percent",
                "valueMin": "0",
                "valueMax": "100",
            }
        ],
    }


def _course(facts: CertificateFacts, issuer: Issuer) -> str:
    return f"{issuer.address}/api/v1/courses/{quote(facts.course_id, safe='')}"


def _score_id(facts: CertificateFacts, issuer: Issuer) -> str:
    return f"{_course(facts, issuer)}#score"


def status_list(facts: CertificateFacts, issuer: Issuer, *, asked: str) -> dict[str, Any]:
    """The status list of this certificate alone, without its proof.

    A list shared by all would reveal the ids of the certificates revoked, and their ids open their pages.
    """
    address = f"{issuer.api(asked)}/status"
    since = facts.issued_at if facts.revoked_at is None else facts.revoked_at
    first = b"\0" if facts.revoked_at is None else _REVOKED
    bits = gzip.compress(first.ljust(_BITS // 8, b"\0"), mtime=0)
    return {
        "@context": [CREDENTIALS],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.id,
        "validFrom": second(since),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": "u" + urlsafe_b64encode(bits).decode("ascii").rstrip("="),
        },
    }
