"""What stands in the place of a body that was moved into the archive: where it lies, and what it can be told by."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final, NamedTuple

# Bodies are JSON objects: none begins with it.
MARK: Final = "@"
PORTION_DIGITS: Final = 8


class Reference(NamedTuple):
    """In which portion of the archive, and in which line of it, a body lies; its digest.

    `named` is the digest that it would have had its step been called by its key: steps are renamed, keys are not.
    """

    portion: int
    line: int
    digest: str
    named: str

    def __str__(self) -> str:
        """As it is stored."""
        also = "" if self.named == self.digest else f":{self.named}"
        return f"{MARK}{self.portion:0{PORTION_DIGITS}}.{self.line}:{self.digest}{also}"


def reference(portion: int, line: int, body: str, under_key: str) -> Reference:
    """The reference to a body, given as it was sent and as it would be under its step's key."""
    return Reference(portion, line, digest_of(body), digest_of(under_key))


def read_reference(stored: str) -> Reference | None:
    """The reference that stands in the place of a body; None where the body itself does."""
    if not is_filed(stored):
        return None
    place, digest, *named = stored[1:].split(":")
    portion, line = place.split(".")
    return Reference(int(portion), int(line), digest, named[0] if named else digest)


def is_filed(stored: str) -> bool:
    """Whether a reference stands in the place of a body."""
    return stored.startswith(MARK)


def is_body(stored: str, body: str) -> bool:
    """Whether a body is the one that is stored, or that is referred to."""
    filed = read_reference(stored)
    return stored == body if filed is None else filed.digest == digest_of(body)


def digest_of(body: str) -> str:
    """What tells one body from another."""
    return urlsafe_b64encode(sha256(body.encode()).digest()).decode().rstrip("=")
