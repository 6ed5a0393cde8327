"""References: what the ledger holds in place of a body that was moved into the archive."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final, NamedTuple

# What a stored reference begins with; no body does, for bodies are JSON objects.
MARK: Final = "@"
PORTION_DIGITS: Final = 8


class Reference(NamedTuple):
    """Where a body lies in the archive, as portion and line, and its digest.

    `named` is the digest that the body would have if it called its step by the step's key: ids of steps change, keys do
    not.
    """

    portion: int
    line: int
    digest: str
    named: str

    def __str__(self) -> str:
        """The reference as it is stored."""
        also = "" if self.named == self.digest else f":{self.named}"
        return f"{MARK}{self.portion:0{PORTION_DIGITS}}.{self.line}:{self.digest}{also}"


def reference(portion: int, line: int, body: str, under_key: str) -> Reference:
    """The reference to a body, given as it was sent and as it would be with its step's key for the step's id."""
    return Reference(portion, line, digest_of(body), digest_of(under_key))


def read_reference(stored: str) -> Reference | None:
    """The reference that is stored in place of a body; None where the body itself is stored."""
    if not is_filed(stored):
        return None
    place, digest, *named = stored[1:].split(":")
    portion, line = place.split(".")
    return Reference(int(portion), int(line), digest, named[0] if named else digest)


def is_filed(stored: str) -> bool:
    """Whether what is stored is a reference and not the body."""
    return stored.startswith(MARK)


def is_body(stored: str, body: str) -> bool:
    """Whether a body is the one that is stored, or that is referred to."""
    filed = read_reference(stored)
    return stored == body if filed is None else filed.digest == digest_of(body)


def digest_of(body: str) -> str:
    """The SHA-256 digest of a body, in unpadded base64url."""
    return urlsafe_b64encode(sha256(body.encode()).digest()).decode().rstrip("=")
