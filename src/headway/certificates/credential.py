"""A certificate as an Open Badges 3.0 credential, and the list that tells whether it was revoked."""

import gzip
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from headway.certificates.facts import CertificateFacts, Issuer, plain, second
from headway.certificates.integrity import CREDENTIALS, OPEN_BADGES, proved

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The least that a status list may have (W3C, Bitstring Status List 1.0, 6.1).
_BITS: Final = 131_072
_REVOKED: Final = b"\x80"


class Signer(NamedTuple):
    """The key that signs: its id, which is its public half, and when it was made (microseconds)."""

    id: str
    key: "Ed25519PrivateKey"
    made_at: int


def signed_credential(facts: CertificateFacts, issuer: Issuer, signer: Signer) -> dict[str, Any]:
    """The credential with its proof: the same each time for the same facts, site and key."""
    # No key can have signed before there was one, so a later key's proof is dated to when it was made.
    return _signed(credential(facts, issuer), issuer, signer, at=max(facts.issued_at, signer.made_at))


def signed_status(facts: CertificateFacts, issuer: Issuer, signer: Signer, *, asked: str) -> dict[str, Any]:
    """Whether a certificate was revoked, for the credential that was given out under the id `asked`, with its proof."""
    since = facts.issued_at if facts.revoked_at is None else facts.revoked_at
    return _signed(status_list(facts, issuer, asked=asked), issuer, signer, at=max(since, signer.made_at))


def _signed(document: dict[str, Any], issuer: Issuer, signer: Signer, *, at: int) -> dict[str, Any]:
    return proved(document, signer.key, method=f"{issuer.id}#{signer.id}", created=second(at))


def credential(facts: CertificateFacts, issuer: Issuer) -> dict[str, Any]:
    """The credential without a proof.

    Its subject is the certificate, so that nobody can tell from two credentials that one person holds both; who holds
    it is said by name alone.
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
    """The issuer as Open Badges has it."""
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
    """A status list of this certificate alone, without a proof.

    One for all would tell everybody the ids of those that were revoked, and the ids open the pages.
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
