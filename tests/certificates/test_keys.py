"""Keys that sign, and how they lie around: sealed ones open with their secret alone, and as themselves alone."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from headway.certificates.keys import SigningKeySealed, is_sealed, new_key, open_key
from tests.certificates.base58 import read_multibase

SECRET = "a secret that is long enough"


@pytest.mark.parametrize("secret", [None, SECRET])
def test_a_key_is_known_by_its_public_half(secret: str | None) -> None:
    made = new_key(secret)
    key = open_key(made.id, made.kept, secret)
    known = read_multibase(made.id)
    assert known[:2] == b"\xed\x01"
    Ed25519PublicKey.from_public_bytes(known[2:]).verify(key.sign(b"x"), b"x")
    assert made.id.startswith("z6Mk")
    assert is_sealed(made.kept) == (secret is not None)


def test_a_sealed_key_tells_nothing_of_itself() -> None:
    made = new_key(SECRET)
    raw = open_key(made.id, made.kept, SECRET).private_bytes_raw()
    assert raw not in read_all(made.kept)
    assert new_key(SECRET).kept != made.kept


def read_all(kept: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(kept.partition(":")[2])


@pytest.mark.parametrize("secret", [None, "another secret, also long"])
def test_a_sealed_key_opens_with_its_secret_alone(secret: str | None) -> None:
    made = new_key(SECRET)
    with pytest.raises(SigningKeySealed) as refusal:
        open_key(made.id, made.kept, secret)
    assert "signing_secret" in refusal.value.detail
    assert SECRET not in refusal.value.detail


@pytest.mark.parametrize("secret", [None, SECRET])
def test_one_key_cannot_be_put_in_the_place_of_another(secret: str | None) -> None:
    one, another = new_key(secret), new_key(secret)
    with pytest.raises(SigningKeySealed):
        open_key(one.id, another.kept, secret)
