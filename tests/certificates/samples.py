"""A certificate, a site and a key to try with: the same each time."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headway.certificates.credential import Signer
from headway.certificates.facts import CertificateFacts, Issuer
from headway.certificates.keys import key_id_of

ID = "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c11"
ISSUED_AT = 1_772_357_400_123_456  # 2026-03-01T09:30:00Z, and some
FACTS = CertificateFacts(ID, "Ada Lovelace", "python-basics", "Python basics", 1, 875_000, ISSUED_AT)
REVOKED = FACTS._replace(revoked_at=ISSUED_AT + 86_400_000_000, revoked_reason="The final was somebody else's.")
ISSUER = Issuer("https://learn.example.org", "Learn")


def signer_from(seed: int, made_at: int = 0) -> Signer:
    """A key that follows from a number."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Signer(key_id_of(key), key, made_at)


SIGNER = signer_from(1)
