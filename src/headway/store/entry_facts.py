"""The facts of an entry as files hold them: those of the archive, and exports that are taken in again."""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Raw, Struct

# Beyond the year 9999 nothing can be told.
_MICROSECONDS_MAX: Final = 253_402_300_799_999_999
Time: TypeAlias = Annotated[int, Meta(ge=0, le=_MICROSECONDS_MAX)]
Span: TypeAlias = Annotated[int, Meta(ge=-_MICROSECONDS_MAX, le=_MICROSECONDS_MAX)]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class EntryFacts(Struct):
    """What was sent and what the server knew then, under the names that exports have; times in microseconds."""

    ledger: str
    seq: Number
    id: str
    sent: Raw
    received_at_us: Time
    clock_skew_us: Span
    time_zone: str
    source: str
    version: Number
    streak_rules: str | None
