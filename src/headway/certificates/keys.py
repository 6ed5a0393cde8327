"""Signing keys: Ed25519, named by their public half; the private half is sealed where the operator set a secret."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from secrets import token_bytes
from typing import TYPE_CHECKING, Final, NamedTuple

from headway.certificates.multibase import write_multibase
from headway.domain.errors import HeadwayError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

# The prefix of an Ed25519 public key in a Multikey (W3C Controlled Identifiers, 2.2.2).
_ED25519: Final = b"\xed\x01"
_PLAIN, _SEALED = "plain", "sealed"
_SALT, _NONCE = 16, 12


class SigningKeySealed(HeadwayError):
    """The key that signs cannot be opened."""

    code = "signing-key-sealed"


class NewKey(NamedTuple):
    """A key to be stored: `id` is its public half as a Multikey, `kept` its private half, sealed if a secret is set."""

    id: str
    kept: str


def new_key(signing_secret: str | None) -> NewKey:
    """A new key, sealed by the secret where there is one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # slow to import, seldom needed
        Ed25519PrivateKey,
    )

    key = Ed25519PrivateKey.generate()
    key_id = key_id_of(key)
    return NewKey(key_id, seal(key.private_bytes_raw(), key_id, signing_secret))


def seal(raw: bytes, name: str, signing_secret: str | None) -> str:
    """The text to store for a secret, sealed by the operator's secret if there is one.

    It is bound to its name, so that what was sealed under another name cannot replace it.
    """
    if signing_secret is None:
        return f"{_PLAIN}:{_text(raw)}"
    salt, nonce = token_bytes(_SALT), token_bytes(_NONCE)
    closed = _cipher(signing_secret, salt).encrypt(nonce, raw, name.encode())
    return f"{_SEALED}:{_text(salt + nonce + closed)}"


@lru_cache(maxsize=64)
def unseal(name: str, kept: str, signing_secret: str | None) -> bytes:
    """The bytes sealed under a name; SigningKeySealed where they were sealed by another secret."""
    return _opened(name, kept, signing_secret)


def is_sealed(kept: str) -> bool:
    """Whether a stored text is of no use without the operator's secret."""
    return kept.startswith(_SEALED)


def key_id_of(key: "Ed25519PrivateKey") -> str:
    """A key's public half as a Multikey."""
    return write_multibase(_ED25519 + key.public_key().public_bytes_raw())


# Unsealing takes a tenth of a second by design; a site has one key at a time.
@lru_cache(maxsize=4)
def open_key(key_id: str, kept: str, signing_secret: str | None) -> "Ed25519PrivateKey":
    """The private key; SigningKeySealed where it was sealed by another secret, or does not match its id."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # as above
        Ed25519PrivateKey,
    )

    key = Ed25519PrivateKey.from_private_bytes(_opened(key_id, kept, signing_secret))
    if key_id_of(key) != key_id:
        raise SigningKeySealed(
            f"the private half of the key {key_id} is another key's; `headway keys new` makes a new one"
        )
    return key


def _opened(key_id: str, kept: str, signing_secret: str | None) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # as above

    kind, _, text = kept.partition(":")
    raw = urlsafe_b64decode(text)
    if kind == _PLAIN:
        return raw
    if signing_secret is None:
        raise SigningKeySealed("the key that signs is sealed: set signing_secret to what it was when the key was made")
    salt, nonce, closed = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
    try:
        return _cipher(signing_secret, salt).decrypt(nonce, closed, key_id.encode())
    except InvalidTag:
        raise SigningKeySealed(
            "the key that signs was sealed by another signing_secret: set that one, or make a new key with"
            " `headway keys new`; what was signed stays valid"
        ) from None


def _cipher(signing_secret: str, salt: bytes) -> "ChaCha20Poly1305":
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415  # as above
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415  # as above

    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(signing_secret.encode()))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii")
