"""Pages of lists, and the cursors that lead to them: opaque to clients, and read with distrust."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from litestar.params import FromQuery, QueryParameter

from headway.http.refusals import CursorInvalid

LIMIT: Final = 50
LIMIT_MAX: Final = 200
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX)]
Cursor: TypeAlias = FromQuery[str | None]

_VERSION: Final = 2
_CURSOR_MAX: Final = 2_000
# A place is no secret, and a forged one harms nobody: the digest only shows that a cursor was changed.
_DIGEST_BYTES: Final = 8

T = TypeVar("T")
P = TypeVar("P", bound=tuple[int | str, ...])


def cut(
    found: Iterable[T], place: Callable[[T], P], kind: type[P], limit: int | None, cursor: str | None
) -> tuple[list[T], str | None]:
    """A page of a complete list, in the order of its items' places, and the cursor of the next page, if there is one.

    A page begins after a place, whether or not an item is still there: additions and removals shift nothing.
    """
    behind = read_cursor(cursor, kind)
    left = sorted((one for one in found if behind is None or place(one) > behind), key=place)
    page = left[:limit]
    return page, write_cursor(place(page[-1])) if len(page) < len(left) else None


def write_cursor(place: object) -> str:
    """The cursor that leads back to a place in a list."""
    said = msgspec.json.encode([_VERSION, place])
    return urlsafe_b64encode(sha256(said).digest()[:_DIGEST_BYTES] + said).rstrip(b"=").decode("ascii")


def read_cursor(cursor: str | None, kind: type[T]) -> T | None:
    """The place that a cursor leads to, None without one; CursorInvalid where `write_cursor` did not make it."""
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        _, place = msgspec.json.decode(raw[_DIGEST_BYTES:], type=tuple[int, kind])  # type: ignore[valid-type]  # a type made here
    except (ValueError, binascii.Error, RecursionError):
        raise foreign_cursor() from None
    # Writing it again gives the same only if it is of this version and spelling, and was not changed.
    if len(cursor) > _CURSOR_MAX or write_cursor(place) != cursor or _has_nul(place):
        raise foreign_cursor()
    found: T = place
    return found


def _has_nul(place: object) -> bool:
    # An escaped backslash is taken out first: the letters after it are only letters.
    return b"\\u0000" in msgspec.json.encode(place).replace(rb"\\", b"")


def foreign_cursor() -> CursorInvalid:
    """The error for a cursor that this list did not give."""
    return CursorInvalid("the cursor is not one that this list gave; leave it out to begin anew")
